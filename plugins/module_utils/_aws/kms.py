# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations


def is_same_key(one: str | None, other: str | None) -> bool:
    """Return whether two identifiers of KMS keys mean the same, where one is an ARN and the other is not.

    Terraform's acceptance tests on AWS expect the form that was given; that AWS always shows it is not recorded.
    """
    if not one or not other or one.startswith("arn:") == other.startswith("arn:"):
        return False
    return one.rpartition(":")[2].removeprefix("key/") == other.rpartition(":")[2].removeprefix("key/")
