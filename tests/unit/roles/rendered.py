# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The collection's CloudFormation template with its functions carried out, as a stack of it would have it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from tests.sandbox.cloudformation.evaluation import Evaluation
from tests.sandbox.cloudformation.template import Template

TEMPLATE = Path(__file__).parents[3] / "roles" / "spot_eventbridge" / "files" / "spot-interruption-eventbridge.yml"
Json = dict[str, Any]

ACCOUNT, REGION, PARTITION, STACK = "123456789012", "eu-west-1", "aws", "warnings"
PSEUDO_PARAMETERS = {"AWS::AccountId": ACCOUNT, "AWS::Region": REGION, "AWS::Partition": PARTITION, "AWS::StackName": STACK}


def template() -> Json:
    """The template as it is written."""
    return dict(yaml.safe_load(TEMPLATE.read_text()))


class Rendered:
    """A stack of the template with certain parameters; the others have their defaults. Attributes are `<resource>.<attribute>`."""

    def __init__(self, **parameters: str) -> None:
        self.template = template()
        defaults = {name: declared["Default"] for name, declared in self.template["Parameters"].items() if "Default" in declared}
        self.parameters = {**defaults, **parameters}
        types = frozenset(resource["Type"] for resource in self.template["Resources"].values())
        self._evaluation = Evaluation(Template(TEMPLATE.read_text(), types), self.parameters, PSEUDO_PARAMETERS, self._resource)

    def __getitem__(self, logical_id: str) -> Json:
        """The properties of a resource."""
        return self._evaluation.properties(logical_id)

    def resources(self) -> list[str]:
        """The logical ids of the resources that the stack has."""
        return self._evaluation.wanted()

    def value(self, node: Any) -> Any:
        """A part of the template."""
        return self._evaluation.value(node)

    def _resource(self, logical_id: str, attribute: str | None) -> Any:
        if attribute:
            return f"{logical_id}.{attribute}"
        return self[logical_id].get("Name", "https://sqs/queue")
