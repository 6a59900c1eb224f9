# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import typing as t

from ansible import constants

# Callbacks whose output programs read: a line of text would break it.
_FOR_PROGRAMS = ("json", "jsonl")


def callback() -> str:
    """Return the full name of the callback that writes to the terminal."""
    return str(constants.config.get_config_value("DEFAULT_STDOUT_CALLBACK"))


def is_condensed(display: t.Any, variables: t.Mapping[str, t.Any]) -> bool:
    """Return whether the callback `accounts` shows the account as one line, so that nothing else is shown of it.

    :param display: Ansible's
    :param variables: of the task
    """
    return callback() == "spot.eventbridge.accounts" and display.verbosity == 0 and len(variables.get("ansible_play_hosts_all", ())) > 1


def shown(display: t.Any, result: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return the result of a task whose lines were shown: with `-v`, a callback does not show them again as a list of quoted strings.

    :param display: Ansible's. From `-vv` on, callbacks show the whole result
    """
    return {**result, "_ansible_verbose_override": True} if display.verbosity < 2 else result


def show(display: t.Any, lines: t.Sequence[str]) -> None:
    """Print lines as they are, unless programs read the output; the task's result has them anyway.

    :param display: Ansible's, which prints the lines of one call together
    """
    if lines and callback().rpartition(".")[2] not in _FOR_PROGRAMS:
        display.display("\n".join(lines))
