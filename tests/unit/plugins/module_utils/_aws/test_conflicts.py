# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from botocore.exceptions import ClientError

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.conflicts import Gate
from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import RegionError
from ansible_collections.spot.eventbridge.plugins.module_utils._core.plan import Call, Plan
from ansible_collections.spot.eventbridge.plugins.module_utils._core.region import Region

SPOT, NAME, ENDPOINT = "act-d7320fba", "ours", "https://api.spotinst.io/x"
CALL = (Call("do", {}),)
CREATED, UPDATED, UNCHANGED = Plan("created", {}, calls=CALL), Plan("updated", {}, calls=CALL), Plan("unchanged", {})


class World:
    """A region with one other API destination, and stacks that own things.

    :ivar stacks: by the name of what they own
    :ivar resources: the types of what every stack holds
    :ivar targets: further targets of the other rule
    :ivar ours: whether there is an API destination of our name
    """

    def __init__(
        self,
        refusal: t.Callable[..., ClientError],
        stacks: dict[str, t.Any] | None = None,
        account: str | None = SPOT,
        rules: tuple[str, ...] = ("theirs",),
        *,
        resources: tuple[str, ...] = (),
        targets: tuple[dict[str, t.Any], ...] = (),
        ours: bool = True,
    ) -> None:
        self.ours = [{"Name": NAME, "InvocationEndpoint": "https://example.com/"}] if ours else []
        self.resources, self.targets = resources, targets
        self.stacks = stacks or {}
        self.refusal = refusal
        self.rules = list(rules)
        self.query = [{"Key": "accountId", "Value": account}] if account else []
        self.asked: list[str] = []

    def can_paginate(self, operation: str) -> bool:
        return False

    def list_api_destinations(self) -> dict[str, t.Any]:
        self.asked.append("others")
        listed = {
            "Name": "theirs",
            "ApiDestinationArn": "arn:d",
            "ConnectionArn": "arn:connection/theirs/1",
            "InvocationEndpoint": ENDPOINT,
        }
        return {"ApiDestinations": [listed, *self.ours]}

    def list_event_buses(self) -> dict[str, t.Any]:
        return {"EventBuses": [{"Name": "default"}]}

    def list_rule_names_by_target(self, **_arguments: t.Any) -> dict[str, t.Any]:
        return {"RuleNames": self.rules}

    def list_targets_by_rule(self, **_arguments: t.Any) -> dict[str, t.Any]:
        return {"Targets": [{"Id": "1", "Arn": "arn:d"}, *self.targets]}

    def describe_connection(self, **_arguments: t.Any) -> dict[str, t.Any]:
        return {"AuthParameters": {"InvocationHttpParameters": {"QueryStringParameters": self.query}}}

    def describe_stack_resources(self, PhysicalResourceId: str) -> dict[str, t.Any]:  # noqa: N803
        self.asked.append(f"owner of {PhysicalResourceId}")
        stack = self.stacks.get(PhysicalResourceId, self.refusal("ValidationError", "Stack for it does not exist"))
        if isinstance(stack, Exception):
            raise stack
        of_stack = {"StackName": stack, "StackId": f"arn:{stack}"}
        return {"StackResources": [of_stack, *({**of_stack, "ResourceType": kind, "LogicalResourceId": kind} for kind in self.resources)]}

    def gate(self, desired: str = "stop", stack: str = "") -> Gate:
        return Gate(Region("eu-west-1", "aws", {"events": self, "cloudformation": self}), NAME, ENDPOINT, SPOT, desired, stack)


def refused(gate: Gate, plan: Plan) -> str:
    with pytest.raises(RegionError) as caught:
        gate(plan)
    return caught.value.failure.message


def test_gate_reads_nothing_if_the_plan_changes_nothing(refusal: t.Callable[..., ClientError]) -> None:
    world = World(refusal)
    gate = world.gate()
    gate(UNCHANGED)
    assert (world.asked, gate.found) == ([], ())


def test_other_integration_of_the_same_account_stops_a_creation(refusal: t.Callable[..., ClientError]) -> None:
    message = refused(World(refusal, {"theirs": "old-stack"}).gate(), CREATED)
    assert "the stack old-stack (API destination theirs)" in message
    assert "migrate" in message


@pytest.mark.parametrize("action", ["updated", "reauthorized"])
def test_other_integration_stops_a_change_of_what_is_left_of_ours(refusal: t.Callable[..., ClientError], action: str) -> None:
    plan = Plan(action, {}, calls=CALL)
    assert "already sends" in refused(World(refusal, ours=False).gate(), plan)
    gate = World(refusal).gate()
    gate(plan)
    assert gate.found == ()


def test_other_integration_without_a_known_stack_stops_a_creation(refusal: t.Callable[..., ClientError]) -> None:
    for stacks in ({}, {"theirs": refusal("AccessDenied")}):
        assert "another integration (API destination theirs)" in refused(World(refusal, stacks).gate(), CREATED)


@pytest.mark.parametrize("other", [{"account": "act-00000000"}, {"rules": ()}])
def test_integration_of_another_account_or_without_a_rule_stops_nothing(
    refusal: t.Callable[..., ClientError], other: dict[str, t.Any]
) -> None:
    gate = World(refusal, **other).gate()
    gate(CREATED)
    assert gate.found == ()


def test_other_integration_of_an_unknown_account_stops_a_creation(refusal: t.Callable[..., ClientError]) -> None:
    gate = World(refusal, account=None).gate()
    message = refused(gate, CREATED)
    assert "may already send" in message
    assert "on_existing to migrate" in message
    assert "ignore" in message
    assert gate.found[0].as_dict("eu-west-1")["spot_account"] is None


@pytest.mark.parametrize(("account", "verb"), [(SPOT, "already sends"), (None, "may already send")])
def test_ignore_passes_and_names_the_other_integration(refusal: t.Callable[..., ClientError], account: str | None, verb: str) -> None:
    gate = World(refusal, account=account).gate("ignore")
    gate(CREATED)
    (note,) = gate.notes
    assert f"(API destination theirs) {verb}" in note
    assert "ignore" in note


def test_migrate_notes_an_account_that_could_not_be_read(refusal: t.Callable[..., ClientError]) -> None:
    gate = World(refusal, account=None).gate("migrate")
    gate(CREATED)
    assert "the Spot account of theirs is hidden" in gate.notes[0]
    assert gate.found[0].spot_account is None


ENTANGLED: dict[str, tuple[dict[str, t.Any], str, str]] = {
    "a stack with a network": (
        {"stacks": {"theirs": "old"}, "resources": ("AWS::Events::Rule", "AWS::EC2::VPC")},
        "StackHoldsMore",
        "AWS::EC2::VPC",
    ),
    "a stack with two rules": (
        {"stacks": {"theirs": "old"}, "resources": ("AWS::Events::Rule", "AWS::Events::Rule")},
        "StackHoldsMore",
        "AWS::Events::Rule",
    ),
    "a stack whose rule has another target": (
        {"stacks": {"theirs": "old"}, "targets": ({"Id": "audit", "Arn": "arn:queue"},)},
        "ForeignTarget",
        "audit",
    ),
    "a rule of a stack": ({"stacks": {"by-hand": "old"}, "rules": ("theirs", "by-hand")}, "PartOfStack", "by-hand"),
}


@pytest.mark.parametrize("what", ENTANGLED)
def test_migrate_stops_before_what_it_could_not_remove(refusal: t.Callable[..., ClientError], what: str) -> None:
    options, code, named = ENTANGLED[what]
    with pytest.raises(RegionError) as caught:
        World(refusal, **options).gate("migrate")(CREATED)
    assert caught.value.failure.code == code
    assert named in caught.value.failure.message


def test_migrate_passes_and_reports_the_other_integration(refusal: t.Callable[..., ClientError]) -> None:
    for plan in (CREATED, UPDATED, UNCHANGED):
        gate = World(refusal, {"theirs": "old-stack"}).gate("migrate")
        gate(plan)
        assert [existing.as_dict("eu-west-1") for existing in gate.found] == [
            {
                "region": "eu-west-1",
                "name": "theirs",
                "rules": ["theirs"],
                "spot_account": SPOT,
                "stack_name": "old-stack",
                "stack_set": False,
            }
        ]


def test_resource_of_a_stack_is_not_changed(refusal: t.Callable[..., ClientError]) -> None:
    for desired in ("stop", "migrate"):
        message = refused(World(refusal, {NAME: "a-stack"}, account="act-00000000").gate(desired), UPDATED)
        assert "belongs to the stack a-stack" in message
        assert "adopt" in message


def test_adopt_passes_and_reports_the_resource_of_a_stack(refusal: t.Callable[..., ClientError]) -> None:
    for plan in (UPDATED, UNCHANGED):
        gate = World(refusal, {NAME: "a-stack"}).gate("adopt")
        gate(plan)
        assert [existing.name for existing in gate.found] == [NAME]


def test_stack_passes_for_its_own_resource(refusal: t.Callable[..., ClientError]) -> None:
    gate = World(refusal, {NAME: "a-stack"}, account=None).gate(stack="a-stack")
    gate(UPDATED)
    assert gate.found == ()


@pytest.mark.parametrize(("desired", "owned", "plan"), [("migrate", "theirs", CREATED), ("adopt", NAME, UPDATED), ("stop", NAME, UPDATED)])
def test_resource_of_a_stack_set_is_never_changed(refusal: t.Callable[..., ClientError], desired: str, owned: str, plan: Plan) -> None:
    message = refused(World(refusal, {owned: "StackSet-all-1"}).gate(desired), plan)
    assert "Remove this account and region from the stack set first" in message


def test_gate_reads_each_thing_once(refusal: t.Callable[..., ClientError]) -> None:
    world = World(refusal, account="act-00000000")
    gate = world.gate()
    for plan in (CREATED, CREATED, UPDATED, UPDATED):
        gate(plan)
    assert world.asked == ["others", f"owner of {NAME}"]


@pytest.mark.parametrize("code", ["AccessDenied", "InternalFailure", "Throttling"])
@pytest.mark.parametrize("desired", ["stop", "adopt", "migrate"])
def test_an_owner_that_cannot_be_read_is_a_note_and_stops_no_repair(refusal: t.Callable[..., ClientError], code: str, desired: str) -> None:
    gate = World(refusal, {NAME: refusal(code)}, account="act-00000000").gate(desired)
    gate(Plan("reauthorized", {}, calls=CALL))
    (note,) = gate.notes
    assert f"the CloudFormation stack of {NAME}" in note
    assert code in note


def test_cloudformation_that_does_not_respond_is_asked_once(refusal: t.Callable[..., ClientError]) -> None:
    world = World(refusal, {"theirs": refusal("InternalFailure"), NAME: refusal("InternalFailure")})
    gate = world.gate("migrate")
    for plan in (CREATED, UPDATED):
        gate(plan)
    assert [asked for asked in world.asked if asked.startswith("owner")] == ["owner of theirs"]
