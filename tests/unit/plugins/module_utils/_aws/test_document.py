# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import datetime

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.document import document


def test_names_become_snake_case_at_every_depth() -> None:
    answer = {"ConnectionArn": "arn", "AuthParameters": {"InvocationHttpParameters": {"QueryStringParameters": [{"IsValueSecret": False}]}}}
    assert document(answer) == {
        "connection_arn": "arn",
        "auth_parameters": {"invocation_http_parameters": {"query_string_parameters": [{"is_value_secret": False}]}},
    }


def test_times_become_iso_text() -> None:
    time = datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc)
    assert document({"CreationTime": time, "Times": [time]}) == {
        "creation_time": "2026-01-02T03:04:05+00:00",
        "times": ["2026-01-02T03:04:05+00:00"],
    }


def test_metadata_of_the_response_is_removed() -> None:
    assert document({"Name": "x", "ResponseMetadata": {"RequestId": "1"}}) == {"name": "x"}
