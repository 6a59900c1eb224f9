# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Environments beside `.venv`, for what cannot be installed together with it; kept in `.cache` between runs."""

from __future__ import annotations

import fcntl
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.tools.collections_path import take_amazon_aws

CHECKOUT = Path(__file__).resolve().parents[2]
CACHE = CHECKOUT / ".cache"


def environment(name: str, python: Path, packages: Sequence[str]) -> Path:
    """Returns the folder of a virtual environment, which is made if it is not there yet.

    :param name: the name of its folder
    :param python: the interpreter that it is for
    :param packages: what pip installs
    """

    def make(folder: Path) -> None:
        # Our own pip does it, and what is imported is compiled then: both are half of the time that it would take otherwise.
        subprocess.run([python, "-m", "venv", "--without-pip", folder], check=True)
        pip = [sys.executable, "-m", "pip", "--python", folder / "bin" / "python", "--disable-pip-version-check"]
        subprocess.run([*pip, "install", "-qq", "--no-compile", *packages], check=True)

    return _kept(CACHE / "environments" / name, [str(python), *packages], make)


def collections(community: str) -> Path:
    """Returns a collections path with amazon.aws on it, which is filled if it is not there yet.

    :param community: the requirement of the package `ansible` that it is taken from
    """
    return _kept(CACHE / "collections" / community, [community], lambda folder: take_amazon_aws(folder, community))


def _kept(folder: Path, made_of: Sequence[str], make: Callable[[Path], None]) -> Path:
    """Makes a folder anew where anything that it was made of has changed; two processes that want the same do not make it twice."""
    text = "\n".join(made_of)
    folder.parent.mkdir(parents=True, exist_ok=True)
    note = folder.with_name(f"{folder.name}.made-of")
    with folder.with_name(f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not note.exists() or note.read_text(encoding="utf-8") != text:
            shutil.rmtree(folder, ignore_errors=True)
            note.unlink(missing_ok=True)
            make(folder)
            note.write_text(text, encoding="utf-8")
    return folder
