# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is corrected of moto outside of EventBridge and IAM: CloudWatch, Secrets Manager, SQS."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from moto.cloudwatch.models import CloudWatchBackend, MetricDatumBase, Statistics, cloudwatch_backends
from moto.core.responses import ActionResult, EmptyResult
from moto.core.utils import unix_time_millis
from moto.secretsmanager.exceptions import InvalidRequestException
from moto.secretsmanager.models import SecretsManagerBackend
from moto.sqs.exceptions import QueueDoesNotExist, SQSException
from moto.sqs.models import Message, Queue, SQSBackend, sqs_backends
from moto.sqs.responses import SQSResponse

from .moto_app import LOCK
from .settings import Settings


def install(settings: Settings) -> None:
    """Put the corrections into moto's place."""
    cloudwatch_backends.backend = CorrectedCloudWatch
    CorrectedSqs.settings = settings
    sqs_backends.backend = CorrectedSqs
    Message.change_visibility = _scaled(settings)  # type: ignore[method-assign]
    _make_long_queues_fast()
    Queue._set_attributes = _keeping(Queue._set_attributes)  # type: ignore[method-assign]
    SQSResponse.get_queue_url = _of_the_caller(SQSResponse.get_queue_url)  # type: ignore[method-assign]
    SQSResponse.list_queue_tags = _without_empty_tags(SQSResponse.list_queue_tags)  # type: ignore[method-assign]
    for name in ("put_secret_value", "update_secret"):
        setattr(SecretsManagerBackend, name, _refusing_managed(getattr(SecretsManagerBackend, name)))
    _release_lock_while_polling()


class CorrectedSqs(SQSBackend):
    """Has one kind of encryption per queue, and does not give away a deleted queue's name at once."""

    settings: Settings

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._deleted: dict[str, float] = {}

    @property
    def _url_module(self) -> Any:
        from moto.sqs import urls

        return urls  # moto derives it from the name of the class's module

    def create_queue(self, name: str, tags: dict[str, str] | None = None, **kwargs: Any) -> Queue:
        _require_one_encryption(kwargs)
        if time.monotonic() - self._deleted.get(name, float("-inf")) < self.settings.queue_name_seconds:
            raise SQSException(
                "AWS.SimpleQueueService.QueueDeletedRecently",
                "You must wait 60 seconds after deleting a queue before you can create another with the same name.",
            )
        return super().create_queue(name, tags, **kwargs)

    def delete_queue(self, queue_name: str) -> None:
        super().delete_queue(queue_name)
        self._deleted[queue_name] = time.monotonic()

    def is_message_valid_based_on_retention_period(self, queue_name: str, message: Message) -> bool:
        sent: Any = message.sent_timestamp
        return bool(int(self.get_queue(queue_name).message_retention_period) + sent / 1000 > unix_time_millis() / 1000)

    def set_queue_attributes(self, queue_name: str, attributes: dict[str, Any]) -> Queue:
        _require_one_encryption(attributes)
        return super().set_queue_attributes(queue_name, attributes)


def _scaled(settings: Settings) -> Callable[[Message, int], None]:
    """Let the time in which a message is not visible be shorter."""

    def change_visibility(message: Message, visibility_timeout: int) -> None:
        message.visible_at = unix_time_millis() + int(visibility_timeout) * 1000 * settings.visibility_time_scale

    return change_visibility


def _make_long_queues_fast() -> None:
    """Let calls for a queue with thousands of messages take milliseconds. moto reads the clock for each of them, several times."""

    def visible(queue: Queue) -> list[Message]:
        now = unix_time_millis()
        return [message for message in queue._messages if message.visible_at < now and message.delayed_until <= now]

    def delayed(queue: Queue) -> int:
        now = unix_time_millis()
        return sum(message.delayed_until > now for message in queue._messages)

    def not_visible(queue: Queue) -> int:
        now = unix_time_millis()
        return sum(message.visible_at >= now for message in queue._messages)

    def had(message: Message, receipt_handle: str) -> bool:
        return receipt_handle == message.receipt_handle or receipt_handle in message._old_receipt_handles

    Queue.messages = property(visible)  # type: ignore[assignment, method-assign]
    Queue.approximate_number_of_messages_delayed = property(delayed)  # type: ignore[assignment, method-assign]
    Queue.approximate_number_of_messages_not_visible = property(not_visible)  # type: ignore[assignment, method-assign]
    Message.had_receipt_handle = had  # type: ignore[method-assign]


def _require_one_encryption(attributes: dict[str, Any]) -> None:
    if attributes.get("KmsMasterKeyId") and str(attributes.get("SqsManagedSseEnabled", "")).lower() == "true":
        raise SQSException(
            "InvalidAttributeName",
            "You can use one type of server-side encryption (SSE) at one time. You can either enable KMS SSE or SQS SSE.",
        )


def _keeping(original: Callable[..., None]) -> Callable[..., None]:
    """Keep the policy where a call does not speak of it; a KMS key ends SQS's own encryption, and the other way round."""

    def set_attributes(self: Queue, attributes: dict[str, Any], now: float | None = None) -> None:
        changed = dict(attributes)
        if hasattr(self, "_policy_json"):
            changed.setdefault("Policy", self.policy)
        if changed.get("KmsMasterKeyId"):
            changed["SqsManagedSseEnabled"] = "false"
        elif str(changed.get("SqsManagedSseEnabled", "")).lower() == "true":
            changed["KmsMasterKeyId"] = None
        original(self, changed, now)

    return set_attributes


def _of_the_caller(original: Callable[..., ActionResult]) -> Callable[..., ActionResult]:
    """Find no queue of another account, as no queue of the tests lets others in."""

    def get_queue_url(self: SQSResponse) -> ActionResult:
        owner = self._get_param("QueueOwnerAWSAccountId")
        if owner and owner != self.current_account:
            raise QueueDoesNotExist
        return original(self)

    return get_queue_url


def _without_empty_tags(original: Callable[..., ActionResult]) -> Callable[..., ActionResult]:
    def list_queue_tags(self: SQSResponse) -> ActionResult:
        answer = original(self)
        return answer if answer.result["Tags"] else EmptyResult()  # recorded: no member at all

    return list_queue_tags


def _refusing_managed(original: Callable[..., Any]) -> Callable[..., Any]:
    """Refuse to write a secret that a service manages; the sandbox itself takes another way."""

    def write(self: SecretsManagerBackend, secret_id: str, *args: Any, **kwargs: Any) -> Any:
        secret = self.secrets.get(secret_id)
        owner = getattr(secret, "owning_service", None)
        if owner:
            raise InvalidRequestException(f"Operation is not allowed on secret owned by {owner}")
        return original(self, secret_id, *args, **kwargs)

    return write


class CorrectedCloudWatch(CloudWatchBackend):
    """Keeps namespaces and dimensions apart; moto adds up every metric of the same name."""

    _query: tuple[str, str, set[tuple[str | None, str | None]]] | None = None

    @property
    def _url_module(self) -> Any:
        from moto.cloudwatch import urls

        return urls  # moto derives it from the name of the class's module

    def get_all_metrics(self) -> list[MetricDatumBase]:
        metrics = super().get_all_metrics()
        if self._query is None:
            return metrics
        namespace, name, dimensions = self._query
        return [
            metric for metric in metrics if (metric.namespace, metric.name) == (namespace, name) and _dimensions_of(metric) == dimensions
        ]

    def get_metric_data(
        self,
        queries: list[dict[str, Any]],
        start_time: datetime,
        end_time: datetime,
        scan_by: str = "TimestampAscending",
    ) -> list[dict[str, Any]]:
        results = []
        for query in queries:
            if "MetricStat" in query:
                metric = query["MetricStat"]["Metric"]
                self._query = (metric["Namespace"], metric["MetricName"], _pairs(metric.get("Dimensions", [])))
            try:
                results += _labelled(super().get_metric_data([query], start_time, end_time, scan_by), query, queries)
            finally:
                self._query = None
        return results

    def get_metric_statistics(self, namespace: str, metric_name: str, *args: Any, **kwargs: Any) -> list[Statistics]:
        self._query = (namespace, metric_name, _pairs(kwargs["dimensions"]))
        try:
            return super().get_metric_statistics(namespace, metric_name, *args, **kwargs)
        finally:
            self._query = None


def _labelled(results: list[dict[str, Any]], query: dict[str, Any], queries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Name a series after its metric, and after its statistic only where a metric is asked with several (recorded)."""
    stat = query.get("MetricStat")
    if stat is None or query.get("Label"):
        return results
    name = stat["Metric"]["MetricName"]
    several = {item["MetricStat"]["Stat"] for item in queries if item.get("MetricStat", {}).get("Metric", {}).get("MetricName") == name}
    return [{**result, "label": f"{name} {stat['Stat']}" if len(several) > 1 else name} for result in results]


def _pairs(dimensions: Iterable[dict[str, str]]) -> set[tuple[str | None, str | None]]:
    return {(dimension["Name"], dimension["Value"]) for dimension in dimensions}


def _dimensions_of(metric: MetricDatumBase) -> set[tuple[str | None, str | None]]:
    return {(dimension.name, dimension.value) for dimension in metric.dimensions}


def _release_lock_while_polling() -> None:
    """Let others in while a ReceiveMessage with WaitTimeSeconds waits."""
    original = Queue.wait_for_messages

    def wait_for_messages(self: Queue, timeout: int) -> None:
        LOCK.release()
        try:
            original(self, timeout)
        finally:
            LOCK.acquire()

    Queue.wait_for_messages = wait_for_messages  # type: ignore[method-assign]
