# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.spot.eventbridge.plugins.module_utils._core.plan import Call, Plan, changed_fields


def test_a_calls_arguments_are_not_shown_as_they_may_hold_the_token() -> None:
    plan = Plan("created", None, calls=(Call("create_connection", {"ApiKeyValue": "Bearer secret"}),))
    assert "create_connection" in repr(plan)
    assert "secret" not in repr(plan)


def test_what_differs_is_named_in_the_order_in_which_it_is_wanted() -> None:
    assert changed_fields({"a": 1, "b": 2, "other": 3}, {"c": None, "b": 3, "a": 1, "d": 4}) == ["b", "d"]
