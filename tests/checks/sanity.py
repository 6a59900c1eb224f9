# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs all of `ansible-test sanity` on the collection as it is published. There is no ignore file.

Its environments are kept in `.cache`. They begin with a pip that ansible-test fetches from a host of its own; here that pip
comes from PyPI, so that nothing else has to be reachable.
"""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.tools.artefact import CHECKOUT
from tests.tools.interpreters import interpreters
from tests.tools.published import published

HOME = CHECKOUT / ".cache" / "ansible-test"
OLDEST_PYTHON = (3, 9)  # of modules, see tests/config.yml
# What ansible-test runs in the place of the script that it would fetch, with the same arguments.
# Installed once for each Python and copied then, as ansible-test wants it in an environment for each of its tests.
BOOTSTRAP = """\
import os, shutil, subprocess, sys, sysconfig
wheel = {wheel!r}
kept = wheel + "." + sys.implementation.cache_tag
if not os.path.isdir(kept):
    subprocess.check_call([sys.executable, wheel + "/pip", "install", "-qq", "--no-index", "--target", kept, wheel])
shutil.copytree(kept, sysconfig.get_path("purelib"), dirs_exist_ok=True)
"""


def provide_pip() -> None:
    """Puts the pip that ansible-test asks for into its cache."""
    spec = importlib.util.find_spec("ansible_test")
    assert spec is not None and spec.submodule_search_locations is not None
    source = Path(spec.submodule_search_locations[0]) / "_internal" / "python_requirements.py"
    found = re.search(r"pip='([\d.]+)'", source.read_text())
    if not found:
        raise SystemExit(f"{source} no longer says which pip ansible-test wants: look there, and mend tests/checks/sanity.py")
    version = found[1]
    cache = HOME / ".ansible" / "test" / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    wheel = cache / f"pip-{version}-py3-none-any.whl"
    if not wheel.exists():
        pip = [sys.executable, "-m", "pip", "download", "-qq", "--no-deps", "--disable-pip-version-check"]
        subprocess.run([*pip, "--dest", str(cache), f"pip=={version}"], check=True)
    (cache / f"get_pip_{version.replace('.', '_')}.py").write_text(BOOTSTRAP.format(wheel=str(wheel)))


def main() -> int:
    """Runs it; the arguments of the command line are handed on."""
    provide_pip()
    versions = [version for version in interpreters() if version >= OLDEST_PYTHON]
    # The oldest, the newest and our own: what is between them finds nothing else, and each takes seconds.
    folders = [str(interpreters()[version].parent) for version in {versions[0], versions[-1], sys.version_info[:2]}]
    environment = {
        **os.environ,
        "HOME": str(HOME),
        # Real interpreters before the shims that version managers put on PATH.
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), *folders, "/usr/bin", "/bin"]),
        "LC_ALL": "C.UTF-8",
    }
    with published() as (_, collection):
        command = [str(Path(sys.executable).parent / "ansible-test"), "sanity", "--color", "no", *sys.argv[1:]]
        done = subprocess.run(
            command, cwd=collection, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
        )
    passed = done.returncode == 0
    # What pip installed is of no interest.
    shown = ("Running sanity test",) if passed else ("",)
    print("\n".join(line for line in done.stdout.splitlines() if line.startswith(shown)))
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
