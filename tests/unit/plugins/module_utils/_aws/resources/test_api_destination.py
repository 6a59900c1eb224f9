# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.api_destination import (
    DEFAULT_ENDPOINT,
    ApiDestination,
    ExistingApiDestination,
)
from ansible_collections.spot.eventbridge.plugins.module_utils._core.plan import Plan
from ansible_collections.spot.eventbridge.plugins.module_utils._core.region import Region
from ansible_collections.spot.eventbridge.plugins.module_utils._core.validation import ArgumentError

NAME = "spot-interruption-act-d7320fba"
CONNECTION = f"arn:aws:events:eu-west-1:123456789012:connection/{NAME}/0f1e"
DESIRED = ApiDestination(name=NAME, connection=NAME, description="warnings")
ARGUMENTS = {
    "Name": NAME,
    "Description": "warnings",
    "ConnectionArn": CONNECTION,
    "InvocationEndpoint": DEFAULT_ENDPOINT,
    "HttpMethod": "POST",
    "InvocationRateLimitPerSecond": 300,
}


def described(**changes: t.Any) -> dict[str, t.Any]:
    """What AWS tells about an API destination that is as wanted, but for `changes`."""
    return {
        "api_destination_arn": f"arn:aws:events:eu-west-1:123456789012:api-destination/{NAME}/2d3c",
        "name": NAME,
        "description": "warnings",
        "api_destination_state": "ACTIVE",
        "connection_arn": CONNECTION,
        "invocation_endpoint": DEFAULT_ENDPOINT,
        "http_method": "POST",
        "invocation_rate_limit_per_second": 300,
        **changes,
    }


def calls(plan: Plan) -> list[tuple[str, dict[str, t.Any]]]:
    return [(call.operation, dict(call.arguments)) for call in plan.calls]


def test_missing_resource_is_created(region: Region) -> None:
    plan = DESIRED.plan(region, ExistingApiDestination(None, CONNECTION))
    assert (plan.action, calls(plan), plan.unmet_dependency) == ("created", [("create_api_destination", ARGUMENTS)], None)


@pytest.mark.parametrize("found", [None, described()], ids=["created", "updated"])
def test_rate_limit_is_the_desired_one(region: Region, found: dict[str, t.Any] | None) -> None:
    desired = ApiDestination(name=NAME, connection=NAME, description="warnings", rate_limit=7)
    plan = desired.plan(region, ExistingApiDestination(found, CONNECTION))
    assert calls(plan)[0][1]["InvocationRateLimitPerSecond"] == 7


def test_the_default_endpoint_is_spots() -> None:
    assert DEFAULT_ENDPOINT == "https://api.spotinst.io/aws/ec2/instance/interruptionNotification"


def test_destination_as_desired_is_unchanged(region: Region) -> None:
    plan = DESIRED.plan(region, ExistingApiDestination(described(), CONNECTION))
    assert (plan.action, plan.calls, plan.document, plan.note) == ("unchanged", (), described(), None)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("description", "by hand"),
        ("description", None),
        ("connection_arn", "arn:aws:events:eu-west-1:123456789012:connection/other/1"),
        ("invocation_endpoint", "https://example.com/"),
        ("http_method", "GET"),
        ("invocation_rate_limit_per_second", 1),
        ("invocation_rate_limit_per_second", None),
    ],
)
def test_destination_with_drift_is_updated_with_all_fields(region: Region, key: str, value: t.Any) -> None:
    plan = DESIRED.plan(region, ExistingApiDestination(described(**{key: value}), CONNECTION))
    assert (plan.action, calls(plan)) == ("updated", [("update_api_destination", ARGUMENTS)])
    assert (plan.before or {})[key] == (value or "" if key == "description" else value)
    assert (plan.after or {})[key] == described()[key]


def test_an_update_predicts_the_same_arn(region: Region) -> None:
    plan = DESIRED.plan(region, ExistingApiDestination(described(description="by hand"), CONNECTION))
    assert plan.document == described()


@pytest.mark.parametrize("found", [None, described()])
def test_missing_connection_is_an_unmet_dependency_of_the_plan(region: Region, found: dict[str, t.Any] | None) -> None:
    plan = DESIRED.plan(region, ExistingApiDestination(found, None))
    assert plan.unmet_dependency == f"there is no connection {NAME} in eu-west-1: create it first (spot_eventbridge_connection)"
    assert plan.action == ("updated" if found else "created")


def test_message_of_an_inactive_destination_has_the_state_of_its_connection(region: Region) -> None:
    current = ExistingApiDestination(described(api_destination_state="INACTIVE"), CONNECTION, "DEAUTHORIZED")
    plan = DESIRED.plan(region, current)
    assert plan.action == "unchanged"
    assert [word for word in (NAME, "INACTIVE", "DEAUTHORIZED", "repair") if word not in (plan.note or "")] == []


@pytest.mark.parametrize(
    ("state", "connection", "rests"),
    [
        ("ACTIVE", "AUTHORIZED", True),
        ("INACTIVE", "DEAUTHORIZED", True),
        ("INACTIVE", "FAILED_CONNECTIVITY", True),
        ("INACTIVE", "DELETING", True),
        ("INACTIVE", "AUTHORIZED", False),
        ("INACTIVE", "CREATING", False),
        ("INACTIVE", "UPDATING", False),
        ("INACTIVE", "AUTHORIZING", False),
    ],
)
def test_destination_in_transition_is_waited_for_on_an_authorized_connection(state: str, connection: str, rests: bool) -> None:
    current = ExistingApiDestination(described(api_destination_state=state), CONNECTION, connection)
    assert DESIRED.settled(current) == rests


def test_a_destination_on_another_connection_is_not_waited_for() -> None:
    assert DESIRED.settled(ExistingApiDestination(described(api_destination_state="INACTIVE"), "arn:other", "AUTHORIZED"))


def test_a_destination_is_removed(region: Region) -> None:
    plan = ApiDestination(NAME, present=False).plan(region, ExistingApiDestination(described()))
    assert (plan.action, calls(plan), plan.document) == ("deleted", [("delete_api_destination", {"Name": NAME})], None)


def test_an_absent_destination_needs_no_removal(region: Region) -> None:
    plan = ApiDestination(NAME, present=False).plan(region, None)
    assert (plan.action, plan.calls) == ("unchanged", ())


def from_parameters(**changes: t.Any) -> ApiDestination:
    given = {
        "name": NAME,
        "state": "present",
        "connection": None,
        "connection_arns": None,
        "invocation_endpoint": DEFAULT_ENDPOINT,
        "invocation_rate_limit_per_second": 300,
        "description": "warnings",
        **changes,
    }
    return ApiDestination.from_parameters(given, t.cast("t.Any", None))


def test_parameters_become_the_desired_state() -> None:
    assert from_parameters() == DESIRED


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"connection": "a/b"},
        {"invocation_endpoint": "http://api.spotinst.io/"},
        {"invocation_endpoint": "api"},
        {"invocation_rate_limit_per_second": 0},
    ],
)
def test_invalid_parameters_are_errors(wrong: dict[str, t.Any]) -> None:
    with pytest.raises(ArgumentError):
        from_parameters(**wrong)
