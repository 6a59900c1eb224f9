# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Some accounts of a Spot organisation, each with an AWS account of its own, and the playbooks over all of them."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.integration.playbooks.aws_state import everything
from tests.integration.playbooks.runner import FLEET_REPORT, Ansible, Run, Running
from tests.sandbox.client import Sandbox

REGIONS = ["us-east-1", "eu-west-1", "ap-south-1"]
ROLE = "SpotEventBridge"


class Fleet:
    """Accounts act-f1ee0001 and so on, in the AWS accounts 100000000001 and so on.

    Args:
        home: a folder that does not exist yet.
        size: how many accounts there are.
        accounts: others instead, each with its AWS account.
        warm: see Ansible.
    """

    def __init__(
        self,
        sandbox: Sandbox,
        home: Path,
        size: int = 3,
        regions: Sequence[str] = REGIONS,
        accounts: dict[str, str] | None = None,
        *,
        warm: bool = True,
    ) -> None:
        self.sandbox = sandbox
        self.regions = regions
        self.ansible = Ansible(sandbox, home, warm)
        self.accounts = accounts or {f"act-f1ee{number:04x}": f"1{number:011}" for number in range(1, size + 1)}
        sandbox.add_spot_accounts([{"accountId": spot, "providerExternalId": aws} for spot, aws in self.accounts.items()])
        self.inventory = self.write_inventory(home / "inventory.json")

    def write_inventory(self, path: Path, accounts: Sequence[str] | None = None, **variables: Any) -> Path:
        """Write an inventory of these accounts, or all; `variables` are those of each host."""
        hosts = {
            spot: {"aws_account": aws, "aws_role_arn": f"arn:aws:iam::{aws}:role/{ROLE}", **variables}
            for spot, aws in self.accounts.items()
            if accounts is None or spot in accounts
        }
        path.write_text(json.dumps({"spot_accounts": {"hosts": hosts}}), encoding="utf-8")
        return path

    def run(self, playbook: str, *arguments: str, timeout: float = 240, **options: Any) -> Run:
        return self.start(playbook, *arguments, **options).finish(timeout)

    def start(self, playbook: str, *arguments: str, inventory: Path | None = None, **options: Any) -> Running:
        given = {"spot_api_url": self.sandbox.spot_url, "regions": ",".join(self.regions)}
        extra = [word for name, value in given.items() for word in ("-e", f"{name}={value}")]
        return self.ansible.start(f"playbooks/{playbook}.yml", "-i", str(inventory or self.inventory), *extra, *arguments, **options)

    def typed(self, line: str) -> Run:
        """Type a line of a guide, in the folder of the inventory, which has nothing to do with the checkout."""
        program, *words = shlex.split(line)
        assert program == "ansible-playbook"
        given = {"spot_api_url": self.sandbox.spot_url, "regions": ",".join(self.regions)}
        extra = [word for name, value in given.items() for word in ("-e", f"{name}={value}")]
        return self.ansible.run(words[0], *words[1:], *extra, cwd=self.inventory.parent, timeout=240)

    def lose(self, spot_account: str, region: str) -> None:
        """Spot answers a warning of this account and region with 401: AWS switches the region off."""
        self.sandbox.add_fault({"status": 401}, {"target": "spot", "operation": "POST"}, times=1)
        self.sandbox.interrupt(region, self.accounts[spot_account])
        assert self.sandbox.settled()
        self.sandbox.clear_faults()

    def state(self) -> dict[str, Any]:
        """All that there is in the AWS accounts, by Spot account; see aws_state."""
        return {spot: everything(self.of(spot), self.regions) for spot in self.accounts}

    def of(self, spot_account: str) -> InAccount:
        """The sandbox as somebody in the AWS account of a Spot account sees it."""
        return InAccount(self.sandbox, self.accounts[spot_account])


class InAccount:
    """The sandbox as somebody in another AWS account sees it."""

    def __init__(self, sandbox: Sandbox, aws_account: str) -> None:
        self._sandbox = sandbox
        role = {"RoleArn": f"arn:aws:iam::{aws_account}:role/Reader", "RoleSessionName": "test"}
        keys = sandbox.boto3("sts").assume_role(**role)["Credentials"]
        self._keys = {"access_key": keys["AccessKeyId"], "aws_session_token": keys["SessionToken"]}

    def boto3(self, service: str, region: str = "us-east-1") -> Any:
        return self._sandbox.boto3(service, region, **self._keys, aws_secret_access_key="any")


def lines(run: Run) -> list[str]:
    """The table over all accounts, without its heading, the line above it and the next step below it."""
    (table,) = [entry["result"]["lines"] for entry in run.results if entry["action"] == FLEET_REPORT and "lines" in entry["result"]]
    return [line for line in table[2:] if not line.startswith("Next: ")]


def table(run: Run) -> dict[str, str]:
    """The table over all accounts: the rest of the line by account."""
    return {line.split()[0]: " ".join(line.split()[1:]) for line in lines(run)}
