# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The guide "When it breaks" explains every status, and no finding that does not exist.

That it explains every finding is tested wherever a module or a playbook runs: see `unexplained` in the runners.
"""

from __future__ import annotations

import re

from ansible_collections.spot.eventbridge.plugins.module_utils._core.results import STATUSES
from tests.tools.addresses import CHECKOUT
from tests.tools.guides import explained


def test_guide_explains_every_status_and_no_other() -> None:
    assert explained("Statuses") == set(STATUSES)


def test_guide_explains_no_finding_that_does_not_exist() -> None:
    code = "".join(path.read_text(encoding="utf-8") for path in (CHECKOUT / "plugins").rglob("*.py"))
    assert len(explained("Findings")) > 30
    assert explained("Findings") - set(re.findall(r'"(\w+)"', code)) == set()
