# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

# The statuses of an integration in a region, worst first: the order in which people should read them.
UNKNOWN = "unknown"
INACTIVE = "inactive"
INCOMPLETE = "incomplete"
ABSENT = "absent"
DRIFTED = "drifted"
UNSUPPORTED = "unsupported"
ACTIVE = "active"
STATUSES = (UNKNOWN, INACTIVE, INCOMPLETE, ABSENT, DRIFTED, UNSUPPORTED, ACTIVE)
