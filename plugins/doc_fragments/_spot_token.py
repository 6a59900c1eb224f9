# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this doc fragment is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  spot_token:
    description:
      - The token of a user of the Spot organisation; best, that of a programmatic user.
      - If it is not given, the environment variable E(SPOTINST_TOKEN) is used, or the token in Spot's credentials file, see
        P(spot.eventbridge.spot_credentials#lookup).
      - Give it from a vault, an environment variable or a lookup, never in a playbook's text or on the command line.
    type: str
"""
