# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A browser for all tests of a worker, and pages for it."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible.utils.collection_loader._collection_finder import _AnsibleCollectionFinder

sys.path.insert(0, str(Path(__file__).parents[3]))

# `make setup` puts this collection, as a link, beside the interpreter; pytest-ansible looks elsewhere.
_AnsibleCollectionFinder(paths=[str(Path(sys.prefix) / "collections")])._install()

from tests.integration.report.browser import Browser  # noqa: E402
from tests.tools import report_accounts as accounts  # noqa: E402


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    pytest.importorskip("selenium", reason="selenium is not installed: the report is not tested in a browser")
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    driver = shutil.which("chromedriver")
    if not (chromium and driver):
        pytest.skip("chromium and chromedriver are not installed: the report is not tested in a browser")
    folder = tmp_path_factory.mktemp("browser")
    for name, found in (("three", accounts.three()), ("many", accounts.many()), ("none", [])):
        (folder / f"{name}.html").write_text(accounts.html(found), encoding="utf-8")
    browser = Browser(chromium, driver, folder)
    yield browser
    browser.quit()


@pytest.fixture
def browser(running: Browser) -> Browser:
    running.reset()
    return running
