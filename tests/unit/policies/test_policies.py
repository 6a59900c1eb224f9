# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every policy that is published, made or demanded, judged by AWS's service authorization reference and by cfn-lint."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.dead_letter_queue import Queue
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.execution_role import ExecutionRole
from ansible_collections.spot.eventbridge.plugins.module_utils._core.region import Region
from ansible_collections.spot.eventbridge.plugins.module_utils._watch.hub import Hub, Senders
from ansible_collections.spot.eventbridge.plugins.module_utils._watch.hub_queue import HubQueue
from ansible_collections.spot.eventbridge.plugins.module_utils._watch.permission import Permission
from tests.tools.guides import source
from tests.tools.policies import POLICIES, Policy, actions, exists, faults, listed, policy, published
from tests.unit.roles.rendered import Rendered

CHECKOUT = POLICIES.parents[1]
MODULES = CHECKOUT / "plugins" / "modules"
ACCOUNT, NAME = "123456789012", "spot-interruption-act-d7320fba"
ROLE = ExecutionRole(NAME, aws_account=ACCOUNT, api_destination=NAME)
TEMPLATE = Rendered(SpotAccountId="act-d7320fba", SpotToken="0123456789")
WATCHED = Rendered(SpotAccountId="act-d7320fba", SpotToken="0123456789", WatchBusArn=f"arn:aws:events:us-east-1:{ACCOUNT}:event-bus/hub")
HUB = Hub("spot-interruption-hub", "us-east-1", ACCOUNT)


def bus_policy(senders: Senders) -> Policy:
    return {"Version": "2012-10-17", "Statement": [senders.statement(HUB)]}


MADE = {
    "permission to report to a hub": Permission(NAME, HUB).policy(),
    "policy of the template's role to report to a hub": WATCHED["ExecutionRole"]["Policies"][1]["PolicyDocument"],
    "policy of the queue of a hub": HubQueue(HUB.name, hub=HUB, receives=3).policy(Region("us-east-1", "aws", {})).document,
    "policy of the bus of a hub, for accounts": bus_policy(Senders(accounts=("210987654321",))),
    "policy of the bus of a hub, for an organisation": bus_policy(Senders("o-ab12cd34ef")),
    "trust policy of the execution role": ROLE.trust_policy(),
    "policy of the execution role": ROLE.policy("aws"),
    "policy of the queue": Queue(NAME, aws_account=ACCOUNT, rule=NAME).policy(Region("eu-west-1", "aws", {})).document,
    "trust policy of the template's role": TEMPLATE["ExecutionRole"]["AssumeRolePolicyDocument"],
    "policy of the template's role": TEMPLATE["ExecutionRole"]["Policies"][0]["PolicyDocument"],
    "policy of the template's queue": {
        **TEMPLATE["DeadLetterQueuePolicy"]["PolicyDocument"],
        "Statement": [
            # Rendered leaves the ARN of a resource as `DeadLetterQueue.Arn`.
            {**statement, "Resource": f"arn:aws:sqs:eu-west-1:{ACCOUNT}:{NAME}"}
            for statement in TEMPLATE["DeadLetterQueuePolicy"]["PolicyDocument"]["Statement"]
        ],
    },
}
# What is limited to no name, and why.
WIDE = {
    ("onboard", f"arn:aws:cloudformation:*:{ACCOUNT}:stack/*"): "the stack that another integration belongs to has any name",
    ("onboard", f"arn:aws:events:*:{ACCOUNT}:connection/*"): "the connection of another integration has any name",
    ("onboard", f"arn:aws:events:*:{ACCOUNT}:rule/*"): "the rule of another integration has any name",
    (
        "onboard",
        f"arn:aws:iam::{ACCOUNT}:policy/*",
    ): "policies of a role made elsewhere, and boundaries, have any name",
    ("onboard", "arn:aws:iam::aws:policy/*"): "an execution role made elsewhere has policies of AWS",
    ("verify", f"arn:aws:cloudformation:*:{ACCOUNT}:stack/*"): "the stack that another integration belongs to has any name",
    ("verify", f"arn:aws:events:*:{ACCOUNT}:connection/*"): "the connection of another integration has any name",
    ("verify", f"arn:aws:events:*:{ACCOUNT}:rule/*"): "the rule of another integration has any name",
    ("verify", f"arn:aws:iam::{ACCOUNT}:policy/*"): "an execution role made elsewhere has policies of any name",
    ("verify", "arn:aws:iam::aws:policy/*"): "an execution role made elsewhere has policies of AWS",
    ("watch", f"arn:aws:iam::{ACCOUNT}:policy/*"): "an execution role made elsewhere has policies of any name",
    ("watch", "arn:aws:iam::aws:policy/*"): "an execution role made elsewhere has policies of AWS",
    ("kms-keys", f"arn:aws:kms:*:{ACCOUNT}:key/*"): "AWS chooses the id; the policy of a key and its tags are no secret",
    ("interruption", f"arn:aws:fis:*:{ACCOUNT}:experiment-template/*"): "AWS chooses the id; a tag limits it",
    ("interruption", f"arn:aws:fis:*:{ACCOUNT}:experiment/*"): "AWS chooses the id",
    ("interruption-role", f"arn:aws:ec2:*:{ACCOUNT}:instance/*"): "the instance is chosen when verify runs",
    ("stack-set", f"arn:aws:organizations::{ACCOUNT}:ou/o-*/ou-*"): "AWS chooses the id",
    ("stack-set", f"arn:aws:organizations::{ACCOUNT}:root/o-*/r-*"): "AWS chooses the id",
}
# The policies that a module is used with. Each module that calls AWS says in its notes which actions it needs.
OF_MODULES = {
    "spot_api_destination": ["onboard"],
    "spot_dead_letter_queue": ["onboard", "kms-keys"],
    "spot_eventbridge_connection": ["onboard", "kms-keys"],
    "spot_heal_authorization": ["verify", "heal", "kms-keys"],
    "spot_heal_queue": ["heal-hub"],
    "spot_heal_record": ["verify", "heal", "stack"],
    "spot_heal_resend": ["verify", "heal"],
    "spot_integration": ["onboard", "kms-keys"],
    "spot_integration_info": ["verify", "stack", "kms-keys"],
    "spot_interruption_rule": ["onboard"],
    "spot_notification": ["verify", "notify", "stack"],
    "spot_preflight_info": ["verify"],
    "spot_stack": ["onboard", "stack", "stack-with-role", "kms-keys"],
    "spot_stack_set": ["stack-set"],
    "spot_test_event": ["verify", "test-event", "stack"],
    "spot_test_interruption": ["verify", "interruption", "interruption-role"],
    "spot_watch": ["watch"],
    "spot_watch_hub": ["watch-hub", "kms-keys"],
}
# Of a bucket that nobody but the user knows.
OF_THE_USER = {"s3:GetObject"}
# Condition keys look like actions.
CONDITION_KEYS = {"kms:CallerAccount", "kms:EncryptionContext", "kms:ViaService"}
AWS_SERVICES = "cloudformation|cloudwatch|ec2|events|fis|iam|kms|organizations|s3|secretsmanager|sns|sqs|sts"
ACTION = re.compile(rf"\b((?:{AWS_SERVICES}):[A-Z][A-Za-z]+)\b")


@pytest.mark.parametrize("name", published())
def test_the_reference_finds_no_fault_in_a_published_policy(name: str) -> None:
    assert faults(policy(name)) == []


@pytest.mark.parametrize("name", published())
def test_the_guide_lists_and_shows_every_published_policy(name: str) -> None:
    guide = source("guide_permissions")
    assert re.search(rf"^   (\* -| +) .*``{name}\.json``", guide, re.M)
    assert f".. literalinclude:: policies/{name}.json\n" in guide


@pytest.mark.parametrize("name", MADE)
def test_the_reference_finds_no_fault_in_a_policy_that_is_made(name: str) -> None:
    assert faults(MADE[name]) == []


def test_no_resource_is_wider_than_is_explained() -> None:
    def is_wide(arn: str) -> bool:
        last = re.split(r"[:/]", arn)[-1]
        return arn != "*" and (last.endswith("*") and not last.startswith(("spot-interruption", "StackSet-spot-interruption", "AWS-")))

    found = {(name, arn) for name in published() for item in policy(name)["Statement"] for arn in listed(item.get("Resource", []))}
    # The id at the end of a name that is limited.
    assert {(name, arn) for name, arn in found if is_wide(arn) and "/spot-interruption-*/" not in arn} == set(WIDE)


def test_every_resource_is_of_one_account() -> None:
    found = {arn for name in published() for item in policy(name)["Statement"] for arn in listed(item.get("Resource", []))} - {"*"}
    # Policies of AWS, and the types of resources that all accounts have.
    everywhere = ("arn:aws:iam::aws:policy/", "arn:aws:cloudformation:*:*:type/resource/AWS-")
    elsewhere = {arn for arn in found if arn.split(":")[4] != ACCOUNT and not arn.startswith(everywhere)}
    assert {
        arn for arn in elsewhere if not arn.startswith(("arn:aws:iam::aws:policy/", "arn:aws:cloudformation:*:*:type/resource/AWS-"))
    } == {"arn:aws:iam::*:role/SpotEventBridge"}


def test_nothing_that_writes_is_in_the_policy_for_verify() -> None:
    verbs = {re.match(r"\w+:([A-Z][a-z]+)", action).group(1) for action in actions(policy("verify"))}  # type: ignore[union-attr]
    assert verbs <= {"Describe", "Get", "List", "Receive", "Test"}


def test_verify_reads_no_secret_but_those_of_its_connections() -> None:
    (secrets,) = (item for item in policy("verify")["Statement"] if "secretsmanager:GetSecretValue" in listed(item["Action"]))
    assert secrets["Resource"] == f"arn:aws:secretsmanager:*:{ACCOUNT}:secret:events!connection/spot-interruption-*"


def statement(actions: Any, resource: Any, **more: Any) -> Policy:
    found = {"Effect": "Allow", "Action": actions, "Resource": resource, **more}
    return {"Version": "2012-10-17", "Statement": [found]}


EVENTS = f"arn:aws:events:*:{ACCOUNT}"
RULE = f"{EVENTS}:rule/spot"


@pytest.mark.parametrize(
    ("document", "fault"),
    [
        (statement("events:ListRules", RULE), "events:ListRules takes no resource"),
        (statement(["events:ListRules", "events:PutRule"], [RULE, "*"]), "events:ListRules takes no resource"),
        (statement("secretsmanager:GetSecretValue", "*"), "can be limited to Secret"),
        (statement("sqs:ReceiveMessage", "*"), "can be limited to queue"),
        (statement("sqs:ReceiveMessage", RULE), "sqs:ReceiveMessage is about queue"),
        (statement("events:PutRule", [RULE, f"arn:aws:sqs:*:{ACCOUNT}:spot"]), "no action is about arn:aws:sqs"),
        (
            statement("events:CreateApiDestination", f"arn:aws:events:*:{ACCOUNT}:api-destination/spot"),
            "no resource of the type connection",
        ),
        (statement("events:PutRuleNow", RULE), "there is no action events:PutRuleNow"),
        (statement("events:Put*", RULE), "there is no action events:Put*"),
        (statement("eventbridge:PutRule", RULE), "there is no action eventbridge:PutRule"),
        (statement("events:PutRule", RULE, Condition={"StringEquals": {"sqs:Queue": "x"}}), "knows no condition sqs:Queue"),
        (statement("events:PutRule", RULE, Condition={"StringIs": {"events:source": "x"}}), "no operator StringIs"),
        (statement("iam:PassRole", f"arn:aws:iam::{ACCOUNT}:role/spot"), "not limited by iam:PassedToService"),
        (statement("fis:StartExperiment", [f"arn:aws:fis:*:{ACCOUNT}:experiment/*"]), "also needs iam:CreateServiceLinkedRole"),
        (statement(["sqs:SendMessage", "sqs:ReceiveMessage"], f"arn:aws:sqs:*:{ACCOUNT}:spot"), "not in order"),
        (statement("sqs:*", f"arn:aws:sqs:*:{ACCOUNT}:spot"), "there is no action sqs:*"),
        (statement("sqs:*", RULE, Effect="Deny"), "there is no action sqs:*"),
        (statement("queues:*", RULE, Effect="Deny"), "there is no action queues:*"),
        ({**statement("events:PutRule", RULE), "Version": "2008-10-17"}, "version"),
        ({"Version": "2012-10-17", "Statement": statement("events:PutRule", RULE, Sid="A")["Statement"] * 2}, "same Sid"),
        (statement("events:PutRule", RULE, Sid="not-a-sid"), "letters and digits"),
    ],
)
def test_a_fault_is_found(document: Policy, fault: str) -> None:
    assert any(fault in line for line in faults(document)), faults(document)


def test_a_policy_without_a_fault_is_one() -> None:
    assert faults(statement("events:PutRule", RULE, Condition={"StringEquals": {"events:source": "x"}})) == []


def test_a_statement_may_deny_all_actions_of_a_service() -> None:
    assert faults(statement("sqs:*", f"arn:aws:sqs:*:{ACCOUNT}:spot", Effect="Deny")) == []


def as_resource(document: Policy) -> dict[str, Any]:
    """Return a resource of CloudFormation that has a policy as what it is."""
    first = document["Statement"][0]
    if "Principal" not in first:
        return {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": document}}
    if actions(document)[0].startswith("kms:"):
        kept = {"DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain"}
        return {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": document}, **kept}
    if actions(document)[0].startswith("events:"):
        name = "organisation" if "Condition" in first else "accounts"
        of_bus = {"EventBusName": name, "StatementId": first["Sid"], "Statement": {key: first[key] for key in first if key != "Sid"}}
        return {"Type": "AWS::Events::EventBusPolicy", "Properties": of_bus}
    if "Resource" in first:
        return {"Type": "AWS::SQS::QueuePolicy", "Properties": {"Queues": ["https://queue"], "PolicyDocument": document}}
    return {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": document}}


def cfn_lint(documents: dict[str, Policy], folder: Path) -> dict[str, str]:
    """Return what cfn-lint finds in policies, by name."""
    names = {re.sub(r"\W", "", name.title()): name for name in documents}
    resources = {logical: as_resource(documents[name]) for logical, name in names.items()}
    path = folder / "policies.json"
    path.write_text(json.dumps({"AWSTemplateFormatVersion": "2010-09-09", "Resources": resources}), encoding="utf-8")
    command = [Path(sys.executable).parent / "cfn-lint", "--include-checks", "I", "--format", "json", "--", path]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert not done.stderr, done.stderr
    found = json.loads(done.stdout or "[]")
    return {names[item["Location"]["Path"][1]]: item["Message"] for item in found}


def test_cfn_lint_finds_no_fault_in_any_policy(tmp_path: Path) -> None:
    assert cfn_lint({**{name: policy(name) for name in published()}, **MADE}, tmp_path) == {}


def test_cfn_lint_would_find_one(tmp_path: Path) -> None:
    documents = {
        "resource": statement("sqs:SendMessage", RULE),
        "action": statement("events:PutRuleNow", RULE),
        "element": statement("events:PutRule", RULE, Resources="*"),
    }
    assert set(cfn_lint(documents, tmp_path)) == set(documents)


# What texts demand


def notes(module: str) -> str:
    text = re.search(r'^DOCUMENTATION = r?"""(.*?)"""', (MODULES / f"{module}.py").read_text(encoding="utf-8"), re.M | re.S)
    assert text, module
    document = yaml.safe_load(text[1])
    return json.dumps([document.get("notes"), document["options"]])


def texts() -> Iterator[Path]:
    for folder, pattern in (("docs", "**/*.rst"), ("docs", "*.md"), ("plugins", "**/*.py"), ("roles", "**/*.md"), ("roles", "**/*.yml")):
        yield from (CHECKOUT / folder).glob(pattern)
    yield CHECKOUT / "README.md"


@pytest.mark.parametrize("module", OF_MODULES)
def test_what_a_module_needs_is_in_its_policies(module: str) -> None:
    named = set(re.findall(rf"C\(((?:{AWS_SERVICES}):\w+)\)", notes(module)))
    assert named
    assert named - OF_THE_USER <= set(actions(*map(policy, OF_MODULES[module])))


def test_every_module_that_names_actions_is_known() -> None:
    naming = {path.stem for path in MODULES.glob("spot_*.py") if re.search(rf"C\((?:{AWS_SERVICES}):\w+\)", path.read_text("utf-8"))}
    assert naming == set(OF_MODULES)


def test_every_action_that_a_text_names_exists() -> None:
    named = {action: path for path in texts() for action in ACTION.findall(path.read_text(encoding="utf-8"))}
    assert len(named) > 80
    assert {action: str(path) for action, path in named.items() if not exists(action) and action not in CONDITION_KEYS} == {}


def test_every_permission_that_a_message_names_is_granted_by_a_policy() -> None:
    # Of EventBridge's role, of EventBridge, and of whoever may register an administrator of the organisation: none is the caller's.
    of_others = {"events:InvokeApiDestination", "sqs:SendMessage", "organizations:RegisterDelegatedAdministrator"}
    granted = set(actions(*map(policy, published()))) | of_others | CONDITION_KEYS
    named = {
        action: path for path in (CHECKOUT / "plugins" / "module_utils").rglob("*.py") for action in ACTION.findall(path.read_text("utf-8"))
    }
    assert {action: str(path) for action, path in named.items() if action not in granted} == {}
