# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every setting of the role works with modules, stacks and stack sets, or is refused: none is dropped."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar

from ansible_collections.spot.eventbridge.plugins.module_utils._core.argument_specs import DEFAULT_DESCRIPTION
from ansible_collections.spot.eventbridge.plugins.module_utils._integration import desired as _desired
from tests.unit.roles.rendered import template

ROLE = Path(__file__).parents[3] / "roles" / "spot_eventbridge"
STACK_SET = ROLE.parent / "spot_eventbridge_stack_set"
METHODS = {"modules": "spot_integration", "cloudformation": "spot_stack"}
# How long one method waits is not about the other.
OF_ONE_METHOD = {"spot_eventbridge_wait_timeout", "spot_eventbridge_stack_timeout", "spot_eventbridge_stack_name"}
# Another value than the default, where any text will not do.
VALUES: dict[str, Any] = {
    "spot_eventbridge_on_existing": "migrate",
    "spot_eventbridge_watch": True,
    "spot_eventbridge_update_token": "always",
    "spot_eventbridge_tags": {"team": "a"},
    "spot_eventbridge_template_parameters": {"Team": "a"},
    "spot_eventbridge_regions": ["eu-west-1"],
}
# What the template's parameters of stack sets are not for: each instance has its own, or an option of the stack set's role.
ELSEWHERE = {"SpotAccountId", "SpotToken", "TokenRevision"}


def load(path: Path) -> Any:
    """A YAML file whose texts are templates."""
    # Since ansible-core 2.19, a text is a template only where that is said.
    trusted = {"trusted_as_template": True} if "trusted_as_template" in inspect.signature(DataLoader.load_from_file).parameters else {}
    return DataLoader().load_from_file(str(path), **trusted)


def options(role: Path = ROLE, entry: str = "main") -> dict[str, Any]:
    return dict(yaml.safe_load((role / "meta" / "argument_specs.yml").read_text())["argument_specs"][entry]["options"])


def variables(**changes: Any) -> dict[str, Any]:
    preflight = {"aws_account": "123456789012", "regions": ["eu-west-1"], "unsupported": []}
    # As the entry point `main` sets them.
    entry = {"__spot_eventbridge_work": "onboard", "__spot_eventbridge_require_spot": True, "__spot_eventbridge_refused_settings": {}}
    given = {"omit": "omitted", "spot_eventbridge_account": "act-d7320fba", "__spot_eventbridge_preflight": preflight, **entry}
    return {**load(ROLE / "defaults" / "main.yml"), **load(ROLE / "vars" / "main.yml"), **given, **changes}


def rendered(node: Any, **changes: Any) -> Any:
    return Templar(loader=DataLoader(), variables=variables(**changes)).template(node)


def passed(method: str, **changes: Any) -> dict[str, Any]:
    """The options that the role gives to the module of a deployment method; those that it leaves out are not there."""
    (task,) = load(ROLE / "tasks" / "work" / f"{method}.yml")
    arguments = task[f"spot.eventbridge.{METHODS[method]}"]
    # The collection's template is in a file of its own.
    shown = {key: value for key, value in arguments.items() if key != "template_body"}
    found = rendered(shown, spot_eventbridge_method=method, **changes)
    if method == "modules" and changes.get("spot_eventbridge_watch"):
        (task,) = load(ROLE / "tasks" / "work" / "watch_modules.yml")
        found["watch"] = rendered(task["spot.eventbridge.spot_watch"], spot_eventbridge_method=method, **changes)
    return {key: value for key, value in found.items() if value != "omitted"}


def refused(method: str, **changes: Any) -> list[str]:
    return list(rendered(variables()["__spot_eventbridge_unknown_settings"], spot_eventbridge_method=method, **changes))


def of_all_methods() -> set[str]:
    """The variables that the tasks around both methods use: who works where, proof, notification."""
    texts = [(ROLE / "tasks" / name).read_text() for name in ("account.yml", "work/preflight.yml", "work/onboard.yml", "work/notify.yml")]
    private = (ROLE / "vars" / "main.yml").read_text()
    found = {name for name in options() if any(f"{name} " in text or f"{name}\n" in text for text in texts)}
    return found | {name for name in options() if "_notify_" in name and name in private}


def settings() -> list[str]:
    return sorted(options().keys() - of_all_methods() - OF_ONE_METHOD)


def test_the_settings_are_those_that_a_company_demands() -> None:
    """What is listed here by hand is only there to see that the list above is not empty."""
    needed = "tags kms_key queue_kms_key role_boundary role_path role_arn role_name queue_name queue_retention"
    needed += " event_age retry_attempts rate_limit description template_parameters"
    assert {f"spot_eventbridge_{name}" for name in needed.split()} <= set(settings())


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", settings())
def test_a_setting_is_carried_out_or_refused(name: str, method: str) -> None:
    change = {name: VALUES.get(name, 777 if options()[name]["type"] == "int" else "another")}
    # Where the hub is counts only where the integration is watched.
    usual = {"spot_eventbridge_watch": True} if name.startswith("spot_eventbridge_watch_") else {}
    assert passed(method, **usual, **change) != passed(method, **usual) or refused(method, **change) == [name]


@pytest.mark.parametrize("method", METHODS)
def test_nothing_is_refused_where_nothing_is_set(method: str) -> None:
    assert refused(method) == []


def test_a_stack_gets_only_parameters_of_the_template() -> None:
    assert passed("cloudformation")["parameters"].keys() <= template()["Parameters"].keys()


def test_every_parameter_of_the_template_is_a_setting_of_the_role() -> None:
    """So it is with stack sets, whose role gives its parameters to the template as they are."""
    assert template()["Parameters"].keys() - passed("cloudformation")["parameters"].keys() == ELSEWHERE
    task = (STACK_SET / "tasks" / "main.yml").read_text()
    assert 'parameters: "{{ spot_eventbridge_stack_set_parameters }}"' in task


def test_a_name_of_the_role_is_refused_with_stacks() -> None:
    """CloudFormation would make it in each region, and IAM knows it once."""
    assert passed("cloudformation", spot_eventbridge_role_name="mine")["parameters"]["RoleName"] == "mine"
    assert "RoleName" not in template()["Parameters"]


@pytest.mark.parametrize(
    ("change", "parameters"),
    [
        ({}, {}),
        ({"spot_eventbridge_rate_limit": 300}, {}),
        ({"spot_eventbridge_name": "theirs"}, {}),
        ({"spot_eventbridge_rate_limit": "7"}, {"InvocationRateLimitPerSecond": "7"}),
        ({"spot_eventbridge_queue_kms_key": "alias/a"}, {"QueueKmsKey": "alias/a"}),
        ({"spot_eventbridge_template_parameters": {"Team": "a"}}, {"Team": "a"}),
        ({"spot_eventbridge_role_path": "/a/", "spot_eventbridge_template_parameters": {"RolePath": "/b/"}}, {"RolePath": "/b/"}),
    ],
    ids=str,
)
def test_another_template_gets_what_is_set(change: dict[str, Any], parameters: dict[str, Any]) -> None:
    assert passed("cloudformation", spot_eventbridge_template_url="https://x/", **change)["parameters"] == parameters


def test_what_counts_as_not_set_are_the_defaults() -> None:
    unset = rendered(variables()["__spot_eventbridge_unset"])
    assert rendered(variables()["__spot_eventbridge_settings"]) == unset
    assert unset["Description"] == DEFAULT_DESCRIPTION


def test_every_option_of_the_resources_is_given_by_the_role() -> None:
    """A new option of a resource needs a variable."""
    specs = [option for resource in _desired._SPECS for option in resource.argument_spec()]
    given = load(ROLE / "tasks" / "work" / "modules.yml")[0]["spot.eventbridge.spot_integration"]
    here = {"api_destination_arns", "api_destination", "connection", "dead_letter_queue", "target_id", "delete_messages"}
    assert set(specs) - here - given.keys() == set()
