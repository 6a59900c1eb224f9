# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The documentation site has a page for everything, and no link in it or in the texts of the repository is broken.

Links to other sites are not requested: `make links` does that.
"""

from __future__ import annotations

import posixpath
import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlsplit

import pytest

from tests.tools.addresses import CHECKOUT, LINK, repository
from tests.tools.artefact import files
from tests.tools.docsite import build
from tests.tools.guides import anchor, explained, guides

pytestmark = pytest.mark.slow

GUIDES = CHECKOUT / "docs" / "docsite" / "rst"


TEXTS = [name for name in files() if name.endswith(".md")]


class Page(HTMLParser):
    """The links of a page, and the anchors in it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: set[str] = set()
        self.places: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value for name, value in attrs if value}
        self.places |= {given[name] for name in ("id", "name") if name in given}
        self.links |= {given[name] for name in ("href", "src") if name in given and tag in ("a", "img", "script", "link")}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    html = tmp_path_factory.mktemp("site") / "html"
    build(html)
    return html


def test_site_has_a_page_for_every_module_plugin_and_role(site: Path) -> None:
    public = [path for path in map(Path, files()) if path.parts[0] in ("plugins", "roles") and not path.name.startswith("_")]
    wanted = {f"{path.stem}_module.html" for path in public if path.match("plugins/modules/*.py")}
    kinds = {path.parts[1] for path in public if path.parts[0] == "plugins"} - {"modules", "module_utils", "doc_fragments", "action"}
    wanted |= {f"{path.stem}_{kind}.html" for kind in kinds for path in public if path.match(f"plugins/{kind}/*.py")}
    wanted |= {f"{path.parts[1]}_role.html" for path in public if path.match("roles/*/meta/argument_specs.yml")}
    assert wanted
    assert wanted - {path.name for path in site.iterdir()} == set()


def test_contents_list_every_guide(site: Path) -> None:
    assert set(guides()) == {path.stem for path in GUIDES.glob("*.rst")}
    links = Page((site / "index.html").read_text()).links
    assert {f"docsite/{guide}.html" for guide in guides()} <= {urldefrag(link).url for link in links}


def test_front_page_begins_with_the_first_screen_of_the_readme(site: Path) -> None:
    first_word = (CHECKOUT / "README.md").read_text().partition("\n# ")[2].split("\n\n")[1].split()[0]
    page = (site / "index.html").read_text()
    assert f"<p>{first_word} " in page.partition("</h1>")[2][:300]
    assert "how-it-works.svg" in page


def test_sidebar_has_a_group_for_each_kind_of_page(site: Path) -> None:
    groups = set(re.findall(r'<span class="caption-text">([^<]+)</span>', (site / "index.html").read_text()))
    assert {"Get started", "Operate", "Playbooks", "Modules", "Filters", "Roles"} <= groups


def test_every_status_finding_and_error_code_has_the_anchor_that_the_guide_promises(site: Path) -> None:
    places = Page((site / "docsite" / "guide_trouble.html").read_text()).places
    words = explained("Statuses") | explained("Findings") | explained("Error codes")
    assert {anchor(word) for word in words} - places == set()


def test_no_link_of_the_site_is_broken(site: Path) -> None:
    pages = {path: Page(path.read_text()) for path in site.rglob("*.html")}
    assert [
        f"{path.relative_to(site)}: {link}"
        for path, page in pages.items()
        for link in page.links
        if (_is_broken_elsewhere(link) if re.match(r"[a-z]+:|//", link) else _is_broken_on_the_site(path, link, pages))
    ] == []


def _is_broken_on_the_site(path: Path, link: str, pages: dict[Path, Page]) -> bool:
    url, place = urldefrag(link)
    target = (path.parent / unquote(urlsplit(url).path)).resolve() if url else path
    return not target.exists() or bool(place and target in pages and unquote(place) not in pages[target].places)


def _is_broken_elsewhere(link: str) -> bool:
    """Whether a link to another site is not HTTPS, or a link to a file of our own repository leads to none."""
    own = re.fullmatch(rf"{re.escape(repository()[0])}/(?:blob|edit|raw|tree)/[^/]+/([^#?]+).*", link)
    # The HTTP link comes from amazon.aws's documentation fragment.
    whole = r"https://([a-z0-9-]+\.)+[a-z]{2,}(/|$)|http://docs\.aws\.amazon\.com/"
    return not (CHECKOUT / own[1]).exists() if own else not re.match(whole, link)


@pytest.mark.parametrize("name", TEXTS)
def test_no_link_of_a_text_is_broken(name: str) -> None:
    for _, _, link in LINK.findall((CHECKOUT / name).read_text()):
        if re.match(r"[a-z]+:", link):
            assert not _is_broken_elsewhere(link), link
            continue
        url, place = urldefrag(link)
        target = CHECKOUT / posixpath.join(posixpath.dirname(name), url) if url else CHECKOUT / name
        assert target.exists(), link
        assert not place or place in [_anchor(heading) for heading in re.findall(r"^#+ (.+)$", target.read_text(), re.M)], link


@pytest.mark.parametrize("name", ["galaxy.yml", ".github/ISSUE_TEMPLATE/config.yml"])
def test_no_link_of_the_metadata_is_broken(name: str) -> None:
    text = re.sub(r"^#.*", "", (CHECKOUT / name).read_text(), flags=re.M)
    assert [link for link in re.findall(r"https?://[^\s\"'<>]+", text) if _is_broken_elsewhere(link)] == []


def _anchor(heading: str) -> str:
    """The anchor that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
