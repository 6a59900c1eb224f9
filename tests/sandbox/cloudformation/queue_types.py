# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""SQS's resource types: queue, queue policy."""

from __future__ import annotations

from typing import ClassVar

from .errors import already_exists
from .resource_type import Json, ResourceType, Seconds, Started, State, change_tags, exists, json_text
from .services import Services


class QueueType(ResourceType):
    name = "AWS::SQS::Queue"
    name_property = "QueueName"
    longest_name = 80
    shows_system_tags = False  # recorded: ListQueueTags has the stack's own tags only
    seconds = Seconds(create=61, update=61, delete=61)
    optional = frozenset({"ContentBasedDeduplication", "DeduplicationScope", "DelaySeconds", "FifoQueue", "FifoThroughputLimit"}) | {
        "KmsDataKeyReusePeriodSeconds",
        "KmsMasterKeyId",
        "MaximumMessageSize",
        "MessageRetentionPeriod",
        "QueueName",
        "ReceiveMessageWaitTimeSeconds",
        "RedriveAllowPolicy",
        "RedrivePolicy",
        "SqsManagedSseEnabled",
        "Tags",
        "VisibilityTimeout",
    }
    replaced_by = frozenset({"QueueName", "FifoQueue"})
    tagged = True
    # SQS API reference, CreateQueue: what an attribute is again whose property was taken away.
    defaults: ClassVar[Json] = {
        "DelaySeconds": 0,
        "KmsMasterKeyId": "",
        "MaximumMessageSize": 1048576,
        "MessageRetentionPeriod": 345600,
        "ReceiveMessageWaitTimeSeconds": 0,
        "SqsManagedSseEnabled": True,
        "VisibilityTimeout": 30,
    }

    def create(self, services: Services, name: str, wanted: State, started: Started) -> Json:
        if exists(lambda: services.call("sqs", "GetQueueUrl", QueueName=name)):
            raise already_exists(self.name, name)  # CreateQueue does not mind one that is alike
        answer = services.call("sqs", "CreateQueue", QueueName=name, Attributes=_attributes(wanted.properties), tags=wanted.tags)
        started(answer["QueueUrl"])
        return self._read(services, answer["QueueUrl"])

    def update(self, services: Services, physical_id: str, old: State, new: State) -> Json:
        changed = {key: value for key, value in new.properties.items() if old.properties.get(key) != value}
        dropped = {key: self.defaults[key] for key in old.properties if key not in new.properties and key in self.defaults}
        attributes = _attributes({**dropped, **changed})
        if attributes:
            services.call("sqs", "SetQueueAttributes", QueueUrl=physical_id, Attributes=attributes)
        change_tags(
            old.tags,
            new.tags,
            lambda changed: services.call("sqs", "TagQueue", QueueUrl=physical_id, Tags=changed),
            lambda gone: services.call("sqs", "UntagQueue", QueueUrl=physical_id, TagKeys=gone),
        )
        return self._read(services, physical_id)

    def delete(self, services: Services, physical_id: str, properties: Json) -> None:
        services.call("sqs", "DeleteQueue", QueueUrl=physical_id)

    def _read(self, services: Services, url: str) -> Json:
        answer = services.call("sqs", "GetQueueAttributes", QueueUrl=url, AttributeNames=["QueueArn"])
        return {"Arn": answer["Attributes"]["QueueArn"], "QueueName": url.rpartition("/")[2], "QueueUrl": url}


class QueuePolicyType(ResourceType):
    name = "AWS::SQS::QueuePolicy"
    required = frozenset({"PolicyDocument", "Queues"})

    def create(self, services: Services, name: str, wanted: State, started: Started) -> Json:
        _set_policy(services, wanted.properties["Queues"], json_text(wanted.properties["PolicyDocument"]))
        started(name)
        return {"Id": name}

    def update(self, services: Services, physical_id: str, old: State, new: State) -> Json:
        _set_policy(services, [url for url in old.properties["Queues"] if url not in new.properties["Queues"]], "")
        _set_policy(services, new.properties["Queues"], json_text(new.properties["PolicyDocument"]))
        return {"Id": physical_id}

    def delete(self, services: Services, physical_id: str, properties: Json) -> None:
        _set_policy(services, properties["Queues"], "")


def _set_policy(services: Services, urls: list[str], policy: str) -> None:
    for url in urls:
        services.call("sqs", "SetQueueAttributes", QueueUrl=url, Attributes={"Policy": policy})


def _attributes(properties: Json) -> dict[str, str]:
    """Return properties as SQS takes them: all text, and FifoQueue only where it is true."""
    given = {key: value for key, value in properties.items() if key not in ("QueueName", "Tags")}
    if str(given.get("FifoQueue")).lower() == "false":
        del given["FifoQueue"]
    return {key: json_text(value) for key, value in given.items()}
