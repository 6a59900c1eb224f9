# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbooks for one account of the sandbox, the module that looks at it, and what there is in AWS."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.integration.modules.runner import Run as ModuleRun
from tests.integration.modules.runner import Runner
from tests.integration.playbooks.runner import ACCOUNT_REPORT, SPOT_ACCOUNT, Ansible, Run, Running
from tests.sandbox.client import NOTIFICATION, Sandbox

# What tells of more than the integration, and needs an interruption or a hand-over to tell anything.
EVIDENCE = {"deliveries", "dead_letters", "notification"}


class Account:
    """A Spot account of the sandbox.

    Args:
        folder: one that does not exist yet, for what the runs leave.
        regions: where its integration is looked at and worked on; None for all that are enabled.
        warm: see Ansible.
    """

    def __init__(
        self,
        sandbox: Sandbox,
        folder: Path,
        regions: Sequence[str] | None = None,
        spot_account: str = SPOT_ACCOUNT,
        warm: bool = True,
    ) -> None:
        self.sandbox = sandbox
        self.regions = regions
        self.spot_account = spot_account
        self.name = f"spot-interruption-{spot_account}"
        self.ansible = Ansible(sandbox, folder / "home", warm)
        (folder / "module").mkdir()
        self._module = Runner(sandbox.env(token=None), folder / "module", set(sandbox.tokens.values()))

    # The playbooks

    def onboard(self, *arguments: str, **options: Any) -> Run:
        return self.start("onboard", *arguments, **options).finish()

    def have_onboarded(self, token: str = "admin") -> None:
        """Make what onboarding makes, by the module alone, as a matter of course (test_account.py compares)."""
        run = self.integrate(token)
        assert not run.failed, run.message

    def integrate(self, token: str = "admin", *, check: bool = False) -> ModuleRun:
        """Run the module with which onboarding makes the integration."""
        return self._module(
            "spot_integration",
            check=check,
            name=self.name,
            role_name=self.name,
            spot_account=self.spot_account,
            spot_token=self.sandbox.tokens[token],
            invocation_endpoint=self.sandbox.spot_url + NOTIFICATION,
            tags={"ManagedBy": "spot.eventbridge", "SpotAccount": self.spot_account},
            regions=list(self.regions or self._enabled_regions()),
        )

    def have_watched(self, *, check: bool = False, **hub: Any) -> bool:
        """Make what the playbook watch makes, by its modules.

        Args:
            check: only predict it.
            hub: options of the hub.

        Returns:
            whether something changed, or would.
        """
        runs = [
            self._module(name, check=check, **options)
            for name, options in (
                ("spot_watch_hub", {"region": "us-east-1", **hub}),
                ("spot_watch", {"name": self.name, "regions": list(self.regions or self._enabled_regions())}),
            )
        ]
        assert [run.message for run in runs if run.failed] == []
        return any(run.changed for run in runs)

    def _enabled_regions(self) -> list[str]:
        return [region["RegionName"] for region in self.sandbox.boto3("ec2").describe_regions()["Regions"]]

    def have_onboarded_by_stacks(self) -> None:
        """The same, by CloudFormation."""
        run = self.onboard("-e", "spot_eventbridge_method=cloudformation")
        assert run.rc == 0, run.output

    def verify(self, *arguments: str, **options: Any) -> Run:
        return self.start("verify", *arguments, **options).finish()

    def repair(self, *arguments: str, **options: Any) -> Run:
        return self.start("repair", *arguments, **options).finish()

    def offboard(self, *arguments: str, **options: Any) -> Run:
        return self.start("offboard", *arguments, **options).finish()

    def start(self, playbook: str, *arguments: str, **options: Any) -> Running:
        """Start a playbook for this account; `options` are those of Ansible.start()."""
        given = [f"account={self.spot_account}", f"spot_api_url={self.sandbox.spot_url}"]
        given += [f"regions={','.join(self.regions)}"] if self.regions else []
        words = [word for text in given for word in ("-e", text)]
        return self.ansible.start(f"playbooks/{playbook}.yml", *words, *arguments, **options)

    # What is found

    def look(self, regions: Sequence[str] | None = None, token: str | None = "admin", key: str = "testing", **options: Any) -> Any:
        """Run spot_integration_info and return what it found, by region.

        Args:
            token: the name of the Spot token, if any.
            key: the AWS access key.
            options: further ones of the module.
        """
        given = {"spot_token": self.sandbox.tokens[token]} if token else {}
        self._module.environment["AWS_ACCESS_KEY_ID"] = key
        run = self._module(
            "spot_integration_info",
            **{"name": self.name, **options},
            spot_account=self.spot_account,
            invocation_endpoint=self.sandbox.spot_url + NOTIFICATION,
            regions=list(regions or self.regions or ()),
            **given,
        )
        assert not run.failed, run.message
        assert not run.changed
        return run.regions


def verification(run: Run) -> dict[str, Any]:
    """What the role verify leaves on its host, after the last look."""
    return [entry["result"] for entry in run.results if entry["action"] == ACCOUNT_REPORT][-1]


def lines(run: Run) -> list[str]:
    """The lines for people that a run shows at its end."""
    (found,) = [entry["result"]["lines"] for entry in run.results if entry["action"] == ACCOUNT_REPORT]
    return list(found)


def last_message(run: Run) -> str:
    """The message with which a run fails that has gone on after a failure, to tell of it with all others: one line."""
    assert run.rc != 0
    assert "Traceback" not in run.output
    message = run.messages()[-1]
    assert "\n" not in message.strip()
    return message


def statuses(found: dict[str, Any]) -> dict[str, str]:
    """The status by region."""
    return {region: entry["status"] for region, entry in found.items()}


def outcomes(entry: dict[str, Any]) -> dict[str, str]:
    """The outcome by check of all findings of a region that are no pass, without the evidence of deliveries."""
    return {
        finding["check"]: finding["outcome"]
        for finding in entry["findings"]
        if finding["outcome"] != "pass" and finding["check"] not in EVIDENCE
    }


def failed(entry: dict[str, Any]) -> set[str]:
    """The checks of a region that failed."""
    return {check for check, outcome in outcomes(entry).items() if outcome == "fail"}


def arns(entry: dict[str, Any]) -> dict[str, str]:
    """The ARN by kind of the resources of a region that are there."""
    keys = {"connection": "connection_arn", "api_destination": "api_destination_arn", "rule": "arn", "queue": "queue_arn"}
    return {kind: entry["resources"][kind][key] for kind, key in keys.items() if entry["resources"][kind]}


def writes(sandbox: Sandbox) -> list[str]:
    """The writing calls so far: region and operation."""
    return [f"{call['region']} {call['operation']}" for call in sandbox.calls(writes=True)]
