# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import dataclasses
import typing as t
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Region:
    """One region of one AWS account, as a resource sees it.

    :ivar name: `us-east-1`
    :ivar partition: `aws`, `aws-cn`, `aws-us-gov`
    :ivar clients: boto3 clients by service; one that was not announced is made when it is first used
    :ivar known: ARNs of resources that need not be looked up, by kind; empty for one that does not exist
    """

    name: str
    partition: str
    clients: t.Mapping[str, t.Any]
    known: t.Mapping[str, str] = field(default_factory=dict)

    def knowing(self, kind: str, arn: str | None) -> Region:
        """Return the same region, in which this ARN is known, too; an empty one is not."""
        return dataclasses.replace(self, known={**self.known, kind: arn}) if arn else self

    def lacking(self, kind: str) -> Region:
        """Return the same region, in which it is known that there is no such resource."""
        return dataclasses.replace(self, known={**self.known, kind: ""})

    def arn(self, service: str, aws_account: str, resource: str) -> str:
        """Return an ARN of this region that follows from the resource's name (AWS service authorization reference).

        Those of connections and API destinations do not, as AWS appends an id of its own.
        """
        return f"arn:{self.partition}:{service}:{self.name}:{aws_account}:{resource}"
