# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""KMS keys of a customer, for the whole integration: what is refused, what stays, what is only a warning."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.modules.aws import ACCOUNT, NAME, REGION, SPOT_ACCOUNT, Aws
from tests.integration.modules.runner import Run, Runner
from tests.sandbox.client import Sandbox
from tests.tools.kms_keys import ROOT

DENIED = {"error": {"status": 400, "code": "AccessDeniedException", "message": "not authorized to perform"}}


@pytest.fixture
def integrate(run: Runner, sandbox: Sandbox) -> Any:
    """Runs spot_integration in one region, with an execution role of its own."""

    def call(check: bool = False, **more: Any) -> Run:
        given = {"name": NAME, "role_name": NAME, "spot_account": SPOT_ACCOUNT, "spot_token": sandbox.tokens["editor"]}
        return run("spot_integration", check=check, **{**given, "regions": [REGION], **more})

    return call


@pytest.fixture
def found(run: Runner) -> Any:
    """Returns the outcomes of the findings about keys, and the messages."""

    def call() -> dict[str, tuple[str, str]]:
        looked = run("spot_integration_info", name=NAME, spot_account=SPOT_ACCOUNT, regions=[REGION])
        return {
            item["check"]: (item["outcome"], item["message"])
            for item in looked.regions[REGION]["findings"]
            if item["check"] in ("queue_key", "connection_key")
        }

    return call


def queue_key(aws: Aws) -> str | None:
    given = aws.sqs().get_queue_attributes(QueueUrl=aws.queue_url(), AttributeNames=["All"])["Attributes"]
    return given.get("KmsMasterKeyId") or None


def give_queue(aws: Aws, key: str) -> None:
    aws.sqs().set_queue_attributes(QueueUrl=aws.queue_url(), Attributes={"KmsMasterKeyId": key})


@pytest.mark.parametrize(
    ("option", "lacks"),
    [
        ("queue_kms_master_key_id", "its policy does not let events.amazonaws.com call kms:Decrypt"),
        ("kms_key_identifier", "it lacks the tag EventBridgeApiDestinations=true"),
    ],
)
@pytest.mark.parametrize("check", [True, False])
def test_a_key_that_eventbridge_cannot_use_is_refused_before_anything_is_made(
    *, integrate: Any, aws: Aws, sandbox: Sandbox, option: str, lacks: str, check: bool
) -> None:
    aws.key("alias/theirs", statements=[ROOT], tags={})
    sandbox.clear_calls()
    refused = integrate(check=check, **{option: "alias/theirs"})
    assert (refused.failed, lacks in refused.message) == (True, True), refused.message
    assert sandbox.calls(writes=True) == []


@pytest.mark.parametrize("option", ["queue_kms_master_key_id", "kms_key_identifier"])
def test_a_key_that_does_not_exist_is_refused(integrate: Any, sandbox: Sandbox, option: str) -> None:
    refused = integrate(**{option: "alias/nobodys"})
    assert (refused.failed, "there is no such key in this region" in refused.message) == (True, True)
    assert sandbox.calls(writes=True) == []


def test_a_region_without_api_destinations_needs_no_key(integrate: Any, aws: Aws, sandbox: Sandbox) -> None:
    aws.key("alias/spot")
    sandbox.settings(unsupported_regions=["us-east-1"])
    done = integrate(regions=[REGION, "us-east-1"], kms_key_identifier="alias/spot", queue_kms_master_key_id="alias/spot")
    assert (done.failed, {name: entry["status"] for name, entry in done.regions.items()}) == (
        False,
        {REGION: "active", "us-east-1": "unsupported"},
    )


@pytest.mark.slow
def test_a_key_that_eventbridge_can_use_is_used_and_passes(integrate: Any, found: Any, aws: Aws) -> None:
    key = aws.key("alias/spot")
    given = {"queue_kms_master_key_id": "alias/spot", "kms_key_identifier": key}
    done, again = integrate(**given), integrate(**given)
    assert (done.message, done.warnings, again.changed, again.warnings) == ("", [], False, [])
    assert {check: outcome for check, (outcome, _) in found().items()} == {"queue_key": "pass", "connection_key": "pass"}


@pytest.mark.parametrize("operation", ["DescribeKey", "GetKeyPolicy", "ListResourceTags"])
def test_what_cannot_be_read_of_a_key_is_a_warning(integrate: Any, found: Any, aws: Aws, sandbox: Sandbox, operation: str) -> None:
    aws.key("alias/spot")
    sandbox.add_fault(DENIED, {"operation": operation})
    done = integrate(queue_kms_master_key_id="alias/spot", kms_key_identifier="alias/spot")
    assert (done.message, done.regions[REGION]["action"]) == ("", "created")
    assert any(f"kms:{operation} (AccessDeniedException)" in warning for warning in done.warnings)
    outcome, message = found()["connection_key"]
    assert (outcome, f"kms:{operation}" in message) == ("warn", True)


@pytest.mark.slow
def test_a_key_that_others_give_the_queue_stays(integrate: Any, found: Any, aws: Aws) -> None:
    integrate()
    key = aws.key()
    give_queue(aws, key)
    assert found()["queue_key"][0] == "pass"
    assert (integrate().changed, queue_key(aws)) == (False, key)
    assert (integrate(message_retention_period=60).changed, queue_key(aws)) == (True, key)


@pytest.mark.slow
@pytest.mark.parametrize("theirs", ["alias/aws/sqs", f"arn:aws:kms:{REGION}:{ACCOUNT}:alias/aws/sqs", "useless"])
def test_a_key_of_others_that_eventbridge_cannot_use_is_named_and_taken_off(integrate: Any, found: Any, aws: Aws, theirs: str) -> None:
    integrate()
    give_queue(aws, aws.key(statements=[ROOT]) if theirs == "useless" else theirs)
    outcome, message = found()["queue_key"]
    assert (outcome, "EventBridge cannot use the KMS key" in message) == ("fail", True)
    assert integrate(check=True).changed
    assert [(run.changed, run.message) for run in (integrate(), integrate())] == [(True, ""), (False, "")]
    assert (queue_key(aws), found()) == (None, {})


@pytest.mark.slow
def test_a_key_of_others_that_cannot_serve_a_connection_is_named_and_taken_off(
    integrate: Any, found: Any, aws: Aws, sandbox: Sandbox
) -> None:
    integrate()
    key = aws.key(tags={})
    aws.events().update_connection(Name=NAME, KmsKeyIdentifier=key)
    assert found()["connection_key"][0] == "fail"
    assert [integrate().changed for _ in range(2)] == [True, False]
    assert (found(), aws.described_connection().get("KmsKeyIdentifier") or None) == ({}, None)
