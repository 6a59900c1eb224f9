# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.amazon.aws.plugins.module_utils.tagging import ansible_dict_to_boto3_tag_list, boto3_tag_list_to_ansible_dict

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.document import document
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.paging import items
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.tags import tag_calls, tags_after
from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import is_code
from ansible_collections.spot.eventbridge.plugins.module_utils._core.plan import Call, Document, Plan, Resource, unchanged
from ansible_collections.spot.eventbridge.plugins.module_utils._watch.hub import Hub

if t.TYPE_CHECKING:
    from ansible_collections.spot.eventbridge.plugins.module_utils._core.region import Region

# SQS leaves messages that were received three times or more out of the age of the oldest message (SQS developer guide), so the numbers of
# messages are added instead: those that wait, and those that somebody works on.
_WAITING, _IN_FLIGHT = "ApproximateNumberOfMessagesVisible", "ApproximateNumberOfMessagesNotVisible"
_PERIOD = 300
_COMPARED = ("AlarmDescription", "AlarmActions", "OKActions", "EvaluationPeriods", "Threshold", "ComparisonOperator", "TreatMissingData")


@dataclass(frozen=True)
class ExistingTopic:
    """An existing SNS topic.

    :ivar subscriptions: how many people and systems it reaches, as far as that was asked for
    """

    arn: str
    subscriptions: int = 0
    tags: t.Mapping[str, str] = field(default_factory=dict)

    @property
    def document(self) -> Document:
        """See `plan.Existing`."""
        return {"topic_arn": self.arn, "tags": dict(self.tags)}


@dataclass(frozen=True)
class Topic(Resource):
    """The desired SNS topic of a hub, without its subscriptions."""

    hub: Hub
    present: bool = True
    tags: t.Mapping[str, str] | None = None
    purge_tags: bool = True

    kind: t.ClassVar[str] = "topic"
    service: t.ClassVar[str] = "sns"
    reads: t.ClassVar[tuple[str, ...]] = ()

    @property
    def arn(self) -> str:
        """Return its ARN."""
        return self.hub.arn("sns", self.hub.name)

    def look(self, region: Region) -> ExistingTopic | None:
        """GetTopicAttributes, ListTagsForResource where tags are desired; to remove it, ListSubscriptionsByTopic."""
        sns = region.clients["sns"]
        try:
            sns.get_topic_attributes(TopicArn=self.arn)
        except Exception as error:
            if is_code(error, "NotFound", "NotFoundException"):
                return None
            raise
        tagged = self.present and self.tags is not None
        tags = sns.list_tags_for_resource(ResourceArn=self.arn)["Tags"] if tagged else []
        subscriptions = 0 if self.present else len(list(items(sns, "list_subscriptions_by_topic", "Subscriptions", TopicArn=self.arn)))
        return ExistingTopic(self.arn, subscriptions, boto3_tag_list_to_ansible_dict(tags))

    def plan(self, region: Region, existing: ExistingTopic | None) -> Plan:
        """See `plan.Resource`. A topic with subscriptions is kept: they are of others."""
        if not self.present:
            if existing is None:
                return unchanged(None)
            if existing.subscriptions:
                return unchanged(existing, note=f"the topic {self.hub.name} was kept: it has {existing.subscriptions} subscription(s)")
            return Plan("deleted", None, existing.document, None, (Call("delete_topic", {"TopicArn": self.arn}),))
        after: Document = {"tags": tags_after(existing.tags if existing else {}, self.tags, self.purge_tags)}
        if existing is None:
            arguments: Document = {"Name": self.hub.name}
            if self.tags:
                arguments["Tags"] = ansible_dict_to_boto3_tag_list(self.tags)
            predicted = {"topic_arn": self.arn, **after}
            return Plan("created", predicted, None, after, (Call("create_topic", arguments),))
        calls = tag_calls(existing.tags, self.tags, self.purge_tags, self.arn, "ResourceArn")
        if not calls:
            return unchanged(existing)
        return Plan("updated", {**existing.document, **after}, {"tags": dict(existing.tags)}, after, tuple(calls))


@dataclass(frozen=True)
class ExistingAlarm:
    """An existing CloudWatch alarm.

    :ivar found: its entry in the response of DescribeAlarms
    """

    found: Document
    tags: t.Mapping[str, str] = field(default_factory=dict)

    @property
    def document(self) -> Document:
        """See `plan.Existing`."""
        return {**document({key: value for key, value in self.found.items() if key in ("AlarmName", "AlarmArn")}), "tags": dict(self.tags)}

    def managed_fields(self) -> Document:
        """Return the fields of an alarm that this collection manages."""
        return {**{name: self.found.get(name) for name in _COMPARED}, "Metrics": _by_id(self.found.get("Metrics", []))}


@dataclass(frozen=True)
class Alarm(Resource):
    """A CloudWatch alarm of a hub that is desired: messages have been in its queue for 15 minutes, or there is a dead letter.

    :ivar of_dead_letters: which of both
    :ivar notifies: whether it notifies the hub's topic
    """

    hub: Hub
    of_dead_letters: bool = False
    present: bool = True
    notifies: bool = False
    tags: t.Mapping[str, str] | None = None
    purge_tags: bool = True

    service: t.ClassVar[str] = "cloudwatch"
    reads: t.ClassVar[tuple[str, ...]] = ()

    @property
    def kind(self) -> str:  # type: ignore[override]
        """Under this key it stands in a result."""
        return "dead_letters_alarm" if self.of_dead_letters else "waiting_alarm"

    @property
    def name(self) -> str:
        """Return its name."""
        return self.hub.dead_letters if self.of_dead_letters else f"{self.hub.name}-waiting"

    def look(self, region: Region) -> ExistingAlarm | None:
        """DescribeAlarms, ListTagsForResource where tags are desired."""
        cloudwatch = region.clients["cloudwatch"]
        found = cloudwatch.describe_alarms(AlarmNames=[self.name], AlarmTypes=["MetricAlarm"])["MetricAlarms"]
        if not found:
            return None
        tagged = self.present and self.tags is not None
        tags = cloudwatch.list_tags_for_resource(ResourceARN=found[0]["AlarmArn"])["Tags"] if tagged else []
        return ExistingAlarm(found[0], boto3_tag_list_to_ansible_dict(tags))

    def plan(self, region: Region, existing: ExistingAlarm | None) -> Plan:
        """See `plan.Resource`."""
        if not self.present:
            if existing is None:
                return unchanged(None)
            call = Call("delete_alarms", {"AlarmNames": [self.name]})
            return Plan("deleted", None, {**existing.managed_fields(), "tags": dict(existing.tags)}, None, (call,))
        desired = self._desired()
        shown = {**desired, "Metrics": _by_id(desired["Metrics"])}
        put = existing is None or existing.managed_fields() != shown
        arn = self.hub.arn("cloudwatch", f"alarm:{self.name}")
        calls = []
        if put:
            # It takes the tags of a new alarm only (CloudWatch API reference, PutMetricAlarm).
            tags = {"Tags": ansible_dict_to_boto3_tag_list(self.tags)} if self.tags else {}
            calls.append(Call("put_metric_alarm", {"AlarmName": self.name, **desired, **tags}))
        if existing:
            calls += tag_calls(existing.tags, self.tags, self.purge_tags, arn)
        if existing and not calls:
            return unchanged(existing)
        tags_then = tags_after(existing.tags if existing else {}, self.tags, self.purge_tags)
        before = {**existing.managed_fields(), "tags": dict(existing.tags)} if existing else None
        predicted = {"alarm_name": self.name, "alarm_arn": arn, "tags": tags_then}
        return Plan("updated" if existing else "created", predicted, before, {**shown, "tags": tags_then}, tuple(calls))

    def _desired(self) -> Document:
        if self.of_dead_letters:
            description, periods = "A message could not be processed: it is in the dead-letter queue of the hub.", 1
            metrics = [_metric("dead_letters", self.hub.dead_letters, _WAITING, returned=True)]
        else:
            description, periods = "Messages have been in the queue of the hub for 15 minutes: nothing processes them.", 3
            metrics = [
                {"Id": "all", "Expression": "waiting + in_flight", "Label": "Messages in the queue", "ReturnData": True},
                _metric("waiting", self.hub.name, _WAITING),
                _metric("in_flight", self.hub.name, _IN_FLIGHT),
            ]
        actions = [self.hub.arn("sns", self.hub.name)] if self.notifies else []
        return {
            "AlarmDescription": f"{description} Managed by the Ansible collection spot.eventbridge.",
            "AlarmActions": actions,
            "OKActions": actions,
            "EvaluationPeriods": periods,
            "Threshold": 0.0,
            "ComparisonOperator": "GreaterThanThreshold",
            "TreatMissingData": "notBreaching",
            "Metrics": metrics,
        }


def _metric(identifier: str, queue: str, name: str, *, returned: bool = False) -> Document:
    metric = {"Namespace": "AWS/SQS", "MetricName": name, "Dimensions": [{"Name": "QueueName", "Value": queue}]}
    return {"Id": identifier, "MetricStat": {"Metric": metric, "Period": _PERIOD, "Stat": "Maximum"}, "ReturnData": returned}


def _by_id(metrics: t.Iterable[t.Mapping[str, t.Any]]) -> Document:
    return {str(metric["Id"]): dict(metric) for metric in metrics}
