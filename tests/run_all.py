# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the checks and tests of the project, the long ones beside all others, and says at the end which failed.

Usage: python tests/run_all.py [--slow | CHECK…]   (no names: all but the slow and the optional ones; the names are in CHECKS)
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.tools.short_path import short_path

CHECKOUT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
COLLECTIONS = CHECKOUT / ".venv" / "collections"
COLLECTION = COLLECTIONS / "ansible_collections" / "spot" / "eventbridge"
# Below it, Unix sockets of ansible-core and of databases have paths of up to 40 characters more: 107 is the limit of Linux.
LONGEST_TMPDIR = 60
TEMPLATE = CHECKOUT / "roles" / "spot_eventbridge" / "files" / "spot-interruption-eventbridge.yml"


@dataclass(frozen=True)
class Check:
    """One check: a command, where it runs, and what its environment has in addition.

    `long` marks those that run beside all others, as they take longer than these together, `slow` one that runs with `--slow`, `optional`
    one that runs only where it is named.
    """

    name: str
    command: list[str]
    folder: Path = CHECKOUT
    environment: dict[str, str] = field(default_factory=dict)
    long: bool = False
    slow: bool = False
    optional: bool = False


# In the order of the folders, as the longest tests are alone in their files.
INTEGRATION = ["python", "-m", "pytest", "-q", "-rs", "-n", "4", "--dist", "loadfile", "--no-loadscope-reorder", "tests/integration"]
HISTORIES = ["python", "-m", "pytest", "-q", "tests/histories"]
CHECKS = [
    Check("ruff", ["ruff", "check", "--quiet", "."]),
    Check("format", ["ruff", "format", "--check", "--quiet", "."]),
    # By the names under which Ansible imports them, so that imports between them resolve.
    Check(
        "mypy",
        ["mypy", "--config-file", str(CHECKOUT / "pyproject.toml")]
        + [
            str(COLLECTION.relative_to(COLLECTIONS) / "plugins" / part)
            for part in ("module_utils", "modules", "plugin_utils", "action", "filter", "inventory", "lookup")
        ],
        COLLECTIONS,
        {"MYPYPATH": "."},
    ),
    Check("changelog", ["antsibull-changelog", "lint"]),
    Check("ansible-lint", ["ansible-lint", "--offline", "--nocolor", "-q", "--profile", "production"]),
    # What cfn-lint knows of AWS's resource types comes with it: nothing is fetched.
    Check("cfn-lint", ["cfn-lint", "--regions", "us-east-1", "eu-west-1", "ap-southeast-2", "cn-north-1", "--", str(TEMPLATE)]),
    Check("zizmor", ["zizmor", "--offline", "--quiet", "--no-progress", "--persona", "pedantic", ".github"]),
    # Its environment is 220 MB, and takes as long to install as everything else that the tests need.
    Check("checkov", ["python", "tests/checks/template.py"], optional=True),
    Check("reuse", ["python", "tests/checks/licences.py"]),
    # From here to "unit", of the collection as it is published.
    Check("documentation", ["python", "tests/checks/documentation.py"]),
    Check("importer", ["python", "tests/checks/importer.py"], slow=True),
    Check("sanity", ["python", "tests/checks/sanity.py"], slow=True),
    Check("artefact", ["python", "-m", "pytest", "-q", "-n", "2", "tests/artefact"], slow=True),
    Check("unit", ["python", "-m", "pytest", "-q", "tests/unit"]),
    # The recordings of AWS on the sandbox; `make contract` asks AWS itself.
    Check("contract", ["python", "-m", "pytest", "-q", "-n", "2", "--dist", "loadfile", "tests/contract"]),
    # Those that broke a rule once; then a few of those that `make histories` runs as many of as wanted.
    Check("histories", [*HISTORIES, "-m", "not slow"]),
    Check("histories-slow", [*HISTORIES, "-m", "slow"], long=True, slow=True),
    Check("integration", [*INTEGRATION, "-m", "not slow"], long=True),
    Check("integration-slow", [*INTEGRATION, "-m", "slow"], long=True, slow=True),
    Check("molecule", ["molecule", "test", "--all"], slow=True),
]


def run(check: Check, home: Path, quiet: bool) -> bool:
    """Runs one check to its end; prints its name, what it says, and how long it took.

    :param home: a folder that is there, for this check alone
    :param quiet: whether what it says is printed only when it has ended, and not among that of others
    """
    print(f"\n=== {check.name}", flush=True)
    environment = {
        # Nobody's AWS or Spot may come into it.
        **{name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "SPOTINST_"))},
        "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
        # A home of its own: the tools would install a copy of the collection into the user's and test that.
        "ANSIBLE_HOME": str(home),
        "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
        **check.environment,
    }
    start = time.monotonic()
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as said:
        streams = {"stdout": said, "stderr": subprocess.STDOUT} if quiet else {}
        # The others, one after the other, go first: they would be the last otherwise, on one core, while nothing is on the other.
        command = ["nice", "-n", "5", *check.command] if check.long else check.command
        process = subprocess.Popen(command, cwd=check.folder, env=environment, stdin=subprocess.DEVNULL, **streams)
        _, status, usage = os.wait4(process.pid, 0)
        said.seek(0)
        code = process.returncode = os.waitstatus_to_exitcode(status)
        outcome = "passed" if code == 0 else f"failed ({code})"
        seconds, cpu = time.monotonic() - start, usage.ru_utime + usage.ru_stime
        print(f"{said.read()}=== {check.name}: {outcome} in {seconds:.0f} s, with {cpu:.0f} s of CPU time", flush=True)
    return code == 0


def main() -> int:
    """Runs the checks that the command line names, or all that are as slow as it says."""
    named = sys.argv[1:]
    if named in ([], ["--slow"]):
        chosen = [check for check in CHECKS if check.slow == bool(named) and not check.optional]
    elif unknown := set(named) - {check.name for check in CHECKS}:
        print(f"There is no check {', '.join(sorted(unknown))}. There are: {', '.join(check.name for check in CHECKS)}.")
        return 2
    else:
        chosen = [check for check in CHECKS if check.name in named]
    if len(tempfile.gettempdir()) > LONGEST_TMPDIR:
        os.environ["TMPDIR"] = str(short_path(Path(tempfile.gettempdir())))
    # The long ones, one after the other, beside all others.
    lanes = [lane for lane in ([check for check in chosen if check.long], [check for check in chosen if not check.long]) if lane]
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="ansible-home-") as homes, ThreadPoolExecutor(len(lanes)) as pool:

        def run_lane(lane: list[Check]) -> dict[str, bool]:
            return {check.name: run(check, Path(tempfile.mkdtemp(dir=homes)), len(lanes) > 1) for check in lane}

        passed = {name: well for done in pool.map(run_lane, lanes) for name, well in done.items()}
    failed = [check.name for check in chosen if not passed[check.name]]
    print(f"\n{time.monotonic() - start:.0f} s in all." + (f" Failed: {', '.join(failed)}." if failed else ""))
    print(f"checks: {len(chosen) - len(failed)} passed, {len(failed)} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
