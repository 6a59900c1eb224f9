# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re

import pytest

from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import Failure
from ansible_collections.spot.eventbridge.plugins.module_utils._notify.records import TAG, Sent, finding, records_in, tag_value

ACCOUNT = "act-d7320fba"
WHEN = "2026-01-02T03:04:05Z"


@pytest.mark.parametrize("records", [{}, {"mail": Sent(WHEN)}, {"jira": Sent(WHEN, "SRE-1"), "webhook": Sent(WHEN)}])
def test_what_is_written_is_what_is_read(records: dict[str, Sent]) -> None:
    assert records_in({TAG: tag_value(ACCOUNT, records), "Team": "platform"}, ACCOUNT) == records


@pytest.mark.parametrize("text", ["", "yes", "webhook=2026-01-02T03:04:05Z", f"account=act-00000001 webhook={WHEN}"])
def test_text_that_is_not_ours_says_nothing(text: str) -> None:
    assert records_in({TAG: text}, ACCOUNT) == {}


def test_an_entry_that_cannot_be_read_does_not_spoil_the_others() -> None:
    assert records_in({TAG: f"account={ACCOUNT} webhook=soon jira={WHEN}"}, ACCOUNT) == {"jira": Sent(WHEN)}


def test_a_tag_has_only_what_aws_allows() -> None:
    names = ("file", "jira", "mail", "webhook")
    value = tag_value(ACCOUNT, {name: Sent(WHEN, "<SRE>, \u00e4 " + "x" * 300) for name in names})
    assert re.fullmatch(r"[A-Za-z0-9 _.:/=+@-]{1,256}", value)


@pytest.mark.parametrize(
    ("records", "outcome", "told"),
    [
        ({}, "skip", "This collection has not notified Spot's operators"),
        ({"webhook": Sent(WHEN), "jira": Sent(WHEN, "SRE-1")}, "pass", f"webhook on {WHEN}, jira on {WHEN} (SRE-1)"),
        (Failure("AccessDenied", "no"), "unknown", "AccessDenied: no"),
    ],
)
def test_a_finding_says_since_when(records: dict[str, Sent] | Failure, outcome: str, told: str) -> None:
    found = finding(records)
    assert (found.check, found.outcome) == ("notification", outcome)
    assert told in found.message
