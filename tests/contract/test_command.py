# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The command that replays the records against AWS, tried on a sandbox as if it were AWS: its control is not used by the command."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

import pytest
import yaml

from tests.contract.conftest import ACCOUNT, REGION
from tests.contract.records import load
from tests.contract.replay import PREFIX, SAME, Target, replay
from tests.sandbox.client import Sandbox

CHECKOUT = Path(__file__).parents[2]
LEFT_EXIT = 3


@pytest.fixture
def aws(running: Sandbox) -> Sandbox:
    running.reset()
    return running


class Command:
    """Starts the command; `output` is its file of new records."""

    def __init__(self, aws: Sandbox, folder: Path) -> None:
        self.aws, self.output = aws, folder / "recorded.yml"

    def start(self, *options: str, url: str | None = None, account: str = ACCOUNT, region: str = REGION) -> subprocess.Popen[str]:
        given = ["--account", account, "--region", region, "--endpoint-url", url or self.aws.aws_url, "--patience", "1"]
        return subprocess.Popen(
            [sys.executable, str(CHECKOUT / "tests" / "contract"), *given, "--output", str(self.output), *options],
            env=self.aws.env(token=None),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *options: str, **more: str) -> tuple[int, str]:
        """Run it to its end, and return its exit code and what it has printed."""
        process = self.start(*options, **more)
        printed, _ = process.communicate(timeout=120)
        return process.returncode, printed


@pytest.fixture
def command(aws: Sandbox, tmp_path: Path) -> Command:
    return Command(aws, tmp_path)


def made(aws: Sandbox) -> list[str]:
    """Return what there is in AWS that a run may have made."""
    events, sqs, iam, stacks = (aws.boto3(name, REGION) for name in ("events", "sqs", "iam", "cloudformation"))
    names = [rule["Name"] for rule in events.list_rules()["Rules"]]
    names += [item["Name"] for item in events.list_connections()["Connections"]]
    names += [item["Name"] for item in events.list_api_destinations()["ApiDestinations"]]
    names += [url.rpartition("/")[2] for url in sqs.list_queues().get("QueueUrls", [])]
    names += [role["RoleName"] for role in iam.list_roles()["Roles"]]
    names += [stack["StackName"] for stack in stacks.describe_stacks()["Stacks"]]
    return [name for name in names if not name.startswith("AWSServiceRole")]


def load_file(path: Path) -> list[Any]:
    return list(yaml.safe_load(path.read_text(encoding="utf-8")) or [])


def read_until(stream: IO[str], wanted: str) -> str:
    """Return what is printed up to a line that has something in it."""
    printed = ""
    for line in stream:
        printed += line
        if wanted in line:
            break
    return printed


def test_a_run_says_what_it_makes_reports_each_record_and_leaves_nothing(command: Command) -> None:
    code, printed = command.run("--only", "r*s/r[uo]*e-[dt]*")
    assert code == 0, printed
    plan, _, rest = printed.partition("same ")
    assert "rules" in plan and "roles" in plan and "US cents" in plan and PREFIX in plan
    assert "same       rules/rule-describe-fields" in printed
    assert "not asked  rules/rule-tag-permission: needs a user with fewer permissions" in printed
    assert "is removed" in rest or "are removed" in rest
    assert made(command.aws) == []
    assert ACCOUNT not in printed and ACCOUNT not in command.output.read_text(encoding="utf-8")


def test_what_a_run_has_recorded_can_be_added_to_the_records(command: Command, target: Target, tmp_path: Path) -> None:
    command.run("--only", "[rq]*[se]s/*")
    folder = tmp_path / "records"
    folder.mkdir()
    shutil.move(command.output, folder)
    records = load(folder)
    assert len(records) > 20
    outcomes = [replay(record, target, number) for number, record in enumerate(records, 5000)]
    assert [(outcome.record.name, outcome.problems) for outcome in outcomes if outcome.status != SAME] == []
    assert {source["source"] for record in records for source in record.sources} == {"run"}
    assert "not AWS" in records[0].sources[0]["where"]


def test_a_difference_is_shown_with_both_answers(command: Command) -> None:
    error = {"status": 400, "code": "ValidationException", "message": f"Nobody in {ACCOUNT} wants it."}
    command.aws.add_fault({"error": error}, {"operation": "DescribeRule"})
    code, printed = command.run("--only", "rules/rule-describe-missing")
    assert code == 1
    assert "different  rules/rule-describe-missing" in printed
    assert '"ResourceNotFoundException"' in printed and '"ValidationException"' in printed
    assert "Nobody in {{account}} wants it." in printed


def test_another_account_than_the_one_typed_stops_it(command: Command) -> None:
    code, printed = command.run(account="999999999999")
    assert code == 2 and "Nothing was done." in printed
    assert command.aws.calls(writes=True) == []


@pytest.mark.parametrize("wrong", [{"account": ""}, {"account": "staging"}, {"region": ""}, {"region": "everywhere"}])
def test_an_account_or_a_region_that_is_none_stops_it(command: Command, wrong: dict[str, str]) -> None:
    command.aws.clear_calls()
    assert command.run(**wrong)[0] == 2
    assert command.aws.calls() == []


def test_the_plan_alone_does_nothing(command: Command) -> None:
    code, printed = command.run("--plan")
    assert code == 0 and "US cents" in printed
    assert command.aws.calls(writes=True) == []


def test_what_is_not_the_runs_stays(command: Command) -> None:
    command.aws.boto3("sqs", REGION).create_queue(QueueName="spot-contracts")
    command.run("--only", "queues/queue-missing")
    assert made(command.aws) == ["spot-contracts"]


def test_the_next_run_removes_what_a_killed_one_has_left(command: Command) -> None:
    command.aws.settings(latency=0.02)
    process = command.start("--only", "[sr]*s/*[etl]-*")
    end = time.monotonic() + 60
    while not (command.aws.calls(operation="CreateStack") and command.aws.calls(operation="PutTargets")):
        assert process.poll() is None and time.monotonic() < end
        time.sleep(0.05)
    process.kill()
    process.communicate()
    assert load_file(command.output) != [], "what was answered before is lost"
    command.aws.settings(latency=0)
    left = made(command.aws)
    assert left and all(name.startswith(PREFIX) for name in left)
    code, printed = command.run("--only", "rules/rule-describe-missing")
    assert code == 0, printed
    assert "An earlier run had left" in printed
    assert made(command.aws) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_asked_to_end_cleans_up(command: Command, number: int) -> None:
    command.aws.settings(latency=0.05)
    process = command.start("--only", "destinations/*")
    assert process.stdout
    read_until(process.stdout, "same ")
    process.send_signal(number)
    printed, _ = process.communicate(timeout=60)
    assert process.returncode == LEFT_EXIT
    assert "What was made is being removed." in printed
    assert made(command.aws) == []


def test_a_network_that_is_cut_ends_the_run_and_the_next_one_cleans_up(command: Command, line: Line) -> None:
    process = command.start("--only", "[cdr]*/*", url=line.url)
    assert process.stdout
    read_until(process.stdout, "same ")
    line.cut()
    printed, _ = process.communicate(timeout=120)
    assert process.returncode == LEFT_EXIT
    assert "the endpoint cannot be reached" in printed, printed
    assert "the endpoint could not be reached any more" in printed, printed
    assert printed.count("The next run removes it.") <= 2, "one line for what cannot be listed"
    assert f"left: everything that is called {PREFIX}" in printed
    assert "Records of what was answered" in printed
    code, printed = command.run("--only", "rules/rule-describe-missing")
    assert code == 0, printed
    assert made(command.aws) == []


class Line:
    """A network line to an address, which can be cut: connections end, new ones are refused."""

    def __init__(self, to: tuple[str, int]) -> None:
        self._to = to
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._ends: list[socket.socket] = []
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Cut the line."""
        for end in (self._listening, *self._ends):
            with suppress(OSError):  # it has ended by itself
                end.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listening.accept()
            except OSError:
                return
            far = socket.create_connection(self._to)
            self._ends += [near, far]
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=_pass_on, args=(source, sink), daemon=True).start()


def _pass_on(source: Any, sink: Any) -> None:
    with suppress(OSError):  # the line was cut
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)


@pytest.fixture
def line(aws: Sandbox) -> Iterator[Line]:
    address = urlsplit(aws.aws_url)
    made_line = Line((str(address.hostname), int(address.port or 0)))
    yield made_line
    made_line.cut()
