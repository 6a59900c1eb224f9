# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The documentation site: everything has a page, every link within it and between the repository's texts leads somewhere."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlsplit

import pytest

from tests.tools.addresses import CHECKOUT
from tests.tools.artefact import files
from tests.tools.docsite import MARKDOWN, build
from tests.tools.guides import guides

GUIDES = CHECKOUT / "docs" / "docsite" / "rst"


class Page(HTMLParser):
    """The links of a page, and the places in it that can be linked to."""

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


def test_every_module_plugin_and_role_has_a_page(site: Path) -> None:
    public = [path for path in map(Path, files()) if path.parts[0] in ("plugins", "roles") and not path.name.startswith("_")]
    wanted = {f"{path.stem}_module.html" for path in public if path.match("plugins/modules/*.py")}
    kinds = {path.parts[1] for path in public if path.parts[0] == "plugins"} - {"modules", "module_utils", "doc_fragments", "action"}
    wanted |= {f"{path.stem}_{kind}.html" for kind in kinds for path in public if path.match(f"plugins/{kind}/*.py")}
    wanted |= {f"{path.parts[1]}_role.html" for path in public if path.match("roles/*/meta/argument_specs.yml")}
    assert wanted
    assert wanted - {path.name for path in site.iterdir()} == set()


def test_every_guide_is_in_the_contents(site: Path) -> None:
    assert set(guides()) == {path.stem for path in GUIDES.glob("*.rst")}
    links = Page((site / "index.html").read_text()).links
    assert {f"docsite/{guide}.html" for guide in guides()} <= {urldefrag(link).url for link in links}


@pytest.mark.parametrize("guide", MARKDOWN)
def test_what_is_markdown_in_the_repository_is_whole_in_the_site(site: Path, guide: str) -> None:
    text = (CHECKOUT / MARKDOWN[guide]).read_text()
    headings = re.findall(r"^#+ (.+)$", text, re.M)
    page = (site / "docsite" / f"{guide}.html").read_text()
    assert headings
    assert [heading for heading in headings if heading not in page] == []
    assert f"blob/main/{MARKDOWN[guide]}" in (GUIDES / f"{guide}.rst").read_text()


def test_no_link_within_the_site_is_broken(site: Path) -> None:
    pages = {path: Page(path.read_text()) for path in site.rglob("*.html")}
    broken = []
    for path, page in pages.items():
        for link in page.links:
            url, place = urldefrag(link)
            if re.match(r"[a-z]+:|//", url) or (not url and not place):
                continue
            target = (path.parent / unquote(urlsplit(url).path)).resolve() if url else path
            if not target.exists() or (place and target in pages and unquote(place) not in pages[target].places):
                broken.append(f"{path.relative_to(site)}: {link}")
    assert broken == []


@pytest.mark.parametrize("name", [name for name in files() if name.endswith(".md")])
def test_no_link_between_texts_of_the_repository_is_broken(name: str) -> None:
    text = (CHECKOUT / name).read_text()
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        url, place = urldefrag(link)
        if re.match(r"[a-z]+:", url):
            continue
        target = CHECKOUT / name if not url else (CHECKOUT / name).parent / url
        assert target.exists(), link
        headings = [_anchor(heading) for heading in re.findall(r"^#+ (.+)$", target.read_text(), re.M)] if place else []
        assert not place or place in headings, link


def _anchor(heading: str) -> str:
    """The anchor that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
