# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A run that is killed at some moment, and started again."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.playbooks.aws_state import everything
from tests.integration.playbooks.runner import SPOT_ACCOUNT, Ansible
from tests.sandbox.client import Sandbox

pytestmark = pytest.mark.slow

HOME, REGION = "us-east-1", "eu-west-1"
REGIONS = [HOME, REGION, "ap-south-1"]

# What the run is just about to do, or has just done, when it is killed. Before a call, AWS keeps that one waiting, so the other
# regions are done with it; after a call, some region may have made it and others not.
MOMENTS = [
    ("before", "CreateRole", HOME),
    ("after", "CreateRole", HOME),
    ("after", "CreateQueue", REGION),
    ("before", "CreateConnection", REGION),
    ("after", "CreateConnection", REGION),
    ("after", "CreateApiDestination", REGION),
    ("before", "PutTargets", REGION),
    ("after", "PutTargets", REGION),
]


@pytest.fixture(scope="module")
def undisturbed(running: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What AWS has after a run that nobody killed."""
    running.reset()
    run = Ansible(running, tmp_path_factory.mktemp("undisturbed") / "home").onboard(regions=",".join(REGIONS))
    assert run.rc == 0
    return everything(running, REGIONS)


@pytest.mark.parametrize("moment", MOMENTS, ids=[" ".join(moment[:2]) for moment in MOMENTS])
def test_the_next_run_ends_where_an_undisturbed_one_does(
    undisturbed: dict[str, Any], ansible: Ansible, sandbox: Sandbox, moment: tuple[str, str, str]
) -> None:
    kill_at(ansible, *moment)
    assert ansible.seen_in_files([sandbox.tokens["admin"]]) == {}

    run = ansible.onboard(regions=",".join(REGIONS))
    assert run.rc == 0, run.output
    assert everything(sandbox, REGIONS) == undisturbed


def kill_at(ansible: Ansible, when: str, operation: str, region: str) -> None:
    """Start onboarding, and kill all of its processes at this moment."""
    sandbox = ansible.sandbox
    if when == "before":
        sandbox.add_fault({"hang": 60}, {"operation": operation, "region": region})
    given = (f"account={SPOT_ACCOUNT}", f"spot_api_url={sandbox.spot_url}", f"regions={','.join(REGIONS)}")
    running = ansible.start("playbooks/onboard.yml", "-vvv", *(word for text in given for word in ("-e", text)))

    def happened() -> bool:
        return any(when == "before" or call["status"] == 200 for call in sandbox.calls(operation=operation, region=region))

    assert running.kill_when(happened), f"{operation} was not called"
    sandbox.clear_faults()
