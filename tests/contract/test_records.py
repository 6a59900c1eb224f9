# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every record, replayed on the sandbox: it answers as AWS did."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from tests.contract.records import Record, load
from tests.contract.replay import ANSWERED, DIFFERENT, NOT_ASKED, SAME, Target, replay, shown

CHECKOUT = Path(__file__).parents[2]
RECORDS = load()
OPEN = [record for record in RECORDS if record.question]
_number = itertools.count(1)


@pytest.mark.parametrize("record", RECORDS, ids=[record.name for record in RECORDS])
def test_the_sandbox_answers_as_aws_did(target: Target, record: Record) -> None:
    outcome = replay(record, target, next(_number))
    if outcome.status == NOT_ASKED:
        assert record.manual, f"nothing could be asked: {outcome.problems}"
        pytest.skip(record.manual)
    if record.sandbox_differs:
        assert outcome.status == DIFFERENT, "the sandbox answers as AWS did: take sandbox_differs out of the record"
        pytest.xfail(record.sandbox_differs)
    expected = ANSWERED if record.expect is None else SAME
    assert outcome.status == expected, "\n".join([*outcome.problems, f"answer: {shown(outcome.answer)}"])


@pytest.mark.parametrize("record", OPEN, ids=[record.name for record in OPEN])
def test_an_open_question_names_code_and_test_that_exist(record: Record, target: Target) -> None:
    for code in record.code:
        assert (CHECKOUT / code.partition(",")[0]).exists(), code
    assert (record.setting is None) == (record.test is None), "a setting gives either answer, and a test tries both"
    if record.setting and record.test and target.sandbox:
        assert record.setting in target.sandbox.settings()
        path, _, name = record.test.partition(", ")
        text = (CHECKOUT / path).read_text(encoding="utf-8")
        assert f"def {name}(" in text and f"{record.setting}" in text
