# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The dead-letter queue: its policy and encryption, its tags, its messages."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.integration.modules.aws import ACCOUNT, NAME, REGION, Aws
from tests.integration.modules.runner import Run, Runner
from tests.sandbox.client import Sandbox

ARN = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{NAME}"


class Queue:
    """Runs the module under test for one queue in one region."""

    def __init__(self, run: Runner) -> None:
        self._run = run

    def __call__(self, **arguments: Any) -> Run:
        return self._run("spot_dead_letter_queue", **{"name": NAME, "regions": [REGION], **arguments})


@pytest.fixture
def queue(run: Runner) -> Queue:
    return Queue(run)


def attributes(aws: Aws) -> dict[str, str]:
    return dict(aws.sqs().get_queue_attributes(QueueUrl=aws.queue_url(), AttributeNames=["All"])["Attributes"])


def test_it_is_encrypted_and_takes_letters_of_one_rule_only(queue: Queue, aws: Aws) -> None:
    assert queue().action == "created"
    found = attributes(aws)
    statement, tls_only = json.loads(found["Policy"])["Statement"]
    assert found["SqsManagedSseEnabled"] == "true"
    assert found["MessageRetentionPeriod"] == "1209600"
    assert {key: value for key, value in statement.items() if key != "Sid"} == {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": ARN,
        "Condition": {
            "ArnLike": {"aws:SourceArn": [f"arn:aws:events:{REGION}:{ACCOUNT}:rule/{NAME}{rest}" for rest in ("", "-test-*", "-alarm")]}
        },
    }
    assert {key: value for key, value in tls_only.items() if key != "Sid"} == {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "sqs:*",
        "Resource": ARN,
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


def test_a_queue_of_an_earlier_run_is_brought_to_deny_plain_http(queue: Queue, aws: Aws) -> None:
    made = queue().entry["queue"]
    policy = json.loads(attributes(aws)["Policy"])
    earlier = {**policy, "Statement": [statement for statement in policy["Statement"] if statement["Effect"] == "Allow"]}
    aws.sqs().set_queue_attributes(QueueUrl=aws.queue_url(), Attributes={"Policy": json.dumps(earlier)})
    assert [queue().action for _ in range(2)] == ["updated", "unchanged"]
    assert queue().entry["queue"] == made


def test_another_rule_may_be_named(queue: Queue, aws: Aws) -> None:
    queue()
    assert queue(rule="other").action == "updated"
    assert "rule/other" in attributes(aws)["Policy"]


def test_an_aws_account_that_is_given_is_not_asked_for(queue: Queue, sandbox: Sandbox) -> None:
    queue(aws_account=ACCOUNT)
    assert sandbox.calls(service="sts") == []


@pytest.mark.parametrize(
    "drift",
    [
        {"MessageRetentionPeriod": "60"},
        {"SqsManagedSseEnabled": "false"},
        {"Policy": ""},
        {"Policy": json.dumps({"Version": "2012-10-17", "Statement": []})},
    ],
    ids=str,
)
def test_a_change_by_hand_is_mended(queue: Queue, aws: Aws, drift: dict[str, str]) -> None:
    made = queue().entry["queue"]
    aws.sqs().set_queue_attributes(QueueUrl=aws.queue_url(), Attributes=drift)
    run = queue()
    assert (run.action, run.entry["queue"]) == ("updated", made)
    assert queue().action == "unchanged"


def test_other_attributes_are_left_alone(queue: Queue, aws: Aws) -> None:
    queue()
    # moto forgets a policy that is left out; AWS does not.
    kept = {"Policy": attributes(aws)["Policy"], "VisibilityTimeout": "77"}
    aws.sqs().set_queue_attributes(QueueUrl=aws.queue_url(), Attributes=kept)
    assert queue().action == "unchanged"
    assert queue(message_retention_period=60).action == "updated"
    assert attributes(aws)["VisibilityTimeout"] == "77"


@pytest.mark.slow
def test_a_kms_key_is_set_and_given_back(queue: Queue, aws: Aws) -> None:
    for alias in ("alias/letters", "alias/other"):
        aws.key(alias)
    keys = []
    for kms_key in (None, "alias/letters", "alias/letters", None, "alias/other", "", ""):
        run = queue(kms_master_key_id=kms_key)
        keys.append((run.action, attributes(aws).get("KmsMasterKeyId") or None))
    assert keys == [
        ("created", None),
        ("updated", "alias/letters"),
        ("unchanged", "alias/letters"),
        ("unchanged", "alias/letters"),
        ("updated", "alias/other"),
        ("updated", None),
        ("unchanged", None),
    ]


def test_a_statement_that_others_add_to_the_policy_stays(queue: Queue, aws: Aws) -> None:
    queue()
    policy = json.loads(attributes(aws)["Policy"])
    tls = {"Sid": "Tls", "Effect": "Deny", "Principal": "*", "Action": "sqs:*", "Resource": ARN}
    policy["Statement"].append({**tls, "Condition": {"Bool": {"aws:SecureTransport": "false"}}})
    aws.sqs().set_queue_attributes(QueueUrl=aws.queue_url(), Attributes={"Policy": json.dumps(policy)})
    assert queue().action == "unchanged"
    assert queue(message_retention_period=60).action == "updated"
    assert json.loads(attributes(aws)["Policy"]) == policy


def test_another_form_of_the_kms_key_is_no_change(queue: Queue, aws: Aws) -> None:
    key, arn = aws.key("alias/letters"), f"arn:aws:kms:{REGION}:{ACCOUNT}:alias/letters"
    forms = (arn, "alias/letters", arn, key, key.rpartition("/")[2])
    assert [queue(kms_master_key_id=form).action for form in forms] == ["created", *["unchanged"] * 4]
    assert attributes(aws)["KmsMasterKeyId"] == arn


@pytest.mark.parametrize(
    ("wanted", "purge", "action", "after"),
    [
        (None, True, "unchanged", {"team": "a", "owner": "them"}),
        ({"team": "b"}, False, "updated", {"team": "b", "owner": "them"}),
        ({"team": "b"}, True, "updated", {"team": "b"}),
        ({}, True, "updated", {}),
        ({}, False, "unchanged", {"team": "a", "owner": "them"}),
    ],
)
def test_tags(*, queue: Queue, aws: Aws, wanted: dict[str, str] | None, purge: bool, action: str, after: dict[str, str]) -> None:
    queue(tags={"team": "a", "owner": "them"})
    predicted = queue(tags=wanted, purge_tags=purge, check=True)
    run = queue(tags=wanted, purge_tags=purge)
    assert (predicted.action, run.action) == (action, action)
    assert aws.sqs().list_queue_tags(QueueUrl=aws.queue_url()).get("Tags", {}) == after
    assert predicted.regions == run.regions


# Messages


def test_a_queue_with_messages_is_kept_unless_told_otherwise(queue: Queue, aws: Aws) -> None:
    queue()
    aws.sqs().send_message(QueueUrl=aws.queue_url(), MessageBody="a letter")
    kept = queue(state="absent")
    assert (kept.failed, kept.action, kept.changed) == (False, "unchanged", False)
    (warning,) = kept.warnings
    assert f"{REGION}: the queue {NAME} was kept: it holds 1 dead letter(s)." in warning
    assert queue(state="absent", delete_messages=True).action == "deleted"
    assert aws.queue_names() == []


def test_messages_that_somebody_is_just_reading_count(queue: Queue, aws: Aws) -> None:
    queue()
    aws.sqs().send_message(QueueUrl=aws.queue_url(), MessageBody="a letter")
    aws.sqs().receive_message(QueueUrl=aws.queue_url(), VisibilityTimeout=600)
    assert queue(state="absent").action == "unchanged"


# SQS needs time, answers are lost


def test_a_name_that_sqs_still_keeps_is_waited_for(queue: Queue, sandbox: Sandbox, aws: Aws) -> None:
    recently = {"status": 400, "code": "AWS.SimpleQueueService.QueueDeletedRecently", "message": "You must wait 60 seconds"}
    sandbox.add_fault({"error": recently}, {"operation": "CreateQueue"}, times=3)
    assert queue().action == "created"
    assert aws.queue_names() == [NAME]


@pytest.mark.parametrize(
    ("operation", "arguments", "action"),
    [
        ("CreateQueue", {"tags": {"team": "a"}}, "created"),
        ("SetQueueAttributes", {"message_retention_period": 60}, "updated"),
        ("TagQueue", {"tags": {"team": "b"}}, "updated"),
        ("UntagQueue", {"tags": {}}, "updated"),
        ("DeleteQueue", {"state": "absent"}, "deleted"),
    ],
)
def test_a_lost_answer_ends_as_if_it_had_come(
    *, queue: Queue, aws: Aws, sandbox: Sandbox, operation: str, arguments: dict[str, Any], action: str
) -> None:
    if action != "created":
        queue(tags={"team": "a"})
    sandbox.add_fault({"lost_answer": True}, {"operation": operation}, times=1)
    assert queue(**arguments).action == action
    assert aws.queue_names() == ([] if action == "deleted" else [NAME])
    assert queue(**arguments).action == "unchanged"
