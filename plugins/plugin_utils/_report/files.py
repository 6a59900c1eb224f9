# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import json
import os
import tempfile
import typing as t
from pathlib import Path

from ansible_collections.spot.eventbridge.plugins.plugin_utils._report.document import Report
from ansible_collections.spot.eventbridge.plugins.plugin_utils._report.junit import junit
from ansible_collections.spot.eventbridge.plugins.plugin_utils._report.page import page


class FolderError(Exception):
    """The report cannot be written to a folder."""

    def __init__(self, folder: str, why: str) -> None:
        super().__init__(f"The report cannot be written to {folder}: {why}. Choose another report_dir.")


def check_writable(folder: str) -> None:
    """Find out whether the report can be written, by a temporary file in the folder or in the nearest one that exists.

    :raises FolderError: it cannot be written
    """
    nearest = _path(folder)
    while not nearest.exists():
        nearest = nearest.parent
    if not nearest.is_dir():
        raise FolderError(folder, f"{nearest} is not a folder")
    try:
        with tempfile.NamedTemporaryFile(dir=nearest, prefix=".spot-eventbridge-"):
            pass
    except OSError:
        raise FolderError(folder, f"{nearest} is not writable") from None


def write(folder: str, report: Report) -> list[str]:
    """Write report.json, junit.xml and report.html. Each is replaced at once: nobody reads half a file.

    :returns: the paths
    :raises FolderError: a file cannot be written
    """
    path = _path(folder)
    texts = {"report.json": json.dumps(report, indent=1) + "\n", "junit.xml": junit(report), "report.html": page(report)}
    try:
        if not path.is_dir():  # the mode of a folder that exists is its owner's affair
            path.mkdir(mode=0o755, parents=True)
        return [_replace(path / name, text) for name, text in texts.items()]
    except OSError as error:
        raise FolderError(folder, str(error)) from None


def _replace(path: Path, text: str) -> str:
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with open(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink()
        raise
    return str(path)


def _path(folder: str) -> Path:
    return Path(folder).expanduser().resolve()


def collection_version() -> str | None:
    """Return the version of this collection; None if its metadata cannot be read."""
    root = Path(__file__).parents[3]
    try:  # a release has MANIFEST.json, a checkout galaxy.yml
        return t.cast("str", json.loads((root / "MANIFEST.json").read_text(encoding="utf-8"))["collection_info"]["version"])
    except (OSError, ValueError, KeyError):
        pass
    try:
        lines = (root / "galaxy.yml").read_text(encoding="utf-8").splitlines()
        return next((line.partition(":")[2].strip(" \"'") for line in lines if line.startswith("version:")), None)
    except OSError:
        return None
