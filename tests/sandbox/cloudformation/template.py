# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A template: its text, parsed and checked; the parameters it asks for; the order of its resources."""

from __future__ import annotations

import json
import re
from functools import cache, cached_property
from typing import Any

import yaml

from .errors import Refusal

Json = dict[str, Any]

SECTIONS = {"AWSTemplateFormatVersion", "Conditions", "Description", "Mappings", "Metadata", "Outputs", "Parameters", "Resources", "Rules"}
LONGEST_BODY = 51200
LONGEST_OBJECT = 1_000_000
PSEUDO_PARAMETERS = {
    f"AWS::{name}" for name in ("AccountId", "NoValue", "NotificationARNs", "Partition", "Region", "StackId", "StackName", "URLSuffix")
}
_LENGTHS = ("contain at least {} characters", "contain at most {} characters")
SUBSTITUTED = re.compile(r"\$\{(?!!)\s*([^}]+?)\s*\}")
"""What Fn::Sub replaces: `${Name}` and `${Name.Attribute}`, but not `${!Name}`."""


class Template:
    """A template that CloudFormation accepts; use `parsed()`, which remembers those it has seen.

    Args:
        text: JSON or YAML, with the short forms of the functions.
        types: the resource types that can be made.
    """

    def __init__(self, text: str, types: frozenset[str]) -> None:
        self.text = text
        self.body = _loaded(text)
        self.resources: dict[str, Json] = self._section("Resources")
        self.parameters: dict[str, Json] = self._section("Parameters")
        self.conditions: Json = self._section("Conditions")
        self.mappings: Json = self._section("Mappings")
        self.outputs: dict[str, Json] = self._section("Outputs")
        self._check(types)

    @property
    def description(self) -> str | None:
        return self.body.get("Description")

    @property
    def types(self) -> list[str]:
        """The types of its resources, each once."""
        return sorted({resource["Type"] for resource in self.resources.values()})

    @property
    def capabilities(self) -> list[str]:
        """What the caller has to acknowledge: a role with a name of its own asks for more than one without."""
        roles = [resource for resource in self.resources.values() if resource["Type"] == "AWS::IAM::Role"]
        if not roles:
            return []
        named = any("RoleName" in role.get("Properties", {}) for role in roles)
        return ["CAPABILITY_NAMED_IAM" if named else "CAPABILITY_IAM"]

    def is_hidden(self, parameter: str) -> bool:
        """Tell whether a parameter is NoEcho."""
        return str(self.parameters.get(parameter, {}).get("NoEcho", False)).lower() == "true"

    def dependencies(self, logical_id: str) -> set[str]:
        """Return the resources that one needs, by DependsOn or by what it refers to."""
        resource = self.resources[logical_id]
        named = resource.get("DependsOn", [])
        found = set(named if isinstance(named, list) else [named])
        return (found | {name.partition(".")[0] for name in _references(resource.get("Properties", {}))}) & set(self.resources)

    @cached_property
    def order(self) -> list[str]:
        """The resources, each after all that it needs."""
        waiting = {logical_id: self.dependencies(logical_id) for logical_id in self.resources}
        order: list[str] = []
        while waiting:
            ready = [logical_id for logical_id, needed in waiting.items() if needed <= set(order)]
            if not ready:
                raise Refusal(f"Circular dependency between resources: [{', '.join(sorted(waiting))}]")
            order += ready
            for logical_id in ready:
                del waiting[logical_id]
        return order

    def _section(self, name: str) -> Json:
        value = self.body.get(name) or {}
        if not isinstance(value, dict):
            raise Refusal(f"Template format error: {name} must be an object.")
        return value

    def _check(self, types: frozenset[str]) -> None:
        unknown = sorted(set(self.body) - SECTIONS)
        if unknown:
            raise Refusal(f"Invalid template property or properties [{', '.join(unknown)}]")
        if not self.resources:
            raise Refusal("Template format error: At least one Resources member must be defined.")
        for logical_id, resource in self.resources.items():
            if not isinstance(resource, dict) or "Type" not in resource:
                raise Refusal(f"Template format error: [/Resources/{logical_id}] Every Resources object must contain a Type member.")
        unknown = sorted({resource["Type"] for resource in self.resources.values()} - types)
        if unknown:
            raise Refusal(f"Template format error: Unrecognized resource types: [{', '.join(unknown)}]")
        self._check_references("Resources", self.resources)
        self._check_references("Outputs", self.outputs)
        _ = self.order  # a circle is a fault of the template

    def _check_references(self, section: str, content: Json) -> None:
        known = set(self.resources) | set(self.parameters) | PSEUDO_PARAMETERS
        missing = sorted({name.partition(".")[0] for name in _references(content)} - known)
        if missing:
            raise Refusal(
                f"Template format error: Unresolved resource dependencies [{', '.join(missing)}] in the {section} block of the template"
            )


@cache
def parsed(text: str, types: frozenset[str]) -> Template:
    """Return the template of a text, or a Refusal. Do not change what it holds."""
    return Template(text, types)


def parameter_values(template: Template, given: list[Json], previous: dict[str, str] | None = None) -> dict[str, str]:
    """Return the value of each parameter of a template, or a Refusal.

    Args:
        given: the `Parameters` of a request.
        previous: the values that UsePreviousValue stands for; None where there is no stack yet.
    """
    asked = {item["ParameterKey"]: item for item in given}
    unknown = [key for key in asked if key not in template.parameters]
    if unknown:
        raise Refusal(f"Parameters: [{', '.join(unknown)}] do not exist in the template")
    values: dict[str, str] = {}
    for key, declared in template.parameters.items():
        item = asked.get(key, {})
        if item.get("UsePreviousValue"):
            if previous is None or key not in previous:
                raise Refusal(
                    f"Invalid input for parameter key {key}. Cannot specify usePreviousValue as true for a parameter key "
                    "not in the previous template"
                )
            values[key] = previous[key]
        elif "ParameterValue" in item:
            values[key] = item["ParameterValue"]
        elif "Default" in declared:
            values[key] = _text(declared["Default"])
    missing = [key for key in template.parameters if key not in values]
    if missing:
        raise Refusal(f"Parameters: [{', '.join(missing)}] must have values")
    for key, value in values.items():
        _check_value(key, value, template.parameters[key])
    return values


def _check_value(key: str, value: str, declared: Json) -> None:
    """Raise a Refusal if a value breaks a constraint; it never shows the value."""
    is_list = declared.get("Type", "").startswith(("CommaDelimitedList", "List<"))
    parts = [part.strip() for part in value.split(",")] if is_list else [value]
    broken = next(filter(None, (_broken_constraint(part, declared) for part in parts)), None)
    if broken and "ConstraintDescription" in declared:
        raise Refusal(f"Parameter {key} failed to satisfy constraint: {declared['ConstraintDescription']}")
    if broken:
        raise Refusal(f"Parameter '{key}' must {broken}")


def _broken_constraint(value: str, declared: Json) -> str | None:
    """Return what the value must do and does not."""
    is_number = declared.get("Type") in ("Number", "List<Number>")
    if is_number and not re.fullmatch(r"\s*[-+]?\d+(\.\d+)?\s*", value):
        return "be a number"
    size = float(value) if is_number else len(value)
    least, most = (declared.get(f"{end}{'Value' if is_number else 'Length'}") for end in ("Min", "Max"))
    too_small, too_big = ("be a number not less than {}", "be a number not greater than {}") if is_number else _LENGTHS
    allowed = [_text(item) for item in declared.get("AllowedValues", [value])]
    constraints = {
        f"be one of AllowedValues: [{', '.join(allowed)}]": value in allowed,
        f"match pattern {declared.get('AllowedPattern')}": re.fullmatch(declared.get("AllowedPattern", "(?s).*"), value),
        too_small.format(least): least is None or size >= float(least),
        too_big.format(most): most is None or size <= float(most),
    }
    return next((what for what, holds in constraints.items() if not holds), None)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _references(node: Any) -> set[str]:
    """Return what is referred to below a node: the targets of Ref, `Name.Attribute` of Fn::GetAtt, both of Fn::Sub."""
    if isinstance(node, list):
        return {name for item in node for name in _references(item)}
    if not isinstance(node, dict):
        return set()
    if set(node) == {"Ref"}:
        return {str(node["Ref"])}
    if set(node) == {"Fn::GetAtt"}:
        given = node["Fn::GetAtt"]
        return {given if isinstance(given, str) else ".".join(map(str, given))}
    if set(node) == {"Fn::Sub"}:
        text, own = node["Fn::Sub"] if isinstance(node["Fn::Sub"], list) else (node["Fn::Sub"], {})
        return (set(SUBSTITUTED.findall(text)) - set(own)) | _references(own)
    return {name for item in node.values() for name in _references(item)}


def _loaded(text: str) -> Json:
    if len(text) > LONGEST_OBJECT:
        raise Refusal(f"Template may not exceed {LONGEST_OBJECT} bytes in size.")
    if text.lstrip().startswith("{"):
        try:
            body = json.loads(text)
        except ValueError as error:
            where = f" (line {error.lineno}, column {error.colno})" if isinstance(error, json.JSONDecodeError) else ""
            raise Refusal(f"Template format error: JSON not well-formed.{where}") from None
    else:
        try:
            body = yaml.load(text, _Loader)  # a SafeLoader
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            where = f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""
            raise Refusal(f"Template format error: YAML not well-formed.{where}") from None
    if not isinstance(body, dict):
        raise Refusal("Template format error: unsupported structure.")
    return body


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Reads the short forms of the functions, and leaves dates alone: a template's version is one."""


_Loader.yaml_implicit_resolvers = {
    letter: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for letter, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _short_form(loader: Any, suffix: str, node: yaml.Node) -> Json:
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
        if suffix == "GetAtt":
            value = value.split(".", 1)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _short_form)
