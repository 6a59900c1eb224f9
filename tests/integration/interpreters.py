# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The warm interpreters of this process, each started when it is asked for first; see tests/tools/warm_python."""

from __future__ import annotations

import functools
import sys
from pathlib import Path

from tests.tools.warm_python import WarmPython

CHECKOUT = Path(__file__).parents[2]
COLLECTIONS = Path(sys.prefix) / "collections"
MODULE_UTILS = CHECKOUT / "plugins" / "module_utils"
PACKAGE = "ansible_collections.spot.eventbridge.plugins.module_utils"
# How tests learn of the results of tasks; with the arguments, which ansible-core leaves out by default from 2.21 on.
RECORDER = {
    "ANSIBLE_CALLBACK_PLUGINS": str(Path(__file__).parent / "playbooks" / "recorder"),
    "ANSIBLE_CALLBACKS_ENABLED": "recorder",
    "ANSIBLE_INJECT_INVOCATION": "true",
}


@functools.cache
def for_modules() -> Path:
    """For modules by themselves, without Ansible: it finds them on the collections path."""
    names = [".".join(file.relative_to(MODULE_UTILS).with_suffix("").parts) for file in MODULE_UTILS.rglob("*.py")]
    return WarmPython([f"{PACKAGE}.{name}".removesuffix(".__init__") for name in names], {"PYTHONPATH": str(COLLECTIONS)}).path


@functools.cache
def for_playbooks() -> Path:
    """For Ansible in the checkout, whose configuration it has: Ansible reads that when it is imported."""
    return WarmPython(["ansible.cli.playbook"], RECORDER, CHECKOUT).path


def left_by_playbooks() -> Path:
    """Where Ansible leaves its own files, instead of in the home of a run."""
    return for_playbooks().parent / ".ansible"
