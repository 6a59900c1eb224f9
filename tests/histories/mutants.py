# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Twenty mistakes, planted one at a time into a copy of the collection: how many histories does it take until each one is found?

python -m tests.histories.mutants [--histories 1000] [--seed 1] [NAME…]      (NAME none: without a mistake)

They were chosen before any was run. Each is a text of the product and what stands there instead.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

# What does not belong to the collection is imported once for all.
import tests.sandbox.in_process  # noqa: F401

CHECKOUT = Path(__file__).resolve().parents[2]
UTILS = "plugins/module_utils"
_BATCH = 10


@dataclass(frozen=True)
class Mutant:
    """One mistake."""

    name: str
    file: str
    right: str
    wrong: str

    def text(self) -> str:
        """Return the file of the product as it is."""
        return (CHECKOUT / UTILS / self.file).read_text(encoding="utf-8")


MUTANTS = [
    Mutant(
        "target is not compared",
        "_aws/resources/event_rule.py",
        "put_target = existing.target(target_id) != target",
        "put_target = existing.target(target_id) is None",
    ),
    Mutant(
        "state of the rule is not compared",
        "_aws/resources/event_rule.py",
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
        "        if self.present:\n            return _NEEDS\n",
        "        if True:\n            return _NEEDS\n",
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
    Mutant(
        "rule goes with the targets of others", "_aws/resources/event_rule.py", "        if others:\n", "        if not own and others:\n"
    ),
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
        "                region = _make(call, resource, region)\n",
        "                region = _make(call, resource, _make(call, resource, region))\n",
    ),
    Mutant(
        "failure of a step is swallowed",
        "_integration/apply.py",
        'failed = next((kind for kind, future in ended.items() if future.exception()), "")',
        'failed = ""',
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
    file, text = ours / UTILS / mutant.file, mutant.text()
    if text.count(mutant.right) != 1:
        raise SystemExit(f"{mutant.name}: its text is {text.count(mutant.right)} times in {mutant.file}")
    file.write_text(text.replace(mutant.right, mutant.wrong), encoding="utf-8")
    return folder


def histories_until_found(mutant: Mutant, histories: int, seed: int, seconds: int) -> tuple[bool, str]:
    """Return whether a mistake is found; and after how many histories, by which rule.

    It is looked for in a fork, which imports the copy of the collection, and is ended when the time is over.
    """
    with tempfile.TemporaryDirectory(prefix="mutant-") as folder:
        collections = collections_with(mutant, Path(folder))
        read, write = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.environ["HISTORIES_COLLECTIONS"] = str(collections)
            for told in _look_for(histories, seed):
                os.write(write, f"{json.dumps(told)}\n".encode())
            os._exit(0)
        os.close(write)
        end = threading.Timer(seconds, os.kill, (pid, signal.SIGKILL))
        end.start()
        with os.fdopen(read, "r") as answer:
            told = [json.loads(line) for line in answer]
        end.cancel()
        _, status = os.waitpid(pid, 0)
    found, what = told[-1] if told else (False, "not in the first histories")
    return found, what if found or not status else f"{what}, and the time was over"


def _look_for(histories: int, seed: int) -> Iterator[tuple[bool, str]]:
    """Yield, after each batch, whether the mistake was found, and where."""
    from tests.histories.__main__ import run_numbered
    from tests.histories.history import History
    from tests.histories.machine import Histories

    for number in range(0, histories, _BATCH):
        if run_numbered(seed, number // _BATCH, min(_BATCH, histories - number), shorten=False):
            yield True, f"history {Histories.broken_at}: {type(Histories.broken).__name__}: {str(Histories.broken)[:140]}"
            return
        yield False, f"not in {History.begun} histories"


def main() -> int:
    """Plant the mistakes that the command line names, or all."""
    parser = argparse.ArgumentParser(prog="python -m tests.histories.mutants")
    parser.add_argument("names", nargs="*")
    parser.add_argument("--histories", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=int, default=3600, help="for each")
    given = parser.parse_args()
    chosen = [mutant for mutant in MUTANTS if not given.names or mutant.name in given.names]
    if given.names == ["none"]:  # a violation without a mistake would be found in place of one
        chosen = [Mutant("none", "_core/reconcile.py", "from __future__ import annotations", "from __future__ import annotations")]
    found = 0
    for mutant in chosen:
        seen, what = histories_until_found(mutant, given.histories, given.seed, given.seconds)
        found += seen
        print(f"{mutant.name}: {'found' if seen else 'not found'}: {what}", flush=True)
    print(f"{found} of {len(chosen)} found within {given.histories} histories each")
    return 0 if found == len(chosen) else 1


if __name__ == "__main__":
    sys.exit(main())
