# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Shows the collection at work on the sandbox: `make demo`.

Every line comes from a real run: the playbooks as a user runs them, events that the sandbox's EventBridge delivers over HTTP,
requests that the sandbox's Spot received. Ends with a non-zero status as soon as something is not as it should be.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(CHECKOUT))

from tests.sandbox.client import Sandbox  # noqa: E402

ACCOUNT = "act-d7320fba"
REGION = "eu-west-1"
REPORT = ".cache/demo"
# Of Ansible's output, what a colleague would want to see.
# The table is printed by its task, of which Ansible prints the name afterwards.
_TABLE = f"{ACCOUNT} in AWS account"
_QUIET = {"ANSIBLE_DISPLAY_SKIPPED_HOSTS": "false", "ANSIBLE_CONFIG": str(CHECKOUT / "ansible.cfg")}


class DemoError(Exception):
    """Something is not as the demo says."""


def say(text: str) -> None:
    """A heading of the story."""
    bold, plain = ("\033[1m", "\033[0m") if sys.stdout.isatty() else ("", "")
    print(f"\n{bold}## {text}{plain}\n", flush=True)


def expect(right: bool, otherwise: str) -> None:
    """Ends the demo unless something is as it should be."""
    if not right:
        raise DemoError(otherwise)


def play(sandbox: Sandbox, playbook: str, *variables: str, whole: bool = False, status: int = 0) -> str:
    """Runs a playbook as a user would.

    :param whole: show all its output; else from the table of regions on
    :param status: the exit status that it should have
    :returns: its output
    """
    program = Path(sys.executable).parent / "ansible-playbook"
    arguments = [f"playbooks/{playbook}.yml", *(word for given in (f"account={ACCOUNT}", *variables) for word in ("-e", given))]
    print(f"$ ansible-playbook {' '.join(arguments)}\n", flush=True)
    command = [str(program), *arguments, "-e", f"spot_api_url={sandbox.spot_url}"]
    color = {"ANSIBLE_FORCE_COLOR": "true"} if sys.stdout.isatty() else {}
    environment = {**sandbox.env(), **_QUIET, **color}
    lines = []
    shown = whole
    with subprocess.Popen(command, cwd=CHECKOUT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as run:
        assert run.stdout is not None
        for line in run.stdout:
            lines.append(line)
            shown = shown or _TABLE in line
            if shown:
                print(f"  {line}", end="", flush=True)
    expect(shown, f"{playbook} shows no result of the account:\n{''.join(lines)}")
    expect(run.returncode == status, f"{playbook} ended with status {run.returncode}, not {status}:\n{''.join(lines)}")
    return "".join(lines)


def interrupt(sandbox: Sandbox, region: str, *, whole: bool = False) -> dict[str, Any] | None:
    """Lets EC2 announce an interruption and waits for what becomes of it; returns what Spot received.

    :param whole: show the request with headers and body
    """
    sandbox.clear_received()
    start = time.monotonic()
    event = sandbox.interrupt(region)
    print(f"EC2 in {region}: spot instance {event['instance_id']} will be interrupted in two minutes.", flush=True)
    sandbox.settled()
    received = sandbox.notifications()
    if not received:
        print("Spot received nothing.")
        return None
    request = received[-1]
    print(f"Spot received it {(time.monotonic() - start) * 1000:.0f} ms later, and answered {request['status']}.")
    if whole:
        show(request)
    token = sandbox.tokens["admin"]
    expect(request["headers"]["Authorization"] == f"Bearer {token}", "the header holds another token")
    expect(request["query"] == {"accountId": ACCOUNT}, "the query string names another account")
    expect(request["body"]["detail"]["instance-id"] == event["instance_id"], "the body is another event")
    return dict(request)


def show(request: dict[str, Any]) -> None:
    """A request as Spot received it, without the token."""
    shown = {**request["headers"], "Authorization": "Bearer <the token>"}
    query = "&".join(f"{key}={value}" for key, value in request["query"].items())
    print(f"\n  {request['method']} {request['path']}?{query}")
    for header in ("Authorization", "Content-Type", "User-Agent"):
        print(f"  {header}: {shown[header]}")
    print("  " + json.dumps(request["body"], indent=2).replace("\n", "\n  "))


def main() -> int:
    """The whole story."""
    print("This runs on loopback, against a sandbox of AWS and Spot. Nothing leaves this machine.")
    with Sandbox(max_seconds=900) as sandbox:
        try:
            tell(sandbox)
        except DemoError as error:
            print(f"\nThe demo failed: {error}")
            return 1
    print("\nThe sandbox is stopped; nothing is left behind.")
    return 0


def tell(sandbox: Sandbox) -> None:
    """What happens, in order."""
    say(f"Onboard {ACCOUNT} in all its regions")
    play(sandbox, "onboard", whole=True)

    say("An instance is about to be interrupted")
    expect(interrupt(sandbox, REGION, whole=True) is not None, "the notice did not arrive")

    say("Onboard again: nothing changes")
    sandbox.clear_calls()
    output = play(sandbox, "onboard")
    expect("changed=0" in output, "the second run changed something")
    expect(not sandbox.calls(writes=True), "the second run wrote to AWS")
    print("  Nothing was written to AWS.")

    say("Second act: Spot's user service fails for a moment, just as a notice arrives")
    sandbox.settings(delivery_time_scale=0.01)  # two minutes of retries in a second
    sandbox.call("POST", "/spot/outage", {"status": 401})
    request = interrupt(sandbox, REGION)
    sandbox.call("DELETE", "/spot/outage")
    expect(request is not None and request["status"] == 401, "Spot did not answer 401")
    print("\nThe outage is over. But AWS has switched the region off, and nothing says so:\n")
    expect(interrupt(sandbox, REGION) is None, "a notice arrived through a region that is switched off")

    say("Verify sees it, and says why")
    output = play(sandbox, "verify", f"report_dir={REPORT}", status=2)
    print(f"\n  The same as a page, to be opened in a browser: {REPORT}/report.html")
    expect(f"{REGION} inactive" in output, f"verify does not name {REGION}")

    say("Repair authorises it again in place, and writes to no other region")
    sandbox.clear_calls()
    play(sandbox, "repair")
    touched = {call["region"] for call in sandbox.calls(writes=True)}
    expect(touched == {REGION}, f"repair wrote to {touched}")

    say("The next notice arrives again")
    expect(interrupt(sandbox, REGION) is not None, "the notice did not arrive")

    heal_itself(sandbox)

    say("Offboard: everything is taken away again")
    play(sandbox, "watch", "state=absent")
    play(sandbox, "offboard")
    events = sandbox.boto3("events", REGION)
    expect(not events.list_rules()["Rules"] and not events.list_connections()["Connections"], "something is left")


def heal_itself(sandbox: Sandbox) -> None:
    """The third act, in which nobody does anything."""
    say("Third act: EventBridge's own events are watched, and heal runs on a schedule")
    play(sandbox, "watch")
    notifications = CHECKOUT / REPORT / "notifications"
    shutil.rmtree(notifications, ignore_errors=True)
    # Here a region is lost seconds after it was authorised.
    variables = {"spot_eventbridge_heal_minimum_distance": 0, "spot_eventbridge_notify_file": {"folder": str(notifications)}}
    command = [str(Path(sys.executable).parent / "ansible-playbook"), "playbooks/heal.yml", "-e", f"account={ACCOUNT}"]
    command += ["-e", f"spot_api_url={sandbox.spot_url}", "-e", json.dumps(variables)]
    ended, runs = threading.Event(), []

    def schedule() -> None:
        while not ended.is_set():
            done = subprocess.run(command, cwd=CHECKOUT, env={**sandbox.env(), **_QUIET}, capture_output=True, text=True, check=False)
            runs.append(done)

    scheduled = threading.Thread(target=schedule)
    scheduled.start()
    try:
        sandbox.call("POST", "/spot/outage", {"status": 401})
        request = interrupt(sandbox, REGION)
        sandbox.call("DELETE", "/spot/outage")
        start = time.monotonic()
        expect(request is not None and request["status"] == 401, "Spot did not answer 401")
        print("\nThe outage is over, AWS has switched the region off again, and nobody does anything.")
        events = sandbox.boto3("events", REGION)
        while events.describe_connection(Name=f"spot-interruption-{ACCOUNT}")["ConnectionState"] != "AUTHORIZED":
            expect(time.monotonic() - start < 120, f"the region was not healed:\n{runs[-1].stdout if runs else ''}")
            time.sleep(0.1)
        print(f"{time.monotonic() - start:.1f} s later, the region is authorised again. What people are told:\n")
        while not list(notifications.glob("*.md")) and time.monotonic() - start < 150:
            time.sleep(0.1)
    finally:
        ended.set()
        scheduled.join()
    told = [path.read_text(encoding="utf-8") for path in notifications.glob("*.md")]
    expect(bool(told), "nobody was told")
    print("  " + "\n".join(told).strip().replace("\n", "\n  "))
    print()
    expect(interrupt(sandbox, REGION) is not None, "the notice did not arrive")


if __name__ == "__main__":
    os.chdir(CHECKOUT)
    sys.exit(main())
