# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A real interruption, as far as the sandbox's FIS and EC2 are real: confirmed, followed to Spot, and nothing left behind."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.integration.modules.runner import Run, Runner
from tests.integration.sandbox.integration import NAME, REGION, Integration
from tests.sandbox.client import Sandbox
from tests.tools.policies import actions, policy, without

ROLE = "arn:aws:iam::123456789012:role/fis"


def launch(sandbox: Sandbox, spot: bool = True) -> str:
    options: dict[str, Any] = {"InstanceMarketOptions": {"MarketType": "spot"}} if spot else {}
    tags = [{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": "worker"}]}]
    ec2 = sandbox.boto3("ec2", REGION)
    answer = ec2.run_instances(ImageId="ami-12345678", MinCount=1, MaxCount=1, TagSpecifications=tags, **options)
    return str(answer["Instances"][0]["InstanceId"])


@pytest.fixture
def integration(sandbox: Sandbox) -> Integration:
    found = Integration(sandbox)
    found.complete()
    return found


@pytest.fixture
def instance(sandbox: Sandbox) -> str:
    return launch(sandbox)


@pytest.fixture
def interrupt(run: Runner, sandbox: Sandbox, integration: Integration) -> Any:
    """Runs the module; whatever happened, no template is left."""

    def call(instance_id: str, confirm: str | None = None, token: str | None = "admin", **more: Any) -> Run:
        given = {"spot_token": sandbox.tokens[token]} if token else {}
        done = run(
            "spot_test_interruption",
            instance_id=instance_id,
            confirm=instance_id if confirm is None else confirm,
            name=NAME,
            role_arn=ROLE,
            spot_account="act-d7320fba",
            spot_api_url=sandbox.spot_url,
            region=REGION,
            **{"wait_timeout": 20, **given, **more},
        )
        assert not done.failed, done.message
        assert sandbox.boto3("fis", REGION).list_experiment_templates()["experimentTemplates"] == []
        return done

    return call


def outcomes(run: Run) -> dict[str, str]:
    return {check["check"]: check["outcome"] for check in run.answer["checks"]}


def message(run: Run) -> str:
    return str(run.answer["checks"][0]["message"])


@pytest.mark.slow
def test_an_interruption_is_followed_to_spot_and_its_reaction(interrupt: Any, instance: str, sandbox: Sandbox) -> None:
    done = interrupt(instance)
    assert done.changed
    assert outcomes(done) == {"interruption": "pass", "spot_reacted": "pass"}
    assert f"AWS announced at {done.answer['announced']} that {instance} 'worker'" in message(done)
    assert "s after the announcement" in done.answer["checks"][1]["message"]
    (received,) = sandbox.notifications()
    assert received["body"]["detail"]["instance-id"] == instance


@pytest.mark.slow
@pytest.mark.parametrize("confirm", ["", "i-0123456789abcdef0", "yes"])
def test_without_its_id_given_twice_nothing_is_done(interrupt: Any, instance: str, sandbox: Sandbox, confirm: str) -> None:
    sandbox.clear_calls()
    done = interrupt(instance, confirm=confirm)
    assert (done.changed, outcomes(done), sandbox.calls(writes=True)) == (False, {"interruption": "skip"}, [])
    assert f"{instance} 'worker'" in message(done)
    assert "would be interrupted" in message(done)


def test_check_mode_does_nothing(interrupt: Any, instance: str, sandbox: Sandbox) -> None:
    sandbox.clear_calls()
    assert outcomes(interrupt(instance, check=True)) == {"interruption": "skip"}
    assert sandbox.calls(writes=True) == []


def test_an_instance_on_demand_is_refused(interrupt: Any, sandbox: Sandbox) -> None:
    done = interrupt(launch(sandbox, spot=False))
    assert outcomes(done) == {"interruption": "fail"}
    assert "is not a spot instance, so it was not interrupted" in message(done)


def test_an_instance_that_does_not_run_is_refused(interrupt: Any, instance: str, sandbox: Sandbox) -> None:
    sandbox.boto3("ec2", REGION).terminate_instances(InstanceIds=[instance])
    done = interrupt(instance)
    assert "is terminated, not running" in message(done)


@pytest.mark.parametrize("unknown", ["i-00000000000000000", "nonsense"])
def test_an_instance_that_is_not_there_is_named(interrupt: Any, unknown: str) -> None:
    assert f"there is no instance {unknown} in eu-west-1" in message(interrupt(unknown))


def test_a_warning_that_does_not_arrive_is_a_failure(interrupt: Any, instance: str, integration: Integration) -> None:
    integration.events.deauthorize_connection(Name=NAME)
    done = interrupt(instance, wait_timeout=6)
    assert outcomes(done) == {"interruption": "fail", "spot_reacted": "warn"}


def test_an_experiment_that_may_not_start_leaves_no_template(interrupt: Any, instance: str, sandbox: Sandbox) -> None:
    denied = {"error": {"status": 403, "code": "AccessDeniedException", "message": "no"}}
    sandbox.add_fault(denied, {"service": "fis", "operation": "POST /experiments"})
    done = interrupt(instance)
    assert outcomes(done) == {"interruption": "unknown"}
    assert "AccessDeniedException: StartExperiment" in message(done)


def test_a_template_that_a_killed_run_left_is_removed_by_the_next(interrupt: Any, instance: str, sandbox: Sandbox) -> None:
    fis = sandbox.boto3("fis", REGION)
    given: dict[str, Any] = {"description": "left", "stopConditions": [{"source": "none"}], "actions": {}, "roleArn": ROLE}
    fis.create_experiment_template(clientToken="1", tags={"spot.eventbridge": NAME}, **given)
    assert outcomes(interrupt(instance))["interruption"] == "pass"


def test_without_a_token_spots_log_is_not_looked_at(interrupt: Any, instance: str) -> None:
    done = interrupt(instance, token=None)
    assert outcomes(done) == {"interruption": "pass", "spot_reacted": "skip"}


def test_a_token_that_may_not_look_is_a_finding(interrupt: Any, instance: str) -> None:
    assert outcomes(interrupt(instance, token="limited")) == {"interruption": "pass", "spot_reacted": "unknown"}


def test_the_published_policies_suffice_and_each_action_is_used(interrupt: Any, instance: str, sandbox: Sandbox) -> None:
    sandbox.permit("testing", [policy("verify"), policy("interruption")])
    assert outcomes(interrupt(instance)) == {"interruption": "pass", "spot_reacted": "pass"}
    assert set(actions(policy("interruption"))) <= sandbox.permissions_used("testing")


@pytest.mark.usefixtures("integration")
@pytest.mark.parametrize("action", [name for name in actions(policy("interruption")) if name != "fis:GetExperiment"])
def test_without_one_action_there_is_no_interruption(run: Runner, instance: str, sandbox: Sandbox, action: str) -> None:
    sandbox.permit("testing", [policy("verify"), without(policy("interruption"), action)])
    given = {"instance_id": instance, "confirm": instance, "name": NAME, "role_arn": ROLE, "spot_account": "act-d7320fba"}
    done = run("spot_test_interruption", **given, spot_api_url=sandbox.spot_url, region=REGION, wait_timeout=2)
    assert done.failed or outcomes(done)["interruption"] in ("unknown", "fail"), done.answer
    assert action.partition(":")[2] in json.dumps(done.answer)


def test_the_policy_starts_no_experiment_of_others(sandbox: Sandbox) -> None:
    targets = {"all": {"resourceType": "aws:ec2:spot-instance", "resourceTags": {"a": "b"}, "selectionMode": "ALL"}}
    actions_of_theirs = {"stop": {"actionId": "aws:ec2:stop-instances", "targets": {"Instances": "all"}}}
    given = {
        "description": "theirs",
        "roleArn": ROLE,
        "stopConditions": [{"source": "none"}],
        "targets": targets,
        "actions": actions_of_theirs,
    }
    template = sandbox.boto3("fis", REGION).create_experiment_template(clientToken="1", **given)["experimentTemplate"]["id"]
    sandbox.permit("LIMITED", [policy("interruption")])
    fis = sandbox.boto3("fis", REGION, access_key="LIMITED")
    with pytest.raises(ClientError, match="AccessDenied"):
        fis.start_experiment(clientToken="2", experimentTemplateId=template)
    with pytest.raises(ClientError, match="AccessDenied"):
        fis.delete_experiment_template(id=template)
    with pytest.raises(ClientError, match=r"AccessDenied.*action/aws:ec2:stop-instances"):
        fis.create_experiment_template(clientToken="3", tags={"spot.eventbridge": NAME}, **given)
