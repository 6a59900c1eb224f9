# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The watch: a lost authorisation of any region and account is a message in the queue of the hub."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from typing import Any

import pytest

from tests.integration.interpreters import for_modules
from tests.integration.modules.aws import ACCOUNT, NAME, SPOT_ACCOUNT, Aws
from tests.integration.modules.runner import MODULES, Run, Runner
from tests.sandbox.client import NOTIFICATION, Sandbox

HUB, HUB_REGION, OTHER = "spot-interruption-hub", "us-east-1", "210987654321"
REGIONS = ["us-east-1", "eu-west-1", "ap-southeast-2"]
ALARM = f"{NAME}-alarm"
ROLE_IN_OTHER = f"arn:aws:iam::{OTHER}:role/Hub"
LOST = {"Connection Deauthorized", "API Destination Deactivated"}
HUB_STEPS = ("dead_letter_queue", "queue", "event_bus", "rule")


class Watch:
    """Runs the modules of the watch, and looks at what they made."""

    def __init__(self, run: Runner, sandbox: Sandbox, aws: Aws) -> None:
        self._run, self._sandbox, self._aws = run, sandbox, aws

    def onboard(self, **more: Any) -> Run:
        given = {"name": NAME, "spot_account": SPOT_ACCOUNT, "spot_token": self._sandbox.tokens["editor"], "role_name": NAME}
        endpoint = self._sandbox.spot_url + NOTIFICATION
        arguments = {**given, "invocation_endpoint": endpoint, "regions": REGIONS, **more}
        done = self._run("spot_integration", **{key: value for key, value in arguments.items() if value is not None})
        assert not done.failed, done.message
        self._sandbox.clear_calls()
        return done

    def offboard(self, **more: Any) -> Run:
        given = {"name": NAME, "role_name": NAME, "state": "absent", "regions": REGIONS}
        return self._run("spot_integration", **{**given, **more})

    def hub(self, check: bool = False, **more: Any) -> Run:
        return self._run("spot_watch_hub", check=check, **{"region": HUB_REGION, "tags": {"team": "a"}, **more})

    def members(self, check: bool = False, **more: Any) -> Run:
        return self._run("spot_watch", check=check, **{"name": NAME, "regions": REGIONS, "tags": {"team": "a"}, **more})

    def client(self, service: str, account: str = ACCOUNT, region: str = HUB_REGION) -> Any:
        if account == ACCOUNT:
            return self._sandbox.boto3(service, region)
        issued = self._sandbox.boto3("sts").assume_role(RoleArn=ROLE_IN_OTHER, RoleSessionName="test")["Credentials"]
        keys = {"access_key": issued["AccessKeyId"], "aws_session_token": issued["SessionToken"]}
        return self._sandbox.boto3(service, region, **keys, aws_secret_access_key=issued["SecretAccessKey"])

    def lose(self, region: str) -> None:
        """Let Spot answer a notice with 401, once."""
        self._sandbox.settings(delivery_time_scale=0.01)
        self._sandbox.add_fault({"status": 401}, {"target": "spot"}, times=1)
        self._sandbox.interrupt(region)
        assert self._sandbox.settled()

    def messages(self, account: str = ACCOUNT, region: str = HUB_REGION, queue: str = HUB) -> list[dict[str, Any]]:
        sqs = self.client("sqs", account, region)
        url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
        answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0)
        return [json.loads(message["Body"]) for message in answer.get("Messages", [])]

    def role_policies(self) -> list[str]:
        return list(self._sandbox.boto3("iam").list_role_policies(RoleName=NAME)["PolicyNames"])

    def everything(self, account: str = ACCOUNT, region: str = HUB_REGION) -> dict[str, list[str]]:
        """Return the names of what can be of a hub."""
        events = self.client("events", account, region)
        buses = [bus["Name"] for bus in events.list_event_buses()["EventBuses"]]
        queues = [url.rpartition("/")[2] for url in self.client("sqs", account, region).list_queues().get("QueueUrls", [])]
        topics = [topic["TopicArn"].rpartition(":")[2] for topic in self.client("sns", account, region).list_topics()["Topics"]]
        alarms = [alarm["AlarmName"] for alarm in self.client("cloudwatch", account, region).describe_alarms()["MetricAlarms"]]
        return {"buses": sorted(buses), "queues": sorted(queues), "topics": topics, "alarms": sorted(alarms)}


@pytest.fixture
def watch(run: Runner, sandbox: Sandbox, aws: Aws) -> Watch:
    return Watch(run, sandbox, aws)


def writes(sandbox: Sandbox) -> list[str]:
    return [call["operation"] for call in sandbox.calls(writes=True)]


# From a refused notice to a message


def test_one_401_in_a_region_is_a_message_in_the_queue_of_the_hub(watch: Watch) -> None:
    watch.onboard()
    assert not watch.hub().failed
    done = watch.members()
    assert done.actions == dict.fromkeys(REGIONS, "created")
    assert [row["status"] for row in done.answer["summary"]] == ["watched"] * 3
    watch.lose("eu-west-1")
    found = watch.messages()
    assert {message["detail-type"] for message in found} == LOST
    assert {(message["account"], message["region"], message["source"]) for message in found} == {(ACCOUNT, "eu-west-1", "aws.events")}
    assert all(f"/{NAME}/" in message["resources"][0] for message in found)


@pytest.mark.slow
@pytest.mark.parametrize("region", REGIONS)
def test_every_region_reports_to_a_hub_in_another_account_and_region(watch: Watch, region: str) -> None:
    watch.onboard()
    made = watch.hub(region="eu-central-1", assume_role_arn=ROLE_IN_OTHER, accounts=[ACCOUNT])
    assert (made.failed, made.answer["aws_account"]) == (False, OTHER)
    assert not watch.members(hub_account=OTHER, hub_region="eu-central-1").failed
    watch.lose(region)
    assert {(message["account"], message["region"]) for message in watch.messages(OTHER, "eu-central-1")} == {(ACCOUNT, region)}
    assert {message["detail-type"] for message in watch.messages(OTHER, "eu-central-1")} == LOST


def test_a_hub_of_an_organisation_lets_its_accounts_in(watch: Watch, sandbox: Sandbox) -> None:
    organization = sandbox.boto3("organizations").create_organization(FeatureSet="ALL")["Organization"]["Id"]
    watch.onboard()
    assert not watch.hub(assume_role_arn=ROLE_IN_OTHER, organization=organization).failed
    watch.members(hub_account=OTHER)
    watch.lose("eu-west-1")
    assert len(watch.messages(OTHER)) == 2


@pytest.mark.slow
def test_a_hub_that_does_not_let_an_account_in_loses_its_events_and_the_dead_letter_queue_shows_it(watch: Watch) -> None:
    watch.onboard()
    watch.hub(assume_role_arn=ROLE_IN_OTHER)
    watch.members(hub_account=OTHER)
    watch.lose("eu-west-1")
    assert watch.messages(OTHER) == []
    # The notice that Spot refused is a dead letter as well.
    letters = [message["source"] for message in watch.messages(region="eu-west-1", queue=NAME)]
    assert sorted(letters) == ["aws.ec2", "aws.events", "aws.events"]


@pytest.mark.slow
def test_what_is_well_again_is_not_reported(watch: Watch, sandbox: Sandbox) -> None:
    watch.onboard()
    watch.hub()
    watch.members()
    watch.lose("eu-west-1")
    watch.onboard(update_token="always")
    assert sandbox.settled()
    assert len(watch.messages()) == 2


@pytest.mark.slow
def test_the_integration_of_another_account_of_spot_is_not_reported(watch: Watch, run: Runner, sandbox: Sandbox) -> None:
    watch.onboard()
    watch.hub()
    watch.members()
    other = f"{NAME}-other"
    watch.onboard(name=other, role_name=other, on_existing="ignore", spot_account="act-5a9d1c02", spot_token=sandbox.tokens["admin"])
    sandbox.boto3("events", "eu-west-1").deauthorize_connection(Name=other)
    assert sandbox.settled()
    assert watch.messages() == []


def test_a_connection_that_is_deleted_is_reported(watch: Watch, sandbox: Sandbox) -> None:
    watch.onboard()
    watch.hub()
    watch.members()
    sandbox.boto3("events", "eu-west-1").delete_connection(Name=NAME)
    assert sandbox.settled()
    assert [message["detail-type"] for message in watch.messages()] == ["Connection Deletion Started"]


# Rhythm


@pytest.mark.slow
def test_the_prediction_is_what_is_done_and_again_nothing_is(watch: Watch, sandbox: Sandbox) -> None:
    watch.onboard()
    for module in (lambda **how: watch.hub(topic=True, alarms=True, **how), watch.members):
        sandbox.clear_calls()
        predicted = module(check=True)
        assert (predicted.failed, predicted.changed, writes(sandbox)) == (False, True, [])
        done = module()
        assert (done.failed, done.actions) == (False, predicted.actions)
        assert done.answer["diff"] == predicted.answer["diff"]
        sandbox.clear_calls()
        for check in (True, False):
            again = module(check=check)
            assert (again.changed, set(again.actions.values()), writes(sandbox)) == (False, {"unchanged"}, [])


def test_check_mode_before_onboarding_says_what_is_missing(watch: Watch) -> None:
    refused = watch.members(check=True)
    assert refused.failed
    assert f"there is no execution role {NAME}: onboard the account first" in refused.message


def test_a_region_that_was_not_onboarded_fails_alone(watch: Watch) -> None:
    watch.onboard(regions=REGIONS[:2])
    watch.hub()
    done = watch.members()
    assert done.actions == {**dict.fromkeys(REGIONS[:2], "created"), REGIONS[2]: "failed"}
    assert f"there is no API destination {NAME} in {REGIONS[2]}" in done.regions[REGIONS[2]]["error"]["message"]


def test_a_region_without_api_destinations_is_left_out(watch: Watch, sandbox: Sandbox) -> None:
    watch.onboard(regions=REGIONS[:2])
    sandbox.settings(unsupported_regions=[REGIONS[2]])
    done = watch.members()
    assert (done.failed, done.regions[REGIONS[2]]["status"]) == (False, "unsupported")
    assert REGIONS[2] not in done.answer["failed_regions"]


DRIFT = {
    "disabled": lambda events: events.disable_rule(Name=ALARM),
    "deleted": lambda events: (events.remove_targets(Rule=ALARM, Ids=["hub"]), events.delete_rule(Name=ALARM)),
    "another pattern": lambda events: events.put_rule(Name=ALARM, EventPattern='{"source": ["aws.events"]}'),
    "no target": lambda events: events.remove_targets(Rule=ALARM, Ids=["hub"]),
    "another target": lambda events: events.put_targets(
        Rule=ALARM,
        Targets=[{"Id": "hub", "Arn": f"arn:aws:events:us-east-1:{ACCOUNT}:event-bus/default", "RoleArn": "arn:aws:iam::1:role/x"}],
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("drift", DRIFT)
def test_drift_of_a_rule_is_repaired(watch: Watch, aws: Aws, drift: str) -> None:
    watch.onboard()
    watch.hub()
    before = watch.members().regions["eu-west-1"]["alarm_rule"]
    DRIFT[drift](aws.events())
    repaired = watch.members()
    assert repaired.actions == {**dict.fromkeys(REGIONS, "unchanged"), "eu-west-1": "created" if drift == "deleted" else "updated"}
    after = repaired.regions["eu-west-1"]["alarm_rule"]
    assert {key: after[key] for key in ("event_pattern", "state", "targets")} == {
        key: before[key] for key in ("event_pattern", "state", "targets")
    }


HUB_DRIFT = {
    "rule": lambda watch: watch.client("events").disable_rule(Name=HUB, EventBusName=HUB),
    "event_bus": lambda watch: watch.client("events").remove_permission(EventBusName=HUB, RemoveAllPermissions=True),
    "queue": lambda watch: watch.client("sqs").set_queue_attributes(
        QueueUrl=watch.client("sqs").get_queue_url(QueueName=HUB)["QueueUrl"], Attributes={"RedrivePolicy": ""}
    ),
    "topic": lambda watch: watch.client("sns").delete_topic(TopicArn=f"arn:aws:sns:{HUB_REGION}:{ACCOUNT}:{HUB}"),
    "waiting_alarm": lambda watch: watch.client("cloudwatch").delete_alarms(AlarmNames=[f"{HUB}-waiting"]),
}


@pytest.mark.parametrize("kind", HUB_DRIFT)
def test_drift_of_the_hub_is_repaired(watch: Watch, kind: str) -> None:
    given = {"topic": True, "alarms": True, "accounts": [OTHER]}
    watch.hub(**given)
    HUB_DRIFT[kind](watch)
    repaired = watch.hub(**given)
    assert [name for name, action in repaired.entry["actions"].items() if action != "unchanged"] == [kind]
    assert set(watch.hub(**given).entry["actions"].values()) == {"unchanged"}


def test_statements_of_others_in_the_policy_of_the_bus_stay(watch: Watch) -> None:
    watch.hub(accounts=[OTHER])
    events = watch.client("events")
    policy = json.loads(events.describe_event_bus(Name=HUB)["Policy"])
    theirs = {**policy["Statement"][0], "Sid": "theirs", "Principal": {"AWS": "arn:aws:iam::333333333333:root"}}
    events.put_permission(EventBusName=HUB, Policy=json.dumps({**policy, "Statement": [*policy["Statement"], theirs]}))
    watch.hub(accounts=[OTHER, "444444444444"])
    statements = json.loads(events.describe_event_bus(Name=HUB)["Policy"])["Statement"]
    assert [statement["Sid"] for statement in statements] == ["SpotInterruptionMembers", "theirs"]
    assert len(statements[0]["Principal"]["AWS"]) == 2


def test_too_many_accounts_are_refused_before_the_policy_is_written(watch: Watch, sandbox: Sandbox) -> None:
    refused = watch.hub(accounts=[f"{number:012d}" for number in range(1, 301)])
    assert "Give the AWS organisation instead of 300 accounts." in refused.message
    assert "PutPermission" not in writes(sandbox)


# Removal


@pytest.mark.slow
def test_what_was_made_goes_and_nothing_else(watch: Watch, sandbox: Sandbox, aws: Aws) -> None:
    watch.onboard()
    before = watch.everything(), aws.rule_names(), watch.role_policies()
    given = {"topic": True, "alarms": True}
    watch.hub(**given)
    watch.members()
    assert watch.everything() == {
        "buses": ["default", HUB],
        "queues": sorted([NAME, HUB, f"{HUB}-dead-letters"]),
        "topics": [HUB],
        "alarms": [f"{HUB}-dead-letters", f"{HUB}-waiting"],
    }
    for check in (True, False):
        gone = watch.members(check, state="absent")
        assert (gone.failed, gone.actions) == (False, dict.fromkeys(REGIONS, "deleted"))
    for check in (True, False):
        gone = watch.hub(check, state="absent", used_in=REGIONS)
        assert (gone.failed, set(gone.entry["actions"].values())) == (False, {"deleted"})
    assert (watch.everything(), aws.rule_names(), watch.role_policies()) == before
    assert not watch.members(state="absent").changed
    assert not watch.hub(state="absent").changed


def test_a_hub_without_topic_and_alarms_is_deleted_as_a_whole(watch: Watch) -> None:
    watch.hub()
    assert watch.hub(True, state="absent").action == watch.hub(state="absent").action == "deleted"
    assert watch.hub(state="absent").action == "unchanged"


@pytest.mark.slow
def test_a_hub_that_is_used_stays(watch: Watch) -> None:
    watch.onboard()
    watch.hub()
    watch.members()
    kept = watch.hub(state="absent", used_in=REGIONS)
    assert (kept.failed, kept.changed) == (False, False)
    assert "the hub spot-interruption-hub was kept: 3 rule(s) send to it" in kept.warnings[0]
    assert HUB in watch.everything()["buses"]


def test_messages_and_subscriptions_and_rules_of_others_stay(watch: Watch, sandbox: Sandbox) -> None:
    watch.hub(topic=True)
    sqs, events, sns = watch.client("sqs"), watch.client("events"), watch.client("sns")
    sqs.send_message(QueueUrl=sqs.get_queue_url(QueueName=HUB)["QueueUrl"], MessageBody="{}")
    sns.subscribe(
        TopicArn=f"arn:aws:sns:{HUB_REGION}:{ACCOUNT}:{HUB}", Protocol="sqs", Endpoint=f"arn:aws:sqs:{HUB_REGION}:{ACCOUNT}:{HUB}"
    )
    events.put_rule(Name="theirs", EventBusName=HUB, EventPattern='{"source": ["a"]}')
    kept = watch.hub(state="absent")
    assert (kept.action, kept.entry["actions"]["rule"]) == ("updated", "deleted")
    assert len(kept.entry["notes"]) == 3
    assert watch.everything() == {"buses": ["default", HUB], "queues": [HUB], "topics": [HUB], "alarms": []}
    assert watch.hub(state="absent", delete_messages=True).entry["actions"]["queue"] == "deleted"


def test_a_target_of_others_keeps_the_rule_and_the_bus(watch: Watch) -> None:
    watch.hub()
    theirs = {"Id": "theirs", "Arn": f"arn:aws:sqs:{HUB_REGION}:{ACCOUNT}:theirs"}
    watch.client("events").put_targets(Rule=HUB, EventBusName=HUB, Targets=[theirs])
    kept = watch.hub(state="absent")
    assert (kept.failed, kept.entry["actions"]["rule"], "event_bus" in kept.entry["actions"]) == (False, "updated", False)
    assert HUB in watch.everything()["buses"]


@pytest.mark.slow
def test_offboarding_takes_the_watch_away(watch: Watch, sandbox: Sandbox, aws: Aws) -> None:
    watch.onboard()
    watch.hub()
    watch.members()
    gone = watch.offboard()
    assert (gone.failed, gone.warnings) == (False, [])
    assert [aws.rule_names(region) for region in REGIONS] == [[], [], []]
    assert NAME not in [role["RoleName"] for role in sandbox.boto3("iam").list_roles()["Roles"]]
    assert sandbox.settled()
    assert watch.messages() == []  # what is offboarded has lost nothing


# Execution roles that are made elsewhere


@pytest.mark.slow
def test_a_role_that_is_made_elsewhere_has_to_have_the_permission(watch: Watch, sandbox: Sandbox, aws: Aws) -> None:
    aws.role()
    arn = f"arn:aws:iam::{ACCOUNT}:role/{NAME}"
    watch.onboard(role_name=None, role_arn=arn)
    refused = watch.members(role_arn=arn)
    assert refused.failed
    assert f"may not call events:PutEvents on arn:aws:events:{HUB_REGION}:{ACCOUNT}:event-bus/{HUB}" in refused.message
    assert writes(sandbox) == []
    allow = {"Effect": "Allow", "Action": "events:PutEvents", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    sandbox.boto3("iam").put_role_policy(RoleName=NAME, PolicyName="theirs", PolicyDocument=document)
    assert not watch.members(role_arn=arn).failed
    watch.hub()
    watch.lose("eu-west-1")
    assert len(watch.messages()) == 2
    assert not watch.members(role_arn=arn, state="absent").failed
    assert sorted(watch.role_policies()) == ["send", "theirs"]


# Faults


@pytest.mark.slow
def test_a_throttled_account_is_done_all_the_same(watch: Watch, sandbox: Sandbox) -> None:
    watch.onboard()
    sandbox.add_fault({"throttle": True}, {"target": "aws"}, rate=0.2, seed=7)
    assert not watch.hub().failed
    done = watch.members()
    assert done.actions == dict.fromkeys(REGIONS, "created"), done.message


@pytest.mark.slow
def test_a_region_that_refuses_stops_no_other_and_the_next_run_completes(watch: Watch, sandbox: Sandbox) -> None:
    watch.onboard()
    denied = {"error": {"status": 400, "code": "AccessDeniedException", "message": "not authorized"}}
    fault = sandbox.add_fault(denied, {"operation": "PutTargets", "region": "eu-west-1"})
    done = watch.members()
    assert done.actions == {**dict.fromkeys(REGIONS, "created"), "eu-west-1": "failed"}
    assert done.answer["failed_regions"] == ["eu-west-1"]
    assert "AccessDeniedException" in done.answer["problem"]
    sandbox.clear_faults(fault["id"])
    assert watch.members().actions == {**dict.fromkeys(REGIONS, "unchanged"), "eu-west-1": "updated"}


@pytest.mark.parametrize("operation", ["CreateQueue", "CreateEventBus", "PutRule", "PutTargets"])
def test_a_step_of_the_hub_that_is_denied_names_itself(watch: Watch, sandbox: Sandbox, operation: str) -> None:
    denied = {"error": {"status": 400, "code": "AccessDeniedException", "message": "not authorized"}}
    fault = sandbox.add_fault(denied, {"operation": operation})
    failed = watch.hub()
    assert failed.failed
    assert f"hub {HUB} in {HUB_REGION}: " in failed.message
    sandbox.clear_faults(fault["id"])
    assert not watch.hub().failed


def test_targets_that_fail_with_http_200_are_a_failure(watch: Watch, sandbox: Sandbox) -> None:
    watch.onboard()
    sandbox.add_fault({"partial": True}, {"operation": "PutTargets", "region": "eu-west-1"})
    assert watch.members().regions["eu-west-1"]["error"]["code"] == "FailedEntries"


def test_a_lost_answer_is_no_failure(watch: Watch, sandbox: Sandbox) -> None:
    for operation in ("CreateEventBus", "CreateQueue"):
        sandbox.add_fault({"lost_answer": True}, {"operation": operation}, times=1)
    assert not watch.hub().failed
    assert watch.hub().changed is False


# A run that is killed


@pytest.mark.parametrize("after", ["CreateQueue", "CreateEventBus", "PutPermission", "PutRule"])
def test_a_run_that_was_killed_is_completed_by_the_next(watch: Watch, run: Runner, sandbox: Sandbox, after: str) -> None:
    held = sandbox.add_fault({"held": True}, {"operation": after})
    arguments = {"region": HUB_REGION, "accounts": [OTHER], "_ansible_check_mode": False}
    command = [for_modules(), "-m", f"{MODULES}.spot_watch_hub"]
    process = subprocess.Popen(command, env=run.environment, cwd=run.folder, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    assert process.stdin
    process.stdin.write(json.dumps({"ANSIBLE_MODULE_ARGS": arguments}).encode())
    process.stdin.close()
    end = time.monotonic() + 60
    while not sandbox.calls(operation=after):
        assert time.monotonic() < end
        time.sleep(0.02)
    process.kill()
    assert process.wait() == -signal.SIGKILL
    sandbox.clear_faults(held["id"])
    done = watch.hub(accounts=[OTHER], tags=None)
    assert not done.failed
    assert not watch.hub(accounts=[OTHER], tags=None).changed
    assert [name for name in HUB_STEPS if name not in done.entry["actions"]] == []
