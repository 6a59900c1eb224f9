# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.spot.eventbridge.plugins.module_utils._notify.message import Notification

ACCOUNT = "act-d7320fba"
WHEN = "2026-01-02T03:04:05Z"
NOTIFICATION = Notification(ACCOUNT, "123456789012", "606079873399", ("us-east-1",), {"us-east-1": "active", "eu-west-1": "absent"}, WHEN)


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
