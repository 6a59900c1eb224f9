# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The exact requests of stack sets, each checked against botocore's model of the service."""

from __future__ import annotations

import re
import typing as t

import boto3
import pytest
from botocore.model import ListShape, Shape, StructureShape
from botocore.stub import Stubber

from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.organizations import Member
from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack_set.batches import Operation
from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack_set.desired import StackSet
from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack_set.operations import Operations
from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack_set.plan import plan
from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack_set.read import Reader
from tests.unit.plugins.module_utils._cloudformation.stack_set.stack_sets import (
    NEW,
    OTHER_OU,
    OU,
    REGIONS,
    SPOT,
    TOKEN,
    A,
    B,
    C,
    desired,
    instance,
    instances,
    nothing,
    of_organization,
    of_units,
    organization,
    reading,
)


@pytest.fixture
def client() -> t.Any:
    return boto3.Session().client("cloudformation", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")


def problems(shape: Shape, value: t.Any, path: str = "") -> list[str]:
    """What AWS would refuse by its model, and botocore lets pass: values that are none of an enumeration or not of a pattern's form."""
    if isinstance(shape, StructureShape):
        return [problem for name, inner in value.items() for problem in problems(shape.members[name], inner, f"{path}.{name}")]
    if isinstance(shape, ListShape):
        found = [problem for inner in value for problem in problems(shape.member, inner, f"{path}[]")]
        return found + ([f"{path} is too long"] if len(value) > shape.metadata.get("max", len(value)) else [])
    enum, pattern = getattr(shape, "enum", None), shape.metadata.get("pattern")
    found = [f"{path}={value} is none of {enum}"] if enum and value not in enum else []
    return found + ([f"{path}={value} is not {pattern}"] if pattern and not re.fullmatch(pattern, value) else [])


def begin(client: t.Any, given: StackSet, operation: Operation) -> dict[str, t.Any]:
    """Make the call of an operation as the module does; what was given to AWS."""
    seen: dict[str, t.Any] = {}
    client.meta.events.register("provide-client-params.cloudformation", lambda params, **_: seen.update(params))
    with Stubber(client) as stub:
        stub.add_response(operation.action, {})
        Operations(given, {"cloudformation": client}, ()).begin(operation)
        stub.assert_no_pending_responses()
    name = client.meta.method_to_api_mapping[operation.action]
    assert problems(client.meta.service_model.operation_model(name).input_shape, seen, name) == []
    return seen


DELETED = StackSet("spot", present=False, delegated_admin=True)
UNITS = {pair: instance(*pair, unit=OU) for pair in instances()}
EVERYTHING = of_units(
    OU,
    OTHER_OU,
    spot_accounts={**SPOT, B: "act-eeeeeeee", NEW: "act-dddddddd"},
    excluded_accounts=frozenset({C}),
    description="other",
    tags={"team": "a"},
    token_revision="2",
    auto_deployment={"Enabled": True, "RetainStacksOnAccountRemoval": True},
    delegated_admin=True,
    operation_preferences={
        "RegionConcurrencyType": "SEQUENTIAL",
        "RegionOrder": list(REGIONS),
        "MaxConcurrentCount": 2,
        "FailureToleranceCount": 1,
        "ConcurrencyMode": "SOFT_FAILURE_TOLERANCE",
    },
)
CASES = [
    (desired(), nothing()),
    (desired(administration_role_arn="arn:aws:iam::123456789012:role/a", execution_role_name="e", tags={"a": "b"}), nothing()),
    (EVERYTHING, nothing(organization=organization(A, B, Member(NEW, OTHER_OU)))),
    (EVERYTHING, reading(of_organization(), UNITS, organization=organization(A, B, Member(NEW, OTHER_OU)))),
    (of_units(spot_accounts={}, default_spot_account="act-dddddddd"), nothing(organization=organization())),
    (StackSet("spot", present=False), reading()),
    (DELETED, reading(of_organization(), UNITS)),
]


@pytest.mark.parametrize(("given", "there"), CASES)
def test_every_request_is_one_that_aws_knows(client: t.Any, given: StackSet, there: t.Any) -> None:
    operations = plan(given, there).operations
    assert operations
    for operation in operations:
        begin(client, given, operation)


def test_those_cases_make_every_kind_of_call() -> None:
    assert {operation.action for given, there in CASES for operation in plan(given, there).operations} == {
        "create_stack_set",
        "update_stack_set",
        "delete_stack_set",
        "create_stack_instances",
        "update_stack_instances",
        "delete_stack_instances",
    }


def test_what_aws_would_refuse_is_found(client: t.Any) -> None:
    wrong = Operation("create_stack_set", {"StackSetName": "spot", "PermissionModel": "MINE"})
    with pytest.raises(AssertionError, match="PermissionModel=MINE is none of"):
        begin(client, desired(), wrong)


def test_instances_are_made_by_this_request(client: t.Any) -> None:
    seen = begin(client, desired(), plan(desired(), nothing()).operations[1])
    operation_id = seen.pop("OperationId")
    assert re.fullmatch(r"SpotAccountId-act-aaaaaaaa-[0-9a-f]{32}", operation_id)
    assert seen == {
        "StackSetName": "spot",
        "Accounts": [A],
        "Regions": list(REGIONS),
        "ParameterOverrides": [{"ParameterKey": "SpotAccountId", "ParameterValue": "act-aaaaaaaa"}],
        "OperationPreferences": {"RegionConcurrencyType": "PARALLEL", "MaxConcurrentPercentage": 100, "FailureTolerancePercentage": 100},
    }


def test_instances_of_an_organizational_unit_are_made_by_this_request(client: t.Any) -> None:
    given = of_units(delegated_admin=True)
    seen = begin(client, given, plan(given, nothing(organization=organization())).operations[1])
    assert {key: seen[key] for key in ("StackSetName", "DeploymentTargets", "Regions", "ParameterOverrides", "CallAs")} == {
        "StackSetName": "spot",
        "DeploymentTargets": {"OrganizationalUnitIds": [OU], "Accounts": [A], "AccountFilterType": "INTERSECTION"},
        "Regions": list(REGIONS),
        "ParameterOverrides": [{"ParameterKey": "SpotAccountId", "ParameterValue": "act-aaaaaaaa"}],
        "CallAs": "DELEGATED_ADMIN",
    }


def test_another_spot_account_is_written_by_this_request(client: t.Any) -> None:
    given = of_units(spot_accounts={**SPOT, B: "act-eeeeeeee"})
    (operation,) = plan(given, reading(of_organization(), UNITS, organization=organization())).operations
    seen = begin(client, given, operation)
    assert re.fullmatch(r"SpotAccountId-act-eeeeeeee-[0-9a-f]{32}", seen.pop("OperationId"))
    assert seen == {
        "StackSetName": "spot",
        "DeploymentTargets": {"OrganizationalUnitIds": [OU], "Accounts": [B], "AccountFilterType": "INTERSECTION"},
        "Regions": list(REGIONS),
        "ParameterOverrides": [{"ParameterKey": "SpotAccountId", "ParameterValue": "act-eeeeeeee"}],
        "OperationPreferences": {"RegionConcurrencyType": "PARALLEL", "MaxConcurrentPercentage": 100, "FailureTolerancePercentage": 100},
    }


def test_an_update_with_automatic_deployment_names_no_targets(client: t.Any) -> None:
    """AWS takes AutoDeployment only without them."""
    given = of_units(auto_deployment={"Enabled": True, "RetainStacksOnAccountRemoval": False})
    (operation,) = plan(given, reading(of_organization(), UNITS, organization=organization())).operations
    seen = begin(client, given, operation)
    assert seen["AutoDeployment"] == {"Enabled": True, "RetainStacksOnAccountRemoval": False}
    assert not {"Accounts", "Regions", "DeploymentTargets"} & seen.keys()
    assert seen["UsePreviousTemplate"] is True
    assert {"ParameterKey": "SpotToken", "UsePreviousValue": True} in seen["Parameters"]
    assert TOKEN not in str(seen)


def test_an_id_that_aws_has_already_is_ones_own(client: t.Any) -> None:
    operations = Operations(desired(), {"cloudformation": client}, ())
    with Stubber(client) as stub:
        stub.add_client_error("create_stack_instances", "OperationIdAlreadyExistsException")
        operations.begin(plan(desired(), nothing()).operations[1])
    assert [entry["status"] for entry in operations.entries] == ["RUNNING"]


class TestReading:
    """Each page, and nothing that is known already."""

    WHICH: t.ClassVar = {"StackSetName": "spot", "CallAs": "DELEGATED_ADMIN"}

    def summary(self, account: str, last: str, status: str = "CURRENT") -> dict[str, t.Any]:
        return {
            "Account": account,
            "Region": "us-east-1",
            "Status": status,
            "StackInstanceStatus": {"DetailedStatus": "SUCCEEDED"},
            "LastOperationId": last,
        }

    def test_all_pages_are_read_and_only_unknown_overrides_are_asked_for(self, client: t.Any) -> None:
        given = desired(delegated_admin=True)
        ours = f"SpotAccountId-act-aaaaaaaa-{'0' * 32}"
        reader = Reader(given, {"cloudformation": client})
        with Stubber(client) as stub:
            stub.add_response("get_template_summary", {"Parameters": []}, {"TemplateBody": given.template_body})
            for _round in range(2):
                found = {"StackSetName": "spot", "Status": "ACTIVE", "TemplateBody": given.template_body}
                stub.add_response("describe_stack_set", {"StackSet": found}, self.WHICH)
                more = {**self.WHICH, "MaxResults": 100}
                running = {
                    "Summaries": [{"OperationId": "o", "Action": "CREATE", "Status": "QUEUED"}, {"OperationId": "p", "Status": "FAILED"}]
                }
                stub.add_response("list_stack_set_operations", running, more)
                stub.add_response("list_stack_instances", {"Summaries": [self.summary(A, ours)], "NextToken": "n"}, more)
                second = [self.summary(B, "theirs"), self.summary(C, f"SpotAccountId-act-cccccccc-{'0' * 32}", "OUTDATED")]
                stub.add_response("list_stack_instances", {"Summaries": second}, {**more, "NextToken": "n"})
                # Threads may ask in any order; what failed is asked for again.
                for account in (B, C) if _round == 0 else (C,):
                    override = {"ParameterOverrides": [{"ParameterKey": "SpotAccountId", "ParameterValue": SPOT[account]}]}
                    stub.add_response("describe_stack_instance", {"StackInstance": override})
                read = reader.read()
                assert {there.account for there in read.instances.values()} == {A, B, C}
                assert all(there.overrides for there in read.instances.values())
                assert [operation.operation_id for operation in read.running] == ["o"]
            stub.assert_no_pending_responses()

    def test_a_stack_set_that_is_gone_is_none(self, client: t.Any) -> None:
        with Stubber(client) as stub:
            stub.add_client_error("describe_stack_set", "StackSetNotFoundException")
            assert Reader(StackSet("spot", present=False), {"cloudformation": client}).read().current is None

    def test_an_instance_that_goes_meanwhile_has_no_overrides(self, client: t.Any) -> None:
        given = desired()
        with Stubber(client) as stub:
            stub.add_response("get_template_summary", {"Parameters": []})
            stub.add_response("describe_stack_set", {"StackSet": {"StackSetName": "spot", "TemplateBody": given.template_body}})
            stub.add_response("list_stack_set_operations", {"Summaries": []})
            stub.add_response("list_stack_instances", {"Summaries": [self.summary(A, "theirs")]})
            stub.add_client_error("describe_stack_instance", "StackInstanceNotFoundException")
            (there,) = Reader(given, {"cloudformation": client}).read().instances.values()
        assert there.overrides is None

    def test_what_is_behind_an_address_is_compared_by_what_aws_tells_of_both(self, client: t.Any) -> None:
        given = desired(template_body=None, template_url="https://s3.amazonaws.com/x")
        for rule, differences in (("AWS::Events::Rule", ()), ("AWS::SQS::Queue", ("resource types",))):
            with Stubber(client) as stub:
                there = {"TemplateURL": "https://s3.amazonaws.com/x"}
                stub.add_response("get_template_summary", {"Parameters": [], "ResourceTypes": ["AWS::Events::Rule"]}, there)
                stub.add_response("describe_stack_set", {"StackSet": {"StackSetName": "spot", "TemplateBody": "x"}})
                stub.add_response("get_template_summary", {"Parameters": [], "ResourceTypes": [rule]}, {"TemplateBody": "x"})
                stub.add_response("list_stack_set_operations", {"Summaries": []})
                stub.add_response("list_stack_instances", {"Summaries": []})
                current = Reader(given, {"cloudformation": client}).read().current
            assert current is not None
            assert current.differences == differences


class TestResults:
    """What became of an operation, in the words of its results."""

    def operations(self, client: t.Any) -> Operations:
        entry = {"id": "o", "action": "create_stack_instances", "status": "RUNNING", "accounts": [A], "regions": ["us-east-1"]}
        return Operations(desired(), {"cloudformation": client}, [{**entry, "instances": 1, "failures": []}])

    def test_where_none_failed_nobody_asks_for_results(self, client: t.Any) -> None:
        ours = self.operations(client)
        with Stubber(client) as stub:
            ended = {"Status": "SUCCEEDED", "StatusDetails": {"FailedStackInstancesCount": 0}}
            stub.add_response("describe_stack_set_operation", {"StackSetOperation": ended}, {"StackSetName": "spot", "OperationId": "o"})
            assert ours.look() is False
        assert ours.entries[0]["failures"] == []

    def test_failures_come_page_by_page_with_the_gate_that_refused(self, client: t.Any) -> None:
        ours = self.operations(client)
        which = {"StackSetName": "spot", "OperationId": "o", "MaxResults": 100}
        only = [{"Name": "OPERATION_RESULT_STATUS", "Values": "FAILED"}]
        failed = {"Account": A, "Region": "us-east-1", "Status": "FAILED", "StatusReason": "no\nrole"}
        gated = {"Account": B, "Region": "us-east-1", "Status": "FAILED", "AccountGateResult": {"Status": "FAILED", "StatusReason": "gate"}}
        with Stubber(client) as stub:
            stub.add_response("describe_stack_set_operation", {"StackSetOperation": {"Status": "FAILED", "StatusReason": "too  many"}})
            stub.add_response("list_stack_set_operation_results", {"Summaries": [gated], "NextToken": "n"}, {**which, "Filters": only})
            stub.add_response("list_stack_set_operation_results", {"Summaries": [failed]}, {**which, "Filters": only, "NextToken": "n"})
            stub.add_response("list_stack_set_operation_results", {"Summaries": []})
            ours.look()
            stub.assert_no_pending_responses()
        assert ours.entries[0]["status_reason"] == "too many"
        assert [(entry["account"], entry["reason"]) for entry in ours.entries[0]["failures"]] == [(A, "no role"), (B, "gate")]
        assert ours.failure((A, "us-east-1")) == {"account": A, "region": "us-east-1", "status": "FAILED", "reason": "no role"}
        assert ours.failure((A, "eu-west-1")) is None

    def test_an_operation_in_progress_is_counted_by_its_results(self, client: t.Any) -> None:
        ours = self.operations(client)
        states = ["SUCCEEDED", "FAILED", "PENDING", "RUNNING", "CANCELLED", "SUCCEEDED"]
        results = [{"Account": A, "Region": f"us-east-{number}", "Status": status} for number, status in enumerate(states)]
        with Stubber(client) as stub:
            stub.add_response("list_stack_set_operation_results", {"Summaries": results})
            ours.count()
        assert (ours.entries[0]["done"], len(ours.entries[0]["failures"])) == (2, 2)
