# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every request that can have tags has all of them: a company's policy can refuse a request that lacks one (aws:RequestTag).

Which requests can have tags is known by botocore's models, so that a new call cannot be forgotten.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import botocore.session
import pytest

from tests.integration.modules.accounts import REGIONS, SPOT_ACCOUNTS
from tests.integration.modules.aws import ACCOUNT, NAME, REGION, SPOT_ACCOUNT, Aws
from tests.integration.modules.runner import Runner
from tests.integration.modules.test_test_interruption import ROLE, launch
from tests.sandbox.client import NOTIFICATION, Sandbox

TEMPLATE = Path(__file__).parents[3] / "roles" / "spot_eventbridge" / "files" / "spot-interruption-eventbridge.yml"
TAGS = {"team": "platform"}
MODELS = botocore.session.get_session()
# Whose service has another name in a request than in boto3.
NAMES = {"monitoring": "cloudwatch"}
FIS = {"POST /experimentTemplates": "CreateExperimentTemplate", "POST /experiments": "StartExperiment"}


def takes_tags(service: str, operation: str) -> bool:
    """Whether a request can set tags, by botocore's model of the service."""
    model = MODELS.get_service_model(NAMES.get(service, service))
    if operation not in model.operation_names:
        return False
    shape = model.operation_model(operation).input_shape
    return shape is not None and bool({"Tags", "tags"} & set(shape.members))


def written(sandbox: Sandbox) -> dict[str, list[dict[str, str]]]:
    """The tags of each request so far that can have some, by its action."""
    found: dict[str, list[dict[str, str]]] = {}
    for call in sandbox.calls(writes=True):
        operation = FIS.get(call["operation"], call["operation"]) if call["service"] == "fis" else call["operation"]
        if takes_tags(call["service"], operation):
            found.setdefault(f"{call['service']}:{operation}", []).append(call["tags"])
    return found


def lacking(found: dict[str, list[dict[str, str]]]) -> dict[str, list[dict[str, str]]]:
    """The requests without all tags."""
    return {action: bad for action, tags in found.items() if (bad := [given for given in tags if not TAGS.items() <= given.items()])}


@pytest.fixture
def given(sandbox: Sandbox) -> dict[str, Any]:
    return {
        "name": NAME,
        "role_name": NAME,
        "spot_account": SPOT_ACCOUNT,
        "spot_token": sandbox.tokens["editor"],
        "regions": [REGION],
        "tags": TAGS,
        "invocation_endpoint": sandbox.spot_url + NOTIFICATION,
    }


def damage(aws: Aws, sandbox: Sandbox) -> None:
    """Something wrong with everything that has tags."""
    aws.events().disable_rule(Name=NAME)
    aws.events().tag_resource(ResourceARN=f"arn:aws:events:{REGION}:{ACCOUNT}:rule/{NAME}", Tags=[{"Key": "team", "Value": "theirs"}])
    aws.sqs().tag_queue(QueueUrl=aws.queue_url(), Tags={"team": "theirs"})
    sandbox.boto3("iam").tag_role(RoleName=NAME, Tags=[{"Key": "team", "Value": "theirs"}])
    sandbox.clear_calls()


@pytest.mark.slow
def test_an_integration_its_repair_and_its_proofs(run: Runner, given: dict[str, Any], aws: Aws, sandbox: Sandbox, tmp_path: Path) -> None:
    assert run("spot_integration", **given).message == ""
    made = written(sandbox)
    damage(aws, sandbox)
    assert run("spot_integration", **given).message == ""
    mended = written(sandbox)
    sandbox.clear_calls()
    proof = run("spot_test_event", name=NAME, regions=[REGION], settle_seconds=0, wait_timeout=20)
    assert proof.answer["checks"][0]["outcome"] == "pass", proof.answer
    known = {"name": NAME, "spot_account": SPOT_ACCOUNT, "aws_account": ACCOUNT, "statuses": {REGION: "active"}}
    told = run("spot_notification", file={"folder": str(tmp_path)}, spot_api_url=sandbox.spot_url, **known)
    assert not told.failed, told.message
    instance = launch(sandbox)
    more = {"instance_id": instance, "confirm": instance, "role_arn": ROLE, "spot_account": SPOT_ACCOUNT, "wait_timeout": 20}
    run("spot_test_interruption", name=NAME, region=REGION, spot_api_url=sandbox.spot_url, **more)
    proved = written(sandbox)
    assert (lacking(made), lacking(mended), lacking(proved)) == ({}, {}, {})
    assert set(made) == {"events:PutRule", "sqs:CreateQueue", "iam:CreateRole"}
    assert set(mended) == {"events:PutRule", "events:TagResource", "sqs:TagQueue", "iam:TagRole"}
    assert set(proved) == {"events:PutRule", "events:TagResource", "fis:CreateExperimentTemplate", "fis:StartExperiment"}


def test_a_stack_its_updates_and_its_removal(run: Runner, sandbox: Sandbox) -> None:
    given = {"stack_name": NAME, "spot_account": SPOT_ACCOUNT, "regions": [REGION], "template_body": TEMPLATE.read_text()}
    given.update(spot_token=sandbox.tokens["editor"], tags=TAGS)
    for more in ({}, {"parameters": {"InvocationRateLimitPerSecond": "7"}}, {"tags": None, "update": "always"}):
        done = run("spot_stack", **{key: value for key, value in {**given, **more}.items() if value is not None})
        assert done.message == ""
    assert run("spot_stack", stack_name=NAME, regions=[REGION], state="absent", retain_resources=True).message == ""
    found = written(sandbox)
    assert lacking(found) == {}
    assert {action: len(tags) for action, tags in found.items()} == {"cloudformation:CreateStack": 1, "cloudformation:UpdateStack": 3}


@pytest.mark.slow
def test_a_stack_set_and_its_updates(accounts: Any, stack_set: Any, sandbox: Sandbox) -> None:
    accounts.roles()
    sandbox.clear_calls()
    given = {"tags": TAGS, "spot_accounts": dict(list(SPOT_ACCOUNTS.items())[:1]), "regions": REGIONS[:1]}
    for more in ({}, {"description": "another"}, {"parameters": {"InvocationRateLimitPerSecond": "7"}, "tags": None}):
        assert stack_set(**{**given, **more}).message == ""
    found = written(sandbox)
    assert lacking(found) == {}
    assert {action: len(tags) for action, tags in found.items()} == {"cloudformation:CreateStackSet": 1, "cloudformation:UpdateStackSet": 2}
