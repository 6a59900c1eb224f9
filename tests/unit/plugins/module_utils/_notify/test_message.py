# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re

import pytest

from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import Failure
from ansible_collections.spot.eventbridge.plugins.module_utils._notify import message as _notification
from ansible_collections.spot.eventbridge.plugins.module_utils._notify.message import TAG, Notification, Sent, remembered, tag_value

ACCOUNT = "act-d7320fba"
WHEN = "2026-01-02T03:04:05Z"
NOTIFICATION = Notification(ACCOUNT, "123456789012", "606079873399", ("us-east-1",), {"us-east-1": "active", "eu-west-1": "absent"}, WHEN)


@pytest.mark.parametrize("memory", [{}, {"mail": Sent(WHEN)}, {"jira": Sent(WHEN, "SRE-1"), "webhook": Sent(WHEN)}])
def test_what_is_written_is_what_is_read(memory: dict[str, Sent]) -> None:
    assert remembered({TAG: tag_value(ACCOUNT, memory), "Team": "platform"}, ACCOUNT) == memory


@pytest.mark.parametrize("text", ["", "yes", "webhook=2026-01-02T03:04:05Z", f"account=act-00000001 webhook={WHEN}"])
def test_text_that_is_not_ours_says_nothing(text: str) -> None:
    assert remembered({TAG: text}, ACCOUNT) == {}


def test_an_entry_that_cannot_be_read_does_not_spoil_the_others() -> None:
    assert remembered({TAG: f"account={ACCOUNT} webhook=soon jira={WHEN}"}, ACCOUNT) == {"jira": Sent(WHEN)}


def test_a_tag_has_only_what_aws_allows() -> None:
    names = ("file", "jira", "mail", "webhook")
    value = tag_value(ACCOUNT, {name: Sent(WHEN, "<SRE>, \u00e4 " + "x" * 300) for name in names})
    assert re.fullmatch(r"[A-Za-z0-9 _.:/=+@-]{1,256}", value)


def test_the_id_depends_on_the_account_and_its_regions_alone() -> None:
    later = Notification(ACCOUNT, "123456789012", "", ("us-east-1",), {}, "2026-02-02T03:04:05Z")
    other = Notification(ACCOUNT, "123456789012", "", ("us-east-2",), {}, WHEN)
    assert NOTIFICATION.id == later.id
    assert NOTIFICATION.id != other.id


def test_the_subject_counts_the_regions() -> None:
    two = Notification(ACCOUNT, "123456789012", "", ("a", "b"), {}, WHEN)
    assert (NOTIFICATION.subject.rpartition(" in ")[2], two.subject.rpartition(" in ")[2]) == ("us-east-1", "2 regions")


def test_the_markdown_names_what_is_new_first() -> None:
    text = NOTIFICATION.markdown()
    assert text.index("| us-east-1 | active | **new** |") < text.index("| eu-west-1 | absent |  |")


def test_an_unknown_organisation_is_said_to_be_unknown() -> None:
    unknown = Notification(ACCOUNT, "123456789012", "", ("us-east-1",), {}, WHEN)
    assert "Organisation: (not known)" in unknown.text()
    assert "| Organisation | not known |" in unknown.markdown()
    assert unknown.document()["organization"] is None


@pytest.mark.parametrize(
    ("memory", "outcome", "told"),
    [
        ({}, "skip", "Nobody at Spot was told"),
        ({"webhook": Sent(WHEN), "jira": Sent(WHEN, "SRE-1")}, "pass", f"webhook on {WHEN}, jira on {WHEN} (SRE-1)"),
        (Failure("AccessDenied", "no"), "unknown", "AccessDenied: no"),
    ],
)
def test_a_finding_says_since_when(memory: dict[str, Sent] | Failure, outcome: str, told: str) -> None:
    found = _notification.finding(memory)
    assert (found.check, found.outcome) == ("notification", outcome)
    assert told in found.message
