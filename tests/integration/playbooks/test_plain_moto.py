# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An emulator other than the sandbox: moto as it comes, with all that it gets wrong."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.integration.playbooks.runner import Ansible

REGIONS = ["eu-west-1", "us-east-1"]
SERVER = """
import sys, time
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer(port=0, verbose=False)
server.start()
print("http://%s:%d" % server.get_host_and_port(), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def moto_url() -> Iterator[str]:
    """The address of a moto of its own; it ends when its input does, so that none is left behind."""
    with subprocess.Popen(
        [sys.executable, "-c", SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as server:
        assert server.stdout is not None
        yield server.stdout.readline().decode().strip().replace("0.0.0.0", "127.0.0.1")
        server.terminate()


def test_onboarding_works_and_a_second_run_changes_nothing(ansible: Ansible, moto_url: str) -> None:
    first = ansible.onboard(regions=",".join(REGIONS), env={"AWS_ENDPOINT_URL": moto_url})
    assert first.rc == 0, first.output
    assert sorted(first.table()) == REGIONS
    second = ansible.onboard(regions=",".join(REGIONS), env={"AWS_ENDPOINT_URL": moto_url})
    assert (second.rc, second.changed) == (0, 0)
    assert ansible.sandbox.calls() == []  # it was not the sandbox that answered
