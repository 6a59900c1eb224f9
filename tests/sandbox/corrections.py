# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is corrected of moto outside of EventBridge and IAM: CloudWatch and SQS."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from moto.cloudwatch.models import CloudWatchBackend, MetricDatumBase, Statistics, cloudwatch_backends
from moto.sqs.models import Queue

from .moto_app import LOCK


def install() -> None:
    """Put the corrections into moto's place."""
    cloudwatch_backends.backend = CorrectedCloudWatch
    _release_lock_while_polling()


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
                results += super().get_metric_data([query], start_time, end_time, scan_by)
            finally:
                self._query = None
        return results

    def get_metric_statistics(self, namespace: str, metric_name: str, *args: Any, **kwargs: Any) -> list[Statistics]:
        self._query = (namespace, metric_name, _pairs(kwargs["dimensions"]))
        try:
            return super().get_metric_statistics(namespace, metric_name, *args, **kwargs)
        finally:
            self._query = None


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
