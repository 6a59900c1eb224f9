# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection as it is published: built, installed beside amazon.aws, outside of any git repository."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.tools.artefact import CHECKOUT, GALAXY, build

AMAZON = CHECKOUT / ".venv" / "collections" / "ansible_collections" / "amazon"


def install(galaxy: Sequence[str | Path], tarball: Path, collections: Path) -> None:
    """Installs a tarball onto a collections path, on which what it depends on has to be already.

    :param galaxy: the command ansible-galaxy
    """
    # Nor any other path, on which the collection might be already.
    environment = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(collections)}
    command = [*galaxy, "collection", "install", "--offline", "-p", collections, tarball]
    done = subprocess.run(command, env=environment, cwd=collections, capture_output=True, text=True, check=False)
    if done.returncode != 0 or not (collections / "ansible_collections" / "spot" / "eventbridge").is_dir():
        raise RuntimeError(f"{tarball.name} could not be installed:\n{done.stdout}{done.stderr}")


@contextmanager
def published() -> Iterator[tuple[Path, Path]]:
    """Yields the tarball, and the folder into which it is installed; both are gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="published-") as temporary:
        tarball = build(Path(temporary))
        collections = Path(temporary) / "collections"
        # A copy: the tools either do not follow links, or take what git ignores for not being there.
        shutil.copytree(AMAZON, collections / "ansible_collections" / "amazon")
        install([GALAXY], tarball, collections)
        yield tarball, collections / "ansible_collections" / "spot" / "eventbridge"
