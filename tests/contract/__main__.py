# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Replays the records against AWS: python tests/contract --account 123456789012 --region us-east-1

Credentials are those of the environment, as boto3 finds them. What it makes and what that costs is said before it begins. It removes
all that it has made, and what a run before it has left.
"""

from __future__ import annotations

import argparse
import os
import re
import secrets
import signal
import sys
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor, as_completed
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parents[2]
sys.path[0] = str(CHECKOUT)

from botocore.exceptions import BotoCoreError, ClientError  # noqa: E402

from tests.contract.cleanup import Cleanup  # noqa: E402
from tests.contract.records import Record, load  # noqa: E402
from tests.contract.replay import DIFFERENT, NOT_ASKED, PREFIX, TAG, Outcome, Target, replay  # noqa: E402
from tests.contract.report import Mask, lines, recorded  # noqa: E402

SAME_EXIT, DIFFERENT_EXIT, USAGE_EXIT, LEFT_EXIT = 0, 1, 2, 3
_UNREACHABLE_IN_A_ROW = 3
_MADE = {
    "events.CreateConnection": "connections",
    "events.CreateApiDestination": "API destinations",
    "events.PutRule": "rules",
    "sqs.CreateQueue": "queues",
    "iam.CreateRole": "roles",
    "cloudformation.CreateStack": "stacks",
    "cloudformation.CreateChangeSet": "change sets",
}
# US dollars for each call, us-east-1, November 2026. All other calls are free, as are stacks of AWS's own types and a connection's secret.
_PRICES = {"events.PutEvents": 1e-6, "sqs.": 4e-7, "secretsmanager.": 5e-6, "cloudwatch.GetMetricData": 1e-5, "observe.": 1e-4}


class _Stopped(Exception):
    """Somebody has asked the run to end."""


def main() -> int:
    """Run it, and return the exit code: 0 all the same, 1 something different, 2 not begun, 3 something is left or was not reached."""
    given = _arguments()
    target = Target(given.account, given.region, secrets.token_hex(3), url=given.endpoint_url, patience=given.patience)
    try:
        identity = target.client("sts").get_caller_identity()
    except (BotoCoreError, ClientError) as error:
        print(f"Cannot determine the AWS identity: {error}", file=sys.stderr)
        return USAGE_EXIT
    if identity["Account"] != given.account:
        print("These credentials belong to another AWS account than --account names. Nothing was done.", file=sys.stderr)
        return USAGE_EXIT
    chosen = [record for record in load() if fnmatchcase(record.name, given.only)]
    print(_plan(chosen, target), flush=True)
    if given.plan:
        return SAME_EXIT
    mask = Mask(target, identity["Arn"])
    earlier = Cleanup(target, PREFIX, spared=target.prefix).run()
    _tell_cleanup("An earlier run had left", earlier, mask)
    outcomes: list[Outcome] = []
    try:
        _replay_all(chosen, target, mask, outcomes, given)
    except _Stopped:
        print("Stopped. What was made is being removed.", flush=True)
    finally:
        own = Cleanup(target, target.prefix).run()
        _tell_cleanup("This run has made", own, mask)
    _write(given.output, outcomes, mask)
    counts = Counter(outcome.status for outcome in outcomes)
    print("\n" + ", ".join(f"{count} {status}" for status, count in sorted(counts.items())))
    print(f"Records of what was answered: {given.output}. To add them to the suite, move the file to tests/contract/records.")
    if earlier.left or own.left or any(outcome.unreachable for outcome in outcomes) or len(outcomes) < len(chosen):
        return LEFT_EXIT
    return DIFFERENT_EXIT if counts[DIFFERENT] else SAME_EXIT


def _arguments() -> Any:
    parser = argparse.ArgumentParser(prog="python tests/contract", description=__doc__)
    parser.add_argument("--account", required=True, help="the number of the AWS account that the credentials belong to")
    parser.add_argument("--region", required=True, help="the region in which everything is made")
    parser.add_argument("--only", default="*", metavar="PATTERN", help="the records to ask, such as 'connections/*'")
    parser.add_argument("--plan", action="store_true", help="say what would be made and what it would cost, and do nothing")
    parser.add_argument("--parallel", type=int, default=4, help="how many records are asked at a time (default: %(default)s)")
    parser.add_argument("--patience", type=float, default=30.0, help="factor on all waits (default: %(default)s)")
    parser.add_argument("--endpoint-url", help="ask this endpoint in place of AWS")
    name = f"{datetime.now(UTC):%Y-%m-%d-%H%M%S}.yml"
    parser.add_argument("--output", type=Path, default=CHECKOUT / ".cache" / "contract" / name, help="the file of new records")
    given = parser.parse_args()
    if not re.fullmatch(r"\d{12}", given.account):
        parser.error("--account has to be the twelve digits of an AWS account")
    if not re.fullmatch(r"[a-z]{2,4}(-[a-z]+)+-\d", given.region):
        parser.error("--region has to be the name of a region, such as eu-west-1")
    return given


def _plan(records: list[Record], target: Target) -> str:
    """Return what a run would make, what it would cost, and what it would not ask."""
    asked = [record for record in records if not record.manual and not record.sandbox_only]
    calls = Counter(step["call"] for record in asked for step in [*record.setup, {"call": record.call}])
    made = [f"{calls[call]} {kind}" for call, kind in _MADE.items() if calls[call]]
    observed = sum(count for call, count in calls.items() if call.startswith("observe."))
    if observed:
        made.append(f"{observed} deliveries of one event each (a connection, API destination, rule, role and queue for each)")
    dollars = sum(count * price for call, count in calls.items() for start, price in _PRICES.items() if call.startswith(start))
    where = target.url or "AWS"
    return "\n".join(
        [
            f"Run {target.run} against {where}, in the account given, region {target.region}",
            f"  asks    {len(asked)} records; {len(records) - len(asked)} are not asked, each with its reason",
            f"  makes   {', '.join(made) or 'nothing'}",
            f"  names   {target.prefix}*, tagged {TAG}={target.run} where the record is not about tags",
            "  keeps   nothing, but for the service-linked role of API destinations, which AWS makes with the account's first connection",
            f"  costs   about {dollars * 100:.2f} US cents",
            f"  removes whatever is called {PREFIX}* first: no other run may be under way in this account and region",
        ]
    )


def _write(path: Path, outcomes: list[Outcome], mask: Mask) -> None:
    """Write the file of new records, whole at any time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f"{path.name}.new")
    new.write_text(recorded(sorted(outcomes, key=lambda outcome: outcome.record.name), mask), encoding="utf-8")
    new.replace(path)


def _replay_all(records: list[Record], target: Target, mask: Mask, outcomes: list[Outcome], given: Any) -> None:
    """Replay all records, say what became of each, and write it: a run that is killed loses nothing that was answered.

    None is replayed any more once the endpoint cannot be reached.
    """
    stop = threading.Event()

    def end(*_: object) -> None:
        stop.set()
        raise _Stopped

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    in_a_row = 0

    def one(number: int, record: Record) -> Outcome:
        if stop.is_set():
            return Outcome(record, NOT_ASKED, ["the endpoint could not be reached any more"], unreachable=True)
        return replay(record, target, number)

    with ThreadPoolExecutor(given.parallel) as pool:
        try:
            for done in as_completed([pool.submit(one, number, record) for number, record in enumerate(records, 1)]):
                outcome = done.result()
                outcomes.append(outcome)
                print("\n".join(lines(outcome, mask)), flush=True)
                _write(given.output, outcomes, mask)
                in_a_row = in_a_row + 1 if outcome.unreachable else 0 if outcome.answer else in_a_row
                if in_a_row >= _UNREACHABLE_IN_A_ROW:
                    stop.set()
        finally:
            stop.set()


def _tell_cleanup(what: str, cleanup: Cleanup, mask: Mask) -> None:
    if cleanup.removed:
        print(f"{what} {len(cleanup.removed)} resources, which are removed.", flush=True)
    for left in cleanup.left:
        print(f"left: {mask.text(left, {})}. The next run removes it.", flush=True)


if __name__ == "__main__":
    os.environ.setdefault("AWS_MAX_ATTEMPTS", "4")
    sys.exit(main())
