# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.spot.eventbridge.plugins.module_utils._core.plan import Call, Plan, changed_fields


def test_repr_of_a_call_has_no_arguments() -> None:
    plan = Plan("created", None, calls=(Call("create_connection", {"ApiKeyValue": "Bearer secret"}),))
    assert "create_connection" in repr(plan)
    assert "secret" not in repr(plan)


def test_differences_are_in_the_order_of_the_desired_fields() -> None:
    assert changed_fields({"a": 1, "b": 2, "other": 3}, {"c": None, "b": 3, "a": 1, "d": 4}) == ["b", "d"]
