# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import typing as t

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.regions import Regions
from ansible_collections.spot.eventbridge.plugins.module_utils._core.entry import finish, wait_seconds
from ansible_collections.spot.eventbridge.plugins.module_utils._core.reconcile import reconcile
from ansible_collections.spot.eventbridge.plugins.module_utils._core.results import resource_result

if t.TYPE_CHECKING:
    from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

    from ansible_collections.spot.eventbridge.plugins.module_utils._core.plan import Document, Resource


# The work in all regions; it takes `ready` of `reconcile`.
Work = t.Callable[..., "Document"]


def run(
    module: AnsibleAWSModule,
    resource_class: type[Resource],
    around: t.Callable[[t.Any, Regions, Work], Document] = lambda resource, regions, work: work(),
) -> None:
    """Return the body of the modules of one resource: from parameters to the result.

    :param around: gets the desired state, the regions and the work in them, and returns the result; it may leave the work out
    """

    def work() -> Document:
        timeout = wait_seconds(module.params)
        regions = Regions(module, (resource_class.service, *resource_class.reads), module.params["regions"])
        resource = resource_class.from_parameters(module.params, regions)

        def everywhere(ready: t.Callable[[], None] | None = None) -> Document:
            how = {"check_mode": module.check_mode, "timeout": timeout, "ready": ready}
            results = regions.run(lambda region: reconcile(resource, region, **how))
            return resource_result(resource.kind, results)

        return around(resource, regions, everywhere)

    finish(module, work)
