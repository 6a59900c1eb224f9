# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds the documentation site: a page for each module, role and plugin, out of the published collection, and the guides.

Guides that are Markdown in the repository, so that they are read there as well, take the place of the page that links to them.

Usage: python docsite.py FOLDER [html|linkcheck]   (linkcheck requests every link to another site, those of the README included)
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))


from tests.tools.addresses import CHECKOUT, repository, with_full_addresses
from tests.tools.published import published

BIN = Path(sys.executable).parent
DOCSITE = CHECKOUT / "docs" / "docsite"
# By the guide that stands for it elsewhere.
MARKDOWN = {"guide_architecture": "docs/architecture.md", "guide_performance": "docs/performance.md"}


def build(folder: Path, builder: str = "html") -> None:
    """Builds the site into a folder, which is made again. Every warning of Sphinx is an error."""
    with published() as (_, collection), tempfile.TemporaryDirectory(prefix="docsite-") as temporary:
        rst = Path(temporary) / "rst"
        rst.mkdir(mode=0o755)
        environment = {
            **os.environ,
            "ANSIBLE_COLLECTIONS_PATH": str(collection.parents[2]),
            "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
        }
        generate = ["antsibull-docs", "collection", "--use-current", "--squash-hierarchy", "--fail-on-error", "--dest-dir", str(rst)]
        subprocess.run([*generate, "spot.eventbridge"], env=environment, stdout=subprocess.DEVNULL, check=True)
        index = rst / "index.rst"
        index.write_text(_front_page(index.read_text(encoding="utf-8")), encoding="utf-8")
        (rst / "_first_screen.md").write_text(_first_screen(), encoding="utf-8")
        for guide, name in MARKDOWN.items():
            (rst / "docsite" / f"{guide}.rst").unlink()
            # The label has to stand just before the title, where the licence stands.
            text = (CHECKOUT / name).read_text(encoding="utf-8").partition("-->\n")[2].lstrip()
            label = f"(ansible_collections.spot.eventbridge.docsite.{guide})="
            (rst / "docsite" / f"{guide}.md").write_text(f"{label}\n{with_full_addresses(text, name)}", encoding="utf-8")
        if builder == "linkcheck":
            readme = with_full_addresses((CHECKOUT / "README.md").read_text(encoding="utf-8"), "README.md")
            (rst / "readme.md").write_text(f"---\norphan: true\n---\n{readme}", encoding="utf-8")
        shutil.copytree(CHECKOUT / "docs" / "policies", rst / "docsite" / "policies")
        # The guides show pictures by their path in the repository, docs/docsite/rst.
        shutil.copytree(CHECKOUT / "docs" / "images", Path(temporary) / "images")
        shutil.copy(DOCSITE / "conf.py", temporary)
        shutil.copytree(DOCSITE / "static", Path(temporary) / "static")
        shutil.rmtree(folder, ignore_errors=True)
        folder.parent.mkdir(parents=True, exist_ok=True)
        sphinx = [str(BIN / "sphinx-build"), "-q", "-W", "--keep-going", "-b", builder, "-c", temporary, str(rst), str(folder)]
        subprocess.run(sphinx, env=environment, check=True)
        shutil.rmtree(folder / ".doctrees", ignore_errors=True)


def _front_page(text: str) -> str:
    """Return antsibull-docs's index with the README's first screen on top, and with a group of the sidebar for each list of pages."""
    label, _, rest = text.partition("\nSpot.Eventbridge\n")
    buttons = "".join(re.findall(r"^\.\. ansible-links::\n\n(?:  .*\n)+", rest, re.M))
    # The list of pages that antsibull-docs has for every collection is empty here; the sections of extra-docs.yml follow it.
    lines = rest.partition(".. toctree::\n    :maxdepth: 1\n")[2].splitlines()
    lists, title = [], ""
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        if line and re.fullmatch(r"[-~]+", following):
            title = line.replace("Filter Plugins", "Filters").replace(" Index", "s").replace("Plugins", "plugins")
        # Short names: the sidebar is narrow.
        page = re.sub(r"^    (\w+)_(module|callback|filter|inventory|lookup|role)$", r"    \1 <\1_\2>", line)
        lists.append(re.sub(r"^    docsite/playbook_(\w+)$", r"    \1 <docsite/playbook_\1>", page))
        if line == ".. toctree::":
            lists.append(f"    :caption: {title}")
    screen = ".. include:: _first_screen.md\n   :parser: myst_parser.sphinx_\n"
    return "\n".join([label, "spot.eventbridge", "================", "", screen, buttons, *lists, ""])


def _first_screen() -> str:
    """Return the README's text before its first table of playbooks, with links to pages of the site."""
    text = (CHECKOUT / "README.md").read_text(encoding="utf-8").partition("\n# ")[2].partition("\n")[2].partition("\n### ")[0]
    address, tag = repository()
    text = with_full_addresses(re.sub(r"^## .*\n", "", text, flags=re.M), "README.md")
    text = text.replace(f"{address}/blob/{tag}/docs/docsite/rst/", "docsite/")
    return text.replace(f"{address}/raw/{tag}/docs/images/", "../images/")


if __name__ == "__main__":
    build(Path(sys.argv[1]).resolve(), *sys.argv[2:])
