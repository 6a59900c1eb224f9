# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The tarball, and a sandbox to use it on."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.artefact.installation import Installation
from tests.artefact.supported import Supported, chosen
from tests.sandbox.client import Sandbox
from tests.tools.artefact import build
from tests.tools.published import install


@pytest.fixture(scope="session")
def tarball(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("built"))


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(max_seconds=600) as started:
        yield started


@pytest.fixture(scope="session", params=chosen(), ids=lambda combination: combination.name)
def combination(request: pytest.FixtureRequest) -> Supported:
    return request.param


@pytest.fixture(scope="session")
def installed(combination: Supported, tarball: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A collections path with nothing on it but amazon.aws and the tarball."""
    collections = tmp_path_factory.mktemp("installed") / "collections"
    shutil.copytree(combination.collections(), collections)
    install([combination.environment() / "bin" / "ansible-galaxy"], tarball, collections)
    return collections


@pytest.fixture
def installation(combination: Supported, installed: Path, sandbox: Sandbox, tmp_path: Path) -> Installation:
    return Installation(combination.environment() / "bin", installed, tmp_path, sandbox)
