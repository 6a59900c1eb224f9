# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Measures on the sandbox how long a real ansible-rulebook needs to heal: one region, all regions of an account, a fleet after an outage.

Usage: python tests/bench/healing.py [single] [regions] [outage] [--repeat 10] [--accounts 100] [--outage 300] [--forks 10] [--limit 1200]

Needs a Java of version 17 or newer. All begin with a response 401 of Spot to a notice, and end with regions that are authorised; of
`single`, with the next notice that arrives. Onboarding and each part end after --limit seconds. Ends with status 1 if a goal is missed, or
if something did not end by then.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import signal
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.bench.fleet import command, start_over
from tests.bench.measure import REGIONS, measure
from tests.integration.eda.rulebook import Rulebook, java
from tests.integration.heal.hub import Hub, lose, told
from tests.sandbox.client import Sandbox

PARTS = ("single", "regions", "outage")
# That of the rulebook's credentials.
HUB_ACCOUNT = "123456789012"
# The accounts lose their authorisation within so many seconds of the outage.
LOSSES = 60.0


@dataclass
class Findings:
    """What was measured, beside its goal."""

    rows: list[tuple[str, float, float]] = field(default_factory=list)

    def note(self, what: str, at_most: float, found: float) -> None:
        """Keep a figure."""
        self.rows.append((what, at_most, found))
        print(f"{what}: {found:.1f}", flush=True)

    def show(self) -> bool:
        """Print each figure beside its goal; whether none is missed."""
        print(f"\n{'':62}  {'at most':>8}  {'measured':>8}")
        for what, at_most, found in self.rows:
            print(f"{what:62}  {at_most:8.1f}  {found:8.1f}  {'missed' if found > at_most else ''}".rstrip())
        return all(found <= at_most for _, at_most, found in self.rows)


class Fleet:
    """Accounts whose events come to one hub, and a rulebook that heals them."""

    def __init__(self, sandbox: Sandbox, folder: Path, size: int, forks: int, patience: float) -> None:
        self.sandbox, self.folder = sandbox, folder
        hosts = start_over(sandbox, 0.0, size)
        self.accounts = {spot: host["aws_account"] for spot, host in hosts.items()}
        begin = time.monotonic()
        measure(sandbox, command(sandbox, folder / "onboarded.json", hosts, forks))
        self.hub = Hub(sandbox, HUB_ACCOUNT).make(receives=20)
        self.hub.let_in(self.accounts.values())
        for spot, aws in self.accounts.items():
            self.hub.watch(f"spot-interruption-{spot}", REGIONS, aws, self.keys(aws))
        self.hub.purge()
        print(f"{size} account(s) in {len(REGIONS)} regions, onboarded and watched in {time.monotonic() - begin:.0f} s", flush=True)
        self.notifications = folder / "notifications"
        common = {
            "spot_api_url": sandbox.spot_url,
            "regions": ",".join(REGIONS),
            # The sandbox's accounts were authorised just now.
            "spot_eventbridge_heal_minimum_distance": 0,
            "spot_eventbridge_watch_hub_account": HUB_ACCOUNT,
            "spot_eventbridge_watch_hub_assume_role_arn": f"arn:aws:iam::{HUB_ACCOUNT}:role/Spot",
            "spot_eventbridge_notify_file": {"folder": str(self.notifications)},
        }
        (folder / "home").mkdir()
        self.rulebook = Rulebook(sandbox, folder, folder / "home", {spot: {**common, **host} for spot, host in hosts.items()}, patience)
        (folder / "ansible.cfg").write_text(f"[defaults]\nforks = {forks}\ninternal_poll_interval = 0.05\n", encoding="utf-8")

    @functools.cache  # noqa: B019
    def keys(self, aws_account: str) -> dict[str, Any]:
        """Credentials of an account."""
        role = {"RoleArn": f"arn:aws:iam::{aws_account}:role/Spot", "RoleSessionName": "bench"}
        issued = self.sandbox.boto3("sts").assume_role(**role)["Credentials"]
        return {
            "access_key": issued["AccessKeyId"],
            "aws_secret_access_key": issued["SecretAccessKey"],
            "aws_session_token": issued["SessionToken"],
        }

    def lost(self, regions: Sequence[str] = REGIONS) -> list[tuple[str, str]]:
        """The accounts and regions without authorisation."""
        found = []
        for spot, aws in self.accounts.items():
            for region in regions:
                events = self.sandbox.boto3("events", region, **self.keys(aws))
                if events.describe_connection(Name=f"spot-interruption-{spot}")["ConnectionState"] != "AUTHORIZED":
                    found.append((spot, region))
        return found

    def authorized(self) -> list[dict[str, Any]]:
        """The calls that have authorised a connection again."""
        return [call for call in self.sandbox.calls(operation="UpdateConnection") if call["status"] == 200]

    def forget(self) -> None:
        """Wait until nothing is left to do, and forget what was seen."""
        self.rulebook.until(lambda: not self.rulebook.playbooks() and self.hub.waiting() == 0)
        self.sandbox.clear_calls()
        self.sandbox.clear_received()


def _parent(pid: int) -> int:
    """The parent of a process."""
    return int(Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[1])


class Runs:
    """Notes when playbooks run."""

    def __init__(self, rulebook: Rulebook) -> None:
        self.begun: list[float] = []
        self._rulebook, self._over = rulebook, threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Runs:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        seen: set[int] = set()
        while not self._over.wait(0.5):
            playbooks = self._rulebook.playbooks()
            for pid in playbooks:
                # The others are workers of the first one, which have sessions of their own.
                with contextlib.suppress(OSError):
                    if pid not in seen and _parent(pid) not in {*playbooks, *seen}:
                        seen.add(pid)
                        self.begun.append(time.time())

    def of(self, moment: float) -> int:
        """The number of the run at this time."""
        return sum(begin <= moment for begin in self.begun)


def single(fleet: Fleet, repeat: int, findings: Findings) -> None:
    """One region after the other: from the response 401 to the next notice that arrives."""
    account = next(iter(fleet.accounts.values()))
    found = []
    for number in range(repeat):
        region = REGIONS[number % len(REGIONS)]
        fleet.forget()
        begin = time.time()
        lose(fleet.sandbox, region, account=account)
        fleet.rulebook.until(lambda: bool(fleet.authorized()))
        fleet.sandbox.clear_received()
        fleet.sandbox.interrupt(region, account)
        fleet.rulebook.until(lambda: [note["status"] for note in fleet.sandbox.notifications()] == [200])
        found.append(time.time() - begin)
        print(f"{region}: {_way(fleet, begin)}, next notice {found[-1]:.1f} s", flush=True)
    findings.note(f"one 401: seconds to the next notice, median of {repeat}", 10, statistics.median(found))


def _way(fleet: Fleet, begin: float) -> str:
    """When the first call of each step was made, in seconds since the loss."""
    calls = fleet.sandbox.calls()
    steps = {"received": "ReceiveMessage", "read": "DescribeConnection", "written": "UpdateConnection"}
    times = {
        word: min((call["time"] for call in calls if call["operation"] == name and call["time"] > begin), default=0.0)
        for word, name in steps.items()
    }
    return ", ".join(f"{word} {moment - begin:.1f} s" for word, moment in times.items() if moment)


def regions(fleet: Fleet, findings: Findings) -> None:
    """All regions of an account at once."""
    account = next(iter(fleet.accounts.values()))
    fleet.forget()
    begin = time.time()
    lose(fleet.sandbox, *REGIONS, account=account)
    _until_authorized(fleet, {account}, begin)
    findings.note(
        f"{len(REGIONS)} regions at once: seconds until all are authorised", 30, max(call["ended"] for call in fleet.authorized()) - begin
    )
    assert fleet.lost() == []


def _until_authorized(fleet: Fleet, accounts: set[str], since: float) -> None:
    expected = {(account, region) for account in accounts for region in REGIONS}

    def done() -> bool:
        return expected <= {(call["account"], call["region"]) for call in fleet.authorized() if call["time"] > since}

    # The times are those of the calls. To look at thousands of them takes what it measures longer.
    fleet.rulebook.until(done, pause=0.003 * len(expected))


def outage(fleet: Fleet, seconds: float, findings: Findings) -> None:
    """All accounts lose all regions in an outage of Spot."""
    size, sandbox = len(fleet.accounts), fleet.sandbox
    fleet.forget()
    before = len(told(fleet.notifications))
    with Runs(fleet.rulebook) as runs:
        begin = time.time()
        sandbox.start_outage()
        for number, account in enumerate(fleet.accounts.values()):
            time.sleep(max(0.0, begin + LOSSES * number / size - time.time()))
            for region in REGIONS:
                sandbox.interrupt(region, account)
        lasted = time.time() - begin
        assert sandbox.settled(60)
        print(f"{size * len(REGIONS)} regions lost within {lasted:.0f} s", flush=True)
        time.sleep(max(0.0, begin + seconds - time.time()))
        assert fleet.authorized() == [], "a token was written during the outage"
        during = len(told(fleet.notifications)) - before
        sandbox.end_outage()
        end = time.time()
        print(f"the outage ends after {end - begin:.0f} s and {len(runs.begun)} runs", flush=True)
        _until_authorized(fleet, set(fleet.accounts.values()), end)
        healed = max(call["ended"] for call in fleet.authorized()) - end
        fleet.rulebook.until(lambda: not fleet.rulebook.playbooks())
        calls = sandbox.calls()
        counts = Counter(call["operation"] for call in calls if call["time"] > end)
        print(f"first region after {min(call['ended'] for call in fleet.authorized()) - end:.0f} s; calls for each region:", flush=True)
        print("".join(f"  {number / size / len(REGIONS):5.2f} {operation}\n" for operation, number in counts.most_common()), end="")
        proofs = Counter((note["query"].get("accountId"), runs.of(note["time"]), note["status"]) for note in sandbox.proofs())
        print(f"all well {healed:.0f} s after its end; {len(runs.begun)} runs, {sum(proofs.values())} proofs", flush=True)
    what = f"{size} accounts x {len(REGIONS)} regions, outage of {seconds:.0f} s"
    findings.note(f"{what}: seconds after its end", 120, healed)
    findings.note("  proofs of the token per account and attempt", 1, max(proofs.values()))
    findings.note("  notifications of the outage", 1, during)
    findings.note("  notifications of its end", 1, len(told(fleet.notifications)) - before - during)
    assert fleet.lost() == []


def _out_of_time(*_: object) -> None:
    raise TimeoutError("it did not end within --limit seconds")


@contextlib.contextmanager
def bounded(what: str, seconds: int, failed: list[str]) -> Iterator[None]:
    """End what takes longer, and keep what failed."""
    signal.alarm(seconds)
    try:
        yield
    except (AssertionError, TimeoutError) as error:
        print(f"{what}: {error}", file=sys.stderr)
        failed.append(what)
    finally:
        signal.alarm(0)


def main() -> int:
    """Measure what the command line names, or all."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("what", nargs="*", help=f"{', '.join(PARTS)}; all by default")
    arguments.add_argument("--repeat", type=int, default=10, help="single losses")
    arguments.add_argument("--accounts", type=int, default=100, help="accounts of the fleet")
    arguments.add_argument("--outage", type=float, default=300, help="seconds that the outage lasts")
    arguments.add_argument("--forks", type=int, default=10, help="how many accounts at a time")
    arguments.add_argument("--limit", type=int, default=1200, help="seconds after which onboarding, and each part, ends")
    given = arguments.parse_args()
    unknown = set(given.what) - set(PARTS)
    if unknown:
        arguments.error(f"there is no {', '.join(sorted(unknown))}")
    if not java():
        arguments.error("ansible-rulebook needs a Java of version 17 or newer")
    parts, findings = given.what or PARTS, Findings()
    measures: dict[str, tuple[int, Callable[[Fleet], None]]] = {
        "single": (1, lambda fleet: single(fleet, given.repeat, findings)),
        "regions": (1, lambda fleet: regions(fleet, findings)),
        "outage": (given.accounts, lambda fleet: outage(fleet, given.outage, findings)),
    }
    signal.signal(signal.SIGALRM, _out_of_time)
    failed: list[str] = []
    for size in sorted({measures[part][0] for part in parts}):
        of_size = [part for part in PARTS if part in parts and measures[part][0] == size]
        with (
            Sandbox(max_seconds=given.limit * (len(of_size) + 1) + 60, settings={"queue_name_seconds": 0}) as sandbox,
            tempfile.TemporaryDirectory() as folder,
            contextlib.ExitStack() as started,
            bounded("onboarding", given.limit, failed),
        ):
            fleet = Fleet(sandbox, Path(folder), size, given.forks, given.limit)
            started.callback(fleet.rulebook.stop)
            fleet.rulebook.start()
            for part in of_size:
                with bounded(part, given.limit, failed):
                    measures[part][1](fleet)
    return 0 if findings.show() and not failed else 1


if __name__ == "__main__":
    sys.exit(main())
