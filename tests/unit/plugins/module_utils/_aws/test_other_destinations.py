# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from botocore.exceptions import ClientError

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.other_destinations import OtherDestination, others
from ansible_collections.spot.eventbridge.plugins.module_utils._core.region import Region

SPOT, OTHER = "act-d7320fba", "act-00000000"
ENDPOINT = "https://api.spotinst.io/aws/ec2/instance/interruptionNotification"
HIDDEN = {"Key": "accountId", "IsValueSecret": True}
SHOWN = {"Key": "accountId", "Value": SPOT}


def http(account: str = SPOT, *path: str) -> dict[str, t.Any]:
    """The HttpParameters of a target."""
    return {"HttpParameters": {"QueryStringParameters": {"accountId": account} if account else {}, "PathParameterValues": list(path)}}


class Events:
    """EventBridge with one API destination, which one rule sends to.

    :ivar target: further parts of its target
    :ivar bus: the event bus of the rule
    """

    def __init__(
        self, endpoint: str, parameters: t.Any = (), target: t.Any = None, arn: str = "arn:c:connection/c/1", bus: str = "default"
    ) -> None:
        self.endpoint, self.parameters, self.target, self.arn, self.bus = endpoint, parameters, target or {}, arn, bus
        self.asked: list[str] = []

    def can_paginate(self, operation: str) -> bool:
        self.asked.append(operation)
        return False

    def list_api_destinations(self) -> t.Any:
        return {
            "ApiDestinations": [
                {"Name": "theirs", "ApiDestinationArn": "arn:d", "ConnectionArn": self.arn, "InvocationEndpoint": self.endpoint}
            ]
        }

    def describe_connection(self, **_arguments: t.Any) -> t.Any:
        if isinstance(self.parameters, Exception):
            raise self.parameters
        return {"AuthParameters": {"InvocationHttpParameters": {"QueryStringParameters": list(self.parameters)}}}

    def list_event_buses(self) -> t.Any:
        return {"EventBuses": [{"Name": "default"}, {"Name": "central"}]}

    def list_rule_names_by_target(self, EventBusName: str = "default", **_arguments: t.Any) -> t.Any:  # noqa: N803
        return {"RuleNames": ["rule"] if EventBusName == self.bus else []}

    def list_targets_by_rule(self, **_arguments: t.Any) -> t.Any:
        if isinstance(self.target, Exception):
            raise self.target
        return {"Targets": [{"Id": "1", "Arn": "arn:d", **self.target}, {"Id": "2", "Arn": "arn:queue"}]}

    def read(self, **options: t.Any) -> OtherDestination | None:
        found = others(Region("eu-west-1", "aws", {"events": self}), "ours", ENDPOINT, **options)
        return found[0] if found else None


SAME = [
    ENDPOINT,
    f"{ENDPOINT}/",
    ENDPOINT.upper().replace("HTTPS", "https"),
    ENDPOINT.replace(".io", ".io:443"),
    ENDPOINT.replace(".io", ".io."),
    ENDPOINT.replace("/aws", "//aws"),
    ENDPOINT.replace("instance", "%69nstance"),
    f"{ENDPOINT}?accountId={SPOT}",
    f"{ENDPOINT}?x=1",
    ENDPOINT.removeprefix("https://"),
]
DIFFERENT = [
    ENDPOINT.replace("api.", "api2."),
    f"{ENDPOINT}s",
    ENDPOINT.replace(".io", ".io:8443"),
    "https://api.spotinst.io/",
    f"https://example.com/?to={ENDPOINT}",
    "https://api.spotinst.io:port/",
    "",
]


@pytest.mark.parametrize("endpoint", SAME)
def test_an_endpoint_is_recognised_by_host_and_path(endpoint: str) -> None:
    found = Events(endpoint, [SHOWN]).read()
    assert found is not None
    assert found.may_serve(SPOT)


@pytest.mark.parametrize("endpoint", DIFFERENT)
def test_another_host_port_or_path_is_another_endpoint(endpoint: str) -> None:
    assert Events(endpoint, [SHOWN]).read() is None


def test_spots_own_address_is_recognised_where_ours_is_another() -> None:
    found = others(Region("eu-west-1", "aws", {"events": Events(ENDPOINT, [SHOWN])}), "ours", "https://relay.example.com/spot")
    assert [other.name for other in found] == ["theirs"]


@pytest.mark.parametrize(
    ("parameters", "target", "endpoint", "account"),
    [
        ([SHOWN], None, ENDPOINT, SPOT),
        ([], http(), ENDPOINT, SPOT),
        ([], None, f"{ENDPOINT}?accountId={SPOT}", SPOT),
        ([], http(OTHER), f"{ENDPOINT}?accountId={SPOT}", OTHER),
        ([SHOWN], http(OTHER), ENDPOINT, SPOT),
        ([HIDDEN], http(), ENDPOINT, None),
        ([], None, ENDPOINT, None),
        ([], http(""), ENDPOINT, None),
        ([], http("", SPOT), f"{ENDPOINT}?accountId=*", SPOT),
        ([], http(SPOT, "aws", "interruptionNotification"), "https://api.spotinst.io/*/ec2/instance/*", SPOT),
    ],
)
def test_the_account_is_the_connections_then_the_targets_then_the_endpoints(
    parameters: t.Any, target: t.Any, endpoint: str, account: str | None
) -> None:
    found = Events(endpoint, parameters, target).read(with_targets=True)
    assert found is not None
    assert found.account_for(SPOT) == account


def test_a_wildcard_that_the_target_fills_in_otherwise_is_another_endpoint() -> None:
    assert Events("https://api.spotinst.io/*", [SHOWN], http("", "events")).read() is None


def test_a_target_is_read_only_where_it_decides() -> None:
    for parameters, read in (([SHOWN], False), ([HIDDEN], False), ([], True)):
        events = Events(ENDPOINT, parameters)
        events.read()
        assert ("list_targets_by_rule" in events.asked) == read


def test_what_cannot_be_read_leaves_the_account_unknown(refusal: t.Callable[..., ClientError]) -> None:
    denied = refusal("AccessDeniedException")
    for events in (Events(ENDPOINT, denied), Events(ENDPOINT, [], denied)):
        found = events.read()
        assert found is not None
        assert found.account_for(SPOT) is None
        assert found.may_serve(SPOT)


def test_targets_that_are_needed_and_cannot_be_read_are_an_error(refusal: t.Callable[..., ClientError]) -> None:
    with pytest.raises(ClientError):
        Events(ENDPOINT, [SHOWN], refusal("AccessDeniedException")).read(with_targets=True)


def test_a_destination_without_a_connection_delivers_nothing(refusal: t.Callable[..., ClientError]) -> None:
    for events in (Events(ENDPOINT, [], http(), arn=""), Events(ENDPOINT, refusal("ResourceNotFoundException"), http())):
        found = events.read()
        assert found is not None
        assert (found.dead, found.may_serve(SPOT)) == (True, False)


def test_a_rule_of_another_event_bus_counts_where_none_of_the_default_one_sends_to_it() -> None:
    events = Events(ENDPOINT, [SHOWN], bus="central")
    found = events.read()
    assert found is not None
    assert (found.rules, found.elsewhere, found.may_serve(SPOT)) == ((), ("central/rule",), True)
    for nobody in (Events(ENDPOINT, [SHOWN], bus="gone"), Events(ENDPOINT, [], http(), arn="", bus="central")):
        unused = nobody.read()
        assert unused is not None
        assert not unused.may_serve(SPOT)
    used = Events(ENDPOINT, [SHOWN])
    used.read()
    assert "list_event_buses" not in used.asked


def test_what_is_connected_is_read_from_the_target() -> None:
    target = {"RoleArn": "arn:role", "DeadLetterConfig": {"Arn": "arn:q"}}
    found = Events(ENDPOINT, [SHOWN], target).read(with_targets=True)
    assert found is not None
    (sending,) = found.targets
    assert (sending.role_arn, sending.queue_arn, found.connection, found.foreign_targets) == ("arn:role", "arn:q", "c", {"rule": ("2",)})
