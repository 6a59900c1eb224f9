# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The sandbox put together: AWS, Spot and the control, each on a port of its own."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from . import corrections, events, fis, moto_app, organizations, roles
from .aws import Aws
from .cloudformation import CloudFormation
from .control import Control
from .delivery import Delivery
from .faults import Faults
from .scheduler import Scheduler
from .server import Server
from .settings import Settings
from .spot import Spot


class World:
    """Everything that a sandbox consists of. One per process: moto's state is global.

    Args:
        admin_token: the value of Spot's token `admin`, random by default.
        scheduler: what runs functions later; one with threads of its own by default.
        http: what sends deliveries to endpoints; urllib3 by default.
        urls: the addresses of aws, spot and control where no server has them; without it, each gets a server on a port of its own.
    """

    def __init__(
        self,
        admin_token: str | None = None,
        scheduler: Scheduler | None = None,
        http: Any = None,
        urls: dict[str, str] | None = None,
    ) -> None:
        self.settings = Settings()
        self.faults = Faults()
        self.scheduler = scheduler or Scheduler()
        self.spot = Spot(self.settings, self.faults, admin_token)
        self.aws = Aws(self.settings, self.faults)
        self.delivery = Delivery(self.settings, self.scheduler, lambda: self.urls["spot"], http)
        roles.install()
        corrections.install(self.settings)
        organizations.install()
        events.install(self.settings, self.scheduler, self.delivery)
        fis.install(self.interrupt)
        self.cloudformation = CloudFormation(self.settings, self.aws, lambda: self.urls["aws"])
        self.aws.own["cloudformation"] = self.cloudformation.answer
        self.aws.after["organizations"] = self.cloudformation.organization_changed
        self.control = Control(self)
        handlers = {"aws": self.aws.handle, "spot": self.spot.handle, "control": self.control.handle}
        self.servers = {} if urls else {name: Server(handler) for name, handler in handlers.items()}
        self.urls = urls or {name: server.url for name, server in self.servers.items()}

    def start(self) -> None:
        """Begin to serve; the services that every run uses are imported by then."""
        moto_app.warm()
        self.cloudformation.reset()
        for server in self.servers.values():
            server.start()

    def described(self) -> dict[str, Any]:
        """Return what goes into the state file, less the process id."""
        return {
            **{f"{name}_url": url for name, url in self.urls.items()},
            "tokens": {token.name: token.value for token in self.spot.tokens.values()},
        }

    def reset(self) -> None:
        """Everything back to the start; only the values of the first tokens stay."""
        with moto_app.LOCK:
            self.scheduler.clear()
            self.delivery.reset()
            moto_app.reset()
            self.cloudformation.reset()
        self.settings.reset()
        self.faults.clear()
        self.aws.reset()
        self.delivery.wait_for_sent(1)  # or it would arrive in the world after this one
        self.spot.reset()

    def interrupt(
        self, region: str, account: str = "123456789012", instance_id: str | None = None, action: str = "terminate"
    ) -> dict[str, Any]:
        """Do as EC2 does: put a spot interruption warning on the default bus of an account and region."""
        instance_id = instance_id or f"i-{uuid4().hex[:17]}"
        with moto_app.LOCK:
            event, rules = events.backend(account, region).publish(
                "default",
                source="aws.ec2",
                detail_type="EC2 Spot Instance Interruption Warning",
                resources=[f"arn:aws:ec2:{region}a:instance/{instance_id}"],
                detail={"instance-id": instance_id, "instance-action": action},
            )
        return {"event_id": event["id"], "instance_id": instance_id, "rules_matched": len(rules), "rules": rules}
