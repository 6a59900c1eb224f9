# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A stack set over three accounts and three regions, with permissions of one's own: what the module makes of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.integration.modules.accounts import ADMINISTRATOR, FIRST, HOME, LATE, NAME, REGIONS, SECOND, SPOT_ACCOUNTS, THIRD, Accounts, each
from tests.integration.modules.runner import Run, Runner
from tests.tools.policies import policy

StackSet = Callable[..., Run]
ABSENT: dict[str, Any] = {"state": "absent", "template_body": None, "spot_accounts": None, "regions": None}
# Two instances, where that is enough.
SMALL: dict[str, Any] = {"spot_accounts": {FIRST: SPOT_ACCOUNTS[FIRST], SECOND: SPOT_ACCOUNTS[SECOND]}, "regions": REGIONS[:1]}
EVERYWHERE = sorted(REGIONS)


@pytest.fixture
def deployed(accounts: Accounts, stack_set: StackSet) -> Run:
    """Nine instances."""
    accounts.roles()
    return made(stack_set())


@pytest.fixture
def small(accounts: Accounts, stack_set: StackSet) -> Run:
    """Two instances."""
    accounts.roles()
    return made(stack_set(**SMALL))


def made(done: Run) -> Run:
    assert not done.failed, done.message
    return done


def written(accounts: Accounts, account: str, region: str) -> str:
    """What the connection of an account sends as authorisation."""
    events, secrets = accounts.client(account, "events", region), accounts.client(account, "secretsmanager", region)
    (connection,) = events.list_connections()["Connections"]
    described = events.describe_connection(Name=connection["Name"])
    return str(secrets.get_secret_value(SecretId=described["SecretArn"])["SecretString"])


class TestDeployment:
    def test_nine_integrations_deliver_each_for_its_own_spot_account(self, accounts: Accounts, deployed: Run) -> None:
        assert accounts.delivered(SPOT_ACCOUNTS) == each(SPOT_ACCOUNTS)
        assert deployed.operations == [
            ("create_stack_set", [], []),
            *(("create_stack_instances", [account], REGIONS) for account in SPOT_ACCOUNTS),
        ]
        found = {(entry["account"], entry["region"]): (entry["status"], entry["spot_account"]) for entry in deployed.answer["instances"]}
        assert found == {(account, region): ("CURRENT", spot) for account, spot in SPOT_ACCOUNTS.items() for region in REGIONS}

    @pytest.mark.slow
    def test_an_instance_is_verified_under_the_names_of_its_stack(self, accounts: Accounts, small: Run, run: Runner) -> None:
        def found() -> dict[str, Any]:
            looked = run(
                "spot_integration_info",
                name=f"spot-interruption-{SPOT_ACCOUNTS[FIRST]}",
                spot_account=SPOT_ACCOUNTS[FIRST],
                regions=REGIONS[:1],
                assume_role_arn=f"arn:aws:iam::{FIRST}:role/tester",
                tags={"ManagedBy": "spot.eventbridge"},
            )
            assert not looked.failed, looked.message
            return looked.entry

        # The published policy suffices, also for the role, which CloudFormation has named.
        verify = json.loads(json.dumps(policy("verify")).replace(ADMINISTRATOR, FIRST))
        accounts.sandbox.permit("*", ["sts:AssumeRole", verify])
        accounts.sandbox.clear_calls()
        entry = found()
        # Nothing but the role has another name there, and nothing is read twice.
        assert len(accounts.sandbox.calls(operation="DescribeRule")) == len(accounts.sandbox.calls(operation="GetMetricData")) == 1
        accounts.sandbox.clear_permissions()
        assert entry["status"] == "active", entry["findings"]
        assert entry["stack_set"].startswith(f"StackSet-{NAME}-")
        accounts.client(FIRST, "events", REGIONS[0]).disable_rule(Name=f"spot-interruption-{SPOT_ACCOUNTS[FIRST]}")
        entry = found()
        assert entry["status"] == "drifted"
        (state,) = [finding for finding in entry["findings"] if finding["check"] == "rule_state"]
        assert state["remedy"].startswith("Run the playbook spot.eventbridge.stack_set;")

    def test_a_second_run_does_nothing_and_asks_no_instance(self, accounts: Accounts, small: Run, stack_set: StackSet) -> None:
        accounts.sandbox.clear_calls()
        again = made(stack_set(**SMALL, spot_token=""))
        assert (again.changed, again.operations, again.answer["diff"]) == (False, [], [])
        assert accounts.writes() == []
        assert accounts.sandbox.calls(operation="DescribeStackInstance") == []

    def test_check_mode_predicts_what_is_done_and_does_nothing(self, accounts: Accounts, stack_set: StackSet) -> None:
        accounts.roles()
        predicted = made(stack_set(check=True, **SMALL))
        assert accounts.writes() == []
        done = made(stack_set(**SMALL))
        assert (predicted.operations, predicted.answer["diff"]) == (done.operations, done.answer["diff"])
        assert predicted.changed
        of_both = [
            [(entry["account"], entry["region"], entry["status"], entry["spot_account"]) for entry in run.answer["instances"]]
            for run in (predicted, done)
        ]
        assert of_both[0] == of_both[1]

    @pytest.mark.slow
    def test_another_spot_account_touches_the_three_instances_of_its_account(
        self, accounts: Accounts, deployed: Run, stack_set: StackSet
    ) -> None:
        before, other = accounts.last_operations(), {**SPOT_ACCOUNTS, SECOND: "act-b1e4f7a3"}
        predicted = made(stack_set(check=True, spot_accounts=other))
        done = made(stack_set(spot_accounts=other))
        assert predicted.operations == done.operations == [("update_stack_instances", [SECOND], REGIONS)]
        after = accounts.last_operations()
        assert {pair for pair in after if after[pair] != before[pair]} == {(SECOND, region) for region in REGIONS}
        assert accounts.delivered(other) == each(other)
        assert not made(stack_set(spot_accounts=other)).changed

    @pytest.mark.slow
    def test_another_account_and_another_region_come_and_go(self, accounts: Accounts, small: Run, stack_set: StackSet) -> None:
        grown = {"spot_accounts": {**SMALL["spot_accounts"], THIRD: SPOT_ACCOUNTS[THIRD]}, "regions": REGIONS[:2]}
        assert sorted(made(stack_set(**grown)).operations) == [
            ("create_stack_instances", [FIRST], REGIONS[1:2]),
            ("create_stack_instances", [SECOND], REGIONS[1:2]),
            ("create_stack_instances", [THIRD], REGIONS[:2]),
        ]
        shrunk = made(stack_set(**SMALL))
        assert shrunk.operations == [
            ("delete_stack_instances", [FIRST, SECOND], REGIONS[1:2]),
            ("delete_stack_instances", [THIRD], REGIONS[:2]),
        ]
        assert set(accounts.instances()) == {(FIRST, REGIONS[0]), (SECOND, REGIONS[0])}

    def test_a_list_that_came_out_too_short_does_nothing(self, accounts: Accounts, small: Run, stack_set: StackSet) -> None:
        accounts.sandbox.clear_calls()
        for check in (True, False):
            refused = stack_set(check=check, spot_accounts={THIRD: SPOT_ACCOUNTS[THIRD]}, regions=REGIONS[:1])
            assert refused.failed
            assert "PurgeLimit: 2 of 2 AWS accounts would lose their instances" in refused.message
        assert accounts.writes() == []

    @pytest.mark.slow
    def test_another_property_updates_all(self, accounts: Accounts, small: Run, stack_set: StackSet) -> None:
        changes = {**SMALL, "parameters": {"InvocationRateLimitPerSecond": 50}, "tags": {"team": "a"}}
        predicted, done = made(stack_set(check=True, **changes)), made(stack_set(**changes))
        assert predicted.operations == done.operations == [("update_stack_set", [FIRST, SECOND], REGIONS[:1])]
        assert done.answer["stack_set"]["parameters"]["InvocationRateLimitPerSecond"] == "50"
        events = accounts.client(SECOND, "events", REGIONS[0])
        assert [item["InvocationRateLimitPerSecond"] for item in events.list_api_destinations()["ApiDestinations"]] == [50]
        assert not made(stack_set(**changes)).changed
        assert accounts.delivered(SMALL["spot_accounts"], REGIONS[:1]) == each(SMALL["spot_accounts"], REGIONS[:1])

    @pytest.mark.slow
    def test_another_template_is_seen_and_a_comment_is_not(self, small: Run, stack_set: StackSet, accounts: Accounts) -> None:
        template = small.answer["invocation"]["module_args"]["template_body"]
        assert not made(stack_set(**SMALL, template_body=f"# a comment\n{template}")).changed
        changed = template.replace('{"Fn::Sub": "Sends EC2', '{"Fn::Sub": "Really sends EC2')
        assert changed != template
        done = made(stack_set(**SMALL, template_body=changed))
        assert [action for action, _, _ in done.operations] == ["update_stack_set"]
        assert [entry["after_header"] for entry in done.answer["diff"]] == [f"stack set {NAME}", f"stack set {NAME}, template"]
        assert not made(stack_set(**SMALL, template_body=changed)).changed

    def test_a_default_serves_accounts_that_nobody_named(self, accounts: Accounts, stack_set: StackSet) -> None:
        accounts.roles()
        given = {"accounts": [FIRST, SECOND], "spot_accounts": {FIRST: SPOT_ACCOUNTS[FIRST]}, "default_spot_account": SPOT_ACCOUNTS[SECOND]}
        made(stack_set(**given, regions=REGIONS[:1]))
        assert accounts.delivered(SMALL["spot_accounts"], REGIONS[:1]) == each(SMALL["spot_accounts"], REGIONS[:1])

    def test_the_stack_set_is_in_the_account_of_the_role_and_in_its_region(self, accounts: Accounts, stack_set: StackSet) -> None:
        accounts.roles()
        administrator = f"arn:aws:iam::{THIRD}:role/AWSCloudFormationStackSetExecutionRole"
        stack_set(**SMALL, region="eu-west-1", assume_role_arn=administrator)
        found = accounts.client(THIRD, "cloudformation", "eu-west-1").list_stack_sets()["Summaries"]
        assert [entry["StackSetName"] for entry in found] == [NAME]
        assert accounts.cloudformation.list_stack_sets()["Summaries"] == []

    def test_the_regions_are_those_of_the_account_of_the_role(self, accounts: Accounts, stack_set: StackSet) -> None:
        accounts.roles()
        administrator = f"arn:aws:iam::{THIRD}:role/AWSCloudFormationStackSetExecutionRole"
        accounts.sandbox.clear_calls()
        predicted = made(stack_set(check=True, **{**SMALL, "regions": ["all"]}, assume_role_arn=administrator))
        (asked,) = accounts.sandbox.calls(operation="DescribeRegions")
        assert asked["account"] == THIRD
        assert len({region for _, _, regions in predicted.operations for region in regions}) == 17


class TestTheTemplateThatSpotPublishes:
    URL = (
        "https://spotinst-public.s3.amazonaws.com/assets/cloudformation/templates/spot-interruption-notification-event-bridge-template.json"
    )

    def test_its_parameters_are_found_and_it_is_compared(self, accounts: Accounts, stack_set: StackSet) -> None:
        accounts.roles()
        given = {**SMALL, "template_body": None, "template_url": self.URL}
        done = made(stack_set(**given))
        assert done.answer["stack_set"]["parameters"] == {"AccountId": "act-00000000", "Token": "****"}
        assert accounts.delivered(SMALL["spot_accounts"], REGIONS[:1]) == each(SMALL["spot_accounts"], REGIONS[:1])
        assert not made(stack_set(**given)).changed
        ours = made(stack_set(**SMALL))
        assert [action for action, _, _ in ours.operations] == ["update_stack_set", *["update_stack_instances"] * 2]
        assert accounts.delivered(SMALL["spot_accounts"], REGIONS[:1]) == each(SMALL["spot_accounts"], REGIONS[:1])


class TestTheToken:
    @pytest.mark.slow
    def test_it_is_left_alone_until_it_has_another_revision(self, accounts: Accounts, small: Run, stack_set: StackSet) -> None:
        token = accounts.sandbox.add_token("new", role="admin")
        assert not made(stack_set(**SMALL, spot_token=token)).changed
        done = made(stack_set(**SMALL, spot_token=token, token_revision="2026-11"))
        assert [action for action, _, _ in done.operations] == ["update_stack_set"]
        for account in SMALL["spot_accounts"]:
            assert token in written(accounts, account, REGIONS[0])
        assert not made(stack_set(**SMALL, spot_token=token, token_revision="2026-11")).changed

    @pytest.mark.slow
    def test_it_is_written_in_every_run_if_that_is_wanted(self, accounts: Accounts, small: Run, stack_set: StackSet) -> None:
        events = accounts.client(FIRST, "events", REGIONS[0])
        name = f"spot-interruption-{SPOT_ACCOUNTS[FIRST]}"
        for revision in ("2", "3"):
            events.deauthorize_connection(Name=name)
            done = made(stack_set(**SMALL, update_token="always"))
            assert done.answer["stack_set"]["parameters"]["TokenRevision"] == revision
            assert [action for action, _, _ in done.operations] == ["update_stack_set"]
            assert events.describe_connection(Name=name)["ConnectionState"] == "AUTHORIZED"

    @pytest.mark.slow
    def test_aws_shows_it_nowhere(self, accounts: Accounts, small: Run, stack_set: StackSet) -> None:
        """What the module shows is searched by every run."""
        made(stack_set(**SMALL, token_revision="2"))
        token, client = accounts.sandbox.tokens["admin"], accounts.cloudformation
        told = [
            client.describe_stack_set(StackSetName=NAME),
            client.list_stack_instances(StackSetName=NAME),
            client.describe_stack_instance(StackSetName=NAME, StackInstanceAccount=FIRST, StackInstanceRegion=REGIONS[0]),
        ]
        for operation in accounts.operations():
            which = {"StackSetName": NAME, "OperationId": operation["OperationId"]}
            told += [client.describe_stack_set_operation(**which), client.list_stack_set_operation_results(**which)]
        stacks = accounts.client(FIRST, "cloudformation", REGIONS[0])
        (stack,) = stacks.describe_stacks()["Stacks"]
        told += [stack, stacks.describe_stack_events(StackName=stack["StackName"]), stacks.get_template(StackName=stack["StackName"])]
        assert token not in str(told)

    def test_without_one_nothing_is_begun(self, accounts: Accounts, stack_set: StackSet) -> None:
        refused = stack_set(spot_token="")
        assert "There is no Spot token" in refused.message
        assert (refused.operations, refused.answer["failed_instances"]) == ([], [])
        assert accounts.writes() == []


class TestFailures:
    @pytest.mark.slow
    def test_one_account_that_fails_stops_no_other_and_is_repaired_by_the_next_run(self, accounts: Accounts, stack_set: StackSet) -> None:
        accounts.roles(FIRST, THIRD)
        done = stack_set()
        assert done.failed
        assert done.message.startswith(
            f"stack set {NAME}: 3 of 9 instance(s) failed | {SECOND} ap-south-1: FAILED: Account {SECOND} should have"
        )
        assert [(entry["account"], entry["region"], entry["status"]) for entry in done.answer["failed_instances"]] == [
            (SECOND, region, "FAILED") for region in EVERYWHERE
        ]
        assert "\n" not in done.message
        served = {FIRST: SPOT_ACCOUNTS[FIRST], THIRD: SPOT_ACCOUNTS[THIRD]}
        assert accounts.delivered(served) == each(served)

        accounts.execution_role(SECOND)
        before = accounts.last_operations()
        repaired = made(stack_set())
        assert repaired.operations == [("update_stack_instances", [SECOND], REGIONS)]
        after = accounts.last_operations()
        assert {pair for pair in after if after[pair] != before[pair]} == {(SECOND, region) for region in REGIONS}
        assert accounts.delivered(SPOT_ACCOUNTS) == each(SPOT_ACCOUNTS)
        assert not made(stack_set()).changed

    @pytest.mark.slow
    def test_one_region_of_one_account_that_fails(self, accounts: Accounts, stack_set: StackSet) -> None:
        accounts.roles()
        denied = {"error": {"status": 403, "code": "AccessDenied", "message": "not here"}}
        accounts.sandbox.add_fault(denied, {"operation": "CreateQueue", "account": SECOND, "region": "us-west-2"})
        done = stack_set()
        assert [(entry["account"], entry["region"]) for entry in done.answer["failed_instances"]] == [(SECOND, "us-west-2")]
        assert "not here" in done.message
        again = stack_set()
        assert again.operations == [("update_stack_instances", [SECOND], ["us-west-2"])]
        assert again.failed
        accounts.sandbox.clear_faults()
        assert not stack_set().failed
        assert accounts.delivered(SPOT_ACCOUNTS) == each(SPOT_ACCOUNTS)

    def test_an_update_that_fails_in_one_account_is_completed_there(self, accounts: Accounts, small: Run, stack_set: StackSet) -> None:
        changes = {**SMALL, "parameters": {"InvocationRateLimitPerSecond": 50}}
        denied = {"error": {"status": 400, "code": "AccessDeniedException", "message": "not here"}}
        accounts.sandbox.add_fault(denied, {"operation": "UpdateApiDestination", "account": SECOND}, times=1)
        done = stack_set(**changes)
        assert done.operations == [("update_stack_set", [FIRST, SECOND], REGIONS[:1])]
        assert [entry["account"] for entry in done.answer["failed_instances"]] == [SECOND]
        accounts.sandbox.clear_faults()
        assert made(stack_set(**changes)).operations == [("update_stack_instances", [SECOND], REGIONS[:1])]

    def test_with_a_tolerance_aws_cancels_the_rest_and_that_comes_last(self, accounts: Accounts, stack_set: StackSet) -> None:
        accounts.roles(FIRST, THIRD)
        careful = {
            "max_concurrent_count": 1,
            "failure_tolerance_count": 0,
            "region_concurrency_type": "sequential",
            "region_order": REGIONS,
        }
        done = stack_set(operation_preferences=careful)
        assert done.failed
        assert [entry["status"] for entry in done.answer["failed_instances"]] == ["FAILED", "CANCELLED", "CANCELLED"]

    def test_an_instance_that_could_not_be_removed_is_removed_and_made_anew(
        self, accounts: Accounts, small: Run, stack_set: StackSet
    ) -> None:
        denied = {"error": {"status": 400, "code": "AccessDeniedException", "message": "kept"}}
        accounts.sandbox.add_fault(denied, {"operation": "DeleteConnection", "account": SECOND})
        only = {"spot_accounts": {FIRST: SPOT_ACCOUNTS[FIRST]}, "regions": REGIONS[:1]}
        stuck = stack_set(**only)
        assert stuck.failed
        assert f"{SECOND} {REGIONS[0]}: FAILED: is INOPERABLE: AWS could not remove its stack" in stuck.message
        assert "Remove the instance with retain_stacks=true" in stuck.message
        assert accounts.instances()[(SECOND, REGIONS[0])] == "INOPERABLE"
        accounts.sandbox.clear_faults()
        again = made(stack_set(**SMALL))
        assert [action for action, _, _ in again.operations] == ["delete_stack_instances", "create_stack_instances"]
        assert accounts.delivered(SMALL["spot_accounts"], REGIONS[:1]) == each(SMALL["spot_accounts"], REGIONS[:1])

    def test_a_foreign_target_on_an_instance_s_rule_is_named_and_stays(self, accounts: Accounts, small: Run, stack_set: StackSet) -> None:
        events, sqs = (accounts.client(SECOND, service, REGIONS[0]) for service in ("events", "sqs"))
        (rule,) = (item["Name"] for item in events.list_rules()["Rules"])
        sqs.create_queue(QueueName="audit")
        events.put_targets(Rule=rule, Targets=[{"Id": "audit", "Arn": f"arn:aws:sqs:{REGIONS[0]}:{SECOND}:audit"}])
        only = {"spot_accounts": {FIRST: SPOT_ACCOUNTS[FIRST]}, "regions": REGIONS[:1]}
        stuck = stack_set(**only)
        assert stuck.failed
        assert f"{SECOND} {REGIONS[0]}: FAILED: is INOPERABLE: AWS could not remove its stack" in stuck.message
        assert "Rule can't be deleted since it has targets" in stuck.message
        assert [target["Id"] for target in events.list_targets_by_rule(Rule=rule)["Targets"]] == ["audit"]
        events.remove_targets(Rule=rule, Ids=["audit"])
        assert not stack_set(**only).failed
        assert events.list_rules()["Rules"] == []

    @pytest.mark.parametrize("operation", ["CreateStackSet", "GetTemplateSummary", "ListStackInstances"])
    def test_what_the_caller_may_not_is_named(self, accounts: Accounts, stack_set: StackSet, operation: str) -> None:
        accounts.roles()
        if operation == "ListStackInstances":
            made(stack_set(**SMALL))
        accounts.sandbox.add_fault({"error": {"status": 403, "code": "AccessDenied", "message": "no"}}, {"operation": operation})
        done = stack_set(**SMALL)
        assert done.message == f"stack set {NAME}: AccessDenied: {operation}: no. Grant the caller the permission for {operation}."
        assert "_step" not in done.answer
        assert (done.operations, done.answer["failed_instances"]) == ([], [])

    def test_a_role_that_may_not_be_assumed_leaves_empty_lists(self, accounts: Accounts, stack_set: StackSet) -> None:
        accounts.sandbox.add_fault({"error": {"status": 403, "code": "AccessDenied", "message": "no"}}, {"operation": "AssumeRole"})
        done = stack_set(**SMALL, assume_role_arn=f"arn:aws:iam::{THIRD}:role/administrator")
        assert done.failed
        assert "AssumeRole" in done.message
        assert (done.operations, done.answer["failed_instances"]) == ([], [])

    def test_what_was_begun_is_told_where_the_rest_is_refused(self, accounts: Accounts, stack_set: StackSet) -> None:
        accounts.roles()
        denied = {"error": {"status": 403, "code": "AccessDenied", "message": "no"}}
        accounts.sandbox.add_fault(denied, {"operation": "CreateStackInstances"}, after=1)
        done = stack_set()
        assert (done.failed, done.changed) == (True, True)
        assert [action for action, _, _ in done.operations] == ["create_stack_set", "create_stack_instances"]

    def test_an_operation_that_aws_does_not_begin_stops_no_other(self, accounts: Accounts, stack_set: StackSet) -> None:
        accounts.roles()
        refused = {"error": {"status": 400, "code": "InvalidOperationException", "message": "not now"}}
        accounts.sandbox.add_fault(refused, {"operation": "CreateStackInstances"}, times=1)
        done = stack_set(**SMALL)
        assert [entry["status"] for entry in done.answer["operations"]] == ["SUCCEEDED", "REFUSED", "SUCCEEDED"]
        assert {entry["account"] for entry in done.answer["failed_instances"]} == {FIRST}
        assert f"{FIRST} {REGIONS[0]}: InvalidOperationException: CreateStackInstances: not now" in done.message


class TestOthers:
    """Somebody else works on the same stack set, or AWS answers in an unfortunate moment."""

    @pytest.mark.parametrize(
        ("operation", "code"),
        [
            ("CreateStackInstances", "OperationInProgressException"),
            ("CreateStackInstances", "StaleRequestException"),
            ("CreateStackSet", "NameAlreadyExistsException"),
        ],
    )
    def test_whoever_was_faster_is_waited_for(self, accounts: Accounts, stack_set: StackSet, operation: str, code: str) -> None:
        accounts.roles()
        accounts.sandbox.add_fault({"error": {"status": 409, "code": code, "message": "no"}}, {"operation": operation}, times=2)
        done = made(stack_set(**SMALL))
        assert len(done.operations) == 3

    @pytest.mark.parametrize("operation", ["CreateStackSet", "CreateStackInstances"])
    def test_an_answer_that_is_lost_does_nothing_twice(self, accounts: Accounts, stack_set: StackSet, operation: str) -> None:
        accounts.roles()
        accounts.sandbox.add_fault({"lost_answer": True}, {"operation": operation}, times=1)
        made(stack_set(**SMALL))
        assert len(accounts.operations()) == 2
        assert accounts.delivered(SMALL["spot_accounts"], REGIONS[:1]) == each(SMALL["spot_accounts"], REGIONS[:1])

    @pytest.mark.parametrize("managed", [True, False])
    def test_an_operation_in_progress_is_waited_for(self, accounts: Accounts, stack_set: StackSet, managed: bool) -> None:
        accounts.roles()
        made(stack_set(**SMALL, managed_execution=managed))
        accounts.sandbox.settings(stack_set_seconds=1)
        accounts.cloudformation.create_stack_instances(StackSetName=NAME, Accounts=[THIRD], Regions=REGIONS[:1])
        done = made(stack_set(regions=REGIONS[:1], managed_execution=managed))
        assert done.operations == [("update_stack_instances", [THIRD], REGIONS[:1])]

    def test_it_is_not_waited_for_without_end(self, accounts: Accounts, small: Run, stack_set: StackSet) -> None:
        accounts.sandbox.settings(stack_set_seconds=30)
        accounts.cloudformation.create_stack_instances(StackSetName=NAME, Accounts=[THIRD], Regions=REGIONS[:1])
        done = stack_set(**SMALL, wait_timeout=1)
        assert done.failed
        assert "Timeout: AWS worked at another caller's operation until wait_timeout ended" in done.message

    def test_without_managed_execution_operations_follow_each_other(self, accounts: Accounts, stack_set: StackSet) -> None:
        accounts.roles()
        done = made(stack_set(managed_execution=False, regions=REGIONS[:1]))
        times = sorted((entry["CreationTimestamp"], entry["EndTimestamp"]) for entry in accounts.operations())
        assert len(done.operations) == 4
        assert all(end <= begin for (_, end), (begin, _) in zip(times, times[1:], strict=False))

    def test_ones_own_operations_are_not_waited_for_without_end(self, accounts: Accounts, stack_set: StackSet) -> None:
        accounts.roles()
        accounts.sandbox.settings(stack_set_seconds=30)
        done = stack_set(**SMALL, wait_timeout=1)
        assert "Timeout: 2 operation(s) had not ended when wait_timeout ended. They continue in AWS" in done.message
        assert [entry["status"] in ("RUNNING", "QUEUED") for entry in done.answer["operations"]] == [False, True, True]


class TestWithoutWaiting:
    @pytest.mark.slow
    def test_all_is_begun_and_nobody_looks(self, accounts: Accounts, stack_set: StackSet) -> None:
        accounts.roles()
        accounts.sandbox.settings(stack_set_seconds=3)
        done = made(stack_set(**SMALL, wait=False))
        assert [entry["status"] for entry in done.answer["operations"]] == ["SUCCEEDED", "RUNNING", "RUNNING"]
        assert done.warnings == ["2 operation(s) continue in AWS; run again to read their results."]
        accounts.at_rest()
        assert not made(stack_set(**SMALL)).changed

    def test_a_stack_set_goes_with_the_run_after(self, accounts: Accounts, small: Run, stack_set: StackSet) -> None:
        first = made(stack_set(**ABSENT, wait=False))
        assert [action for action, _, _ in first.operations] == ["delete_stack_instances"]
        assert "1 operation(s) have to wait for earlier ones: run again." in first.warnings
        accounts.at_rest()
        assert [action for action, _, _ in made(stack_set(**ABSENT, wait=False)).operations] == ["delete_stack_set"]
        assert not made(stack_set(**ABSENT, wait=False)).changed


class TestSteps:
    """As the action plugin runs it."""

    @pytest.mark.slow
    def test_a_run_in_steps_ends_as_one_at_once(self, accounts: Accounts, stack_set: StackSet) -> None:
        accounts.roles()
        accounts.sandbox.settings(stack_set_seconds=3)
        steps = [stack_set(**SMALL, _step={"operations": [], "seconds": 1})]
        while "_step" in steps[-1].answer:
            assert len(steps) < 20
            steps.append(made(stack_set(**SMALL, _step={**steps[-1].answer["_step"], "seconds": 1})))
        assert len(steps) > 1
        assert steps[0].answer["_step"]["progress"] == f"stack set {NAME}: CREATE 0 of 2 instances"
        assert len(steps[-1].operations) == 3
        assert len(accounts.operations()) == 2
        assert not made(stack_set(**SMALL)).changed

    @pytest.mark.slow
    def test_what_failed_in_a_step_is_not_tried_again_in_the_next(self, accounts: Accounts, stack_set: StackSet) -> None:
        accounts.roles(FIRST)
        accounts.sandbox.settings(stack_set_seconds=3)
        steps = [stack_set(**SMALL, _step={"operations": [], "seconds": 1})]
        while "_step" in steps[-1].answer:
            assert len(steps) < 20
            steps.append(stack_set(**SMALL, _step={**steps[-1].answer["_step"], "seconds": 1}))
        assert steps[-1].failed
        assert len(accounts.operations()) == 2

    @pytest.mark.slow
    def test_a_run_that_ended_in_between_is_completed_by_the_next(self, accounts: Accounts, stack_set: StackSet) -> None:
        accounts.roles()
        accounts.sandbox.settings(stack_set_seconds=3)
        assert stack_set(_step={"operations": [], "seconds": 1}).answer.keys() & {"_step"}
        accounts.sandbox.settings(stack_set_seconds=0)
        made(stack_set())
        assert len(accounts.operations()) == 3
        assert accounts.delivered(SPOT_ACCOUNTS) == each(SPOT_ACCOUNTS)


class TestRemoval:
    @pytest.mark.slow
    def test_it_takes_all_and_twice_is_harmless(self, accounts: Accounts, deployed: Run, stack_set: StackSet) -> None:
        predicted, done, again = (made(stack_set(check=check, **ABSENT)) for check in (True, False, False))
        assert (
            predicted.operations
            == done.operations
            == [
                ("delete_stack_instances", [FIRST, SECOND, THIRD], EVERYWHERE),
                ("delete_stack_set", [], []),
            ]
        )
        assert (predicted.answer["instances"], done.answer["instances"], done.answer["stack_set"]) == ([], [], None)
        assert (again.changed, again.operations) == (False, [])
        assert accounts.left() == []
        assert accounts.cloudformation.list_stack_sets(Status="ACTIVE")["Summaries"] == []

    def test_stacks_may_be_retained(self, accounts: Accounts, small: Run, stack_set: StackSet) -> None:
        made(stack_set(**ABSENT, retain_stacks=True))
        assert accounts.delivered(SMALL["spot_accounts"], REGIONS[:1]) == each(SMALL["spot_accounts"], REGIONS[:1])

    @pytest.mark.slow
    def test_an_instance_that_does_not_go_keeps_the_stack_set(self, accounts: Accounts, small: Run, stack_set: StackSet) -> None:
        denied = {"error": {"status": 400, "code": "AccessDeniedException", "message": "kept"}}
        accounts.sandbox.add_fault(denied, {"operation": "DeleteConnection", "account": SECOND})
        done = stack_set(**ABSENT)
        assert done.failed
        assert [entry["account"] for entry in done.answer["failed_instances"]] == [SECOND]
        assert list(accounts.instances()) == [(SECOND, REGIONS[0])]
        accounts.sandbox.clear_faults()
        made(stack_set(**ABSENT))
        assert accounts.left() == []


def test_an_account_of_nobody_is_never_begun_with(accounts: Accounts, stack_set: StackSet) -> None:
    refused = stack_set(accounts=[FIRST, LATE])
    assert refused.message == f"spot_accounts has no Spot account for {LATE}, which the option accounts names."
    assert accounts.sandbox.calls(service="cloudformation", region=HOME) == []
