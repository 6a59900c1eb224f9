# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every record, replayed on the sandbox: it answers as AWS did."""

from __future__ import annotations

import itertools

import pytest

from tests.contract.records import Record, load
from tests.contract.replay import ANSWERED, DIFFERENT, NOT_ASKED, SAME, Target, replay, shown

RECORDS = load()
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
