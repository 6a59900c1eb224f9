# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import typing as t
from dataclasses import replace

import pytest

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.kms import Key
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.dead_letter_queue import ExistingQueue, Queue
from ansible_collections.spot.eventbridge.plugins.module_utils._core.plan import Plan
from ansible_collections.spot.eventbridge.plugins.module_utils._core.region import Region
from ansible_collections.spot.eventbridge.plugins.module_utils._core.validation import ArgumentError

NAME = "letters"
URL = f"https://sqs.eu-west-1.amazonaws.com/123456789012/{NAME}"
ARN = f"arn:aws:sqs:eu-west-1:123456789012:{NAME}"
DESIRED = Queue(name=NAME, rule="warnings", aws_account="123456789012")
POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Sid": "SpotInterruptionDeadLetters",
            "Effect": "Allow",
            "Principal": {"Service": "events.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": ARN,
            "Condition": {
                "ArnLike": {
                    "aws:SourceArn": [
                        "arn:aws:events:eu-west-1:123456789012:rule/warnings",
                        "arn:aws:events:eu-west-1:123456789012:rule/warnings-test-*",
                        "arn:aws:events:eu-west-1:123456789012:rule/warnings-alarm",
                    ]
                }
            },
        },
        {
            "Sid": "SpotInterruptionTlsOnly",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "sqs:*",
            "Resource": ARN,
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        },
    ],
}


def current(messages: int = 0, tags: dict[str, str] | None = None, **changes: str | None) -> ExistingQueue:
    """A queue that is as wanted, but for `changes`; None takes an attribute away."""
    attributes: dict[str, str | None] = {
        "QueueArn": ARN,
        "MessageRetentionPeriod": "1209600",
        "SqsManagedSseEnabled": "true",
        "Policy": json.dumps(POLICY),
        "ApproximateNumberOfMessages": str(messages),
        **changes,
    }
    return ExistingQueue(NAME, URL, {key: value for key, value in attributes.items() if value is not None}, tags or {})


def calls(plan: Plan) -> list[tuple[str, dict[str, t.Any]]]:
    return [(call.operation, dict(call.arguments)) for call in plan.calls]


def set_to(plan: Plan) -> dict[str, t.Any]:
    """The attributes that a plan sets, with the policy parsed; fails if it does anything else."""
    ((operation, arguments),) = calls(plan)
    assert operation == "set_queue_attributes"
    assert arguments["QueueUrl"] == URL
    return {key: json.loads(value) if key == "Policy" else value for key, value in arguments["Attributes"].items()}


def test_only_eventbridge_may_send_and_only_for_the_one_rule_and_nobody_uses_plain_http(region: Region) -> None:
    assert DESIRED.policy(region).document == POLICY


def test_policy_in_china_has_arns_of_china() -> None:
    policy = DESIRED.policy(Region("cn-north-1", "aws-cn", {})).document
    assert policy["Statement"][0]["Resource"] == "arn:aws-cn:sqs:cn-north-1:123456789012:letters"


def test_missing_queue_is_created_encrypted_with_its_policy(region: Region) -> None:
    plan = DESIRED.plan(region, None)
    ((operation, arguments),) = calls(plan)
    assert (plan.action, operation, arguments["QueueName"]) == ("created", "create_queue", NAME)
    assert json.loads(arguments["Attributes"].pop("Policy")) == POLICY
    assert arguments["Attributes"] == {"MessageRetentionPeriod": "1209600", "SqsManagedSseEnabled": "true"}
    assert "tags" not in arguments


def test_a_new_queue_gets_its_tags_when_it_is_made(region: Region) -> None:
    plan = Queue(name=NAME, rule="warnings", aws_account="123456789012", tags={"team": "a"}).plan(region, None)
    assert calls(plan)[0][1]["tags"] == {"team": "a"}


def test_a_new_queue_with_a_kms_key_has_no_other_encryption(region: Region) -> None:
    plan = Queue(name=NAME, rule="warnings", aws_account="123456789012", kms_key="alias/q").plan(region, None)
    attributes = calls(plan)[0][1]["Attributes"]
    assert attributes["KmsMasterKeyId"] == "alias/q"
    assert "SqsManagedSseEnabled" not in attributes


def test_queue_as_desired_is_unchanged(region: Region) -> None:
    plan = DESIRED.plan(region, current(tags={"owner": "them"}))
    assert (plan.action, plan.calls) == ("unchanged", ())


def test_policy_in_another_form_is_unchanged(region: Region) -> None:
    send, encrypted = POLICY["Statement"]
    encrypted = {**encrypted, "Principal": {"AWS": "*"}, "Condition": {"Bool": {"aws:SecureTransport": False}}}
    text = json.dumps({**POLICY, "Statement": [encrypted, {**send, "Action": ["sqs:SendMessage"]}]}, indent=1)
    assert DESIRED.plan(region, current(Policy=text)).action == "unchanged"


ALL = {"MessageRetentionPeriod": "1209600", "SqsManagedSseEnabled": "true", "Policy": POLICY}


@pytest.mark.parametrize(
    "changes",
    [
        {"MessageRetentionPeriod": "345600"},
        {"MessageRetentionPeriod": None},
        {"SqsManagedSseEnabled": "false"},
        {"SqsManagedSseEnabled": None},
        {"Policy": None},
        {"Policy": "not JSON"},
        {"Policy": '{"Version": "2012-10-17", "Statement": []}'},
        {"Policy": json.dumps({**POLICY, "Statement": POLICY["Statement"][:1]})},
    ],
    ids=str,
)
def test_drift_of_one_attribute_sets_all_attributes(region: Region, changes: dict[str, str | None]) -> None:
    plan = DESIRED.plan(region, current(**changes))
    assert plan.action == "updated"
    assert set_to(plan) == ALL


def test_a_kms_key_of_others_stays_as_long_as_it_can_be_used(region: Region) -> None:
    theirs = current(SqsManagedSseEnabled="false", KmsMasterKeyId="alias/theirs")
    plan = DESIRED.plan(region, theirs)
    assert (plan.calls, plan.note) == ((), None)
    again = DESIRED.plan(region, current(SqsManagedSseEnabled="false", KmsMasterKeyId="alias/theirs", MessageRetentionPeriod="60"))
    assert set_to(again) == {"MessageRetentionPeriod": "1209600", "Policy": POLICY, "KmsMasterKeyId": "alias/theirs"}


def test_a_kms_key_of_others_that_could_not_be_read_is_noted(region: Region) -> None:
    theirs = replace(
        current(SqsManagedSseEnabled="false", KmsMasterKeyId="alias/theirs"),
        key=Key("alias/theirs", unread=("kms:DescribeKey (AccessDenied)",)),
    )
    plan = DESIRED.plan(region, theirs)
    assert plan.calls == ()
    assert "kms:DescribeKey (AccessDenied)" in str(plan.note)


def test_a_kms_key_of_others_that_eventbridge_cannot_use_is_removed(region: Region) -> None:
    theirs = replace(current(SqsManagedSseEnabled="false", KmsMasterKeyId="alias/aws/sqs"), key=Key("alias/aws/sqs"))
    assert set_to(DESIRED.plan(region, theirs)) == {**ALL, "KmsMasterKeyId": ""}


def test_an_empty_kms_key_returns_to_the_key_that_sqs_manages(region: Region) -> None:
    queue = replace(DESIRED, kms_key="")
    assert set_to(queue.plan(region, current(SqsManagedSseEnabled="false", KmsMasterKeyId="alias/q"))) == {**ALL, "KmsMasterKeyId": ""}
    assert queue.plan(region, current()).calls == ()


def test_an_alias_and_the_id_of_its_key_are_one_key(region: Region) -> None:
    metadata = {"Arn": "arn:aws:kms:eu-west-1:123456789012:key/1f"}
    queue = replace(DESIRED, kms_key="alias/q", key=Key("alias/q", metadata))
    shown = current(SqsManagedSseEnabled="false", KmsMasterKeyId="1f")
    assert queue.plan(region, replace(shown, key=Key("1f", metadata))).calls == ()
    other = Key("1f", {"Arn": "arn:aws:kms:eu-west-1:123456789012:key/2a"})
    assert set_to(queue.plan(region, replace(shown, key=other)))["KmsMasterKeyId"] == "alias/q"


def test_policy_that_allows_others_is_replaced(region: Region) -> None:
    everybody = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": ARN}
    text = json.dumps({**POLICY, "Statement": [*POLICY["Statement"], everybody]})
    assert set_to(DESIRED.plan(region, current(Policy=text))) == ALL


def beside(**changes: t.Any) -> dict[str, t.Any]:
    """A statement of others about the queue."""
    return {"Sid": "theirs", "Effect": "Deny", "Principal": "*", "Action": "sqs:*", "Resource": ARN, **changes}


TLS_ONLY = beside(Condition={"Bool": {"aws:SecureTransport": "false"}})
READERS = beside(Effect="Allow", Principal={"AWS": "arn:aws:iam::123456789012:role/audit"}, Action="sqs:ReceiveMessage")


@pytest.mark.parametrize("other", [TLS_ONLY, READERS, beside(Action="sqs:DeleteQueue")], ids=["TLS only", "readers", "no deletion"])
def test_a_statement_of_others_stays(region: Region, other: dict[str, t.Any]) -> None:
    both = {**POLICY, "Id": "theirs", "Statement": [other, *POLICY["Statement"]]}
    assert DESIRED.plan(region, current(Policy=json.dumps(both))).calls == ()
    alone = {**both, "Statement": [other]}
    assert set_to(DESIRED.plan(region, current(Policy=json.dumps(alone)))) == {
        **ALL,
        "Policy": {**both, "Statement": [*POLICY["Statement"], other]},
    }


@pytest.mark.parametrize(
    "other",
    [
        beside(),
        beside(Action="sqs:SendMessage", Principal={"Service": "events.amazonaws.com"}),
        beside(Condition={"Bool": {"aws:SecureTransport": "true"}}),
        beside(Effect="Allow"),
        beside(Effect="Allow", Principal={"AWS": ["arn:aws:iam::123456789012:root", "*"]}),
        beside(Effect="Allow", Principal={"Service": "sns.amazonaws.com"}),
        {**READERS, "Sid": "SpotInterruptionDeadLetters"},
        {**READERS, "Sid": "SpotInterruptionTlsOnly"},
    ],
    ids=str,
)
def test_a_statement_that_stops_dead_letters_or_opens_the_queue_is_removed(region: Region, other: dict[str, t.Any]) -> None:
    assert set_to(DESIRED.plan(region, current(Policy=json.dumps({**POLICY, "Statement": [*POLICY["Statement"], other]})))) == ALL


@pytest.mark.parametrize("found", [None, "alias/other"])
def test_a_kms_key_is_set(region: Region, found: str | None) -> None:
    queue = Queue(name=NAME, rule="warnings", aws_account="123456789012", kms_key="alias/q")
    plan = queue.plan(region, current(SqsManagedSseEnabled="false", KmsMasterKeyId=found))
    assert set_to(plan) == {"MessageRetentionPeriod": "1209600", "Policy": POLICY, "KmsMasterKeyId": "alias/q"}


def test_kms_key_as_desired_is_unchanged(region: Region) -> None:
    queue = Queue(name=NAME, rule="warnings", aws_account="123456789012", kms_key="alias/q")
    assert queue.plan(region, current(SqsManagedSseEnabled="false", KmsMasterKeyId="alias/q")).action == "unchanged"


@pytest.mark.parametrize("forms", [("alias/q", "arn:aws:kms:eu-west-1:1:alias/q"), ("arn:aws:kms:eu-west-1:1:key/1f", "1f")])
def test_kms_key_in_another_form_is_unchanged(region: Region, forms: tuple[str, str]) -> None:
    desired, found = forms
    queue = Queue(name=NAME, rule="warnings", aws_account="123456789012", kms_key=desired)
    assert queue.plan(region, current(SqsManagedSseEnabled="false", KmsMasterKeyId=found)).calls == ()
    changed = queue.plan(region, current(SqsManagedSseEnabled="false", KmsMasterKeyId=found, MessageRetentionPeriod="60"))
    assert set_to(changed)["KmsMasterKeyId"] == found


@pytest.mark.parametrize(
    ("tags", "purge", "desired"),
    [
        pytest.param({"owner": "them"}, True, [], id="the same"),
        pytest.param({}, False, [], id="none, not purged"),
        pytest.param({}, True, [("untag_queue", {"QueueUrl": URL, "TagKeys": ["owner"]})], id="none, purged"),
        pytest.param(
            {"team": "a"},
            True,
            [("tag_queue", {"QueueUrl": URL, "Tags": {"team": "a"}}), ("untag_queue", {"QueueUrl": URL, "TagKeys": ["owner"]})],
            id="another, purged",
        ),
    ],
)
def test_tags_of_an_existing_queue(region: Region, tags: dict[str, str], purge: bool, desired: list[tuple[str, dict[str, t.Any]]]) -> None:
    queue = Queue(name=NAME, rule="warnings", aws_account="123456789012", tags=tags, purge_tags=purge)
    assert calls(queue.plan(region, current(tags={"owner": "them"}))) == desired


REMOVAL = Queue(NAME, present=False)


def test_an_empty_queue_is_removed(region: Region) -> None:
    plan = REMOVAL.plan(region, current())
    assert (plan.action, calls(plan), plan.document) == ("deleted", [("delete_queue", {"QueueUrl": URL})], None)


def test_an_absent_queue_needs_no_removal(region: Region) -> None:
    plan = REMOVAL.plan(region, None)
    assert (plan.action, plan.calls) == ("unchanged", ())


@pytest.mark.parametrize(
    "where",
    ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed"],
)
def test_queue_with_messages_is_kept_with_a_note(region: Region, where: str) -> None:
    plan = REMOVAL.plan(region, current(**{where: "3"}))
    assert (plan.action, plan.calls) == ("unchanged", ())
    assert "holds 3 dead letter(s)" in (plan.note or "")


def test_queue_with_messages_is_removed_with_delete_messages(region: Region) -> None:
    plan = Queue(NAME, present=False, delete_messages=True).plan(region, current(messages=3))
    assert plan.action == "deleted"


class Regions:
    names = ("eu-west-1", "us-east-1")

    def aws_account(self) -> str:
        return "210987654321"


def from_parameters(**changes: t.Any) -> Queue:
    given = {
        "name": NAME,
        "state": "present",
        "rule": "warnings",
        "aws_account": "123456789012",
        "message_retention_period": 1209600,
        "kms_master_key_id": None,
        "delete_messages": False,
        "tags": None,
        "purge_tags": True,
        **changes,
    }
    return Queue.from_parameters(given, t.cast("t.Any", Regions()))


def test_parameters_become_the_desired_state() -> None:
    assert from_parameters() == DESIRED


def test_the_rule_has_the_queues_name_by_default() -> None:
    assert from_parameters(rule=None).rule == NAME


def test_the_aws_account_is_the_callers_by_default() -> None:
    assert from_parameters(aws_account=None).aws_account == "210987654321"


@pytest.mark.parametrize("border", [{"message_retention_period": 60}, {"name": "a" * 80}, {"rule": "b" * 64}], ids=str)
def test_limits_of_parameters_are_valid(border: dict[str, t.Any]) -> None:
    assert from_parameters(**border)


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "with.dot"},
        {"name": "a" * 81},
        {"name": "letters.fifo"},
        {"rule": "c" * 65},
        {"aws_account": "12345"},
        {"message_retention_period": 59},
        {"message_retention_period": 1209601},
        {"kms_master_key_id": "alias/aws/sqs"},
        {"kms_master_key_id": "arn:aws:kms:eu-west-1:123456789012:key/1f"},
    ],
    ids=str,
)
def test_invalid_parameters_are_errors(wrong: dict[str, t.Any]) -> None:
    with pytest.raises(ArgumentError):
        from_parameters(**wrong)
