# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A day with a revoked token: heal each minute and the sweep each hour, with every pause of the queue, by a clock that nobody waits for.

The modules and functions of the playbook heal run here in its order. tests/integration/heal runs the playbook itself.
"""

from __future__ import annotations

import datetime
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any
from unittest import mock

import pytest

from ansible_collections.spot.eventbridge.plugins.plugin_utils._healing import fleet
from tests.histories.healing import Healing
from tests.histories.history import History
from tests.integration.heal.hub import Hub
from tests.sandbox.client import NOTIFICATION

HOME, LOST = "us-east-1", "eu-west-1"
SPOT_ACCOUNT, AWS_ACCOUNT = "act-d7320fba", "123456789012"
NAME = f"spot-interruption-{SPOT_ACCOUNT}"
MINUTE, HOUR, DAY = 60, 3600, 86400


@pytest.fixture
def history() -> Iterator[History]:
    """A sandbox whose queues go by its clock, too."""
    seconds, milliseconds = lambda *_: time.time(), lambda *_: time.time() * 1000
    with (
        mock.patch("moto.sqs.models.unix_time", seconds),
        mock.patch("moto.sqs.models.unix_time_millis", milliseconds),
        mock.patch("tests.sandbox.corrections.unix_time_millis", milliseconds),
    ):
        yield History()


class Day:
    """An account that is watched and healed.

    Attributes:
        told: the news of each notification, and when it was sent, in seconds of the clock.
        attempts: when events were received.
    """

    def __init__(self, history: History) -> None:
        self.house, self.modules = history.house, history.modules
        self.token = self.house.tokens["admin"]
        self.told: list[tuple[float, list[dict[str, Any]]]] = []
        self.attempts: list[float] = []
        self.run("spot_integration", role_name=NAME, invocation_endpoint=self.endpoint, regions=[HOME, LOST], **self.spot, name=NAME)
        self.run("spot_watch_hub", region=HOME)
        self.run("spot_watch", name=NAME, regions=[HOME, LOST])
        self.hub = Hub(self.house)
        self.hub.purge()

    @property
    def endpoint(self) -> str:
        return self.house.spot_url + NOTIFICATION

    @property
    def spot(self) -> dict[str, Any]:
        return {"spot_account": SPOT_ACCOUNT, "spot_token": self.token}

    def run(self, module: str, **options: Any) -> dict[str, Any]:
        done = self.modules(module, **options)
        assert done
        assert not done.failed, done.message
        return dict(done.answer)

    def heal(self, *, sweep: bool = False) -> None:
        """Do what a run of the playbook does."""
        received = self.run("spot_heal_queue", region=HOME, wait=0, state="read" if sweep else "received")
        messages = received["messages"].get(NAME, [])
        if not (messages or sweep):
            return
        self.attempts += [] if sweep else [time.time()]
        account: dict[str, Any] = {"invocation_endpoint": self.endpoint, **self.spot, "regions": [HOME, LOST]}
        preflight = self.run(
            "spot_preflight_info", name=NAME, spot_api_url=self.house.spot_url, require_spot=False, proof="notification", **account
        )
        regions = [HOME, LOST] if sweep else sorted({message["region"] for message in messages})
        read = {**account, "regions": regions, "evidence_hours": 0, "aws_account": AWS_ACCOUNT}
        info = self.run("spot_integration_info", name=NAME, role_name=NAME, **read)
        now = datetime.datetime.fromtimestamp(time.time(), datetime.timezone.utc)
        healing = Healing("production", SPOT_ACCOUNT, preflight, info, messages, received["known"])
        assert healing.decide(now) == [], "a token that was not proved would be written"
        result = healing.end(now)
        whole = fleet([result], received, now)
        if whole["news"]:
            self.told.append((time.time(), whole["news"]))
        if result["healing"]["records"]:
            self.run("spot_heal_record", name=NAME, aws_account=AWS_ACCOUNT, records=result["healing"]["records"])
        known = whole["known"] if whole["known"] != received["known"] else ""
        self.run("spot_heal_queue", region=HOME, state="settled", delete=whole["delete"], postpone=whole["postpone"], known=known)


def test_a_token_that_is_revoked_for_a_day(history: History) -> None:
    day = Day(history)
    house = day.house
    house.revoke_token("admin")
    house.interrupt(LOST)
    assert house.settled()
    lost = day.hub.waiting()
    assert lost == 2
    house.clear_calls()
    house.clear_received()
    begin = time.time()
    proofs: list[int] = []
    for minute in range(DAY // MINUTE):
        house.clear_received()
        day.heal(sweep=minute % 60 == 59)
        proofs.append(len(house.received(NOTIFICATION)))
        house.clock.sleep(MINUTE)
    # The clock goes on while this test works, so that what is asked for each minute comes up to a minute and a little late.
    late = 2 * MINUTE
    # Two notifications, an hour apart.
    assert [[(item["kind"], item["cause"], item["region"], item["count"]) for item in news] for _, news in day.told] == [
        [("not_repaired", "no_proof", LOST, 1)],
        [("not_repaired", "no_proof", LOST, 2)],
    ]
    assert HOUR - MINUTE < day.told[1][0] - day.told[0][0] < HOUR + 10 * MINUTE
    # The pauses have grown to five minutes, and the events have ended as dead letters after more than an hour.
    pauses = [after - before for before, after in zip(day.attempts, day.attempts[1:], strict=False)]
    assert pauses[0] < MINUTE + late
    assert max(pauses) < 5 * MINUTE + late
    assert HOUR < day.attempts[-1] - begin < 3 * HOUR
    assert (day.hub.waiting(), day.hub.dead_letters()) == (0, lost)
    # One proof each time that there was something to do, and no write to the account.
    assert max(proofs) == 1
    assert sum(proofs) == len(day.attempts) + DAY // HOUR
    written = [call["operation"] for call in house.calls(writes=True) if call["service"] != "sqs"]
    assert written == []
    # Beside the pauses of its events, the hub's queue gets what people were told: once, and once more.
    queue = Counter(call["operation"] for call in house.calls(writes=True))
    assert (queue["TagQueue"], queue.keys()) == (2, {"TagQueue", "ChangeMessageVisibilityBatch"})
    # The region is as it was.
    assert house.boto3("events", LOST).describe_connection(Name=NAME)["ConnectionState"] == "DEAUTHORIZED"
