# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is documented of filters, lookups, the inventory and the callback is so: options, examples, and what is returned.

Examples are templated as Ansible does it. Those of modules are run on the sandbox, in tests/integration/modules; those of the
inventory in tests/integration/inventory.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import json
import re
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import fragment_loader
from ansible.template import Templar, trust_as_template
from ansible.utils.plugin_docs import get_docstring

from tests.tools.documented import PLUGINS, differences_of_value, documented, plugins, seen, text

COLLECTION = "spot.eventbridge"
# What the examples take for granted.
VARIABLES = {
    "groups": {"spot_accounts": ["production"]},
    "hostvars": {"production": {"spot_account": "act-d7320fba", "aws_account": "123456789012"}},
}
FILTER = pytest.mark.parametrize("name", plugins("filter"))
LOOKUP = pytest.mark.parametrize("name", plugins("lookup"))


def documentation(name: str, kind: str) -> dict[str, t.Any]:
    """DOCUMENTATION of a plugin, without its fragments."""
    return dict(yaml.safe_load(text(name, "DOCUMENTATION", kind)))


def values(name: str, kind: str) -> list[t.Any]:
    """What each expression in a plugin's EXAMPLES comes to that uses it."""
    calls = [f"| {COLLECTION}.{name}"] if kind == "filter" else [f"{function}('{COLLECTION}.{name}'" for function in ("lookup", "query")]
    found = []
    for task in yaml.safe_load(text(name, "EXAMPLES", kind)):
        loader = DataLoader()
        templar = Templar(loader, variables={**VARIABLES, **trusted(task.get("vars", {}))})
        for expression in texts({key: value for key, value in task.items() if key != "vars"}):
            if any(call in expression for call in calls):
                value = templar.template(trust_as_template(expression))
                found.append(json.loads(value) if "| to_nice_json" in expression else value)
    return found


def trusted(given: t.Any) -> t.Any:
    """The same with all texts as what an author wrote, which Ansible templates."""
    if isinstance(given, dict):
        return {key: trusted(value) for key, value in given.items()}
    return trust_as_template(given) if isinstance(given, str) else given


def texts(given: t.Any) -> t.Iterator[str]:
    """All texts in anything."""
    if isinstance(given, str):
        yield given
    elif isinstance(given, (dict, list)):
        for value in given.values() if isinstance(given, dict) else given:
            yield from texts(value)


# Filters


@FILTER
def test_the_options_of_a_filter_are_those_that_it_takes(name: str) -> None:
    told = documentation(name, "filter")
    module = importlib.import_module(f"ansible_collections.{COLLECTION}.plugins.filter.{name}")
    first, *parameters = inspect.signature(getattr(module, name)).parameters.values()
    options = {key: option for key, option in told["options"].items() if key != "_input"}
    assert told["name"] == name
    assert told["options"]["_input"]["required"]
    assert first.default is inspect.Parameter.empty
    assert list(options) == [parameter.name for parameter in parameters]
    for parameter in parameters:
        option = options[parameter.name]
        required = parameter.default is inspect.Parameter.empty
        assert bool(option.get("required")) == required, parameter.name
        given = list(parameter.default) if isinstance(parameter.default, tuple) else parameter.default
        assert required or option.get("default") == given, parameter.name
    by_position = [parameter.name for parameter in parameters if parameter.kind is not inspect.Parameter.KEYWORD_ONLY]
    assert [word.strip() for word in told.get("positional", "").split(",") if word] == by_position


@FILTER
def test_the_examples_of_a_filter_come_to_what_its_documentation_tells(name: str) -> None:
    found = values(name, "filter")
    assert found
    told = [difference for value in found for difference in differences_of_value(name, "filter", value)]
    assert told == []
    everything = set().union(*(seen(name, {"_value": value}, "filter") for value in found))
    assert documented(name, "filter") - everything == set()


@FILTER
def test_each_example_of_a_filter_uses_it(name: str) -> None:
    tasks = yaml.safe_load(text(name, "EXAMPLES", "filter"))
    assert len(values(name, "filter")) == len(tasks)
    assert all(task["name"] for task in tasks)


# Lookups


@LOOKUP
def test_the_examples_of_a_lookup_come_to_what_its_documentation_tells(name: str) -> None:
    found = values(name, "lookup")
    assert found
    assert [difference for value in found for difference in differences_of_value(name, "lookup", [value])] == []


# Plugins with options out of the configuration


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind in ("inventory", "callback") for name in plugins(kind)])
def test_the_options_of_a_plugin_are_those_that_it_asks_for(kind: str, name: str) -> None:
    path = PLUGINS / kind / f"{name}.py"
    whole = get_docstring(str(path), fragment_loader, collection_name=COLLECTION, plugin_type=kind)[0]["options"]
    asked = asked_for(path)
    assert asked - set(whole) == set()
    own = set(documentation(name, kind).get("options", {}))
    # By its name, Ansible finds the plugin; the rest is for the plugin itself.
    assert own - asked - {"plugin"} == set()


def asked_for(path: Path) -> set[str]:
    """The options that a plugin asks for by their names."""
    calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)]
    return {
        call.args[0].value
        for call in calls
        if isinstance(call.func, ast.Attribute)
        and call.func.attr in ("get_option", "_worked_out")
        and call.args
        and isinstance(call.args[0], ast.Constant)
        and isinstance(call.args[0].value, str)
    }


def test_the_inventory_names_the_variables_that_its_hosts_have() -> None:
    from ansible_collections.spot.eventbridge.plugins.module_utils._spot.accounts import host_variables
    from ansible_collections.spot.eventbridge.plugins.module_utils._spot.responses import SpotAccount

    (sentence,) = [line for line in documentation("spot_accounts", "inventory")["description"] if "Their variables are" in line]
    fields = inspect.signature(SpotAccount).parameters
    account = SpotAccount(**dict.fromkeys(fields, "x"))
    assert set(re.findall(r"C\((\w+)\)", sentence.split("Their variables are")[1])) == set(host_variables(account))
