# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.spot.eventbridge.plugins.plugin_utils import _in_worker


class ActionModule(_in_worker.ActionModule):
    """Runs the module `spot_heal_authorization`."""

    services = ("cloudformation", "ec2", "events", "sts")
