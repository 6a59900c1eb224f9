# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.spot.eventbridge.plugins.module_utils._tags import tag_changes


def test_tags_that_are_not_wanted_stay_where_no_tags_are_given() -> None:
    assert tag_changes({"owner": "a"}, None, True) == ({}, [])
