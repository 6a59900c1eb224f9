# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import dataclasses
import json
import typing as t
from dataclasses import dataclass, field

from ansible_collections.amazon.aws.plugins.module_utils.policy import compare_policies

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.kms import (
    Key,
    KeyUse,
    arns_of,
    check_kms_key,
    is_same_key,
    queue_use,
)
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.queue_policy import QueuePolicy
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.rule import alarm_rule, rule_arn, temporary_rule_prefix
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.tags import as_text, tag_changes, tags_after
from ansible_collections.spot.eventbridge.plugins.module_utils._core.argument_specs import ArgumentSpec, tags_argument_spec
from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import is_code
from ansible_collections.spot.eventbridge.plugins.module_utils._core.plan import Call, Document, Plan, Resource, unchanged
from ansible_collections.spot.eventbridge.plugins.module_utils._core.polling import at_once
from ansible_collections.spot.eventbridge.plugins.module_utils._core.validation import (
    QUEUE_NAME,
    ArgumentError,
    check_aws_account,
    check_name,
)

if t.TYPE_CHECKING:
    from ansible_collections.spot.eventbridge.plugins.module_utils._aws.regions import Regions
    from ansible_collections.spot.eventbridge.plugins.module_utils._core.region import Region

# SQS API reference, SetQueueAttributes: fourteen days is the longest.
DEFAULT_RETENTION = 1209600
NO_QUEUE = ("AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist")
_MESSAGE_COUNTS = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed")


def argument_spec() -> ArgumentSpec:
    """Return the options about the properties of a queue."""
    return {
        "aws_account": {"type": "str"},
        "message_retention_period": {"type": "int", "default": DEFAULT_RETENTION},
        "delete_messages": {"type": "bool", "default": False},
        **tags_argument_spec(),
    }


@dataclass(frozen=True)
class ExistingQueue:
    """An existing queue.

    :ivar attributes: the response of GetQueueAttributes, all of it text
    :ivar key: the KMS key that encrypts it, if SQS does not manage the key
    """

    name: str
    url: str
    attributes: t.Mapping[str, str]
    tags: t.Mapping[str, str] = field(default_factory=dict)
    key: Key | None = None

    @property
    def document(self) -> Document:
        """See `plan.Existing`."""
        return {
            "name": self.name,
            "queue_url": self.url,
            "queue_arn": self.attributes.get("QueueArn"),
            **self.managed_fields(),
            "messages": self.messages,
            "tags": dict(self.tags),
        }

    @property
    def kms_key(self) -> str | None:
        """Return the KMS key that encrypts it; None if SQS manages the key, or none does."""
        return self.attributes.get("KmsMasterKeyId") or None

    @property
    def messages(self) -> int:
        """Return the number of messages in it, at least."""
        return sum(int(self.attributes.get(count, 0)) for count in _MESSAGE_COUNTS)

    def managed_fields(self) -> Document:
        """Return the fields of a queue that this collection manages."""
        return {
            "message_retention_period": int(self.attributes.get("MessageRetentionPeriod", 0)),
            "sqs_managed_sse_enabled": self.attributes.get("SqsManagedSseEnabled", "false").lower() == "true",
            "kms_master_key_id": self.kms_key,
            "policy": _parsed(self.attributes.get("Policy")),
        }


@dataclass(frozen=True)
class Queue(Resource):
    """The desired dead-letter queue: standard, encrypted, and open to one rule, its test events and the rule that reports the loss of the
    authorisation.

    :ivar rule: the name of the rule that may send to it
    :ivar aws_account: the account of both
    :ivar retention: seconds that a message is kept, 60 to 1209600
    :ivar kms_key: a customer's KMS key; empty for the key that SQS manages, None for the key that the queue has
    :ivar key: that key, once it was read
    :ivar delete_messages: whether a queue that holds messages may go
    """

    name: str
    present: bool = True
    rule: str = ""
    aws_account: str = ""
    retention: int = DEFAULT_RETENTION
    kms_key: str | None = None
    key: Key | None = None
    tags: t.Mapping[str, str] | None = None
    purge_tags: bool = True
    delete_messages: bool = False

    kind: t.ClassVar[str] = "queue"
    holds: t.ClassVar[str] = "dead letter(s)"
    service: t.ClassVar[str] = "sqs"
    reads: t.ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        """Check the values.

        :raises ArgumentError: AWS would refuse one.
        """
        check_name(self.name, QUEUE_NAME)
        check_name(self.rule or self.name)
        if not 60 <= self.retention <= DEFAULT_RETENTION:
            raise ArgumentError(f"message_retention_period must be 60 to {DEFAULT_RETENTION} seconds (14 days), as AWS requires.")

    @classmethod
    def from_parameters(cls, params: t.Mapping[str, t.Any], regions: Regions) -> Queue:
        """See `plan.Resource`."""
        name = params["name"]
        if params["state"] == "absent":
            return cls(name=name, present=False, delete_messages=params["delete_messages"])
        check_kms_key("kms_master_key_id", params["kms_master_key_id"], regions.names)
        desired = cls(
            name=name,
            rule=params["rule"] or name,
            retention=params["message_retention_period"],
            kms_key=params["kms_master_key_id"],
            tags=as_text(params["tags"]),
            purge_tags=params["purge_tags"],
        )
        # AWS is called only once all other options are known to be valid.
        return dataclasses.replace(desired, aws_account=check_aws_account(params["aws_account"] or regions.aws_account()))

    def prepared(self, region: Region) -> Queue:
        """See `plan.Resource`. Reads the desired KMS key."""
        if not self.present or not self.kms_key or self.key:
            return self
        return dataclasses.replace(self, key=self.key_use(region).usable(region, self.kms_key))

    def look(self, region: Region) -> ExistingQueue | None:
        """Call GetQueueUrl, GetQueueAttributes; ListQueueTags where tags are desired; the KMS key where one encrypts the queue."""
        sqs = region.clients["sqs"]
        try:
            url = sqs.get_queue_url(QueueName=self.name)["QueueUrl"]
            attributes, tags = at_once(
                lambda: sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"]).get("Attributes", {}),
                lambda: sqs.list_queue_tags(QueueUrl=url).get("Tags", {}) if self.tags is not None else {},
            )
        except Exception as error:
            if is_code(error, *NO_QUEUE):
                return None
            raise
        existing = ExistingQueue(self.name, url, attributes, tags)
        if not self.present:
            return existing
        return dataclasses.replace(existing, key=self.key_use(region).read(region, existing.kms_key, self.key))

    def plan(self, region: Region, existing: ExistingQueue | None) -> Plan:
        """See `plan.Resource`. A queue with messages is kept unless `delete_messages` is set: they hold Spot's reasons."""
        if not self.present:
            return self._plan_removal(existing)
        kms_key = self._kms_key_beside(region, existing)
        if kms_key != self.kms_key:
            return dataclasses.replace(self, kms_key=kms_key).plan(region, existing)
        note = self._note(region, existing)
        policy = self.policy(region).beside(existing.managed_fields()["policy"] if existing else None)
        after = {**self._desired_fields(policy), "tags": tags_after(existing.tags if existing else {}, self.tags, self.purge_tags)}
        if existing is None:
            arguments: Document = {"QueueName": self.name, "Attributes": self._attributes(policy)}
            if self.tags:
                arguments["tags"] = dict(self.tags)
            predicted = {"name": self.name, "queue_arn": region.arn("sqs", self.aws_account, self.name), "messages": 0, **after}
            return Plan("created", predicted, None, after, (Call("create_queue", arguments),), note=note)

        attributes = self._changed_attributes(policy, existing)
        to_set, to_remove = tag_changes(existing.tags, self.tags, self.purge_tags)
        calls = []
        if attributes:
            calls.append(Call("set_queue_attributes", {"QueueUrl": existing.url, "Attributes": attributes}))
        if to_set:
            calls.append(Call("tag_queue", {"QueueUrl": existing.url, "Tags": to_set}))
        if to_remove:
            calls.append(Call("untag_queue", {"QueueUrl": existing.url, "TagKeys": to_remove}))
        if not calls:
            return unchanged(existing, note=note)
        before = {**existing.managed_fields(), "tags": dict(existing.tags)}
        return Plan("updated", {**existing.document, **after}, before, after, tuple(calls), note=note)

    def key_use(self, region: Region) -> KeyUse:
        """Return how EventBridge uses a KMS key of the queue."""
        return queue_use(region, self.name, self.rule)

    def _kms_key_beside(self, region: Region, existing: ExistingQueue | None) -> str:
        """Return the KMS key that the queue will have, in the form that it is shown in; empty for the key that SQS manages."""
        shown, key = (existing.kms_key, existing.key) if existing else (None, None)
        if self.kms_key is None:
            # A key of others stays as long as EventBridge can use it.
            return "" if not shown or (key and self.key_use(region).faults(key)) else shown
        return str(shown if is_same_key(shown, self.kms_key, arns_of(self.key, key)) else self.kms_key)

    def _note(self, region: Region, existing: ExistingQueue | None) -> str | None:
        theirs = existing.key if existing and existing.kms_key == self.kms_key else None
        key = self.key or theirs
        return self.key_use(region).note(key) if key else None

    def _plan_removal(self, existing: ExistingQueue | None) -> Plan:
        if existing is None:
            return unchanged(None)
        if existing.messages and not self.delete_messages:
            note = (
                f"the queue {self.name} was kept: it holds {existing.messages} {self.holds}. "
                "Read them, or remove it with delete_messages=true."
            )
            return unchanged(existing, note=note)
        return Plan("deleted", None, existing.managed_fields(), None, (Call("delete_queue", {"QueueUrl": existing.url}),))

    def policy(self, region: Region) -> QueuePolicy:
        """Return the policy that the queue needs in a region."""
        names = (self.rule, f"{temporary_rule_prefix(self.rule)}*", alarm_rule(self.rule))
        rules = tuple(rule_arn(region, self.aws_account, name) for name in names)
        return QueuePolicy(region.arn("sqs", self.aws_account, self.name), rules, self.aws_account)

    def _attributes(self, policy: Document) -> dict[str, str]:
        attributes = {"MessageRetentionPeriod": str(self.retention), "Policy": json.dumps(policy)}
        if self.kms_key:
            return {**attributes, "KmsMasterKeyId": self.kms_key}
        return {**attributes, "SqsManagedSseEnabled": "true"}

    def _changed_attributes(self, policy: Document, existing: ExistingQueue) -> dict[str, str]:
        """Return all attributes to set if one of them differs, else none."""
        attributes = self._attributes(policy)
        if not self.kms_key and existing.kms_key:
            attributes["KmsMasterKeyId"] = ""  # a queue has one kind of encryption
        return {} if all(_same(name, value, existing.attributes) for name, value in attributes.items()) else attributes

    def _desired_fields(self, policy: Document) -> Document:
        return {
            "message_retention_period": self.retention,
            "sqs_managed_sse_enabled": not self.kms_key,
            "kms_master_key_id": self.kms_key or None,
            "policy": policy,
        }


def _same(name: str, desired: str, attributes: t.Mapping[str, str]) -> bool:
    found = attributes.get(name)
    if name == "Policy":
        return found is not None and not compare_policies(_parsed(found), json.loads(desired))
    if name == "RedrivePolicy":
        return found is not None and _parsed(found) == json.loads(desired)
    if name == "SqsManagedSseEnabled":
        return (found or "false").lower() == desired
    return found == desired


def _parsed(policy: str | None) -> t.Any:
    if not policy:
        return None
    try:
        return json.loads(policy)
    except ValueError:
        return policy
