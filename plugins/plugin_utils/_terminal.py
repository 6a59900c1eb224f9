# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import os
import textwrap
import typing as t

from ansible import constants
from ansible.utils.color import ANSIBLE_COLOR, stringc

from ansible_collections.spot.eventbridge.plugins.plugin_utils._table import Line

# Callbacks whose output programs read: a line of text would break it.
_FOR_PROGRAMS = ("json", "jsonl")


def _columns() -> int:
    try:
        return os.get_terminal_size(1).columns
    except OSError:
        return 0


# Characters in a line of the terminal, 0 without one. Read when the process begins: a worker of ansible-core has no terminal.
COLUMNS = _columns()


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
    """Print lines in their colours, unless programs read the output; the task's result has them anyway.

    :param display: Ansible's, which prints the lines of one call together
    """
    if not lines or callback().rpartition(".")[2] in _FOR_PROGRAMS:
        return
    if not ANSIBLE_COLOR:
        display.display("\n".join(part for line in lines for part in fitted(line, COLUMNS)))
        return
    # Colours are no part of the log.
    display.display("\n".join(part for line in lines for part in _coloured(line)), screen_only=True)
    display.display("\n".join(lines), log_only=True)


def _coloured(line: str) -> list[str]:
    colour = getattr(line, "colour", "")
    parts = fitted(line, COLUMNS)
    return [stringc(part, getattr(constants, colour)) for part in parts] if colour else parts


def fitted(line: str, columns: int) -> list[str]:
    """Return the lines in which a terminal shows a line: further ones are indented as the line's last column.

    :param columns: characters in a line of the terminal; 0 for no limit
    """
    if not 0 < columns < len(line):
        return [str(line)]
    indent = line.indent if isinstance(line, Line) else 4
    wrapped = textwrap.wrap(
        line,
        columns,
        subsequent_indent=" " * (indent if indent <= columns // 2 else 4),
        break_long_words=False,
        break_on_hyphens=False,
    )
    return wrapped or [str(line)]
