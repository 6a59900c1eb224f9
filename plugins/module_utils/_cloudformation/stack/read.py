# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack.events import read_causes
from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack.foreign_targets import read_foreign_targets
from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack.keys import key_arns
from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack.state import (
    CurrentStack,
    describe,
    resources_of,
    without_token,
)
from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.template import Template, body_differences, retained

if t.TYPE_CHECKING:
    from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack.desired import Stack
    from ansible_collections.spot.eventbridge.plugins.module_utils._core.region import Region

_CONNECTION_TYPE = "AWS::Events::Connection"


def read(stack: Stack, region: Region) -> CurrentStack | None:
    """Read an existing stack, None if there is none.

    DescribeStacks, and nothing else as long as CloudFormation works on it. Then the templates, the resources, and the connection
    itself, as CloudFormation knows neither its state nor its token.
    """
    cloudformation = region.clients["cloudformation"]
    existing = describe(cloudformation, stack.name, stack.token, stack.token_parameter)
    if existing and existing.in_progress:
        return existing
    if existing and existing.is_failed and existing.found:
        causes = tuple(without_token(cause, stack.token) for cause in read_causes(cloudformation, existing.found["stack_id"]))
        existing = dataclasses.replace(existing, causes=causes)
    return _read_present(stack, region, existing) if stack.present else _read_absent(stack, region, existing)


def _read_absent(stack: Stack, region: Region, existing: CurrentStack | None) -> CurrentStack | None:
    cloudformation = region.clients["cloudformation"]
    if existing is None:
        return None
    if not stack.retain or existing.is_dead:
        return dataclasses.replace(existing, foreign_targets=read_foreign_targets(region, stack.name))
    return dataclasses.replace(existing, retained=retained(cloudformation.get_template(StackName=stack.name)["TemplateBody"]))


def _read_present(stack: Stack, region: Region, existing: CurrentStack | None) -> CurrentStack:
    cloudformation = region.clients["cloudformation"]
    desired = Template.from_summary(cloudformation.get_template_summary(**stack.source))
    existing = dataclasses.replace(existing or CurrentStack(None), template=desired)
    if existing.is_half_deleted:
        existing = dataclasses.replace(existing, foreign_targets=read_foreign_targets(region, stack.name))
    if existing.found is None or existing.is_dead:
        return existing
    resources = resources_of(cloudformation, stack.name)
    names = tuple(item["physical_id"] for item in resources.values() if item["type"] == _CONNECTION_TYPE and item["physical_id"])
    return dataclasses.replace(
        existing,
        found={**existing.found, "resources": resources},
        differences=_differences(stack, cloudformation, desired),
        key_arns=key_arns(region, stack.keys, existing.found["parameters"]),
        connections=names,
        connection=stack.connection(names[0]).read(region) if len(names) == 1 else None,
    )


def _differences(stack: Stack, cloudformation: t.Any, desired: Template) -> tuple[str, ...]:
    if stack.template_body is not None:
        return body_differences(cloudformation.get_template(StackName=stack.name)["TemplateBody"], stack.template_body)
    return Template.from_summary(cloudformation.get_template_summary(StackName=stack.name)).differences(desired)
