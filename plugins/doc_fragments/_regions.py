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
      - The regions in which to work, all at the same time.
      - Duplicates are ignored. A region that fails does not stop the others.
      - Without it, the one region of O(region) is used.
    type: list
    elements: str
"""

    ASSUME_ROLE = r"""
options:
  assume_role_arn:
    description:
      - The role in the AWS account to work in, which the credentials may assume. Without it, the credentials are used directly.
      - The temporary credentials never leave the module, and are renewed before they expire.
    type: str
  assume_role_external_id:
    description:
      - The external id that the role's trust policy requires.
    type: str
  assume_role_session_name:
    description:
      - The session name in CloudTrail.
    type: str
    default: spot-eventbridge
"""

    WAIT = r"""
options:
  wait:
    description:
      - If V(true), waits until AWS has completed the changes.
    type: bool
    default: true
  wait_timeout:
    description:
      - The maximum time to wait for AWS in each region, in seconds.
    type: int
    default: 120
"""

    TAGS = r"""
options:
  tags:
    description:
      - The tags of the resource. Without it, tags stay as they are.
    type: dict
  purge_tags:
    description:
      - If V(true) and O(tags) is given, tags that are not in O(tags) are removed.
    type: bool
    default: true
"""

    LEFT_OUT = r"""
options:
  denied_regions:
    description:
      - The effect of a region that the organisation denies, by a service control policy or a resource control policy that refuses even
        to read there. With V(skip), the region is a row of RV(summary) with the status V(denied). With V(fail), it is also a failure.
    type: str
    choices: [skip, fail]
    default: skip
  unsupported_regions:
    description:
      - Regions that are left out, as they have no API destinations. They are not called; they are rows of RV(summary) with the status
        V(unsupported).
    type: list
    elements: str
    default: []
"""
