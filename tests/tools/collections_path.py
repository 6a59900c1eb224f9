# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fills a collections path for a checkout: collections out of the PyPI package `ansible`, and this collection as a link.

Galaxy is where users get collections from; this is for machines that reach PyPI alone.

Usage: python collections_path.py COLLECTIONS_PATH
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
REQUIREMENTS = CHECKOUT / "tests" / "requirements" / "collections.txt"
# All but the first are optional: they look into Spot's database, for those who may. From its release 5 on, community.mysql
# redirects to ansible.mysql, which older packages do not have.
COLLECTIONS = ("amazon/aws", "ansible/mysql", "community/mysql", "community/postgresql")
WANTED = tuple(f"ansible_collections/{name}/" for name in COLLECTIONS)


def take_amazon_aws(collections: Path, *wanted: str) -> None:
    """Puts amazon.aws onto a collections path; what is there already is replaced.

    :param collections: the path, without its `ansible_collections`
    :param wanted: what pip shall download: the package `ansible`, in whatever version
    """
    with tempfile.TemporaryDirectory() as download:
        pip = [sys.executable, "-m", "pip", "download", "-qq", "--no-deps", "--disable-pip-version-check"]
        # The collection in the package may be for another interpreter than the one that unpacks it.
        subprocess.run([*pip, "--ignore-requires-python", "--dest", download, *wanted], check=True)
        (wheel,) = Path(download).glob("ansible-*.whl")
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(collections, [name for name in archive.namelist() if name.startswith(WANTED)])


def main() -> None:
    """Makes the path given on the command line; what is there already is replaced."""
    collections = Path(sys.argv[1]).resolve()
    take_amazon_aws(collections, "--requirement", str(REQUIREMENTS))
    link = collections / "ansible_collections" / "spot" / "eventbridge"
    link.parent.mkdir(parents=True, exist_ok=True)
    link.unlink(missing_ok=True)
    link.symlink_to(CHECKOUT, target_is_directory=True)


if __name__ == "__main__":
    main()
