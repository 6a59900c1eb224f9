# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who and what histories are about: the accounts, what is desired of them, and what goes wrong."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

REGIONS = ("us-east-1", "eu-west-1", "ap-south-1")
Json = dict[str, Any]


@dataclass(frozen=True)
class Site:
    """A Spot account, and the AWS account in which its integration is."""

    spot_account: str
    aws_account: str = "123456789012"

    @property
    def name(self) -> str:
        """The name of all its resources."""
        return f"spot-interruption-{self.spot_account}"


SITES = {
    "first": Site("act-d7320fba"),
    "beside": Site("act-5a9d1c02"),
    "elsewhere": Site("act-b1e4f7a3", "210987654321"),
}
BROKEN = ("inactive", "failing", "incomplete", "drifted")


@dataclass
class Trouble:
    """What goes wrong during one run of a module.

    Attributes:
        call: the number of the call at which it happens; the first is 0.
        what: kill, kill_after, a name of FAULTS, or a step of another run that comes in between.
        times: how many calls a fault strikes.
    """

    call: int
    what: str
    times: int = 1


FAULTS: dict[str, Json] = {
    "throttle": {"throttle": True},
    "error": {"error": {"status": 500}},
    "unavailable": {"error": {"status": 503, "code": "ServiceUnavailable", "message": "Later"}},
    "conflict": {"error": {"status": 400, "code": "ConcurrentModificationException", "message": "Somebody was faster"}},
    "denied": {"error": {"status": 400, "code": "AccessDeniedException", "message": "Not allowed"}},
    "limit": {"error": {"status": 400, "code": "LimitExceededException", "message": "Too many"}},
    "drop": {"drop": True},
    "lost_answer": {"lost_answer": True},
    "garbage": {"garbage": True},
    "partial": {"partial": True},
}
# After one of these, what is desired is made within the same run.
TRANSIENT = ("throttle", "error", "unavailable", "drop", "lost_answer", "partial")
SECOND_RUNS = ("onboard", "offboard", "verify")


@dataclass
class Place:
    """What this history has desired of a site: its options, its token, and the regions in which it was onboarded last.

    Attributes:
        stack: whether it is deployed by a stack in each region.
        stack_set: whether it is deployed by a stack set.
        revision: of the token in the stack set; another one has it written again.
        adopting: whether adopting from its stacks has begun and not succeeded; it is then tried again before anything else is done.
    """

    options: Json = field(default_factory=dict)
    token: str = "admin"
    regions: tuple[str, ...] = ()
    stack: bool = False
    stack_set: bool = False
    revision: int = 1
    adopting: bool = False


Step = tuple[str, Json]
"""The name of a method of History, and its arguments."""


class Violation(AssertionError):
    """What has to hold does not."""
