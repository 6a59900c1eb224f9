# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this doc fragment is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  regions:
    description:
      - The regions, as a list or separated by commas; or V(all) for every enabled region.
    type: raw
    default: all
  unsupported_regions:
    description:
      - Regions that are known to have no API destinations, which V(all) leaves out. Every other region is tried, and is reported as
        unsupported if it has none.
    type: list
    elements: str
    default: []
  exclude_regions:
    description:
      - Regions in which nothing is to be done, as names or patterns such as V(ap-*). A region that O(regions) names is left out, too.
    type: list
    elements: str
    default: []
  invocation_endpoint:
    description:
      - The address to which AWS will send the notices, and the token with them. The proof is sent there.
      - By default, C(/aws/ec2/instance/interruptionNotification) at O(spot_api_url).
    type: str
  spot_api_url:
    description:
      - The address of the Spot API. Plain HTTP is accepted for loopback only.
    type: str
    default: https://api.spotinst.io
  spot_validate_certs:
    description:
      - If V(true), the certificate of the Spot API is verified.
    type: bool
    default: true
  require_spot:
    description:
      - If V(true), a missing token, a refusal by Spot or no response of Spot is a failure.
      - If V(false), these are only reported, as for a run that only reads.
    type: bool
    default: true
  proof:
    description:
      - The proof that a token has to give before it is written.
      - With V(notification), it must be allowed to notify (C(elastigroup:createInstanceinterruptionNotification)), the one permission
        that is used.
      - With V(read), it must be allowed to read the account. A viewer's token passes, although Spot will refuse its notices; a
        token that is limited to notices does not pass.
      - With V(none), Spot must only know the token. An unproved permission is a warning.
    type: str
    choices: [notification, read, none]
    default: notification
  refused_settings:
    description:
      - Settings that are given and cannot be carried out, each with the reason. With any, the module fails before any call.
    type: dict
    default: {}
"""
