# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import typing as t

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.paging import items
from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack.state import ForeignTargets, resources_of
from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.template import target_ids

if t.TYPE_CHECKING:
    from ansible_collections.spot.eventbridge.plugins.module_utils._core.region import Region

_RULE_TYPE = "AWS::Events::Rule"


def read_foreign_targets(region: Region, stack_name: str) -> tuple[ForeignTargets, ...]:
    """Read the targets of a stack's rules: GetTemplate, DescribeStackResources, ListTargetsByRule. None that cannot be read counts."""
    cloudformation, found = region.clients["cloudformation"], []
    try:
        own = target_ids(cloudformation.get_template(StackName=stack_name)["TemplateBody"])
        for logical_id, resource in resources_of(cloudformation, stack_name).items():
            if resource["type"] != _RULE_TYPE or not resource["physical_id"] or logical_id not in own:
                continue
            bus, _dummy, rule = resource["physical_id"].rpartition("|")
            named = {"Rule": rule, **({"EventBusName": bus} if bus else {})}
            ids = tuple(target["Id"] for target in items(region.clients["events"], "list_targets_by_rule", "Targets", **named))
            foreign = tuple(target_id for target_id in ids if target_id not in own[logical_id])
            if foreign:
                found.append(ForeignTargets(logical_id, rule, foreign))
    except Exception:  # CloudFormation's own reason follows
        return ()
    return tuple(found)
