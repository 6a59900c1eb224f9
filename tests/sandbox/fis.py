# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""FIS on moto: an experiment that sends spot instance interruptions lets EC2 emit the warning of each of its instances."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from moto.ec2.models import ec2_backends
from moto.fis.models import FISBackend, fis_backends

from .roles import create_service_linked

LINKED_SERVICE = "fis.amazonaws.com"
SERVICE_LINKED_ROLE = "AWSServiceRoleForFIS"
ACTION = "aws:ec2:send-spot-instance-interruptions"
Interrupt = Callable[..., Any]


def install(interrupt: Interrupt) -> None:
    """Put the correction into moto's place.

    Args:
        interrupt: lets EC2 emit a warning: region, account, instance_id.
    """

    class CorrectedFis(FISBackend):
        """Emits the warnings; moto only keeps a record."""

        @property
        def _url_module(self) -> Any:
            from moto.fis import urls

            return urls  # moto derives it from the name of the class's module

        def start_experiment(self, *arguments: Any, **named: Any) -> dict[str, Any]:
            experiment: dict[str, Any] = super().start_experiment(*arguments, **named)
            create_service_linked(self.account_id, LINKED_SERVICE, SERVICE_LINKED_ROLE)
            for arn in _interrupted(experiment):
                instance_id = arn.rpartition("/")[2]
                if not _is_running_spot(self.account_id, self.region_name, instance_id):
                    return _failed(self, experiment, "Target resolution returned empty set")
                interrupt(region=self.region_name, account=self.account_id, instance_id=instance_id)
            return experiment

    fis_backends.backend = CorrectedFis


def _interrupted(experiment: dict[str, Any]) -> list[str]:
    names = [action["targets"]["SpotInstances"] for action in experiment["actions"].values() if action["actionId"] == ACTION]
    return [arn for name in names for arn in experiment["targets"][name]["resourceArns"]]


def _is_running_spot(account: str, region: str, instance_id: str) -> bool:
    instances = [instance for instance in ec2_backends[account][region].all_instances() if instance.id == instance_id]
    return bool(instances) and instances[0].lifecycle == "spot" and instances[0].state == "running"


def _failed(backend: FISBackend, experiment: dict[str, Any], reason: str) -> dict[str, Any]:
    backend.experiments[experiment["id"]].status = "failed"
    return experiment | {"state": {"status": "failed", "reason": reason}}
