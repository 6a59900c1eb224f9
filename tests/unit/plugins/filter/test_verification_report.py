# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import typing as t

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.spot.eventbridge.plugins.filter import verification_files, verification_report
from tests.tools import report_accounts as accounts

PARTS = {"skeleton": "$title", "style": "", "script": ""}


@pytest.mark.parametrize("module", [verification_files, verification_report])
def test_a_file_has_the_one_filter_of_its_name(module: t.Any) -> None:
    name = module.__name__.rpartition(".")[2]
    assert module.FilterModule().filters() == {name: getattr(module, name)}


def test_the_report_is_made_of_what_was_found() -> None:
    assert verification_report.verification_report(accounts.three(), accounts.GENERATED, "0.1.0") == accounts.report(accounts.three())


def test_the_files_tell_the_same() -> None:
    files = verification_files.verification_files(accounts.three(), accounts.GENERATED, "0.1.0", **PARTS)
    assert json.loads(files["report.json"]) == accounts.report(accounts.three())
    assert '<testsuite name="act-d7320fba"' in files["junit.xml"]
    assert files["report.html"].startswith("6 of 29 regions are not active")


@pytest.mark.parametrize(
    "wrong", [None, "act-d7320fba", {"host": "act-d7320fba"}, [None], [{"host": "one", "regions": {"a": {"status": "fine"}}}]]
)
def test_what_is_no_verification_is_an_error(wrong: t.Any) -> None:
    with pytest.raises(AnsibleFilterError, match=r"^verification_report: "):
        verification_report.verification_report(wrong, accounts.GENERATED)
    with pytest.raises(AnsibleFilterError, match=r"^verification_files: "):
        verification_files.verification_files(wrong, accounts.GENERATED, "0.1.0", **PARTS)
