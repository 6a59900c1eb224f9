# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The shortest histories of what chance has found, each named for its kind."""

from __future__ import annotations

from tests.histories.history import History


def test_diff_of_a_removed_rule_names_no_tags_that_were_not_read() -> None:
    history = History()
    history.onboard(site="first", regions=["us-east-1"])
    history.offboard(site="first", regions=["us-east-1"])
    history.end()
