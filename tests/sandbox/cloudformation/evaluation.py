# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Evaluates a template's functions, with the parameters and resources of a stack."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from typing import Any

from .errors import Refusal
from .template import SUBSTITUTED, Template

NO_VALUE = object()
"""AWS::NoValue: the property is as if it were not there."""

HIDDEN = "****"


class NotKnownYet(Exception):
    """A value depends on a resource that is not made yet."""


class Evaluation:
    """The values of a template's expressions.

    Args:
        parameters: the parameters' values, as text.
        pseudo: the values of AWS::Region and the like.
        resource: returns a resource's id for (logical id, None), or an attribute for (logical id, name); raises NotKnownYet.
        mask: shows `****` for each NoEcho parameter.
    """

    def __init__(
        self,
        template: Template,
        parameters: Mapping[str, str],
        pseudo: Mapping[str, Any],
        resource: Callable[[str, str | None], Any],
        mask: bool = False,
    ) -> None:
        self._template = template
        self._pseudo = pseudo
        self._resource = resource
        self._values = {key: HIDDEN if mask and template.is_hidden(key) else value for key, value in parameters.items()}

    def wanted(self) -> list[str]:
        """Return the resources whose condition holds, each after all that it needs."""
        return [logical_id for logical_id in self._template.order if self.holds(self._template.resources[logical_id].get("Condition"))]

    def properties(self, logical_id: str) -> dict[str, Any]:
        """Return a resource's properties."""
        return self.value(self._template.resources[logical_id].get("Properties", {}))

    def outputs(self) -> list[dict[str, Any]]:
        """Return the outputs as DescribeStacks shows them."""
        shown = []
        for key, output in self._template.outputs.items():
            if self.holds(output.get("Condition")):
                more = {"Description": output["Description"]} if "Description" in output else {}
                if "Export" in output:
                    more["ExportName"] = self.value(output["Export"]["Name"])
                shown.append({"OutputKey": key, "OutputValue": str(self.value(output["Value"])), **more})
        return shown

    def holds(self, condition: str | None) -> bool:
        """Tell whether a condition of the template holds; none always does."""
        if condition is None:
            return True
        if condition not in self._template.conditions:
            raise Refusal(f"Template format error: Unresolved condition dependency {condition} in the Resources block of the template")
        return self._true(self._template.conditions[condition])

    def value(self, node: Any) -> Any:
        """Return the value of a node and all below it."""
        if isinstance(node, list):
            return [value for value in map(self.value, node) if value is not NO_VALUE]
        if not isinstance(node, dict):
            return node
        if len(node) == 1:
            ((name, argument),) = node.items()
            if name == "Ref":
                return self._ref(argument)
            if name.startswith("Fn::"):
                return self._function(name, argument)
        values = {key: self.value(item) for key, item in node.items()}
        return {key: value for key, value in values.items() if value is not NO_VALUE}

    def _ref(self, name: str) -> Any:
        if name == "AWS::NoValue":
            return NO_VALUE
        if name in self._pseudo:
            return self._pseudo[name]
        if name in self._values:
            is_list = self._template.parameters[name].get("Type", "").startswith(("CommaDelimitedList", "List<"))
            return [item.strip() for item in self._values[name].split(",")] if is_list else self._values[name]
        return self._resource(name, None)

    def _attribute(self, argument: str | list[str]) -> Any:
        logical_id, attribute = argument.split(".", 1) if isinstance(argument, str) else argument
        return self._resource(logical_id, self.value(attribute))

    def _function(self, name: str, argument: Any) -> Any:
        functions: dict[str, Callable[[Any], Any]] = {
            "Fn::Base64": lambda given: base64.b64encode(str(self.value(given)).encode()).decode(),
            "Fn::FindInMap": self._find_in_map,
            "Fn::GetAtt": self._attribute,
            "Fn::If": lambda given: self.value(given[1] if self.holds(given[0]) else given[2]),
            "Fn::Join": lambda given: given[0].join(str(item) for item in self.value(given[1])),
            "Fn::Select": lambda given: self.value(given[1])[int(self.value(given[0]))],
            "Fn::Split": lambda given: str(self.value(given[1])).split(given[0]),
            "Fn::Sub": self._sub,
            "Fn::ToJsonString": lambda given: json.dumps(self.value(given)),
        }
        if name not in functions:
            raise Refusal(f"Template error: the sandbox does not know {name}")
        return functions[name](argument)

    def _find_in_map(self, argument: list[Any]) -> Any:
        name, first, second = self.value(argument[:3])
        try:
            return self._template.mappings[name][first][second]
        except KeyError:
            raise Refusal(f"Template error: Unable to get mapping for {name}::{first}::{second}") from None

    def _sub(self, argument: str | list[Any]) -> str:
        text, own = argument if isinstance(argument, list) else (argument, {})
        values = self.value(own)

        def replaced(match: Any) -> str:
            name = match[1]
            if name in values:
                return str(values[name])
            return str(self._attribute(name) if "." in name else self._ref(name))

        return SUBSTITUTED.sub(replaced, text).replace("${!", "${")

    def _true(self, node: Any) -> bool:
        ((name, argument),) = node.items()
        if name == "Condition":
            return self.holds(argument)
        if name == "Fn::Equals":
            first, second = (self.value(item) for item in argument)
            return str(first) == str(second)
        if name == "Fn::Not":
            return not self._true(argument[0])
        if name in ("Fn::And", "Fn::Or"):
            return (all if name == "Fn::And" else any)(self._true(item) for item in argument)
        raise Refusal(f"Template validation error: unknown condition function {name}")
