# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An integration by CloudFormation, from its beginning to its end; and from one kind to the other while warnings go on coming."""

from __future__ import annotations

import json
import re
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
import yaml

from tests.integration.modules.conftest import TEMPLATE
from tests.integration.playbooks.runner import Run
from tests.integration.verify.account import Account, last_message, writes
from tests.integration.verify.conftest import MakeAccount
from tests.sandbox.client import NOTIFICATION, Sandbox
from tests.tools.guides import commands
from tests.tools.kms_keys import make_key

pytestmark = pytest.mark.slow

REGIONS = ["us-east-1", "eu-west-1"]
STACKS = ("-e", "spot_eventbridge_method=cloudformation")
MIGRATE = ("-e", "spot_eventbridge_on_existing=migrate")
PUBLISHED = (
    "https://spotinst-public.s3.amazonaws.com/assets/cloudformation/templates/spot-interruption-notification-event-bridge-template.json"
)


@dataclass
class Warnings:
    """Interrupts an instance in each region, once a second, until it is told to stop."""

    sandbox: Sandbox
    sent: list[str] = field(default_factory=list)

    @contextmanager
    def coming(self) -> Iterator[None]:
        stop = threading.Event()

        def interrupt() -> None:
            while not stop.wait(1):
                self.sent.extend(self.sandbox.interrupt(region)["instance_id"] for region in REGIONS)

        thread = threading.Thread(target=interrupt)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()
        assert self.sandbox.settled(30)

    def arrived(self) -> Counter[str]:
        taken = [request for request in self.sandbox.notifications() if request["status"] == 200]
        return Counter(request["body"].get("detail", {}).get("instance-id") for request in taken)


def stacks(sandbox: Sandbox, region: str) -> dict[str, str]:
    found = sandbox.boto3("cloudformation", region).list_stacks()["StackSummaries"]
    return {stack["StackName"]: stack["StackStatus"] for stack in found if stack["StackStatus"] != "DELETE_COMPLETE"}


def destinations(sandbox: Sandbox, region: str) -> list[str]:
    return [item["Name"] for item in sandbox.boto3("events", region).list_api_destinations()["ApiDestinations"]]


def done(run: Run) -> dict[str, str]:
    """What was done in each region, as the table says."""
    assert run.rc == 0, run.output
    return {region: rest.split(maxsplit=1)[1] for region, rest in run.table().items()}


def test_the_commands_of_the_guide_are_those_of_these_tests() -> None:
    run_here = {
        "onboard": {(*STACKS, *MIGRATE), MIGRATE},
        "verify": {STACKS},
        "repair": {STACKS},
    }
    lines = [line.split() for line in commands("guide_cloudformation")]
    assert {words[0] for words in lines} == {"ansible-playbook"}
    shown: dict[str, set[tuple[str, ...]]] = {}
    for _, playbook, _, account, *more in lines:
        assert account == "account=act-d7320fba"
        shown.setdefault(playbook.removeprefix("spot.eventbridge."), set()).add(tuple(more))
    assert shown == run_here


def test_keys_and_boundary_are_those_of_the_variables(account: Account) -> None:
    kms = account.sandbox.boto3("kms", "eu-west-1")
    arns = {"boundary": "arn:aws:iam::123456789012:policy/boundary", "connection": make_key(kms), "queue": make_key(kms, "alias/letters")}
    variables = {
        "spot_eventbridge_role_boundary": arns["boundary"],
        "spot_eventbridge_kms_key": arns["connection"],
        "spot_eventbridge_queue_kms_key": arns["queue"],
    }
    given = (*STACKS, "-e", json.dumps(variables), "-e", "regions=eu-west-1")
    first, again = account.onboard(*given), account.onboard(*given)
    assert set(done(first).values()) == {"created"}
    assert (again.rc, again.changed) == (0, 0)
    name = f"{account.name}-stack"
    events, sqs = account.sandbox.boto3("events", "eu-west-1"), account.sandbox.boto3("sqs", "eu-west-1")
    assert events.describe_connection(Name=name)["KmsKeyIdentifier"] == arns["connection"]
    attributes = sqs.get_queue_attributes(QueueUrl=sqs.get_queue_url(QueueName=name)["QueueUrl"], AttributeNames=["All"])["Attributes"]
    assert (attributes["KmsMasterKeyId"], attributes["SqsManagedSseEnabled"]) == (arns["queue"], "false")
    role = events.list_targets_by_rule(Rule=name)["Targets"][0]["RoleArn"].rpartition("/")[2]
    found = account.sandbox.boto3("iam").get_role(RoleName=role)["Role"]
    assert found["PermissionsBoundary"]["PermissionsBoundaryArn"] == arns["boundary"]
    assert account.verify(*STACKS, "-e", "regions=eu-west-1").rc == 0
    variables["spot_eventbridge_queue_kms_key"] = "alias/letters"
    other_form = account.onboard(*STACKS, "-e", json.dumps(variables), "-e", "regions=eu-west-1")
    assert (other_form.rc, other_form.changed) == (0, 0)


def test_role_and_description_are_those_of_the_variables(account: Account) -> None:
    sandbox, trusted = account.sandbox, {"Service": "events.amazonaws.com"}
    trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": trusted, "Action": "sts:AssumeRole"}]}
    own = sandbox.boto3("iam").create_role(RoleName="own", Path="/company/", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    allowed = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "events:InvokeApiDestination", "Resource": "*"}]}
    sandbox.boto3("iam").put_role_policy(RoleName="own", PolicyName="own", PolicyDocument=json.dumps(allowed))
    variables = {"spot_eventbridge_role_arn": own, "spot_eventbridge_description": "Warnings for Spot.", "regions": "eu-west-1"}
    given = (*STACKS, "-e", json.dumps(variables))
    assert set(done(account.onboard(*given)).values()) == {"created"}
    name, events = f"{account.name}-stack", sandbox.boto3("events", "eu-west-1")
    assert events.list_targets_by_rule(Rule=name)["Targets"][0]["RoleArn"] == own
    assert events.describe_rule(Name=name)["Description"] == "Warnings for Spot."
    assert account.verify(*given).rc == 0


def test_what_the_method_does_not_know_is_refused_before_anything_is_made(account: Account) -> None:
    account.sandbox.clear_calls()
    run = account.onboard("-e", json.dumps({"spot_eventbridge_template_parameters": {"Team": "a"}}))
    assert "spot_eventbridge_template_parameters has no effect: it is for spot_eventbridge_method=cloudformation" in last_message(run)
    assert writes(account.sandbox) == []


# A template that leaves the names to CloudFormation


def nameless() -> str:
    """This collection's template without the names that it gives, as a company may write one of its own."""
    template = yaml.safe_load(TEMPLATE.read_text())
    resources = template["Resources"]
    for logical_id, key in (("Connection", "Name"), ("ApiDestination", "Name"), ("Rule", "Name"), ("DeadLetterQueue", "QueueName")):
        del resources[logical_id]["Properties"][key]
    for parameter in ("Name", "QueueName"):
        del template["Parameters"][parameter], template["Conditions"][f"Has{parameter}"]
    # Only CloudFormation knows the rule's name, of which the stack's is a part.
    statements = resources["DeadLetterQueuePolicy"]["Properties"]["PolicyDocument"]["Statement"]
    (statement,) = [statement for statement in statements if statement["Effect"] == "Allow"]
    statement["Condition"]["ArnLike"]["aws:SourceArn"] = {
        "Fn::Sub": "arn:${AWS::Partition}:events:${AWS::Region}:${AWS::AccountId}:rule/${AWS::StackName}-Rule-*"
    }
    return yaml.safe_dump(template)


def test_names_that_cloudformation_gives(account: Account) -> None:
    sandbox, regions = account.sandbox, account.regions or ()
    s3 = sandbox.boto3("s3")
    s3.create_bucket(Bucket="company")
    s3.put_object(Bucket="company", Key="template.yml", Body=nameless().encode())
    url = "https://company.s3.amazonaws.com/template.yml"
    given = {"spot_eventbridge_method": "cloudformation", "spot_eventbridge_template_url": url}
    endpoint = {"spot_eventbridge_template_parameters": {"Endpoint": sandbox.spot_url + NOTIFICATION}}
    named = ("-e", json.dumps({**given, **endpoint}))

    assert set(done(account.onboard(*named)).values()) == {"created"}
    for region in regions:
        # tests/contract/records/stacks.yml, stack-generated-names
        names = made(sandbox, region)
        assert re.fullmatch(r"Connection-\w+", names["connection"])
        assert re.fullmatch(r"ApiDestination-\w+", names["destination"])
        assert re.fullmatch(rf"{account.name}-stack-Rule-\w+", names["rule"])
        assert re.fullmatch(rf"{account.name}-stack-DeadLetterQueue-\w+", names["queue"])
    assert account.onboard(*named).changed == 0
    verified = account.verify(*named)
    assert verified.rc == 0, verified.output
    probed = account.verify(*named, "-e", "spot_eventbridge_verify_test_event=true")
    assert probed.rc == 0, probed.output

    sandbox.boto3("events", regions[0]).deauthorize_connection(Name=made(sandbox, regions[0])["connection"])
    broken = account.verify(*named)
    assert (broken.rc != 0, "inactive" in broken.table()[regions[0]]) == (True, True)
    repaired = account.repair(*named)
    assert repaired.rc == 0, repaired.output
    assert "reauthorized" in repaired.table()[regions[0]]
    sandbox.clear_received()
    for region in regions:
        sandbox.interrupt(region)
    assert sandbox.settled(30)
    received = [(item["status"], item["query"]["accountId"], item["body"]["region"]) for item in sandbox.notifications()]
    assert sorted(received) == sorted((200, account.spot_account, region) for region in regions)

    gone = account.offboard(*named)
    assert gone.rc == 0, gone.output
    assert [(stacks(sandbox, region), made(sandbox, region)) for region in regions] == [({}, {})] * len(regions)


def made(sandbox: Sandbox, region: str) -> dict[str, str]:
    """The names of what there is in a region, by kind."""
    events, sqs = sandbox.boto3("events", region), sandbox.boto3("sqs", region)
    found = {
        "connection": [item["Name"] for item in events.list_connections()["Connections"]],
        "destination": [item["Name"] for item in events.list_api_destinations()["ApiDestinations"]],
        "rule": [item["Name"] for item in events.list_rules()["Rules"]],
        "queue": [url.rpartition("/")[2] for url in sqs.list_queues().get("QueueUrls", [])],
    }
    return {kind: name for kind, (name,) in ((kind, names) for kind, names in found.items() if names)}


# From one kind to the other


@dataclass
class Story:
    """What the runs came to, one after the other."""

    account: Account
    warnings: Warnings
    refused: Run
    there: Run
    seen: dict[str, Any]
    in_between: dict[str, tuple[dict[str, str], list[str]]]
    back: Run
    at_the_end: dict[str, tuple[dict[str, str], list[str]]]
    verified: Run


@pytest.fixture(scope="module")
def story(running: Sandbox, make_account: MakeAccount) -> Story:
    running.reset()
    account = make_account(regions=REGIONS)
    account.have_onboarded()

    def now() -> dict[str, tuple[dict[str, str], list[str]]]:
        return {region: (stacks(running, region), destinations(running, region)) for region in REGIONS}

    warnings = Warnings(running)
    with warnings.coming():
        refused = account.onboard(*STACKS)
        there = account.onboard(*STACKS, *MIGRATE)
        seen, in_between = account.look(stack_name=f"{account.name}-stack"), now()
        back = account.onboard(*MIGRATE, "-vvv", "--diff")
        at_the_end = now()
    return Story(account, warnings, refused, there, seen, in_between, back, at_the_end, account.verify())


def test_a_second_integration_is_not_made_by_chance(story: Story) -> None:
    assert story.refused.rc != 0
    assert "AlreadyServed" in story.refused.output
    assert "existing" in story.refused.output


def test_a_stack_takes_over_from_the_modules(story: Story) -> None:
    assert done(story.there) == dict.fromkeys(REGIONS, f"created, took over from {story.account.name}")
    name = f"{story.account.name}-stack"
    assert story.in_between == dict.fromkeys(REGIONS, ({name: "CREATE_COMPLETE"}, [name]))
    assert {region: found["status"] for region, found in story.seen.items()} == dict.fromkeys(REGIONS, "active")


def test_the_modules_take_over_from_the_stack(story: Story) -> None:
    assert done(story.back) == dict.fromkeys(REGIONS, f"created, took over from the stack {story.account.name}-stack")
    assert story.at_the_end == dict.fromkeys(REGIONS, ({}, [story.account.name]))
    assert story.verified.rc == 0


def test_every_warning_arrives_at_least_once(story: Story) -> None:
    arrived = story.warnings.arrived()
    assert len(story.warnings.sent) > 20
    assert [instance for instance in story.warnings.sent if not arrived[instance]] == []


def test_the_token_is_nowhere(story: Story) -> None:
    tokens = story.account.sandbox.tokens.values()
    assert story.account.ansible.seen_in_files(tokens) == {}
    for run in (story.refused, story.there, story.back, story.verified):
        assert [token for token in tokens if token in run.output] == []


# By stacks alone


@pytest.fixture(scope="module")
def stacked(running: Sandbox, make_account: MakeAccount) -> Account:
    """An account whose integration was made by stacks of this collection's template."""
    running.reset()
    account = make_account(regions=REGIONS)
    account.have_onboarded_by_stacks()
    return account


@pytest.mark.usefixtures("stacked")
class TestStacks:
    """In this order: each leaves the account as the next takes it."""

    def test_a_second_run_changes_nothing(self, stacked: Account) -> None:
        run = stacked.onboard(*STACKS)
        assert (done(run), run.changed) == (dict.fromkeys(REGIONS, "unchanged"), 0)

    def test_verify_reads_what_the_stack_made(self, stacked: Account) -> None:
        run = stacked.verify(*STACKS)
        assert run.rc == 0, run.output

    def test_without_being_told_it_names_the_stack(self, stacked: Account) -> None:
        found = stacked.look(name=f"{stacked.name}-stack")["eu-west-1"]["findings"]
        (stack,) = [finding for finding in found if finding["check"] == "stack"]
        assert stack["outcome"] == "warn"
        assert f"the stack {stacked.name}-stack" in stack["message"]

    def test_repair_authorises_again_in_place_and_the_stack_does_not_notice(self, stacked: Account) -> None:
        sandbox, name = stacked.sandbox, f"{stacked.name}-stack"
        cloudformation, events = (sandbox.boto3(service, "eu-west-1") for service in ("cloudformation", "events"))
        before = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
        events.deauthorize_connection(Name=name)
        run = stacked.repair(*STACKS)
        assert run.rc == 0, run.output
        assert "does not notice" in run.output
        assert events.describe_connection(Name=name)["ConnectionState"] == "AUTHORIZED"
        assert cloudformation.describe_stacks(StackName=name)["Stacks"][0] == before

    def test_the_modules_leave_alone_what_is_a_stacks(self, stacked: Account) -> None:
        run = stacked.onboard("-e", f"spot_eventbridge_name={stacked.name}-stack")
        assert run.rc != 0
        assert "OwnedByStack" in run.output

    def test_they_adopt_it_if_they_are_told_to(self, stacked: Account) -> None:
        sandbox, name = stacked.sandbox, f"{stacked.name}-stack"
        events = sandbox.boto3("events", "eu-west-1")
        before = events.describe_connection(Name=name)["ConnectionArn"]
        named = ("-e", f"spot_eventbridge_name={name}")
        run = stacked.onboard(*named, "-e", "spot_eventbridge_on_existing=adopt")
        assert all(told.endswith(f"took over from the stack {name}") for told in done(run).values())
        assert stacks(sandbox, "eu-west-1") == {}
        assert events.describe_connection(Name=name)["ConnectionArn"] == before
        assert stacked.onboard(*named).changed == 0
        assert stacked.verify(*named).rc == 0
        assert stacked.offboard(*named).rc == 0


def test_the_published_template_does_in_three_regions(sandbox: Sandbox, make_account: MakeAccount) -> None:
    regions = [*REGIONS, "ap-south-1"]
    account = make_account(regions=regions)
    # The template sends to Spot's own address, as AWS takes no other; the sandbox answers there.
    endpoint = f"https://api.spotinst.io{NOTIFICATION}"
    published = (*STACKS, "-e", f"spot_eventbridge_template_url={PUBLISHED}", "-e", f"spot_eventbridge_invocation_endpoint={endpoint}")
    assert done(account.onboard(*published)) == dict.fromkeys(regions, "created")
    assert account.onboard(*published).changed == 0
    for region in regions:
        sandbox.interrupt(region)
    assert sandbox.settled()
    assert account.verify(*published).rc == 0
    taken = [(request["query"], request["body"]["region"]) for request in sandbox.notifications() if request["status"] == 200]
    assert sorted(region for _, region in taken) == sorted(regions)
    assert {query["accountId"] for query, _ in taken} == {account.spot_account}
    assert account.offboard(*published).rc == 0
    assert [stacks(sandbox, region) for region in regions] == [{}] * 3
