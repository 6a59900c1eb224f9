# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The probe: an event of our own through the integration's own target, and no trace of the rule that sent it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.integration.modules.runner import Runner
from tests.integration.modules.test_documentation import permissions
from tests.integration.sandbox.integration import ACCOUNT, NAME, REGION, RULE_ARN, Integration
from tests.sandbox.client import Sandbox
from tests.tools.policies import actions, policy, without

# The role of the tests' integration has another name.
OF_ROLE = json.loads(json.dumps(policy("test-event")).replace("role/spot-interruption-*", "role/execution"))
PATTERN = json.dumps({"source": ["spot.eventbridge.test"]})


@pytest.fixture
def integration(sandbox: Sandbox) -> Integration:
    """A whole one, with a queue that takes dead letters of probes, as this collection makes it."""
    found = Integration(sandbox)
    found.role()
    found.queue(f"arn:aws:events:{REGION}:{ACCOUNT}:rule/{NAME}*")
    found.rule(found.destination(found.connection())["ApiDestinationArn"])
    found.events.tag_resource(ResourceARN=f"arn:aws:events:{REGION}:{ACCOUNT}:rule/{NAME}", Tags=[{"Key": "Team", "Value": "platform"}])
    sandbox.settings(delivery_time_scale=0.01)
    return found


@pytest.fixture
def test_event(run: Runner, integration: Integration) -> Any:
    """Runs the module and returns the only finding; whatever happened, the integration's rule alone is left."""

    def call(check: bool = False, timeout: int = 20, **more: Any) -> dict[str, str]:
        done = run("spot_test_event", check=check, name=NAME, regions=[REGION], settle_seconds=0, wait_timeout=timeout, **more)
        assert not done.failed, done.message
        assert not done.changed
        assert [rule["Name"] for rule in integration.events.list_rules()["Rules"] if rule["Name"].startswith(NAME)] == [NAME]
        (found,) = done.answer["checks"]
        return dict(found)

    return call


def test_a_probe_that_arrives_passes(test_event: Any, sandbox: Sandbox) -> None:
    found = test_event()
    assert (found["check"], found["outcome"]) == ("test_event", "pass")
    assert "eu-west-1: Spot took a test event" in found["message"]
    (received,) = sandbox.notifications()
    assert (received["status"], received["query"]["accountId"]) == (200, "act-d7320fba")


def test_a_probe_is_like_a_warning_and_never_of_an_instance_that_there_may_be(test_event: Any, sandbox: Sandbox) -> None:
    test_event()
    sandbox.interrupt(REGION)
    assert sandbox.settled()
    tested, real = (entry["body"] for entry in sandbox.notifications())
    assert set(tested) == set(real)
    assert tested["detail"] == {"instance-id": "i-00000000000000000", "instance-action": "terminate"}
    assert tested["detail-type"] == real["detail-type"]
    assert tested["source"] == "spot.eventbridge.test"


def test_a_probe_that_switches_the_region_off_says_so(test_event: Any, sandbox: Sandbox, integration: Integration) -> None:
    sandbox.start_outage(401)
    found = test_event()
    assert found["outcome"] == "fail"
    assert "The test event itself de-authorised the connection, which is DEAUTHORIZED" in found["message"]
    assert "repair" in found["remedy"]
    assert integration.states() == ("DEAUTHORIZED", "INACTIVE")


def test_a_probe_that_is_refused_says_why_by_its_dead_letter(test_event: Any, sandbox: Sandbox) -> None:
    sandbox.start_outage(403)
    found = test_event()
    assert found["outcome"] == "fail"
    assert "SDK_CLIENT_ERROR" in found["message"]
    assert "403" in found["message"]


def test_a_role_that_may_not_send_is_found(test_event: Any, integration: Integration) -> None:
    integration.iam.delete_role_policy(RoleName="execution", PolicyName="invoke")
    found = test_event()
    assert (found["outcome"], "NO_PERMISSIONS" in found["message"]) == ("fail", True)


def test_a_connection_that_was_off_before_is_not_the_probes_fault(test_event: Any, integration: Integration) -> None:
    integration.events.deauthorize_connection(Name=NAME)
    found = test_event()
    assert found["outcome"] == "fail"
    assert "itself" not in found["message"]


def test_silence_is_no_verdict(test_event: Any, integration: Integration, sandbox: Sandbox) -> None:
    sandbox.add_fault({"hang": 15}, {"target": "spot"})
    sandbox.settings(delivery_time_scale=1)
    found = test_event(timeout=4)
    assert found["outcome"] == "unknown"
    assert "CloudWatch shows it was matched" in found["message"]


@pytest.mark.parametrize("operation", ["PutTargets", "PutEvents", "GetMetricData"])
def test_a_call_that_fails_leaves_no_rule(test_event: Any, sandbox: Sandbox, operation: str) -> None:
    sandbox.add_fault({"error": {"status": 400, "code": "AccessDeniedException", "message": "no"}}, {"operation": operation})
    found = test_event()
    assert found["outcome"] == "unknown"
    assert f"AccessDeniedException: {operation}" in found["message"]


def test_what_a_killed_probe_left_is_removed_by_the_next(test_event: Any, integration: Integration) -> None:
    left = f"{NAME}-test-0a1b2c"
    integration.events.put_rule(Name=left, EventPattern=PATTERN)
    integration.events.put_targets(Rule=left, Targets=[{"Id": "spot", "Arn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:{NAME}"}])
    assert test_event()["outcome"] == "pass"


def test_somebody_elses_rule_of_such_a_name_stays(run: Runner, integration: Integration) -> None:
    integration.events.put_rule(Name=f"{NAME}-test-other", EventPattern=json.dumps({"source": ["theirs"]}))
    run("spot_test_event", name=NAME, regions=[REGION], settle_seconds=0, wait_timeout=20)
    assert f"{NAME}-test-other" in [rule["Name"] for rule in integration.events.list_rules()["Rules"]]


def test_check_mode_sends_nothing(test_event: Any, sandbox: Sandbox) -> None:
    sandbox.clear_calls()
    assert test_event(check=True)["outcome"] == "skip"
    assert (sandbox.calls(writes=True), sandbox.notifications()) == ([], [])


def test_without_an_integration_there_is_nothing_to_probe(run: Runner, sandbox: Sandbox) -> None:
    (found,) = run("spot_test_event", name=NAME, regions=[REGION]).answer["checks"]
    assert (found["outcome"], sandbox.calls(writes=True)) == ("skip", [])


def test_the_target_is_the_integrations_own(test_event: Any, integration: Integration, sandbox: Sandbox) -> None:
    before = integration.events.list_targets_by_rule(Rule=NAME)["Targets"]
    test_event()
    assert integration.events.list_targets_by_rule(Rule=NAME)["Targets"] == before
    assert sandbox.deliveries()[0]["target"] == before[0]["Arn"]
    assert sandbox.deliveries()[0]["rule"] != RULE_ARN.rpartition("/")[2]


def test_it_calls_nothing_that_its_notes_do_not_name(test_event: Any, sandbox: Sandbox) -> None:
    sandbox.start_outage(403)
    sandbox.clear_calls()
    test_event()
    called = {f"{call['service']}:{call['operation']}" for call in sandbox.calls()}
    assert called - permissions("spot_test_event") == set()


def test_the_published_policies_suffice_and_each_action_is_used(test_event: Any, sandbox: Sandbox) -> None:
    sandbox.permit("testing", [policy("verify"), OF_ROLE])
    assert test_event()["outcome"] == "pass"
    assert set(actions(policy("test-event"))) <= sandbox.permissions_used("testing")


@pytest.mark.parametrize("action", actions(policy("test-event")))
def test_without_one_action_there_is_no_test_event(run: Runner, integration: Integration, sandbox: Sandbox, action: str) -> None:
    sandbox.permit("testing", [policy("verify"), without(OF_ROLE, action)])
    done = run("spot_test_event", name=NAME, regions=[REGION], settle_seconds=0, wait_timeout=5)
    assert done.failed or done.answer["checks"][0]["outcome"] == "unknown", done.answer
    assert action.partition(":")[2] in json.dumps(done.answer)


def test_the_policy_reaches_no_rule_but_temporary_ones(sandbox: Sandbox) -> None:
    sandbox.permit("testing", [policy("verify"), OF_ROLE])
    with pytest.raises(ClientError, match="AccessDenied"):
        sandbox.boto3("events", REGION, access_key="testing").put_rule(Name=NAME, State="DISABLED", EventPattern=PATTERN)
