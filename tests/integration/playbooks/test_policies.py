# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The published policies suffice for the playbooks, and every action in them is used: the sandbox refuses everything else.

verify/test_permissions.py tests the policy for verify, the tests of the modules those for test events, interruptions and stack sets.
"""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from collections.abc import Callable

import pytest
from botocore.exceptions import ClientError

from tests.integration.interpreters import CHECKOUT
from tests.integration.playbooks.runner import NAME, SPOT_ACCOUNT, Ansible, Run
from tests.integration.verify.drift import Hand
from tests.sandbox.client import NOTIFICATION, Sandbox
from tests.tools.guides import commands
from tests.tools.kms_keys import make_key
from tests.tools.policies import Policy, actions, policy, published, without

KEY = "LEASTPRIVILEGE"
REGIONS = "us-east-1,eu-west-1"
EVERYWHERE = f"regions={REGIONS}"
BOUNDARY = "spot_eventbridge_role_boundary=arn:aws:iam::123456789012:policy/boundary"
Play = Callable[..., Run]


@pytest.fixture
def play(sandbox: Sandbox, ansible: Ansible) -> Play:
    """Runs a playbook with a key that has certain policies, and nothing else."""

    def run(name: str, *more: str) -> Run:
        variables = (f"account={SPOT_ACCOUNT}", f"spot_api_url={sandbox.spot_url}", *more)
        arguments = [word for text in variables for word in ("-e", text)]
        return ansible.run(f"playbooks/{name}.yml", *arguments, env={"AWS_ACCESS_KEY_ID": KEY})

    return run


@pytest.mark.slow
def test_the_policy_for_onboarding_suffices_and_each_action_is_used(play: Play, sandbox: Sandbox) -> None:
    allowed = {"Effect": "Allow", "Action": "events:InvokeApiDestination", "Resource": "*"}
    sandbox.boto3("iam").create_policy(PolicyName="boundary", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [allowed]}))
    sandbox.permit(KEY, [policy("onboard")])
    assert play("onboard", EVERYWHERE).rc == 0
    damage(sandbox)
    assert play("repair", EVERYWHERE).rc == 0
    hand = Hand(sandbox, "eu-west-1")
    hand.put_dead_letter()
    hand.other_destination("by-hand", sandbox.spot_url + NOTIFICATION, SPOT_ACCOUNT)
    assert play("verify", EVERYWHERE).rc == 0
    hand.events.delete_api_destination(Name="by-hand")
    retagged = json.dumps({"spot_eventbridge_tags": {"Team": "platform"}})
    done = play("onboard", EVERYWHERE, retagged, BOUNDARY)
    assert done.rc == 0, done.output
    company = json.dumps({"spot_eventbridge_role_arn": role_of_the_company(sandbox)})
    done = play("onboard", EVERYWHERE, company)
    assert done.rc == 0, done.output
    assert "is not known" not in done.output
    assert play("offboard").rc == 0
    assert sandbox.boto3("events", "eu-west-1").list_rules()["Rules"] == []
    # The role keeps the tags of others; who calls the modules may have them removed.
    untag = {"events:UntagResource", "iam:UntagRole", "sqs:UntagQueue"}
    assert set(actions(policy("onboard"))) - sandbox.permissions_used(KEY) == untag


@pytest.mark.slow
def test_the_policy_for_kms_keys_suffices_and_each_action_is_used(play: Play, sandbox: Sandbox) -> None:
    for region in REGIONS.split(","):
        make_key(sandbox.boto3("kms", region), "alias/spot")
    keys = json.dumps({"spot_eventbridge_kms_key": "alias/spot", "spot_eventbridge_queue_kms_key": "alias/spot"})
    sandbox.permit(KEY, [policy("onboard"), policy("kms-keys")])
    done = play("onboard", EVERYWHERE, keys)
    assert (done.rc, "is not known" in done.output) == (0, False), done.output
    assert set(actions(policy("kms-keys"))) <= sandbox.permissions_used(KEY)


@pytest.mark.slow
def test_without_the_policy_for_kms_keys_onboarding_succeeds_with_a_warning(play: Play, sandbox: Sandbox) -> None:
    make_key(sandbox.boto3("kms", "eu-west-1"), "alias/spot")
    sandbox.permit(KEY, [policy("onboard")])
    done = play("onboard", "regions=eu-west-1", "spot_eventbridge_queue_kms_key=alias/spot")
    assert (done.rc, "whether EventBridge can use the KMS key alias/spot" in done.output) == (0, True), done.output


@pytest.mark.slow
def test_the_policies_for_the_watch_suffice_and_each_action_is_used(play: Play, sandbox: Sandbox) -> None:
    assert play("onboard", EVERYWHERE).rc == 0
    own, hub = policy("watch"), policy("watch-hub")
    sandbox.permit(KEY, [own, hub])
    settings = {"spot_eventbridge_watch_hub_topic": True, "spot_eventbridge_watch_hub_alarms": True}
    members = {"spot_eventbridge_watch_hub_accounts": ["210987654321"], "spot_eventbridge_watch_hub_receives": 5}
    tags = {"spot_eventbridge_tags": {"Team": "a"}, "spot_eventbridge_watch_hub_tags": {"Team": "a"}}
    for more in ({}, settings | members, settings | tags):
        done = play("watch", EVERYWHERE, json.dumps(more))
        assert done.rc == 0, done.output
    arn = role_of_the_company(sandbox)
    allow = {"Effect": "Allow", "Action": "events:PutEvents", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    sandbox.boto3("iam").put_role_policy(RoleName=arn.rpartition("/")[2], PolicyName="hub", PolicyDocument=document)
    done = play("watch", EVERYWHERE, json.dumps({"spot_eventbridge_role_arn": arn}))
    assert done.rc == 0, done.output
    done = play("watch", EVERYWHERE, "state=absent")
    assert done.rc == 0, done.output
    untag = {"events:UntagResource", "sqs:UntagQueue", "sns:UntagResource", "cloudwatch:UntagResource"}
    assert set(actions(own, hub)) - sandbox.permissions_used(KEY) == untag


@pytest.mark.slow
@pytest.mark.parametrize("action", ["events:CreateApiDestination", "iam:CreateServiceLinkedRole", "iam:PassRole", "sqs:TagQueue"])
def test_without_one_action_onboarding_fails_and_names_it(play: Play, sandbox: Sandbox, action: str) -> None:
    sandbox.permit(KEY, [without(policy("onboard"), action)])
    run = play("onboard", "regions=eu-west-1")
    assert run.rc != 0
    assert action.partition(":")[2] in run.output


@pytest.mark.slow
def test_the_policies_for_stacks_suffice_and_each_action_is_used(play: Play, sandbox: Sandbox) -> None:
    given = (EVERYWHERE, "spot_eventbridge_method=cloudformation")
    sandbox.permit(KEY, [policy("onboard"), policy("stack")])
    assert play("onboard", *given).rc == 0
    sandbox.boto3("events", "eu-west-1").deauthorize_connection(Name=f"{NAME}-stack")
    done = play("repair", *given)
    assert done.rc == 0, done.output
    assert play("onboard", *given, json.dumps({"spot_eventbridge_tags": {"Team": "platform"}})).rc == 0
    assert play("offboard", *given).rc == 0
    assert set(actions(policy("stack"))) - sandbox.permissions_used(KEY) == {
        # After an update that could not be rolled back.
        "cloudformation:ContinueUpdateRollback",
        # After an operation that failed.
        "cloudformation:DescribeStackEvents",
        # Tags of others are kept.
        "cloudformation:UntagResource",
    }


@pytest.mark.slow
def test_with_a_role_of_cloudformation_the_caller_makes_no_resource(play: Play, sandbox: Sandbox) -> None:
    role = {"spot_eventbridge_cloudformation_role_arn": "arn:aws:iam::123456789012:role/spot-interruption-cloudformation"}
    given = (EVERYWHERE, "spot_eventbridge_method=cloudformation", json.dumps(role))
    sandbox.boto3("iam").create_role(
        RoleName="spot-interruption-cloudformation", AssumeRolePolicyDocument=json.dumps(policy("stack-role-trust"))
    )
    needed = [policy("verify"), policy("stack"), policy("stack-with-role")]
    sandbox.permit(KEY, needed)
    assert play("onboard", *given).rc == 0
    sandbox.boto3("events", "eu-west-1").deauthorize_connection(Name=f"{NAME}-stack")
    done = play("repair", *given)
    assert done.rc == 0, done.output
    assert play("offboard", *given).rc == 0
    assert set(actions(policy("stack-with-role"))) <= sandbox.permissions_used(KEY)
    assert not {"events:PutRule", "sqs:CreateQueue", "iam:CreateRole"} & set(actions(*needed))


@pytest.mark.parametrize("name", ["onboard", "verify"])
def test_a_policy_reaches_nothing_of_others(sandbox: Sandbox, name: str) -> None:
    sandbox.permit(KEY, [policy(name)])
    secrets, sqs = sandbox.boto3("secretsmanager", "eu-west-1"), sandbox.boto3("sqs", "eu-west-1")
    secrets.create_secret(Name="database", SecretString="theirs")
    queue = sqs.create_queue(QueueName="theirs")["QueueUrl"]
    with pytest.raises(ClientError, match="AccessDenied"):
        sandbox.boto3("secretsmanager", "eu-west-1", access_key=KEY).get_secret_value(SecretId="database")
    with pytest.raises(ClientError, match="AccessDenied"):
        sandbox.boto3("sqs", "eu-west-1", access_key=KEY).receive_message(QueueUrl=queue)


def test_a_caller_of_a_fleet_assumes_that_role_and_no_other(sandbox: Sandbox) -> None:
    sandbox.permit(KEY, [policy("fleet-caller")])
    sts = sandbox.boto3("sts", access_key=KEY)
    assert sts.assume_role(RoleArn="arn:aws:iam::111122223333:role/SpotEventBridge", RoleSessionName="test")["Credentials"]
    with pytest.raises(ClientError, match="AccessDenied"):
        sts.assume_role(RoleArn="arn:aws:iam::111122223333:role/Administrator", RoleSessionName="test")


def filled_in(name: str) -> Policy:
    """What the command of the guide makes of a policy."""
    (command,) = (line for line in commands("guide_permissions") if line.startswith("sed "))
    words = [word.replace("onboard.json", f"{name}.json") for word in shlex.split(command)]
    done = subprocess.run(words, cwd=CHECKOUT, check=True, capture_output=True, text=True)
    return dict(json.loads(done.stdout))


@pytest.mark.parametrize("name", published())
def test_the_command_of_the_guide_limits_a_policy_to_one_account_and_its_names(name: str) -> None:
    text = json.dumps(filled_in(name))
    assert "123456789012" not in text
    assert "iam::*:" not in text
    assert re.findall(r"(?<!StackSet-)spot-interruption-(?!act-d7320fba|cloudformation|hub)", text) == []


def role_of_the_company(sandbox: Sandbox) -> str:
    """Make an execution role elsewhere, whose policy is a managed one; return its ARN."""
    iam, name = sandbox.boto3("iam"), "spot-interruption-of-the-company"
    allowed = {"Effect": "Allow", "Action": "events:InvokeApiDestination", "Resource": "*"}
    trust = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sts:AssumeRole"}
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}))["Role"][
        "Arn"
    ]
    made = iam.create_policy(PolicyName="send", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [allowed]}))
    iam.attach_role_policy(RoleName=name, PolicyArn=made["Policy"]["Arn"])
    return str(arn)


def damage(sandbox: Sandbox) -> None:
    """Something wrong with everything that a repair updates."""
    iam, events, sqs = sandbox.boto3("iam"), sandbox.boto3("events", "eu-west-1"), sandbox.boto3("sqs", "eu-west-1")
    statement = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.update_assume_role_policy(RoleName=NAME, PolicyDocument=trust)
    iam.update_role(RoleName=NAME, Description="changed")
    iam.untag_role(RoleName=NAME, TagKeys=["ManagedBy"])
    iam.delete_role_policy(RoleName=NAME, PolicyName="invoke-api-destination")
    events.deauthorize_connection(Name=NAME)
    events.update_api_destination(Name=NAME, HttpMethod="PUT")
    events.disable_rule(Name=NAME)
    rule = events.describe_rule(Name=NAME)["Arn"]
    events.untag_resource(ResourceARN=rule, TagKeys=["ManagedBy"])
    queue = sqs.get_queue_url(QueueName=NAME)["QueueUrl"]
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"MessageRetentionPeriod": "60"})
    sqs.untag_queue(QueueUrl=queue, TagKeys=["ManagedBy"])
