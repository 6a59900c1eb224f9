# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the other tests of this folder begin with."""

from __future__ import annotations

import pytest

from tests.integration.playbooks.aws_state import everything
from tests.integration.verify.account import Account

pytestmark = pytest.mark.slow


def test_what_is_onboarded_as_a_matter_of_course_is_what_the_playbook_makes(account: Account) -> None:
    assert account.regions
    assert account.onboard().rc == 0
    by_playbook = everything(account.sandbox, account.regions)
    account.sandbox.reset()
    account.have_onboarded()
    assert everything(account.sandbox, account.regions) == by_playbook
