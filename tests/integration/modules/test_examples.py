# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The examples of modules that need a service besides AWS and Spot, time, or an instance to lose; and that RETURN tells no more than
what they return. Only what is at other addresses here is put in its place.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.flags import Flags
from tests.fakes.jira import Jira
from tests.fakes.log import Log
from tests.fakes.webhook import Webhook
from tests.integration.heal.hub import Hub, event, interruption
from tests.integration.modules.aws import ACCOUNT, NAME, Aws
from tests.integration.modules.runner import Run, Runner
from tests.integration.modules.test_documentation import ONBOARDED, PREFIX, examples
from tests.sandbox.client import NOTIFICATION, Sandbox
from tests.tools.documented import documented, seen

TAKES: dict[str, dict[str, Any]] = {
    # The sandbox's connections were authorised just now.
    "spot_heal_authorization": {"minimum_distance": 0},
    "spot_notification": {"aws_account": ACCOUNT},
    "spot_test_event": {"settle_seconds": 0},
}


@pytest.fixture
def show(run: Runner, aws: Aws, sandbox: Sandbox) -> Any:
    """Runs the examples of a module, and returns what came of each."""
    for region in ONBOARDED["regions"]:
        aws.key("alias/spot", region)
    run.environment["SPOTINST_TOKEN"] = sandbox.tokens["admin"]
    assert not run("spot_integration", **ONBOARDED).failed

    def call(module: str, places: Mapping[str, str] | None = None) -> list[Run]:
        runs = []
        for task in examples(module):
            arguments = json.dumps(task[PREFIX + module])
            for place, here in (places or {}).items():
                assert place in arguments
                arguments = arguments.replace(place, here)
            assert "{{" not in arguments
            at_spot = {} if module == "spot_test_event" else {"spot_api_url": sandbox.spot_url}
            runs.append(run(module, **json.loads(arguments), **TAKES.get(module, {}), **at_spot))
        return runs

    return call


def everything(module: str, runs: list[Run]) -> set[str]:
    """What RETURN tells and none of the runs returned."""
    return documented(module) - set().union(*(seen(module, run.answer) for run in runs))


def outcomes(runs: list[Run]) -> Iterator[str]:
    return (check["outcome"] for run in runs for check in run.answer["checks"])


def test_spot_side_info(show: Any, run: Runner) -> None:
    with Flags() as flags, Log() as log:
        run.tokens |= {flags.secret, log.secret}
        log.write("606079873399 /interruptionNotification act-d7320fba")
        places = {
            "https://flags.example.com": flags.url,
            "{{ vault_flag_token }}": flags.secret,
            "https://kibana.example.com/s/optimizer": f"{log.url}/s/spot",
            "{{ vault_kibana_key }}": log.secret,
        }
        runs = show("spot_backend_info", places)
    assert list(outcomes(runs)) == ["pass", "pass"]
    assert everything("spot_backend_info", runs) == set()


@pytest.mark.slow
def test_spot_handover(show: Any, run: Runner, sandbox: Sandbox) -> None:
    with Webhook() as webhook, Jira() as jira:
        run.tokens |= {webhook.secret, jira.secret}
        places = {
            "{{ vault_webhook_url }}": webhook.address,
            "https://example.atlassian.net": jira.url,
            "{{ vault_jira_token }}": jira.secret,
        }
        runs = show("spot_notification", places)
        assert {name: channel["action"] for name, channel in runs[0].answer["channels"].items()} == {"webhook": "sent", "jira": "sent"}
        sandbox.boto3("events", "us-east-1").untag_resource(
            ResourceARN=f"arn:aws:events:us-east-1:{ACCOUNT}:rule/{NAME}", TagKeys=["SpotNotification"]
        )
        webhook.status = 500
        jira.screen.remove("labels")
        runs += show("spot_notification", places)
    assert everything("spot_notification", runs) == set()


@pytest.mark.slow
def test_spot_test_event(show: Any) -> None:
    runs = show("spot_test_event")
    assert set(outcomes(runs)) == {"pass"}
    assert everything("spot_test_event", runs) == set()


@pytest.mark.slow
def test_spot_interruption(show: Any, sandbox: Sandbox) -> None:
    answer = sandbox.boto3("ec2", "eu-west-1").run_instances(
        ImageId="ami-12345678", MinCount=1, MaxCount=1, InstanceMarketOptions={"MarketType": "spot"}
    )
    runs = show("spot_test_interruption", {"i-0123456789abcdef0": answer["Instances"][0]["InstanceId"]})
    assert list(outcomes(runs)) == ["pass", "pass"]
    assert everything("spot_test_interruption", runs) == set()


@pytest.mark.slow
def test_spot_heal_authorization(show: Any, sandbox: Sandbox) -> None:
    for region in ("us-east-1", "eu-west-1"):
        sandbox.boto3("events", region).deauthorize_connection(Name=NAME)
    sandbox.add_fault({"error": {"status": 400, "code": "AccessDenied"}}, {"operation": "UpdateConnection", "region": "us-east-1"})
    runs = show("spot_heal_authorization", {"{{ lookup('ansible.builtin.env', 'SPOTINST_TOKEN') }}": sandbox.tokens["admin"]})
    assert runs[0].answer["connections"]["failed_regions"] == ["us-east-1"]
    assert everything("spot_heal_authorization", runs) == set()


def test_spot_heal_notification(run: Runner, tmp_path: Path) -> None:
    (task,) = examples("spot_heal_notification")
    arguments = task[PREFIX + "spot_heal_notification"]
    runs = [run("spot_heal_notification", **{**arguments, "file": {"folder": str(tmp_path / "notifications")}})]
    assert [path.suffix for path in sorted((tmp_path / "notifications").iterdir())] == [".json", ".md"]
    (tmp_path / "file").write_text("")
    runs.append(run("spot_heal_notification", **{**arguments, "file": {"folder": str(tmp_path / "file")}}))
    assert [entry.answer["told"] for entry in runs] == [True, False]
    assert everything("spot_heal_notification", runs) == set()


@pytest.mark.slow
def test_spot_heal_resend(show: Any, sandbox: Sandbox) -> None:
    sqs = sandbox.boto3("sqs", "eu-west-1")
    url = sqs.get_queue_url(QueueName=NAME)["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody=json.dumps(interruption("eu-west-1", "i-0123456789abcdef0")))
    runs = show("spot_heal_resend", {"{{ lookup('ansible.builtin.env', 'SPOTINST_TOKEN') }}": sandbox.tokens["admin"]})
    assert runs[0].regions["eu-west-1"] == {"changed": True, "sent": 1, "not_sent": []}
    assert [note["body"]["detail"]["instance-id"] for note in sandbox.received(NOTIFICATION)] == ["i-0123456789abcdef0"]


def test_spot_heal_queue(run: Runner, sandbox: Sandbox) -> None:
    receive, settle, read = (task[PREFIX + "spot_heal_queue"] for task in examples("spot_heal_queue"))
    assert not run("spot_watch_hub", region="us-east-1").failed
    hub = Hub(sandbox)
    hub.send(event(NAME, "eu-west-1"))
    runs = [run("spot_heal_queue", **receive)]
    (found,) = runs[0].answer["messages"][NAME]
    runs += [run("spot_heal_queue", **{**settle, "delete": [found["handle"]]}), run("spot_heal_queue", **read)]
    assert (hub.waiting(), everything("spot_heal_queue", runs)) == (0, set())
