# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each writing module is created, modified and deleted; each in check mode, for real, in check mode again, for real again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.integration.modules.aws import ACCOUNT, NAME, ROLE_ARN, SPOT_ACCOUNT, Aws
from tests.integration.modules.runner import Run, Runner
from tests.sandbox.client import Sandbox

REGIONS = ["us-east-1", "eu-west-1", "ap-southeast-2"]
TEMPLATE = Path(__file__).parents[3] / "roles" / "spot_eventbridge" / "files" / "spot-interruption-eventbridge.yml"
STEPS = ("create", "modify", "delete")
TURNS = ("predicted", "done", "predicted_again", "done_again")
ACTIONS = {"create": "created", "modify": "updated", "delete": "deleted"}

# What AWS decides, so that no prediction can know it.
AWS_DECIDES = {
    "connection": {"connection_arn", "secret_arn", "creation_time", "last_modified_time", "last_authorized_time"},
    "api_destination": {"api_destination_arn", "creation_time", "last_modified_time"},
    "rule": {"arn", "created_by"},
    "queue": {"queue_url"},
    "stack": {"stack_id", "outputs", "resources"},
}
# What AWS decides again with each change.
ALWAYS = {"last_modified_time", "last_authorized_time", "resources"}


@dataclass
class Turn:
    """One run, and the writing calls it made."""

    run: Run
    writes: list[str]


@dataclass
class Story:
    """All runs of one module."""

    kind: str
    turns: dict[tuple[str, str], Turn] = field(default_factory=dict)

    def __getitem__(self, key: tuple[str, str]) -> Turn:
        return self.turns[key]


def connection(sandbox: Sandbox, aws: Aws) -> dict[str, dict[str, Any]]:
    always = {"name": NAME}
    create = {**always, "spot_account": SPOT_ACCOUNT, "spot_token": sandbox.tokens["editor"]}
    modify = {**create, "spot_account": "act-5a9d1c02", "spot_token": sandbox.tokens["admin"], "description": "new"}
    return {"create": create, "modify": modify, "delete": {**always, "state": "absent"}}


def api_destination(sandbox: Sandbox, aws: Aws) -> dict[str, dict[str, Any]]:
    for region in REGIONS:
        aws.connection(sandbox.tokens["editor"], region)
    modify = {"name": NAME, "invocation_endpoint": sandbox.spot_url, "invocation_rate_limit_per_second": 7, "description": "new"}
    return {"create": {"name": NAME}, "modify": modify, "delete": {"name": NAME, "state": "absent"}}


def rule(sandbox: Sandbox, aws: Aws) -> dict[str, dict[str, Any]]:
    aws.role()
    for region in REGIONS:
        aws.destination(aws.connection(sandbox.tokens["editor"], region), region)
    create = {"name": NAME, "role_arn": ROLE_ARN, "dead_letter_queue": NAME, "tags": {"team": "a", "cost": 7}}
    modify = {**create, "maximum_event_age_in_seconds": 60, "description": "new", "dead_letter_queue": "other", "tags": {"team": "b"}}
    return {"create": create, "modify": modify, "delete": {"name": NAME, "state": "absent"}}


def queue(sandbox: Sandbox, aws: Aws) -> dict[str, dict[str, Any]]:
    create = {"name": NAME, "tags": {"team": "a", "cost": 7}}
    modify = {"name": NAME, "rule": "other", "message_retention_period": 3600, "tags": {"team": "b"}}
    return {"create": create, "modify": modify, "delete": {"name": NAME, "state": "absent"}}


def stack(sandbox: Sandbox, aws: Aws) -> dict[str, dict[str, Any]]:
    parameters = {"Name": NAME, "MaximumEventAgeInSeconds": 90}
    body = {"stack_name": NAME, "template_body": TEMPLATE.read_text()}
    create = {**body, "spot_account": SPOT_ACCOUNT, "spot_token": sandbox.tokens["editor"], "parameters": parameters, "tags": {"team": "a"}}
    change = {"parameters": {"Name": NAME, "MaximumEventAgeInSeconds": 60}, "tags": {"team": "b"}}
    modify = {**create, **change, "spot_account": "act-5a9d1c02", "spot_token": sandbox.tokens["admin"]}
    return {"create": create, "modify": modify, "delete": {"stack_name": NAME, "state": "absent"}}


MODULES = {
    "connection": ("spot_eventbridge_connection", connection),
    "api_destination": ("spot_api_destination", api_destination),
    "rule": ("spot_interruption_rule", rule),
    "queue": ("spot_dead_letter_queue", queue),
    "stack": ("spot_stack", stack),
}


@pytest.fixture(scope="module", params=MODULES)
def story(request: pytest.FixtureRequest, running: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """The twelve runs of one module, told once for all tests that look at them."""
    running.reset()
    module, prepare = MODULES[request.param]
    folder: Path = tmp_path_factory.mktemp("module")
    run = Runner(running.env(token=None), folder, set(running.tokens.values()))
    arguments = prepare(running, Aws(running))
    found = Story(request.param)
    for step in STEPS:
        for turn in TURNS:
            running.clear_calls()
            done = run(module, check=turn.startswith("predicted"), regions=REGIONS, **arguments[step])
            found.turns[step, turn] = Turn(done, [call["operation"] for call in running.calls(writes=True)])
    yield found
    running.reset()


each_step = pytest.mark.parametrize("step", STEPS)
each_turn = pytest.mark.parametrize("turn", TURNS)


@each_step
@each_turn
def test_no_run_fails_or_warns(story: Story, step: str, turn: str) -> None:
    run = story[step, turn].run
    assert (run.failed, run.message, run.warnings, run.answer["failed_regions"]) == (False, "", [], [])


@each_step
@pytest.mark.parametrize("turn", ["predicted", "done"])
def test_the_first_time_is_a_change_in_every_region(story: Story, step: str, turn: str) -> None:
    run = story[step, turn].run
    assert run.changed
    assert run.actions == dict.fromkeys(REGIONS, ACTIONS[step])
    assert [entry["changed"] for entry in run.regions.values()] == [True] * 3


@each_step
@pytest.mark.parametrize("turn", ["predicted_again", "done_again"])
def test_the_second_time_is_no_change_in_any_region(story: Story, step: str, turn: str) -> None:
    run = story[step, turn].run
    assert not run.changed
    assert run.actions == dict.fromkeys(REGIONS, "unchanged")
    assert run.answer["diff"] == []


@each_step
@pytest.mark.parametrize("turn", ["predicted", "predicted_again", "done_again"])
def test_only_the_real_first_time_makes_writing_calls(story: Story, step: str, turn: str) -> None:
    assert story[step, turn].writes == []
    assert len(story[step, "done"].writes) >= len(REGIONS)


@each_step
@pytest.mark.parametrize("again", ["", "_again"])
def test_check_mode_predicts_action_and_change(story: Story, step: str, again: str) -> None:
    predicted, done = story[step, f"predicted{again}"].run, story[step, f"done{again}"].run
    assert predicted.changed == done.changed
    assert predicted.actions == done.actions


@each_step
def test_check_mode_predicts_the_diff(story: Story, step: str) -> None:
    assert story[step, "predicted"].run.answer["diff"] == story[step, "done"].run.answer["diff"]


@each_step
def test_the_diff_has_an_entry_for_each_region_with_something_before_or_after(story: Story, step: str) -> None:
    diff = story[step, "done"].run.answer["diff"]
    assert [entry["before_header"] for entry in diff] == [f"{region} {story.kind}" for region in REGIONS]
    assert [entry["after_header"] for entry in diff] == [f"{region} {story.kind}" for region in REGIONS]
    assert {bool(entry["before"]) for entry in diff} == {step != "create"}
    assert {bool(entry["after"]) for entry in diff} == {step != "delete"}


@pytest.mark.parametrize("step", ["create", "modify"])
@pytest.mark.parametrize("region", REGIONS)
def test_check_mode_predicts_the_resource_in_all_that_aws_does_not_decide(story: Story, step: str, region: str) -> None:
    predicted = story[step, "predicted"].run.regions[region][story.kind]
    done = story[step, "done"].run.regions[region][story.kind]
    unknown = AWS_DECIDES[story.kind] if step == "create" else ALWAYS
    assert {key: predicted.get(key) for key in done if key not in unknown} == {key: done[key] for key in done if key not in unknown}
    assert set(predicted) - set(done) == set()


@pytest.mark.parametrize("step", ["create", "modify"])
def test_what_is_left_alone_is_returned_as_it_was_returned_when_it_was_made(story: Story, step: str) -> None:
    for turn in ("predicted_again", "done_again"):
        assert [entry[story.kind] for entry in story[step, turn].run.regions.values()] == [
            entry[story.kind] for entry in story[step, "done"].run.regions.values()
        ]


@pytest.mark.parametrize("turn", TURNS)
def test_what_is_gone_is_none(story: Story, turn: str) -> None:
    assert [entry[story.kind] for entry in story["delete", turn].run.regions.values()] == [None] * 3


def test_what_is_modified_keeps_its_identity(story: Story) -> None:
    for region in REGIONS:
        before, after = (story[step, "done"].run.regions[region][story.kind] for step in ("create", "modify"))
        identities = {"connection": "connection_arn", "api_destination": "api_destination_arn", "queue": "queue_url", "stack": "stack_id"}
        identity = identities.get(story.kind, "arn")
        assert before[identity] == after[identity]
        assert f":{region}:{ACCOUNT}:" in str(after)
