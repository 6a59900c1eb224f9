# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Links to others have the form of an address; those to our own repository lead to what is there. Nobody is asked."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from tests.sandbox.server import Answer, Request, Server
from tests.tools.addresses import CHECKOUT, repository
from tests.tools.links import CONFIGURATION, links, problem

LINKS = links()
OWN = {address: names for address, names in LINKS.items() if address.startswith(repository()[0])}
# What GitHub makes of a repository.
OF_GITHUB = re.compile(r"(/issues(/new/choose)?|/security/policy)?$")


def test_there_are_links_in_each_kind_of_text() -> None:
    names = {name for found in LINKS.values() for name in found}
    assert {"README.md", "docs/docsite/rst/guide_sandbox.rst", *CONFIGURATION} <= names


@pytest.mark.parametrize("address", LINKS)
def test_an_address_is_one_and_nobody_can_read_along(address: str) -> None:
    parts = urlsplit(address)
    assert parts.scheme == "https"
    assert re.fullmatch(r"([a-z0-9-]+\.)+[a-z]{2,}", parts.hostname or "")
    assert not parts.hostname or "example" not in parts.hostname
    assert re.fullmatch(r"[\w\-./~#%?=&]*[\w/]", address.partition("://")[2])


@pytest.mark.parametrize("address", OWN)
def test_a_link_to_our_repository_leads_to_what_is_there(address: str) -> None:
    rest = address.removeprefix(repository()[0])
    if OF_GITHUB.fullmatch(rest):
        return
    kind, branch, path = rest.strip("/").split("#")[0].split("/", 2)
    assert branch == "main"
    assert (CHECKOUT / path).is_dir() if kind == "tree" else (CHECKOUT / path).is_file()


@pytest.fixture
def site() -> Iterator[str]:
    def answer(request: Request) -> Answer:
        return Answer(int(request.path.strip("/")), b"")

    server = Server(answer)
    server.start()
    yield server.url
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("status", "told"), [(200, ""), (404, "404"), (410, "410"), (403, "403, look yourself"), (429, "429, look yourself")]
)
def test_who_asks_is_told_what_is_wrong(site: str, status: int, told: str) -> None:
    assert problem(f"{site}/{status}") == told


def test_who_asks_a_host_that_is_not_there_is_told_so() -> None:
    assert problem("http://127.0.0.1:1/", seconds=2).startswith("no answer: ")
