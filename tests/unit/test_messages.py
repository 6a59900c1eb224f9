# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages that users meet: what failed, why and what to do, in plain words and at most two sentences."""

from __future__ import annotations

import re

import pytest

from tests.tools.messages import Message, collect

MESSAGES = collect()
# Words for people about systems, and words that readers of English as a second language look up.
UNPLAIN = re.compile(
    r"\b(shall|anew|mend\w*|heed\w*|hinder\w*|besides?|amidst|in place of|but for|for good|whoever|tells?|told|says?|said|asks?|asked"
    r"|answer\w*|looks? (at|for|into)|warnings?)\b",
    re.IGNORECASE,
)


def _named(message: Message) -> str:
    return f"{message.file}:{message.line}: {message.text}"


def test_messages_of_all_kinds_are_found() -> None:
    calls = {message.call for message in MESSAGES}
    assert {"ArgumentError", "RegionError", "SpotError", "PeerError", "ChannelError", "Finding", "Failure", "fail_json", "warn"} <= calls
    assert len({message.text for message in MESSAGES}) > 250


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("No region is given: set 'regions', 'region' or AWS_REGION.", 1),
        ("The rule is DISABLED. Run the playbook spot.eventbridge.repair.", 2),
        ("{…}: {…}. Nothing was changed. Remove it.", 3),
        ("A request to https://api.spotinst.io failed; see arn:aws:iam::1:role/a.b", 1),
    ],
)
def test_sentences_are_counted(text: str, sentences: int) -> None:
    assert Message("", 1, "", text).sentences == sentences


def test_a_message_out_of_a_variable_a_choice_and_a_sum_is_found(tmp_path) -> None:
    (tmp_path / "module.py").write_text(
        "END = 'Remove it.'\n"
        "def f(name, certain):\n"
        "    what = f\"{name} {'sends' if certain else 'may send'}\"\n"
        "    raise RegionError('Code', f'{what} twice. ' + END)\n"
    )
    assert [message.text for message in collect(tmp_path)] == ["{…} may send twice. Remove it.", "{…} sends twice. Remove it."]


def test_no_message_is_longer_than_two_sentences() -> None:
    assert [_named(message) for message in MESSAGES if message.sentences > 2] == []


def test_no_message_is_a_question() -> None:
    assert [_named(message) for message in MESSAGES if message.text.rstrip().endswith("?")] == []


def test_messages_have_plain_words() -> None:
    assert [_named(message) for message in MESSAGES if UNPLAIN.search(message.text)] == []
