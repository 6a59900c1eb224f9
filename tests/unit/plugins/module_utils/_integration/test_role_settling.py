# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How long a run waits until EventBridge can assume the execution role."""

from __future__ import annotations

import datetime
import typing as t

import pytest

from ansible_collections.spot.eventbridge.plugins.module_utils._core.plan import Call, Plan
from ansible_collections.spot.eventbridge.plugins.module_utils._integration import role_settling
from ansible_collections.spot.eventbridge.plugins.module_utils._integration.role_settling import RoleSettling

MADE = datetime.datetime(2026, 9, 1, 12, 0, 0, tzinfo=datetime.timezone.utc)


class Iam:
    """IAM, in which a role was made so many seconds ago by AWS's clock; or which refuses."""

    def __init__(self, age: float | None) -> None:
        self._age = age
        self.calls: list[str] = []

    def home(self, services: t.Sequence[str]) -> Iam:
        return self

    @property
    def clients(self) -> dict[str, t.Any]:
        return {"iam": self}

    def get_role(self, **named: str) -> dict[str, t.Any]:
        self.calls.append(named["RoleName"])
        if self._age is None:
            raise RuntimeError("no")
        now = MADE + datetime.timedelta(seconds=self._age)
        headers = {"date": now.strftime("%a, %d %b %Y %H:%M:%S GMT")}
        return {"Role": {"CreateDate": MADE}, "ResponseMetadata": {"HTTPHeaders": headers}}


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    found: list[float] = []
    monkeypatch.setattr(role_settling.time, "sleep", found.append)
    return found


def settling(iam: Iam, seconds: float = 20) -> RoleSettling:
    return RoleSettling(seconds, t.cast("t.Any", iam), "spot")


@pytest.mark.parametrize(("age", "waits"), [(0, 20), (5, 16), (20, 1), (21, 0), (3600, 0), (-90, 20), (None, 0)], ids=str)
def test_the_rest_of_the_time_is_waited_for(slept: list[float], age: float | None, waits: float) -> None:
    iam = Iam(age)
    settling(iam).wait()
    assert (iam.calls, slept) == (["spot"], [pytest.approx(waits, abs=0.5)])


@pytest.mark.parametrize("operation", ["create_role", "update_assume_role_policy", "put_role_policy"])
def test_a_role_that_this_run_made_or_changed_is_not_read(slept: list[float], operation: str) -> None:
    iam = Iam(3600)
    role = settling(iam)
    role.begin(Plan("updated", None, calls=(Call(operation, {}),)))
    role.wait()
    assert (iam.calls, slept) == ([], [pytest.approx(20, abs=0.5)])


def test_a_change_that_has_nothing_to_do_with_deliveries_is_not_waited_for(slept: list[float]) -> None:
    iam = Iam(3600)
    role = settling(iam)
    role.begin(Plan("updated", None, calls=(Call("tag_role", {}),)))
    role.wait()
    assert slept == [0.0]


def test_the_role_is_read_once_for_all_regions(slept: list[float]) -> None:
    iam = Iam(5)
    role = settling(iam)
    role.wait()
    role.wait()
    assert (iam.calls, len(slept)) == (["spot"], 2)


def test_no_time_to_wait_for_costs_no_call(slept: list[float]) -> None:
    iam = Iam(0)
    settling(iam, 0).wait()
    assert (iam.calls, slept) == ([], [0.0])
