# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ansible_collections.spot.eventbridge.plugins.plugin_utils._report import files
from ansible_collections.spot.eventbridge.plugins.plugin_utils._report.files import FolderError, check_writable, collection_version, write
from tests.tools import report_accounts as accounts

REPORT = accounts.report(accounts.three())


def test_the_files_tell_the_same(tmp_path: Path) -> None:
    write(str(tmp_path), REPORT)
    assert json.loads((tmp_path / "report.json").read_text(encoding="utf-8")) == REPORT
    assert '<testsuite name="act-d7320fba"' in (tmp_path / "junit.xml").read_text(encoding="utf-8")
    assert "7 of 28 regions are not active" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_a_file_that_cannot_be_finished_leaves_the_one_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "report.json").write_text("before", encoding="utf-8")

    def fail(*names: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(files.os, "replace", fail)
    with pytest.raises(FolderError, match="No space left on device"):
        write(str(tmp_path), REPORT)
    assert [path.name for path in tmp_path.iterdir()] == ["report.json"]
    assert (tmp_path / "report.json").read_text(encoding="utf-8") == "before"


def test_to_find_out_whether_it_can_be_written_leaves_nothing(tmp_path: Path) -> None:
    check_writable(str(tmp_path / "new" / "report"))
    assert list(tmp_path.iterdir()) == []


def test_the_version_is_that_of_the_collection() -> None:
    lines = (Path(__file__).parents[5] / "galaxy.yml").read_text(encoding="utf-8").splitlines()
    assert f"version: {collection_version()}" in lines
