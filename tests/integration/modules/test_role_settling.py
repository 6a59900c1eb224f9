# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later


"""The first seconds of an execution role: EventBridge cannot assume it yet, and no notice of this time may be lost."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.modules.aws import NAME, REGION, ROLE_ARN, SPOT_ACCOUNT, Aws
from tests.integration.modules.conftest import TEMPLATE
from tests.integration.modules.runner import Runner
from tests.sandbox.client import NOTIFICATION, Sandbox

# Seconds: how long EventBridge cannot assume a new role in the sandbox, and what the modules think that this can take.
SPREAD, SETTLE = 2.0, 3.0
REFUSED = {"error": {"status": 400, "code": "AccessDeniedException", "message": "No."}}


class Notices:
    """EC2 gives notice ten times a second in each region, from the beginning to the end."""

    def __init__(self, sandbox: Sandbox, *regions: str) -> None:
        self._sandbox, self._regions = sandbox, regions
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._give)
        self.matched: list[str] = []
        self.unmatched = 0

    def _give(self) -> None:
        while not self._end.wait(0.1):
            for region in self._regions:
                given = self._sandbox.interrupt(region)
                if given["rules_matched"]:
                    self.matched.append(given["event_id"])
                else:
                    self.unmatched += 1

    def start(self) -> None:
        self._thread.start()

    def outcomes(self) -> list[str]:
        """Stop, and return what became of each notice that a rule sent to its target, the first one first.

        A rule that has no target yet loses nothing: until then, Spot polls.
        """
        if not self._end.is_set():
            time.sleep(SPREAD + 0.5)  # until the role can be assumed in any case
            self._end.set()
            self._thread.join()
        assert self._sandbox.settled()
        ends = [self._sandbox.deliveries(event_id=event)[-1:] for event in self.matched]
        return [end[0]["outcome"] for end in ends if end]

    def end(self) -> None:
        self._end.set()
        self._thread.join()


@pytest.fixture
def notices(sandbox: Sandbox) -> Iterator[Notices]:
    sandbox.settings(role_spread_seconds=SPREAD, delivery_time_scale=0.01)
    given = Notices(sandbox, REGION)
    given.start()
    yield given
    given.end()


@pytest.fixture
def integrate(run: Runner, sandbox: Sandbox) -> Any:
    def call(regions: tuple[str, ...] = (REGION,), **more: Any) -> Any:
        given: dict[str, Any] = {"name": NAME, "spot_account": SPOT_ACCOUNT, "spot_token": sandbox.tokens["editor"], "role_name": NAME}
        endpoint = f"{sandbox.spot_url}{NOTIFICATION}"
        given.update({"role_settle_time": SETTLE, "regions": list(regions), "invocation_endpoint": endpoint, **more})
        return run("spot_integration", **{key: value for key, value in given.items() if value is not None})

    return call


def test_no_notice_of_the_first_seconds_is_lost(integrate: Any, notices: Notices) -> None:
    assert not integrate().failed
    outcomes = notices.outcomes()
    assert len(outcomes) > 5
    assert set(outcomes) == {"delivered"}
    assert len(notices.matched) - len(outcomes) <= 1, "the rule has its target at once"
    assert notices.unmatched > 5, "no notice was given before the rule was made, when Spot still polls"


def test_without_the_time_notices_become_dead_letters(integrate: Any, sandbox: Sandbox, notices: Notices) -> None:
    # What the time is for: without it, the sandbox loses notices as AWS does.
    assert not integrate(role_settle_time=0).failed
    outcomes = notices.outcomes()
    assert (outcomes[0], outcomes[-1]) == ("dead-lettered", "delivered")
    errors = {attempt["error"] for attempt in sandbox.deliveries(outcome="dead-lettered")}
    assert all("is not authorized to perform: sts:AssumeRole" in error for error in errors)


def test_a_run_that_made_the_role_and_nothing_else_is_completed_without_a_loss(integrate: Any, sandbox: Sandbox, notices: Notices) -> None:
    sandbox.add_fault(REFUSED, {"operation": "CreateQueue"})
    assert integrate().failed
    sandbox.clear_faults()
    done = integrate()
    assert (done.failed, done.answer["execution_role"]["action"]) == (False, "unchanged")
    assert set(notices.outcomes()) == {"delivered"}


@pytest.mark.slow
def test_a_role_that_was_removed_and_made_again_is_waited_for(integrate: Any, sandbox: Sandbox, notices: Notices) -> None:
    assert not integrate().failed
    assert not integrate(state="absent").failed
    assert not integrate().failed
    assert set(notices.outcomes()) == {"delivered"}


def test_a_rule_is_not_made_before_a_role_made_elsewhere_has_settled(run: Runner, sandbox: Sandbox, aws: Aws, notices: Notices) -> None:
    connection = aws.connection(sandbox.tokens["editor"])
    aws.destination(connection, endpoint=f"{sandbox.spot_url}{NOTIFICATION}")
    aws.role()
    done = run("spot_interruption_rule", name=NAME, role_arn=ROLE_ARN, regions=[REGION], role_settle_time=SETTLE)
    assert not done.failed
    assert set(notices.outcomes()) == {"delivered"}


@pytest.mark.slow
def test_a_stack_has_its_target_when_the_role_can_be_assumed(run: Runner, sandbox: Sandbox, notices: Notices) -> None:
    # CloudFormation puts a rule's target half a minute after the rule (tests/contract/records/stacks.yml, stack-durations).
    sandbox.settings(stack_seconds=0, stack_time_scale=SETTLE / 30)
    template = {"template_body": TEMPLATE.read_text(), "parameters": {"Endpoint": f"{sandbox.spot_url}{NOTIFICATION}"}}
    given = {"stack_name": NAME, "spot_account": SPOT_ACCOUNT, "spot_token": sandbox.tokens["editor"], "regions": [REGION]}
    assert not run("spot_stack", invocation_endpoint=f"{sandbox.spot_url}{NOTIFICATION}", **given, **template).failed
    assert set(notices.outcomes()) == {"delivered"}


# Where nothing is waited for


def test_all_regions_wait_at_the_same_time(integrate: Any, sandbox: Sandbox) -> None:
    regions = ("us-east-1", REGION, "ap-southeast-2")
    assert not integrate(regions).failed
    made = next(call["time"] for call in sandbox.calls(operation="CreateRole"))
    rules = [call["time"] - made for call in sandbox.calls(operation="PutRule")]
    assert (len(rules), min(rules) >= SETTLE, max(rules) < 2 * SETTLE) == (3, True, True)


def test_check_mode_does_not_wait(integrate: Any) -> None:
    begin = time.monotonic()
    assert not integrate(check=True, role_settle_time=600).failed
    assert time.monotonic() - begin < 60


def test_an_unchanged_rule_is_not_waited_for_and_the_role_not_read_again(integrate: Any, sandbox: Sandbox) -> None:
    integrate(role_settle_time=0)
    sandbox.clear_calls()
    begin = time.monotonic()
    assert not integrate(role_settle_time=600).changed
    assert time.monotonic() - begin < 60
    assert len(sandbox.calls(operation="GetRole")) == 1


def test_a_role_that_is_old_enough_is_not_waited_for(integrate: Any, sandbox: Sandbox) -> None:
    integrate(role_settle_time=0)
    time.sleep(SETTLE + 1)  # IAM's times have whole seconds
    begin = time.monotonic()
    done = integrate((REGION, "us-east-1"), role_settle_time=SETTLE)
    assert (done.failed, done.actions["us-east-1"]) == (False, "created")
    (made,) = (call["time"] for call in sandbox.calls(operation="CreateApiDestination", region="us-east-1"))
    (rule,) = (call["time"] for call in sandbox.calls(operation="PutRule", region="us-east-1"))
    assert rule - made < SETTLE
    assert time.monotonic() - begin < 60


def test_the_environment_sets_the_time(run: Runner, integrate: Any, sandbox: Sandbox) -> None:
    run.environment["SPOT_EVENTBRIDGE_ROLE_SETTLE_TIME"] = "1.5"
    assert not integrate(role_settle_time=None).failed
    (made,) = (call["time"] for call in sandbox.calls(operation="CreateRole"))
    (rule,) = (call["time"] for call in sandbox.calls(operation="PutRule"))
    assert 1.5 <= rule - made < 10
