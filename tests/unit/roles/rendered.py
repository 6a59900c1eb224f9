# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The collection's CloudFormation template with its functions carried out, as a stack of it would have it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

TEMPLATE = Path(__file__).parents[3] / "roles" / "spot_eventbridge" / "files" / "spot-interruption-eventbridge.yml"
Json = dict[str, Any]

ACCOUNT, REGION, PARTITION, STACK = "123456789012", "eu-west-1", "aws", "warnings"
PSEUDO_PARAMETERS = {
    "AWS::AccountId": ACCOUNT,
    "AWS::Region": REGION,
    "AWS::Partition": PARTITION,
    "AWS::StackName": STACK,
    "AWS::NoValue": None,
}
# What Ref of a resource gives, where it is not the property that names it.
REFS = {"AWS::SQS::Queue": "https://sqs/queue"}
NAMES = {"AWS::Events::Connection": "Name", "AWS::Events::ApiDestination": "Name", "AWS::Events::Rule": "Name"}


def template() -> Json:
    """The template as it is written."""
    return dict(yaml.safe_load(TEMPLATE.read_text()))


class Rendered:
    """A stack of the template with certain parameters; the others have their defaults. Attributes are `<resource>.<attribute>`."""

    def __init__(self, **parameters: str) -> None:
        self.template = template()
        defaults = {name: declared["Default"] for name, declared in self.template["Parameters"].items() if "Default" in declared}
        self.parameters = {**defaults, **parameters}

    def __getitem__(self, logical_id: str) -> Json:
        """The properties of a resource."""
        return dict(self.value(self.template["Resources"][logical_id]["Properties"]))

    def value(self, node: Any) -> Any:
        """A part of the template."""
        if isinstance(node, list):
            return [self.value(item) for item in node]
        if not isinstance(node, dict):
            return node
        if len(node) == 1:
            ((name, argument),) = node.items()
            function = getattr(self, f"_{name.removeprefix('Fn::').lower()}", None)
            if function and (name == "Ref" or name.startswith("Fn::")):
                return function(argument)
        whole = {key: self.value(item) for key, item in node.items()}
        return {key: item for key, item in whole.items() if item is not None}

    def _ref(self, name: str) -> Any:
        if name in PSEUDO_PARAMETERS:
            return PSEUDO_PARAMETERS[name]
        if name in self.parameters:
            return self.parameters[name]
        kind = self.template["Resources"][name]["Type"]
        return self[name][NAMES[kind]] if kind in NAMES else REFS[kind]

    def _getatt(self, argument: list[str]) -> str:
        return ".".join(argument)

    def _sub(self, text: str) -> str:
        return re.sub(r"\$\{([\w:]+)\}", lambda found: str(self._ref(found[1])), text)

    def _if(self, argument: list[Any]) -> Any:
        condition, then, otherwise = argument
        return self.value(then if self.value(self.template["Conditions"][condition]) else otherwise)

    def _not(self, argument: list[Any]) -> bool:
        return not self.value(argument[0])

    def _equals(self, argument: list[Any]) -> bool:
        return bool(self.value(argument[0]) == self.value(argument[1]))

    def _join(self, argument: list[Any]) -> str:
        return str(argument[0]).join(self.value(argument[1]))

    def _split(self, argument: list[Any]) -> list[str]:
        return str(self.value(argument[1])).split(argument[0])
