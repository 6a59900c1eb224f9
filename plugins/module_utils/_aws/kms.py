# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import json
import re
import typing as t
from dataclasses import dataclass, field

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.iam_policy import EVENTBRIDGE, NO, UNSURE, allows
from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import RegionError, failure_of, is_code
from ansible_collections.spot.eventbridge.plugins.module_utils._core.validation import ArgumentError

if t.TYPE_CHECKING:
    from ansible_collections.spot.eventbridge.plugins.module_utils._core.region import Region

# The parameters of this collection's template that are KMS keys.
CONNECTION_KEY = "ConnectionKmsKey"
QUEUE_KEY = "QueueKmsKey"
KEY_PARAMETERS = (CONNECTION_KEY, QUEUE_KEY)
# EventBridge user guide, "Encrypting EventBridge connection authorization with AWS KMS keys".
_TAG = "EventBridgeApiDestinations"
_LINKED_ROLE = "role/aws-service-role/apidestinations.events.amazonaws.com/AWSServiceRoleForAmazonEventBridgeApiDestinations"
# KMS developer guide, "Key states": in these, a key can be used, or will be without anybody's help.
_GOOD_STATES = ("Enabled", "Creating", "Updating")
# AWS KMS developer guide, "Key identifiers": AWS's own keys have aliases of this form, and the ids of multi-Region keys begin with mrk-.
_OF_AWS = "alias/aws/"
_ARN = re.compile(r"arn:[^:]+:kms:(?P<region>[^:]+):[^:]*:(?P<resource>.+)\Z")
_ONE_REGION = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z", re.IGNORECASE)


def check_kms_key(option: str, key: str | None, regions: t.Sequence[str]) -> None:
    """Refuse a KMS key that EventBridge cannot use in every region.

    :param option: the option that the key was given with
    :param regions: where the key is to be used
    :raises ArgumentError: EventBridge cannot use it.
    """
    if not key:
        return
    arn = _ARN.match(key)
    if _is_of_aws(key):
        raise ArgumentError(
            f"{option} cannot be {key}: EventBridge cannot use a key that AWS manages, as nobody can change its policy or its tags. "
            "Set a customer managed key."
        )
    others = [name for name in regions if name != arn["region"]] if arn else []
    if others or (_ONE_REGION.match(key) and len(set(regions)) > 1):
        where = f"for {', '.join(others)}" if others else f"for {len(set(regions))} regions"
        raise ArgumentError(
            f"{option} cannot be {key} {where}: AWS uses a key only in the key's own region. "
            "Set an alias that each region has (alias/…), the id of a multi-Region key that is replicated to each region (mrk-…), "
            "or run each region with a key of its own."
        )


def _is_of_aws(identifier: str) -> bool:
    arn = _ARN.match(identifier)
    return (arn["resource"] if arn else identifier).startswith(_OF_AWS)


def check_kms_parameters(parameters: t.Mapping[str, str], regions: t.Sequence[str] | None) -> None:
    """Refuse parameters of this collection's template that are KMS keys which EventBridge cannot use in every region.

    :param regions: where the stacks are to be; None is not known yet
    :raises ArgumentError: EventBridge cannot use one of them.
    """
    for name in KEY_PARAMETERS:
        check_kms_key(f"parameters.{name}", parameters.get(name), regions or ())


def is_same_key(one: str | None, other: str | None, arns: t.Mapping[str, str] | None = None) -> bool:
    """Return whether two identifiers are of one KMS key: its id, its ARN, an alias or the ARN of an alias.

    DescribeConnection and GetQueueAttributes show the form that was given (Terraform's acceptance tests on AWS), for keys of every origin.

    :param arns: the ARNs of keys by identifier, as far as they could be read; only they show the key behind an alias
    """
    if not one or not other:
        return False
    if one == other or (arns or {}).get(one, one) == (arns or {}).get(other, other):
        return True
    return one.startswith("arn:") != other.startswith("arn:") and _short(one) == _short(other)


def _short(identifier: str) -> str:
    return identifier.rpartition(":")[2].removeprefix("key/")


@dataclass(frozen=True)
class Key:
    """An existing KMS key, as far as it could be read.

    :ivar identifier: as it was given: an id, an ARN, an alias
    :ivar metadata: the response of DescribeKey; None if it could not be read
    :ivar policy: the key policy, parsed; None if it could not be read
    :ivar tags: None if they could not be read
    :ivar missing: whether there is no such key
    :ivar unread: the actions that were refused or failed
    """

    identifier: str
    metadata: t.Mapping[str, t.Any] | None = None
    policy: t.Any = None
    tags: t.Mapping[str, str] | None = None
    missing: bool = False
    unread: tuple[str, ...] = ()

    @property
    def arn(self) -> str | None:
        """Return the ARN of the key; None if it is not known."""
        return (self.metadata or {}).get("Arn")


@dataclass(frozen=True)
class KeyUse:
    """How EventBridge uses a KMS key.

    :ivar what: the encrypted resource
    :ivar caller: the service or, without an account, the role that calls KMS
    :ivar actions: the actions that it calls
    :ivar context: the condition keys of the call; `{account}` stands for the account of the key
    :ivar guessed: condition keys whose values are known in their form only
    :ivar tag: whether the key needs EventBridge's tag
    """

    what: str
    caller: str
    actions: tuple[str, ...]
    context: t.Mapping[str, str]
    guessed: t.Mapping[str, str] = field(default_factory=dict)
    tag: bool = False

    def read(self, region: Region, identifier: str | None, known: Key | None = None) -> Key | None:
        """Return an existing key; None for no identifier. See `read_key`.

        :param known: a key that was read already; it is not read again
        """
        if known and known.identifier == identifier:
            return known
        return read_key(region, identifier, tags=self.tag) if identifier else None

    def usable(self, region: Region, identifier: str) -> Key:
        """Return a key that is desired. See `read_key`.

        :raises RegionError: EventBridge cannot use it.
        """
        key = read_key(region, identifier, tags=self.tag)
        self.refuse(key)
        return key

    def faults(self, key: Key) -> list[str]:
        """Return why EventBridge cannot use a key; empty if it can, or if nobody knows."""
        return [text for text, decision in self._checks(key) if decision == NO]

    def doubts(self, key: Key) -> list[str]:
        """Return why nobody knows whether EventBridge can use a key."""
        unread = [f"{action} was refused or failed" for action in key.unread]
        return unread + [
            f"it may be that {text}, which only AWS can evaluate" for text, decision in self._checks(key) if decision == UNSURE
        ]

    def refuse(self, key: Key) -> None:
        """
        :raises RegionError: EventBridge cannot use the key.
        """
        faults = self.faults(key)
        if faults:
            why = "; ".join(faults)
            raise RegionError("KeyNotUsable", f"EventBridge cannot use the KMS key {key.identifier} for {self.what}: {why}. {REMEDY}")

    def note(self, key: Key) -> str | None:
        """Return a note for users about a key that may be used; None if there is none."""
        doubts = self.doubts(key)
        return f"unknown whether EventBridge can use the KMS key {key.identifier} for {self.what}: {'; '.join(doubts)}" if doubts else None

    def _checks(self, key: Key) -> t.Iterator[tuple[str, str]]:
        if key.missing:
            yield "there is no such key in this region", NO
        if _is_of_aws(key.identifier) or (key.metadata or {}).get("KeyManager") == "AWS":
            yield "AWS manages it, so nobody can change its policy or its tags", NO
            return
        if key.metadata is not None:
            state = key.metadata.get("KeyState", "Enabled")
            if state not in _GOOD_STATES:
                yield f"it is {state}", NO
            if key.metadata.get("KeyUsage", "ENCRYPT_DECRYPT") != "ENCRYPT_DECRYPT" or not _symmetric(key.metadata):
                yield "it is not a symmetric encryption key", NO
        if key.policy is not None:
            yield from ((f"its policy does not let {self._named()} call {action}", self._may(key, action)) for action in self.actions)
        if self.tag and key.tags is not None and key.tags.get(_TAG) != "true":
            yield f"it lacks the tag {_TAG}=true", NO

    def _named(self) -> str:
        return self.caller if self.caller == EVENTBRIDGE else "the service-linked role of API destinations"

    def _may(self, key: Key, action: str) -> str:
        arn = str(key.arn)
        partition, account = arn.split(":")[1], arn.split(":")[4]
        caller = self.caller if self.caller == EVENTBRIDGE else f"arn:{partition}:iam::{account}:{self.caller}"
        context = {name: value.replace("{account}", account) for name, value in self.context.items()}
        context.update({f"aws:ResourceTag/{name}": value for name, value in (key.tags or {}).items()})
        guessed = {name: value.replace("{account}", account) for name, value in self.guessed.items()}
        decision = allows(key.policy, action=action, resource=arn, context={**context, **guessed}, service=caller)
        # A condition that the guess does not meet may be met by the value itself.
        return allows(key.policy, action=action, resource=arn, context=context, service=caller) if decision == NO else decision


REMEDY = "See the guide 'Permissions in AWS' for the key's policy."


def queue_use(region: Region, queue: str, rule: str) -> KeyUse:
    """Return how EventBridge uses the key of a dead-letter queue (SQS developer guide, "Key management").

    :param queue: the name of the queue
    :param rule: the name of the rule whose dead letters it holds
    """
    context = {
        "aws:SourceAccount": "{account}",
        "aws:SourceArn": region.arn("events", "{account}", f"rule/{rule}"),
        "kms:EncryptionContext:aws:sqs:arn": region.arn("sqs", "{account}", queue),
    }
    return KeyUse("the dead-letter queue", EVENTBRIDGE, ("kms:GenerateDataKey", "kms:Decrypt"), context)


def connection_use(region: Region, connection: str) -> KeyUse:
    """Return how EventBridge uses the key of a connection's secret: as its service-linked role, through Secrets Manager.

    Source: EventBridge user guide, "Encrypting EventBridge connection authorization with AWS KMS keys", and the managed policy
    AmazonEventBridgeApiDestinationsServiceRolePolicy.
    """
    secret = region.arn("secretsmanager", "{account}", f"secret:events!connection/{connection}/00000000-0000-0000-0000-000000000000-000000")
    context = {
        "kms:CallerAccount": "{account}",
        "aws:PrincipalAccount": "{account}",
        "aws:PrincipalArn": f"arn:{region.partition}:iam::{{account}}:{_LINKED_ROLE}",
    }
    suffix = "amazonaws.com.cn" if region.partition == "aws-cn" else "amazonaws.com"
    guessed = {
        "kms:ViaService": f"secretsmanager.{region.name}.{suffix}",
        "kms:EncryptionContext:SecretARN": secret,
    }
    return KeyUse("the connection", _LINKED_ROLE, ("kms:DescribeKey", "kms:GenerateDataKey", "kms:Decrypt"), context, guessed, tag=True)


def read_key(region: Region, identifier: str, tags: bool = False) -> Key:
    """Read a KMS key: DescribeKey, GetKeyPolicy, and ListResourceTags if its tags matter. Never raises for a refusal of KMS."""
    if _is_of_aws(identifier):
        return Key(identifier)
    kms, unread = region.clients["kms"], []
    try:
        metadata = kms.describe_key(KeyId=identifier)["KeyMetadata"]
    except Exception as error:
        if is_code(error, "NotFoundException"):
            return Key(identifier, missing=True)
        return Key(identifier, unread=(_unread("kms:DescribeKey", error),))
    policy = found_tags = None
    try:
        policy = json.loads(kms.get_key_policy(KeyId=metadata["Arn"], PolicyName="default")["Policy"])
    except Exception as error:
        unread.append(_unread("kms:GetKeyPolicy", error))
    if tags:
        try:
            # A key has at most 50 tags (KMS quotas).
            found = kms.list_resource_tags(KeyId=metadata["Arn"], Limit=50)["Tags"]
            found_tags = {tag["TagKey"]: tag["TagValue"] for tag in found}
        except Exception as error:
            unread.append(_unread("kms:ListResourceTags", error))
    return Key(identifier, metadata, policy, found_tags, unread=tuple(unread))


def _unread(action: str, error: Exception) -> str:
    return f"{action} ({failure_of(error).code})"


def _symmetric(metadata: t.Mapping[str, t.Any]) -> bool:
    return bool(metadata.get("KeySpec", "SYMMETRIC_DEFAULT") == "SYMMETRIC_DEFAULT")


def arns_of(*keys: Key | None) -> dict[str, str]:
    """Return the ARNs of keys by their identifiers, as far as they are known."""
    return {key.identifier: key.arn for key in keys if key and key.arn}
