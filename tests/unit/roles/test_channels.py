# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Both tasks that notify people hand over every channel: one that is left out would stay silent without an error."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.spot.eventbridge.plugins.module_utils._notify.channels.configured import CHANNELS

TASKS = Path(__file__).parents[3] / "roles" / "spot_eventbridge" / "tasks"


def arguments(tasks: list[dict[str, Any]], module: str) -> Iterator[dict[str, Any]]:
    for task in tasks:
        yield from arguments(task.get("block", []), module)
        if module in task:
            yield task[module]


@pytest.mark.parametrize(("file", "module"), [("work/notify.yml", "spot_notification"), ("heal_finish.yml", "spot_heal_notification")])
def test_each_channel_is_handed_over_as_the_variable_of_its_name(file: str, module: str) -> None:
    (given,) = arguments(yaml.safe_load((TASKS / file).read_text(encoding="utf-8")), f"spot.eventbridge.{module}")
    channels = {name: f"{{{{ spot_eventbridge_notify_{name} | default(omit, true) }}}}" for name in CHANNELS}
    assert channels.items() <= given.items()


def test_each_channel_counts_as_one() -> None:
    variables = yaml.safe_load((TASKS.parent / "vars" / "main.yml").read_text(encoding="utf-8"))
    assert all(f"spot_eventbridge_notify_{name}" in variables["__spot_eventbridge_notify_channels"] for name in CHANNELS)
