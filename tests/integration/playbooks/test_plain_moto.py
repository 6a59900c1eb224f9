# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An emulator other than the sandbox: moto as it comes, with all that it gets wrong."""

from __future__ import annotations

import pytest

from tests.fakes.plain_moto import plain_moto
from tests.integration.playbooks.runner import Ansible

pytestmark = pytest.mark.slow

REGIONS = ["eu-west-1", "us-east-1"]


def test_onboarding_works_and_a_second_run_changes_nothing(ansible: Ansible) -> None:
    with plain_moto() as url:
        first, second = (ansible.onboard(regions=",".join(REGIONS), env={"AWS_ENDPOINT_URL": url}) for _ in range(2))
    assert first.rc == 0, first.output
    assert sorted(first.table()) == REGIONS
    assert (second.rc, second.changed) == (0, 0)
    assert ansible.sandbox.calls() == []  # it was not the sandbox that answered
