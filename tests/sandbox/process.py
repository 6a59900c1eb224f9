# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The process: its command line, its state file, and when it ends."""

from __future__ import annotations

import argparse
import json
import os
import signal
import threading
import time
from contextlib import suppress
from pathlib import Path

from .world import World


def main() -> None:
    """Run a sandbox until it is told to stop, its parent is gone, or its time is up."""
    arguments = _parse()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    world = World(arguments.token)
    world.start()
    state = {"pid": os.getpid(), **world.described()}
    _write(arguments.state_file, state)
    urls = " ".join(f"{name} {server.url}" for name, server in world.servers.items())
    print(f"sandbox {os.getpid()} is ready: {urls}", flush=True)
    end = time.monotonic() + arguments.max_seconds
    while not stop.wait(0.2):
        if time.monotonic() > end or (arguments.parent_pid and not _alive(arguments.parent_pid)):
            break
    _remove(arguments.state_file)
    os._exit(0)  # not by way of the interpreter's end, which would wait for no thread but may stumble over one


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python tests/sandbox", description="AWS and Spot on loopback.")
    parser.add_argument("--state-file", type=Path, required=True, help="written when ready: pid, URLs, tokens (JSON)")
    parser.add_argument("--max-seconds", type=float, default=3600, help="stop after this time, whatever happens")
    parser.add_argument("--parent-pid", type=int, help="stop when this process is gone")
    parser.add_argument("--token", help="the Spot token `admin`; random by default")
    return parser.parse_args()


def _write(path: Path, state: dict[str, object]) -> None:
    """Write the state file at once as a whole, readable by its owner only: it holds the tokens."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        json.dump(state, file)
    temporary.replace(path)


def _remove(path: Path) -> None:
    """Remove the state file, unless another sandbox has written its own there since."""
    with suppress(FileNotFoundError):
        if json.loads(path.read_text(encoding="utf-8"))["pid"] == os.getpid():
            path.unlink()


def _alive(pid: int) -> bool:
    """Tell whether a process runs; one that has ended and waits to be reaped does not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
        return stat.rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        pass
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
