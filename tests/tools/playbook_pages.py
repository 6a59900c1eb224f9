# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the pages of the playbooks, which antsibull-docs does not know, from the comment at their head and their variables.

They are kept in the repository, as the site is also built from what is published. A test compares.

Usage: python playbook_pages.py
"""

from __future__ import annotations

import json
import re
import sys
import textwrap
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from plugins.lookup.playbook_variable import OF_HOSTS
from tests.tools.guides import DOCSITE, source
from tests.tools.role_variables import (
    PLAYBOOKS,
    PREFIX,
    Option,
    account_variables,
    every_option,
    given_variables,
    heeded_by_playbook,
    is_about_accounts,
    playbooks,
    public_name,
    roles,
)

FOLDER = DOCSITE / "rst"
LABEL = "ansible_collections.spot.eventbridge.docsite"
# What ends the comment, and is said elsewhere on the page.
HERE = "Variables"
ACCOUNT = (
    "An inventory host, or any Spot account id. Without it, all hosts of the group ``spot_accounts``; where there is none, the account in "
    "the environment variable ``SPOTINST_ACCOUNT``, or in Spot's credentials file. Counts as an extra variable only."
)

HEAD = f"""\
{{licence}}

..
  Written by tests/tools/playbook_pages.py (`make docs`), from playbooks/{{name}}.yml and the argument specs of the roles.

.. _{LABEL}.playbook_{{name}}:

{{title}}
{{underline}}

{{purpose}}

.. code-block:: shell

   {{command}}

{{text}}
"""
VARIABLES = """\
{title}
{underline}

{how}

.. list-table::
   :header-rows: 1
   :widths: 25 50 25

   * - Variable
     - Meaning
     - Default
"""
OF_THE_ACCOUNT = (
    "Variables of the account",
    "Extra variables (``-e``). They can also be variables of the host, some with another name.",
)
OF_THE_PLAYBOOK = (
    "Variables of the playbook",
    "Extra variables (``-e``). They can also be variables of ``localhost``, some with another name.",
)
ELSEWHERE = "As a variable of the host: ``{name}``."
OF_THE_ROLES = """\
Variables of the roles
----------------------

The page of the role has the full description of each variable.

.. list-table::
   :header-rows: 1
   :widths: 40 40 20

   * - Variable
     - Meaning
     - Default
"""


def page(name: str) -> str:
    """The page of a playbook."""
    purpose, command, *paragraphs = head(name)
    # Two hyphens are two hyphens.
    paragraphs = [re.sub(r"(?<!\S)(--\w+)", r"``\1``", paragraph) for paragraph in paragraphs]
    title = f"{PREFIX}{name} playbook"
    facts = [paragraph for paragraph in paragraphs if is_fact(paragraph) and not paragraph.startswith(f"{HERE}:")]
    text = [paragraph for paragraph in paragraphs if not is_fact(paragraph)]
    terms = "\n\n".join(
        f"{term}\n{textwrap.indent(textwrap.fill(said, 136), '  ')}" for term, said in (fact.split(": ", 1) for fact in facts)
    )
    heeded, known, public = heeded_by_playbook(name), every_option(), public_options(name)
    heading, how = OF_THE_ACCOUNT if is_about_accounts(name) else OF_THE_PLAYBOOK
    mine = [row("``account``", ACCOUNT, "")] if is_about_accounts(name) else []
    mine += [
        row(f"``{word}``", " ".join([sentence(known[own], whole=True), *of_host(word, own)]), default(known[own]))
        for word, own in public.items()
        if own in heeded
    ]
    theirs = sorted(heeded & set(known) - set(public.values()), key=lambda own: (roles().index(known[own].role), own))
    return "\n".join(
        [
            HEAD.format(
                # The one that every guide begins with.
                licence=source("guide_start").partition("\n\n")[0],
                name=name,
                title=title,
                underline="=" * len(title),
                purpose=purpose.rstrip(":") + ".",
                command=command,
                text="\n\n".join([*(textwrap.fill(paragraph, 138) for paragraph in text), terms]),
            ),
            VARIABLES.format(title=heading, underline="-" * len(heading), how=how) + "".join(mine),
            OF_THE_ROLES + "".join(row(link(known[own]), sentence(known[own]), default(known[own])) for own in theirs),
        ]
    )


def head(name: str) -> list[str]:
    """The comment at the head of a playbook: its paragraphs, each on a line; a fact (`Term: …`) is one of its own."""
    text = (PLAYBOOKS / f"{name}.yml").read_text(encoding="utf-8")
    comment = text.partition("SPDX-")[2].partition("\n")[2].partition("\n- name:")[0]
    paragraphs: list[str] = []
    begin = True
    for line in (line.removeprefix("#") for line in comment.splitlines()):
        if not line.strip():
            begin = True
        elif begin or is_fact(line.strip()):
            paragraphs.append(line.strip())
            begin = False
        else:
            paragraphs[-1] += " " + line.strip()
    return paragraphs


def is_fact(paragraph: str) -> bool:
    """Whether it says one thing in the form `Term: …`."""
    return bool(re.match(r"[A-Z][a-z]+( [a-z]+)?: ", paragraph))


def account_options() -> dict[str, str]:
    """By the variables that people give for an account, those of the roles that they become."""
    return _public(account_variables())


def public_options(name: str) -> dict[str, str]:
    """By the variables that people give to a playbook, those of the roles that they become."""
    return _public(given_variables(name))


def _public(variables: dict[str, object]) -> dict[str, str]:
    named = {public_name(str(value)): own for own, value in variables.items()}
    return {word: own for word, own in named.items() if word}


def of_host(word: str, own: str) -> list[str]:
    """How a variable is called that counts as an extra variable only, where it is a variable of the host."""
    return [] if word in OF_HOSTS else [ELSEWHERE.format(name=own)]


def row(*cells: str) -> str:
    """A line of a table."""
    return "".join(f"   {'* -' if number == 0 else '  -'} {cell}".rstrip() + "\n" for number, cell in enumerate(cells))


def link(option: Option) -> str:
    """The variable, as a link to what its role says of it."""
    return f":ansopt:`{PREFIX}{option.role}#role:{option.entry}:{option.name}`"


def sentence(option: Option, whole: bool = False) -> str:
    """What is said of a variable: the first of it, or all."""
    return rst(" ".join(option.description if whole else option.description[:1]))


def default(option: Option) -> str:
    """The default of a variable."""
    value = option.spec.get("default")
    if value in (None, "", {}):
        return ""
    text = value if isinstance(value, str) else json.dumps(value)
    return text if text.startswith("the ") else f"``{text}``"


def rst(text: str) -> str:
    """Ansible's markup as reStructuredText; options that are not of a named plugin are variables, as people know them here."""
    for word, own in (pair for name in playbooks() for pair in public_options(name).items()):
        text = text.replace(f"O({own})", f"O({word})")
    text = re.sub(r"O\(([\w.]+#\w+:[\w.]+)\)", r":ansopt:`\1`", text)
    text = re.sub(r"P\(([\w.]+#\w+)\)", r":ansplugin:`\1`", text)
    text = re.sub(r"M\(([\w.]+)\)", r":ansplugin:`\1#module`", text)
    text = re.sub(r"B\(([^)]*)\)", r"**\1**", text)
    return re.sub(r"[OVCE]\(((?:[^()]|\([^()]*\))*)\)", r"``\1``", text)


def write() -> None:
    """Writes all pages."""
    for name in playbooks():
        (FOLDER / f"playbook_{name}.rst").write_text(page(name), encoding="utf-8")


if __name__ == "__main__":
    write()
