# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Compares what a module or another plugin returns with its RETURN, in both directions.

A dictionary is documented by `contains` or, where that would be a copy of AWS's reference, by a sample that has all its keys.
"As in RV(…)" takes another plugin's documentation. "By the region's name", or another's, in a description means one entry for each, whose
keys nobody knows beforehand. A value may be null where the description says V(none). What is not always returned says when, in a phrase
that `_expected` knows.
"""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

PLUGINS = Path(__file__).parents[2] / "plugins"
MODULES = PLUGINS / "modules"
MODULE = "module"
# What Ansible and amazon.aws give with every module.
COMMON = {"changed", "failed", "msg", "invocation", "warnings", "deprecations", "diff", "exception", "resource_actions"}
# The key of a result of a module that is run in steps (spot_stack_set), after which there is more to do.
STEP = "_step"
# What modules of regions return although they came to no result, as after a wrong argument.
WITHOUT_RESULT = {"problem", "summary", "notes"}
TYPES: dict[str, type | tuple[type, ...]] = {
    "raw": object,
    "str": str,
    "int": int,
    "float": (int, float),
    "bool": bool,
    "list": list,
    "dict": dict,
}
_REFERENCE = re.compile(r"As in RV\(spot\.eventbridge\.(\w+)#(\w+):([\w.]+)\)\.$")
Options = Mapping[str, Mapping[str, Any]]


def modules() -> list[str]:
    """The names of all modules."""
    return sorted(path.stem for path in MODULES.glob("*.py") if not path.name.startswith("_"))


def plugins(kind: str) -> list[str]:
    """The names of all plugins of a kind, such as filter."""
    return sorted(path.stem for path in (PLUGINS / kind).glob("*.py") if not path.name.startswith("_"))


@functools.cache
def text(module: str, name: str, kind: str = MODULE) -> str:
    """DOCUMENTATION, EXAMPLES or RETURN of a module, or of a plugin of another kind, as it is written."""
    folder = MODULES if kind == MODULE else PLUGINS / kind
    for statement in ast.parse((folder / f"{module}.py").read_text()).body:
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name) and statement.targets[0].id == name:
            return str(ast.literal_eval(statement.value))
    raise AssertionError(f"{module} has no {name}")


@functools.cache
def returned(module: str, kind: str = MODULE) -> Options:
    """RETURN of a module, or of a plugin of another kind."""
    return dict(yaml.safe_load(text(module, "RETURN", kind)))


def differences(module: str, answer: Mapping[str, Any]) -> list[str]:
    """What an answer has that RETURN does not tell, or the other way round."""
    if answer.get("failed") and not answer.keys() & (returned(module).keys() - WITHOUT_RESULT):
        return []
    told = {key: value for key, value in answer.items() if key not in COMMON and not key.startswith("_")}
    if STEP in answer:
        # The action plugin takes a step's result, and runs the next: users see that of the last alone.
        return [f"{key} is returned by a step, which only the action plugin sees" for key in told]
    return list(_differences("", returned(module), told))


def differences_of_value(plugin: str, kind: str, value: Any) -> list[str]:
    """What a plugin's value has that RETURN does not tell, or the other way round."""
    ((key, option),) = returned(plugin, kind).items()
    return list(_differences_of_one(key, option, value))


def documented(module: str, kind: str = MODULE) -> set[str]:
    """All that RETURN tells, as paths: `spot_integration:regions.action`. What it takes from elsewhere has its path there."""
    return set(_paths(f"{module}:", returned(module, kind)))


def seen(module: str, answer: Mapping[str, Any], kind: str = MODULE) -> set[str]:
    """The paths of what an answer has."""
    return set(_seen(f"{module}:", returned(module, kind), answer))


def _followed(option: Mapping[str, Any]) -> Mapping[str, Any]:
    """The documentation of a value; that of another module, if it refers there."""
    found = _REFERENCE.search(str(option["description"]))
    if not found:
        return option
    there: Mapping[str, Any] = {"contains": returned(found[1], found[2])}
    for key in found[3].split("."):
        there = there["contains"][key]
    return {**option, **{key: there[key] for key in ("description", "contains", "sample") if key in there}}


def _by_name(option: Mapping[str, Any]) -> bool:
    return bool(re.search(r"by the \w+'s name", str(option["description"])))


def _differences(path: str, options: Options, value: Mapping[str, Any]) -> Iterator[str]:
    for key in value.keys() - options.keys():
        yield f"{path}{key} is returned, but not documented"
    for key in options.keys() - value.keys():
        if _expected(options[key]["returned"], value):
            yield f"{path}{key} is documented as returned ({options[key]['returned']}), but is not there"
    for key in options.keys() & value.keys():
        yield from _differences_of_one(f"{path}{key}", options[key], value[key])


def _expected(when: str, beside: Mapping[str, Any]) -> bool:
    failed = "error" in beside or "failed" in beside
    if when in ("when it failed", "when the region failed"):
        return failed
    return when.startswith(("always", "success", "unless it failed", "unless the region failed")) and not failed


def _differences_of_one(path: str, option: Mapping[str, Any], value: Any) -> Iterator[str]:
    option = _followed(option)
    if value is None:
        if "V(none)" not in str(option["description"]):
            yield f"{path} is null, but its description does not say V(none)"
        return
    if not isinstance(value, TYPES[option["type"]]):
        yield f"{path} is a {type(value).__name__}, but documented as {option['type']}"
        return
    if option["type"] == "list" and not all(isinstance(entry, TYPES[option["elements"]]) for entry in value):
        yield f"{path} has other elements than {option['elements']}"
        return
    for name, entry in _entries(option, value):
        if "contains" in option:
            yield from _differences(f"{path}{name}.", option["contains"], entry)
        elif isinstance(sample := _sample(option), dict):
            yield from (f"{path}{name}.{key} is returned, but not in the sample" for key in entry.keys() - sample.keys())
        else:
            yield f"{path}{name} has keys, but its documentation has neither `contains` nor a sample with them"


def _entries(option: Mapping[str, Any], value: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The dictionaries that the documentation of a value is about."""
    if isinstance(value, list):
        yield from (("[]", entry) for entry in value if isinstance(entry, dict))
    elif isinstance(value, dict) and _by_name(option):
        yield from (("[]", entry) for entry in value.values() if isinstance(entry, dict))
    elif isinstance(value, dict):
        yield "", value


def _sample(option: Mapping[str, Any]) -> Any:
    sample = option.get("sample")
    return sample[0] if isinstance(sample, list) and sample else sample


def _paths(path: str, options: Options) -> Iterator[str]:
    for key, option in options.items():
        yield f"{path}{key}"
        if "contains" in option:
            yield from _paths(f"{path}{key}.", option["contains"])
        elif isinstance(_sample(option), dict) and not _by_name(option):
            yield from (f"{path}{key}.{inner}" for inner in _sample(option))


def _seen(path: str, options: Options, value: Mapping[str, Any]) -> Iterator[str]:
    for key in options.keys() & value.keys():
        yield f"{path}{key}"
        elsewhere = _REFERENCE.search(str(options[key]["description"]))
        inside = f"{elsewhere[1]}:{elsewhere[3]}" if elsewhere else f"{path}{key}"
        option = _followed(options[key])
        for _, entry in _entries(option, value[key]):
            if "contains" in option:
                yield from _seen(f"{inside}.", option["contains"], entry)
            else:
                yield from (f"{inside}.{name}" for name in entry)
