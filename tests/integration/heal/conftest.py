# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An account that is watched."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.integration.heal.hub import Hub, lose, told
from tests.integration.playbooks.runner import Run, Running
from tests.integration.verify.account import Account
from tests.sandbox.client import Sandbox

REGIONS = ["us-east-1", "eu-west-1", "ap-south-1"]
# Losses of a test come within seconds.
SOON = {"spot_eventbridge_heal_minimum_distance": 0, "spot_eventbridge_heal_wait": 1}


@dataclass
class Watched:
    """An account whose events come to a hub."""

    sandbox: Sandbox
    account: Account
    hub: Hub
    notifications: Path

    def heal(self, *arguments: str, **options: Any) -> Run:
        """Run the playbook, see `start`."""
        return self.start(*arguments, **options).finish()

    def start(self, *arguments: str, token: str = "admin", env: dict[str, str | None] | None = None, **variables: Any) -> Running:
        """Start the playbook; `variables` are extra ones."""
        channel = {"spot_eventbridge_notify_file": {"folder": str(self.notifications)}}
        return self.account.start("heal", *arguments, "-e", json.dumps({**SOON, **channel, **variables}), token=token, env=env)

    def lose(self, *regions: str) -> None:
        lose(self.sandbox, *regions)

    def told(self) -> list[tuple[str, str, str]]:
        """What people were told: kind, cause and region of each news, in order."""
        return [(item["kind"], item["cause"], item["region"]) for report in told(self.notifications) for item in report["healing"]]

    def states(self) -> dict[str, str]:
        """The state of the connection by region."""
        clients = {region: self.sandbox.boto3("events", region) for region in REGIONS}
        return {region: events.describe_connection(Name=self.account.name)["ConnectionState"] for region, events in clients.items()}

    def written(self) -> set[str]:
        """What was written to the account: region and operation. Receiving is in the sandbox's log as writing, too."""
        return {f"{call['region']} {call['operation']}" for call in self.sandbox.calls(writes=True) if call["service"] != "sqs"}

    def repairs(self) -> dict[str, int]:
        """How often a token was written, by region."""
        calls = [call["region"] for call in self.sandbox.calls(operation="UpdateConnection")]
        return {region: calls.count(region) for region in set(calls)}


@pytest.fixture
def watched(sandbox: Sandbox, tmp_path: Path) -> Watched:
    sandbox.settings(visibility_time_scale=0.01)
    (tmp_path / "account").mkdir()
    account = Account(sandbox, tmp_path / "account", regions=REGIONS)
    account.have_onboarded()
    account.have_watched(maximum_receives=4)
    hub = Hub(sandbox)
    hub.purge()
    sandbox.clear_calls()
    sandbox.clear_received()
    return Watched(sandbox, account, hub, tmp_path / "notifications")
