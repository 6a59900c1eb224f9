# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A sample of histories in which the playbooks do what modules do in the others.

python -m tests.histories.played [--histories 3] [--seed 1]

Ansible is another process, so AWS and Spot are servers here, and time is real. All else is the same: the drawn steps, what has to hold,
and the truth, as the sandbox is in this process. Nothing is killed, and one AWS account is enough.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
import types
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from tests.histories.hands import hands
from tests.histories.history import History
from tests.histories.machine import OPTIONS, PLACE, REGION, SOME_REGIONS, a_place
from tests.histories.shortening import script
from tests.histories.sites import SITES, Trouble
from tests.integration.modules.runner import Run
from tests.integration.modules.secrets_in import secrets_in
from tests.integration.playbooks.runner import Ansible
from tests.sandbox.client import Sandbox
from tests.sandbox.world import World

VARIABLES = {
    "maximum_event_age_in_seconds": "spot_eventbridge_event_age",
    "maximum_retry_attempts": "spot_eventbridge_retry_attempts",
    "invocation_rate_limit_per_second": "spot_eventbridge_rate_limit",
    "message_retention_period": "spot_eventbridge_queue_retention",
    "description": "spot_eventbridge_description",
    "on_existing": "spot_eventbridge_on_existing",
}
PLAYBOOKS = {("spot_integration", True): "onboard", ("spot_integration", False): "offboard", ("spot_integration_info", True): "verify"}


class Served(Sandbox):
    """A sandbox with servers in threads of this process. One at a time, and none in_process beside it, as moto's state is global."""

    def start(self, timeout: float = 120) -> Self:
        """Begin to serve."""
        self.world = World(self._token)
        self.world.start()
        self._know({"pid": os.getpid(), **self.world.described()})
        # Nothing takes its time here.
        self.clock = types.SimpleNamespace(sleep=lambda _seconds: None, time=time.time)
        return self

    def key_of(self, account: str) -> str:
        """Return an access key of the one AWS account."""
        assert account == SITES["first"].aws_account
        return "testing"


class Playbooks:
    """Runs the playbook in which a module is called in place of the module."""

    def __init__(self, sandbox: Served, ansible: Ansible) -> None:
        self.sandbox, self._ansible = sandbox, ansible
        self.tokens: set[str] = set(sandbox.tokens.values())

    def __call__(self, module: str, *, check: bool = False, watcher: Any = None, **given: Any) -> Run:
        """See InProcessModules; the result is what the module has returned in the playbook."""
        present = given.get("state", "present") == "present"
        variables = {
            "account": given.get("spot_account") or str(given["name"]).removeprefix("spot-interruption-"),
            "regions": ",".join(given["regions"]),
            "spot_api_url": self.sandbox.spot_url,
            **{variable: given[option] for option, variable in VARIABLES.items() if option in given},
        }
        results = self.play(PLAYBOOKS[module, present], variables, given.get("spot_token", ""), check=check)
        found = [entry for entry in results if entry["action"] == f"spot.eventbridge.{module}"]
        if not found:
            said = [str(entry["result"].get("msg")) for entry in results if entry["outcome"] == "failed"]
            return Run({"changed": False, "failed": True, "msg": " ".join(said), "regions": {}}, "")
        return Run({**found[-1]["result"], "failed": found[-1]["outcome"] != "ok"}, "")

    def play(self, playbook: str, variables: dict[str, Any], token: str, *, check: bool) -> list[dict[str, Any]]:
        """Run a playbook and return the results of its tasks."""
        words = ["-e", json.dumps(variables), "--diff", *(["--check"] if check else [])]
        given = token or self.sandbox.tokens["admin"]
        run = self._ansible.run(f"playbooks/{playbook}.yml", *words, token=None, env={"SPOTINST_TOKEN": given})
        assert secrets_in(run.output + json.dumps(run.results), self.tokens) == []
        assert self._ansible.seen_in_files(self.tokens) == {}
        assert "Traceback" not in run.output, run.output
        return run.results


class Played(History):
    """A history whose steps are runs of playbooks."""

    folder: ClassVar[Path]

    @classmethod
    def _house(cls) -> Served:
        cls.sandbox = cls.sandbox or Served().start()
        return cls.sandbox

    def _modules(self) -> Playbooks:
        self.house.settings(delivery_time_scale=0.001)
        return Playbooks(self.house, Ansible(self.house, Path(tempfile.mkdtemp(dir=self.folder)) / "home"))

    def _preflight(self, site: str, regions: Sequence[str]) -> bool:
        """The playbooks have one of their own; with a token that is not good, they must end with it."""
        if self._token_is_good(site):
            return True
        self.house.clear_calls()
        variables = {"account": SITES[site].spot_account, "regions": ",".join(regions), "spot_api_url": self.house.spot_url}
        results = self.modules.play("onboard", variables, self._token(site), check=False)
        self._demand(any(entry["outcome"] == "failed" for entry in results), "onboarding takes a token that is not good")
        self._demand(not self.house.calls(writes=True), "onboarding has written with a token that is not good")
        return False

    def heal(self, site: str, regions: Sequence[str], *, check: bool = False, trouble: Trouble | None = None) -> None:
        """Run the playbook heal as the sweep; what it says in the end is what verify says."""
        self._note("heal", site=site, regions=list(regions), check=check)
        before = self._all()
        variables = {"account": SITES[site].spot_account, "regions": ",".join(regions), "spot_api_url": self.house.spot_url, "sweep": True}
        self.modules.play("heal", variables, self._token(site), check=check)
        self._demand(not check or before == self._all(), "check mode of heal changed something")
        self._judge(site, regions)


SITE = st.sampled_from(["first", "first", "beside"])


class PlayedHistories(RuleBasedStateMachine):
    """The steps of a history of playbooks; see machine.py."""

    def __init__(self) -> None:
        super().__init__()
        self.history = Played()

    @initialize(site=SITE, regions=SOME_REGIONS, options=OPTIONS)
    def begin(self, site: str, regions: Sequence[str], options: dict[str, Any]) -> None:
        self.history.onboard(site, regions, **options)

    @rule(site=SITE, regions=SOME_REGIONS, options=OPTIONS, on_existing=st.sampled_from(["stop", "ignore", "adopt"]), check=st.booleans())
    def onboard(self, site: str, regions: Sequence[str], options: dict[str, Any], on_existing: str, check: bool) -> None:
        self.history.onboard(site, regions, on_existing=on_existing, check=check, **options)

    @rule(place=PLACE, what=st.sampled_from(["repair", "heal", "verify", "offboard", "notice", "refuse"]))
    def work(self, place: int, what: str) -> None:
        site, region = a_place(self.history, place)
        step = getattr(self.history, what)
        step(site, region) if what in ("notice", "refuse") else step(site, [region])

    @rule(place=PLACE, calls=st.lists(hands("events", "sqs", "iam"), min_size=1, max_size=3))
    def hands(self, place: int, calls: list[Any]) -> None:
        for call in calls:
            self.history.hand(*a_place(self.history, place), call)

    @rule(site=SITE, region=REGION, account=st.sampled_from([None, "act-00000001"]), hidden=st.booleans())
    def foreign(self, site: str, region: str, account: str | None, hidden: bool) -> None:
        self.history.foreign(site, region, account=account, hidden=hidden)

    @rule(site=SITE, name=st.sampled_from(["", "rotated-1"]))
    def token(self, site: str, name: str) -> None:
        if name:
            self.history.revoke(name)
        else:
            self.history.rotate(site)

    def teardown(self) -> None:
        if sys.exc_info()[1] is None:
            try:
                self.history.end()
            except Exception:
                print(script(self.history.steps), file=sys.stderr)
                raise
        print(f"{Played.begun}: {' '.join(step for step, _ in self.history.steps)}", flush=True)


def main() -> int:
    """Run the histories that the command line asks for; the first violation ends it."""
    parser = argparse.ArgumentParser(prog="python -m tests.histories.played")
    parser.add_argument("--histories", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--steps", type=int, default=4)
    given = parser.parse_args()
    chosen = settings(
        max_examples=given.histories,
        stateful_step_count=given.steps,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        print_blob=False,
    )
    PlayedHistories._hypothesis_internal_use_seed = given.seed  # type: ignore[attr-defined]
    with tempfile.TemporaryDirectory(prefix="played-") as folder:
        Played.folder = Path(folder)
        run_state_machine_as_test(PlayedHistories, settings=chosen)  # type: ignore[no-untyped-call]
    return 0


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    os._exit(status)  # the sandbox's threads have no end
