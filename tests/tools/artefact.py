# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds the tarball that is published, out of the files that git knows or would know; stray files never get into it.

In the READMEs, which Galaxy shows, links are full addresses.

Usage: python artefact.py FOLDER
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.tools.addresses import CHECKOUT, with_full_addresses

GALAXY = Path(sys.executable).parent / "ansible-galaxy"


def files() -> list[str]:
    """The checkout's files, tracked or new, without those that git ignores."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=CHECKOUT, capture_output=True, text=True, check=True
    ).stdout
    return sorted(name for name in listed.split("\0") if name and (CHECKOUT / name).is_file())


def build(folder: Path) -> Path:
    """Builds the tarball into a folder, and returns it."""
    with tempfile.TemporaryDirectory() as copy:
        for name in files():
            target = Path(copy) / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(CHECKOUT / name, target)
            if target.name == "README.md":
                target.write_text(with_full_addresses(target.read_text(encoding="utf-8"), name), encoding="utf-8")
        command = [GALAXY, "collection", "build", "--force", "--output-path", folder, copy]
        said = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    return Path(said.strip().rpartition(" at ")[2])


def unpack(tarball: Path, collections: Path) -> Path:
    """Unpacks a tarball onto a collections path, as an installation would; returns the collection's folder."""
    folder = collections / "ansible_collections" / "spot" / "eventbridge"
    folder.mkdir(parents=True)
    with tarfile.open(tarball) as archive:
        archive.extractall(folder, filter="data")
    return folder


if __name__ == "__main__":
    print(build(Path(sys.argv[1]).resolve()).name)
