# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Twenty mistakes, planted one at a time into a copy of the collection: how many histories does it take until each one is found?

python -m tests.histories.mutants [--histories 1000] [--seed 1] [NAME…]

They were chosen before any was run. Each is a text of the product and what stands there instead.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
UTILS = "plugins/module_utils"


@dataclass(frozen=True)
class Mutant:
    """One mistake."""

    name: str
    file: str
    right: str
    wrong: str


MUTANTS = [
    Mutant(
        "target is not compared",
        "_aws/resources/rule.py",
        "put_target = existing.target(target_id) != target",
        "put_target = existing.target(target_id) is None",
    ),
    Mutant(
        "state of the rule is not compared",
        "_aws/resources/rule.py",
        "bool(changed_fields(existing.managed_fields(), desired))",
        'bool([name for name in changed_fields(existing.managed_fields(), desired) if name != "state"])',
    ),
    Mutant(
        "lost authorisation is not renewed",
        "_aws/resources/connection.py",
        "lost = existing.state != GOOD_STATE",
        'lost = existing.state == "DEAUTHORIZING"',
    ),
    Mutant(
        "another token is not replaced",
        "_aws/resources/connection.py",
        "write_token = lost or existing.token == DIFFERS or",
        "write_token = lost or",
    ),
    Mutant("account is hidden", "_aws/resources/connection.py", '"IsValueSecret": False}', '"IsValueSecret": True}'),
    Mutant(
        "connection of the destination is not compared",
        "_aws/resources/api_destination.py",
        "if not changed_fields(existing.managed_fields(), desired):",
        'if not [name for name in changed_fields(existing.managed_fields(), desired) if name != "connection_arn"]:',
    ),
    Mutant(
        "removal in the order of making",
        "_integration/desired.py",
        "return steps if self.present else steps[::-1]",
        "return steps",
    ),
    Mutant(
        "entries that failed are not seen", "_core/reconcile.py", 'if response.get("FailedEntryCount"):', 'if response.get("FailedCount"):'
    ),
    Mutant("check mode writes", "_core/reconcile.py", "if check_mode or not told.calls:", "if not told.calls:"),
    Mutant("result is not read until it shows", "_core/reconcile.py", "if resource.achieved(region, existing):", "if True:"),
    Mutant("one equal attribute is enough", "_aws/resources/dead_letter_queue.py", "return {} if all(_same(", "return {} if any(_same("),
    Mutant(
        "queue goes with its dead letters",
        "_aws/resources/dead_letter_queue.py",
        "if existing.messages and not self.delete_messages:",
        "if existing.messages < 0:",
    ),
    Mutant("rule goes with the targets of others", "_aws/resources/rule.py", "        if others:\n", "        if not own and others:\n"),
    Mutant(
        "trust policy is not compared",
        "_aws/resources/execution_role.py",
        "if compare_policies(existing.trust, trust):",
        "if not existing.trust:",
    ),
    Mutant(
        "role goes although another region needs it",
        "_integration/role_users.py",
        "        elif used:\n",
        "        elif not used and False:\n",
    ),
    Mutant(
        "queue of another region",
        "_aws/resources/rule.py",
        '{"Arn": region.arn("sqs", self.aws_account, self.dead_letter_queue)}',
        '{"Arn": region.arn("sqs", self.aws_account, self.dead_letter_queue).replace(region.name, "us-east-1")}',
    ),
    Mutant(
        "permission that lacks does not count",
        "_integration/status.py",
        "    if failed:\n",
        '    if failed - {"execution_role_permission"}:\n',
    ),
    Mutant(
        "hidden account is taken for another",
        "_aws/other_destinations.py",
        "self.account_for(spot_account) in (None, spot_account)",
        "self.account_for(spot_account) == spot_account",
    ),
    Mutant(
        "each call is made twice",
        "_core/reconcile.py",
        "                _make(call, resource, region)\n",
        "                _make(call, resource, region)\n                _make(call, resource, region)\n",
    ),
    Mutant(
        "failure of a step is swallowed",
        "_integration/apply.py",
        "return Progress(outcomes, step.kind, failure_of(error), gate.found, gate.notes)",
        "return Progress(outcomes, existing=gate.found, notes=gate.notes)",
    ),
]


def collections_with(mutant: Mutant, folder: Path) -> Path:
    """Make a collections path in a folder, with this collection and the mistake in it."""
    peers = Path(sys.prefix) / "collections" / "ansible_collections"
    ours = folder / "ansible_collections" / "spot" / "eventbridge"
    ours.mkdir(parents=True)
    for peer in peers.iterdir():
        if peer.name != "spot":
            (folder / "ansible_collections" / peer.name).symlink_to(peer.resolve())
    for name in ("galaxy.yml", "meta", "roles"):
        (ours / name).symlink_to(CHECKOUT / name)
    shutil.copytree(CHECKOUT / "plugins", ours / "plugins", ignore=shutil.ignore_patterns("__pycache__"))
    file = ours / UTILS / mutant.file
    text = file.read_text(encoding="utf-8")
    if text.count(mutant.right) != 1:
        raise SystemExit(f"{mutant.name}: its text is {text.count(mutant.right)} times in {mutant.file}")
    file.write_text(text.replace(mutant.right, mutant.wrong), encoding="utf-8")
    return folder


def histories_until_found(mutant: Mutant, histories: int, seed: int, seconds: float) -> tuple[int | None, str]:
    """Return after how many histories a mistake is found, None if it is not; and the rule that was broken."""
    with tempfile.TemporaryDirectory(prefix="mutant-") as folder:
        environment = {**os.environ, "HISTORIES_COLLECTIONS": str(collections_with(mutant, Path(folder)))}
        command = [sys.executable, "-m", "tests.histories", "--histories", str(histories), "--seed", str(seed), "--stop", "--batch", "25"]
        try:
            done = subprocess.run(command, cwd=CHECKOUT, env=environment, capture_output=True, text=True, timeout=seconds, check=False)
        except subprocess.TimeoutExpired as ended:
            said = (ended.stdout or b"").decode()
            so_far = re.findall(r"^(\d+)/", said, re.M)
            return None, f"not within {seconds:.0f} s, {so_far[-1] if so_far else 0} histories"
    found = re.search(r"found by history (\d+)", done.stdout)
    why = re.search(r"^# (.*)$", done.stdout.partition("# Seed")[2], re.M)
    return (int(found[1]), why[1][:140] if why else "") if found else (None, done.stderr[-300:])


def main() -> int:
    """Plant the mistakes that the command line names, or all."""
    parser = argparse.ArgumentParser(prog="python -m tests.histories.mutants")
    parser.add_argument("names", nargs="*")
    parser.add_argument("--histories", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=3600, help="for each")
    given = parser.parse_args()
    chosen = [mutant for mutant in MUTANTS if not given.names or mutant.name in given.names]
    found = 0
    for mutant in chosen:
        number, why = histories_until_found(mutant, given.histories, given.seed, given.seconds)
        found += number is not None
        print(f"{mutant.name}: {f'found by history {number}' if number else 'not found'}: {why}", flush=True)
    print(f"{found} of {len(chosen)} found within {given.histories} histories each")
    return 0 if found == len(chosen) else 1


if __name__ == "__main__":
    sys.exit(main())
