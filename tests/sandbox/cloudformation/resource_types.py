# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The resource types that a stack can make; their handlers do what AWS's resource reference documents."""

from __future__ import annotations

from .event_types import ApiDestinationType, ConnectionType, RuleType
from .queue_types import QueuePolicyType, QueueType
from .resource_type import ResourceType
from .role_type import RoleType

TYPES: dict[str, ResourceType] = {
    kind.name: kind for kind in (ConnectionType(), ApiDestinationType(), RuleType(), QueueType(), QueuePolicyType(), RoleType())
}
