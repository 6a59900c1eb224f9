# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Python interpreters of this machine, and which ansible-core each can run.

Usage: python -m tests.tools.interpreters   (prints the newest interpreter on which the newest supported ansible-core runs)
"""

from __future__ import annotations

import functools
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

Version = tuple[int, int]

# The minor versions of Python under which each supported ansible-core runs playbooks (its support matrix).
CORES: dict[Version, range] = {
    (2, 17): range(10, 13),
    (2, 18): range(11, 14),
    (2, 19): range(11, 14),
    (2, 20): range(12, 15),
    (2, 21): range(12, 15),
}
# Where interpreters are kept that may not be on PATH: pyenv's, and those of GitHub's runners.
_KEPT = ("~/.pyenv/versions/*/bin", "/opt/hostedtoolcache/Python/*/x64/bin")


@functools.cache
def interpreters() -> dict[Version, Path]:
    """The interpreters that really start and can make virtual environments, by version, oldest first."""
    found: dict[Version, Path] = {}
    for program in _candidates():
        answer = subprocess.run(
            [program, "-c", "import ensurepip, sys, venv; print(*sys.version_info[:2], sys.executable)"],
            capture_output=True,
            text=True,
            check=False,
        )
        if answer.returncode == 0:
            major, minor, path = answer.stdout.split(maxsplit=2)
            found.setdefault((int(major), int(minor)), Path(path.strip()))
    return dict(sorted(found.items()))


def oldest_core() -> tuple[Version, Path]:
    """The oldest supported ansible-core that an interpreter of this machine runs, and the oldest such interpreter."""
    return next((core, found[0]) for core in sorted(CORES) if (found := _running(core)))


def newest_core() -> tuple[Version, Path]:
    """The newest supported ansible-core that an interpreter of this machine runs, and the newest such interpreter."""
    return next((core, found[-1]) for core in sorted(CORES, reverse=True) if (found := _running(core)))


def _running(core: Version) -> list[Path]:
    return [path for (_, minor), path in interpreters().items() if minor in CORES[core]]


def _candidates() -> Iterator[Path]:
    folders = [Path(sys.base_prefix) / "bin", *(Path(entry) for entry in os.environ.get("PATH", "").split(os.pathsep) if entry)]
    for pattern in _KEPT:
        folders += Path("/").glob(str(Path(pattern).expanduser()).lstrip("/"))
    for folder in folders:
        if folder.is_dir():
            yield from (path for path in sorted(folder.iterdir()) if re.fullmatch(r"python3\.\d+", path.name))


if __name__ == "__main__":
    print(newest_core()[1])
