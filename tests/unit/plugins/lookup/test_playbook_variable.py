# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which variables count."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar

from ansible_collections.spot.eventbridge.plugins.lookup import playbook_variable
from ansible_collections.spot.eventbridge.plugins.lookup.playbook_variable import LookupModule

HOST = {"regions": "us-west-2", "state": "absent", "aws_profile": "prod", "spot_eventbridge_regions": "eu-west-1", "spot_token": "t"}


class HostVars:
    """What Ansible gives as `hostvars`."""

    def raw_get(self, name: str) -> dict[str, Any]:
        assert name == "act-d7320fba"
        return HOST


def look(*names: str, extra: dict[str, Any] | None = None, in_task: bool = True, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    monkeypatch.setattr(playbook_variable, "load_extra_vars", lambda loader: extra or {})
    loader = DataLoader()
    variables = {"hostvars": HostVars(), "inventory_hostname": "act-d7320fba", "spot_eventbridge_name": "of the play"} if in_task else {}
    return LookupModule(loader=loader, templar=Templar(loader=loader, variables=variables)).run(names, variables)


@pytest.mark.parametrize(
    ("names", "extra", "expected"),
    [
        (["regions"], {}, []),
        (["state"], {}, []),
        (["regions", "spot_eventbridge_regions"], {}, ["eu-west-1"]),
        (["regions", "spot_eventbridge_regions"], {"regions": "eu-north-1"}, ["eu-north-1"]),
        (["aws_profile", "spot_eventbridge_aws_profile"], {}, ["prod"]),
        (["aws_profile"], {"aws_profile": "other"}, ["other"]),
        (["spot_token"], {}, ["t"]),
        (["spot_eventbridge_name"], {}, []),
        (["regions"], {"regions": ["eu-north-1"]}, [["eu-north-1"]]),
    ],
)
def test_a_plain_name_counts_as_an_extra_variable_only(
    names: list[str], extra: dict[str, Any], expected: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert look(*names, extra=extra, monkeypatch=monkeypatch) == expected


def test_outside_a_task_only_extra_variables_count(monkeypatch: pytest.MonkeyPatch) -> None:
    assert look("aws_profile", "spot_eventbridge_regions", in_task=False, monkeypatch=monkeypatch) == []
    assert look("account", extra={"account": "act-d7320fba"}, in_task=False, monkeypatch=monkeypatch) == ["act-d7320fba"]
