# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the modules' documentation says is so: examples run, results are as described, permissions are named.

That options are as documented is checked by ansible-test's validate-modules; that no answer has more than RETURN tells, by
every run of a module in this folder.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.integration.modules.aws import NAME, REGION, SPOT_ACCOUNT, Aws
from tests.integration.modules.runner import Runner
from tests.integration.playbooks.runner import Ansible
from tests.sandbox.client import Sandbox
from tests.tools.documented import differences, documented, modules, seen, text

PREFIX = "spot.eventbridge."
FOREIGN = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "*"}]}
REFUSED = {"error": {"status": 400, "code": "AccessDeniedException", "message": "not authorized"}}
# Everything an example may take for granted: an integration in the regions that the examples name.
ONBOARDED = {
    "name": NAME,
    "spot_account": SPOT_ACCOUNT,
    "role_name": NAME,
    "regions": ["us-east-1", "us-west-2", REGION],
    "tags": {"team": "platform"},
    "kms_key_identifier": "alias/spot",
}


# These need a service besides AWS and Spot, other accounts, time, an instance to lose, or an account without an integration. Their own
# tests run them, and name what they may call.
ELSEWHERE = {
    "spot_heal_authorization",
    "spot_heal_notification",
    "spot_heal_plan",
    "spot_heal_queue",
    "spot_heal_resend",
    "spot_heal_summary",
    "spot_backend_database_info",
    "spot_account_report",
    "spot_fleet_report",
    "spot_notification",
    "spot_test_interruption",
    "spot_test_event",
    "spot_backend_info",
    "spot_stack",
    "spot_stack_set",
}


def alone() -> list[str]:
    """The modules that need nothing but the sandbox."""
    return [module for module in modules() if module not in ELSEWHERE]


def documentation(module: str) -> dict[str, Any]:
    return dict(yaml.safe_load(text(module, "DOCUMENTATION")))


def examples(module: str) -> list[dict[str, Any]]:
    """The tasks of a module's EXAMPLES."""
    return list(yaml.safe_load(text(module, "EXAMPLES")))


def own_examples(module: str) -> Iterator[dict[str, Any]]:
    """The arguments in the examples that call the module itself, without those that are computed, such as the token."""
    for task in examples(module):
        if f"{PREFIX}{module}" in task:
            yield {key: value for key, value in task[f"{PREFIX}{module}"].items() if "{{" not in str(value)}


def at_spot(module: str, sandbox: Sandbox) -> dict[str, str]:
    """The option with which a module asks the sandbox's Spot, if it asks Spot at all."""
    told = documentation(module)
    asks = "spot_api_url" in told["options"] or f"{PREFIX}_preflight" in told["extends_documentation_fragment"]
    return {"spot_api_url": sandbox.spot_url} if asks else {}


def preflight_at(sandbox: Sandbox, arguments: dict[str, Any]) -> dict[str, Any]:
    """The arguments of an example, whose preflight, if it does any, asks the sandbox's Spot alone."""
    here = {"spot_api_url": sandbox.spot_url, "proof": "none"}
    return {**arguments, "preflight": {**arguments["preflight"], **here}} if "preflight" in arguments else arguments


def permissions(module: str) -> set[str]:
    """The permissions that a module's notes name, or those of the modules that they refer to."""
    found: set[str] = set()
    todo, done = [module], set()
    while todo:
        done.add(name := todo.pop())
        notes = " ".join(note for note in documentation(name).get("notes", []) if "ermission" in note)
        found |= set(re.findall(r"C\((\w+:\w+)\)", notes))
        todo += set(re.findall(r"M\(spot\.eventbridge\.(\w+)\)", notes)) - done
    return found


@pytest.fixture
def onboarded(run: Runner, aws: Aws, sandbox: Sandbox) -> Runner:
    run.environment["SPOTINST_TOKEN"] = sandbox.tokens["admin"]
    for region in ONBOARDED["regions"]:
        aws.key("alias/spot", region)
    assert not run("spot_integration", **ONBOARDED).failed
    return run


@pytest.mark.slow
def test_examples_run(sandbox: Sandbox, aws: Aws, tmp_path: Path) -> None:
    """All in one playbook: each module's in turn, every time on an integration that is there."""
    for region in ONBOARDED["regions"]:
        aws.key("alias/spot", region)
    again = {"name": "Onboard", f"{PREFIX}spot_integration": ONBOARDED}

    def tasks(module: str) -> list[dict[str, Any]]:
        called = PREFIX + module
        return [{**task, called: preflight_at(sandbox, task[called])} if called in task else task for task in examples(module)]

    play = {
        "hosts": "localhost",
        "gather_facts": False,
        "vars": {"ansible_python_interpreter": "{{ ansible_playbook_python }}"},
        "module_defaults": {PREFIX + module: at_spot(module, sandbox) for module in alone() if at_spot(module, sandbox)},
        "tasks": [task for module in alone() for task in (again, *tasks(module))],
    }
    playbook = tmp_path / "examples.yml"
    playbook.write_text(yaml.safe_dump([play], sort_keys=False))
    done = Ansible(sandbox, tmp_path / "home").run(playbook)
    assert done.rc == 0, done.output
    ran = [(entry["action"].removeprefix(PREFIX), entry["result"]) for entry in done.results]
    assert {module for module, _ in ran} >= set(alone())
    assert [told for module, result in ran if module in alone() for told in differences(module, result)] == []


@pytest.mark.parametrize("module", modules())
def test_a_module_that_reads_says_so_and_one_that_writes_too(module: str) -> None:
    told = documentation(module)
    kinds = {name.rpartition(".")[2] for name in told["extends_documentation_fragment"] if "._attributes." in name}
    reads = module.endswith("_info") or module in ("spot_account_report", "spot_heal_plan", "spot_heal_summary")
    written = set() if module == "spot_fleet_report" else {"writes"}  # it writes files, and nothing in AWS
    assert kinds - {"actiongroup_aws", "controller"} == ({"info"} if reads else written)
    assert reads or "idempotent" in told["attributes"]


@pytest.mark.parametrize("module", modules())
def test_there_is_an_example_of_each_state(module: str) -> None:
    states = documentation(module)["options"].get("state", {"choices": ["present"], "default": "present"})
    shown = {example.get("state", states["default"]) for example in own_examples(module)}
    assert shown == set(states["choices"])


@pytest.mark.slow
@pytest.mark.parametrize("module", alone())
def test_the_permissions_for_what_a_module_calls_are_in_its_notes(onboarded: Runner, sandbox: Sandbox, module: str) -> None:
    sandbox.clear_calls()
    for example in own_examples(module):
        onboarded(module, **preflight_at(sandbox, example), **at_spot(module, sandbox))
    called = {f"{call['service']}:{call['operation']}" for call in sandbox.calls()}
    # Everybody may ask who he is.
    assert called - {"sts:GetCallerIdentity"} - permissions(module) == set()


def watched(onboarded: Runner, aws: Aws, sandbox: Sandbox) -> set[str]:
    """What the modules of the watch tell where something is kept, fails or is not known."""
    watch = {"name": NAME, "regions": ONBOARDED["regions"], "tags": {"team": "platform"}}
    found = seen("spot_watch", onboarded("spot_watch", **watch).answer)
    refused = sandbox.add_fault(REFUSED, {"operation": "PutTargets"})
    aws.events().remove_targets(Rule=f"{NAME}-alarm", Ids=["hub"])
    found |= seen("spot_watch", onboarded("spot_watch", **watch).answer)
    sandbox.clear_faults(refused["id"])
    onboarded("spot_watch", **watch)
    for region in ONBOARDED["regions"]:
        theirs = {"Id": "audit", "Arn": f"arn:aws:sqs:{region}:123456789012:audit"}
        aws.events(region).put_targets(Rule=f"{NAME}-alarm", Targets=[theirs])
    found |= seen("spot_watch", onboarded("spot_watch", **watch, state="absent").answer)
    onboarded("spot_watch", **watch)
    kept = onboarded("spot_integration", name=NAME, state="absent", regions=ONBOARDED["regions"], role_name=NAME, delete_messages=True)
    found |= seen("spot_integration", kept.answer)
    onboarded("spot_integration", **ONBOARDED)
    unsure = {
        "Effect": "Allow",
        "Action": "events:PutEvents",
        "Resource": "*",
        "Condition": {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}},
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [unsure]})
    sandbox.boto3("iam").put_role_policy(RoleName=NAME, PolicyName="unsure", PolicyDocument=document)
    found |= seen("spot_watch", onboarded("spot_watch", **watch, role_arn=f"arn:aws:iam::123456789012:role/{NAME}").answer)
    sandbox.boto3("iam").delete_role_policy(RoleName=NAME, PolicyName="unsure")
    refused = sandbox.add_fault(REFUSED, {"operation": "DescribeEventBus"})
    found |= seen("spot_watch_hub", onboarded("spot_watch_hub", region="us-east-1").answer)
    sandbox.clear_faults(refused["id"])
    return found


@pytest.mark.slow
def test_everything_that_return_tells_is_returned(onboarded: Runner, aws: Aws, sandbox: Sandbox) -> None:
    found: set[str] = set()

    def look() -> None:
        for module in alone():
            for example in own_examples(module):
                found.update(seen(module, onboarded(module, **preflight_at(sandbox, example), **at_spot(module, sandbox)).answer))
            onboarded("spot_integration", **ONBOARDED)

    look()
    # Where people want to know something: a foreign target, letters, a connection that AWS de-authorised, nothing to compare.
    for region in ONBOARDED["regions"]:
        aws.foreign_target(region)
        aws.sqs(region).send_message(QueueUrl=aws.queue_url(region), MessageBody="{}")
        aws.events(region).deauthorize_connection(Name=NAME)
    found.update(seen("spot_integration_info", onboarded("spot_integration_info", **next(own_examples("spot_integration_info"))).answer))
    unread = sandbox.add_fault(REFUSED, {"operation": "ReceiveMessage"})
    found.update(seen("spot_integration_info", onboarded("spot_integration_info", **next(own_examples("spot_integration_info"))).answer))
    sandbox.clear_faults(unread["id"])
    found.update(seen("spot_api_destination", onboarded("spot_api_destination", **next(own_examples("spot_api_destination"))).answer))
    sandbox.boto3("iam").put_role_policy(RoleName=NAME, PolicyName="audit", PolicyDocument=json.dumps(FOREIGN))
    for module in ("spot_dead_letter_queue", "spot_integration"):
        role = {"role_name": NAME} if module == "spot_integration" else {}
        kept = onboarded(module, name=NAME, state="absent", regions=ONBOARDED["regions"], **role)
        found.update(seen(module, kept.answer))
    sandbox.boto3("iam").delete_role_policy(RoleName=NAME, PolicyName="audit")
    onboarded("spot_integration", **ONBOARDED)
    found.update(watched(onboarded, aws, sandbox))
    # Where another integration serves the same account.
    another = {**ONBOARDED, "name": "another", "role_name": "another", "regions": [REGION]}
    found.update(seen("spot_integration", onboarded("spot_integration", **another).answer))
    found.update(seen("spot_integration", onboarded("spot_integration", **another, on_existing="migrate").answer))
    onboarded("spot_integration", **ONBOARDED, on_existing="migrate", all_regions=True)
    without_role = {"name": "another", "role_arn": "arn:aws:iam::123456789012:role/missing", "regions": [REGION]}
    found.update(seen("spot_interruption_rule", onboarded("spot_interruption_rule", **without_role).answer))
    for operation in ("GetSecretValue", "GetMetricData"):
        sandbox.add_fault(REFUSED, {"operation": operation})
    look()
    sandbox.clear_faults()
    # Where AWS refuses what has to do with the role, and everything.
    for nothing in ({"service": "iam"}, {"target": "aws"}):
        sandbox.add_fault(REFUSED, nothing)
        for module in alone():
            for example in own_examples(module):
                found.update(seen(module, onboarded(module, **preflight_at(sandbox, example), **at_spot(module, sandbox)).answer))
    told = functools.reduce(set.union, map(documented, alone()))
    assert sorted(told - found) == []
