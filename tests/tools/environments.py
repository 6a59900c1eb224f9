# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Virtual environments beside `.venv`, for what cannot be installed together with it; kept in `.cache` between runs."""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.tools.collections_path import take_amazon_aws

CHECKOUT = Path(__file__).resolve().parents[2]
KEPT = CHECKOUT / ".cache" / "environments"


def environment(name: str, python: Path, packages: Sequence[str], community: str) -> Path:
    """Returns the folder of an environment, which is made if it is not there yet.

    It is made anew where anything that it was made of has changed; two processes that want the same do not make it twice.

    :param name: the name of its folder
    :param python: the interpreter that it is for
    :param packages: what pip installs
    :param community: the requirement of the package `ansible` whose amazon.aws goes into `<folder>/collections`
    """
    folder = KEPT / name
    made_of = hashlib.sha256("\n".join([str(python), *packages, community]).encode()).hexdigest()
    done = folder / "made-of"
    KEPT.mkdir(parents=True, exist_ok=True)
    with (KEPT / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists() or done.read_text() != made_of:
            shutil.rmtree(folder, ignore_errors=True)
            # Our own pip does it, and what is imported is compiled then: both are half of the time that it would take otherwise.
            subprocess.run([python, "-m", "venv", "--without-pip", folder], check=True)
            pip = [sys.executable, "-m", "pip", "--python", folder / "bin" / "python", "--disable-pip-version-check"]
            subprocess.run([*pip, "install", "-qq", "--no-compile", *packages], check=True)
            take_amazon_aws(folder / "collections", community)
            done.write_text(made_of)
    return folder
