# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Spot's own places for a token and an account."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible.errors import AnsibleLookupError
from ansible.module_utils.basic import AnsibleFallbackNotFound

from ansible_collections.spot.eventbridge.plugins.lookup.spot_credentials import LookupModule
from ansible_collections.spot.eventbridge.plugins.module_utils._core.argument_specs import (
    spot_credentials,
    token_argument_spec,
    token_fallback,
)

INI = """
[default]
token = of-default
account = act-00000001

[other]
token   = 50%of-other

[without]
account = act-00000003
"""


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    for name in ("TOKEN", "ACCOUNT", "CREDENTIALS_FILE", "SHARED_CREDENTIALS_FILE", "CREDENTIALS_PROFILE", "PROFILE"):
        monkeypatch.delenv(f"SPOTINST_{name}", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def file(home: Path) -> Path:
    path = home / ".spotinst" / "credentials"
    path.parent.mkdir()
    path.write_text(INI)
    return path


def found() -> tuple[str | None, str | None]:
    credentials = spot_credentials()
    return credentials.token, credentials.account


def test_without_any_there_are_none() -> None:
    assert found() == (None, None)
    with pytest.raises(AnsibleFallbackNotFound):
        token_fallback()


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, ("of-default", "act-00000001")),
        ({"SPOTINST_ACCOUNT": "act-00000009"}, ("of-default", "act-00000009")),
        ({"SPOTINST_TOKEN": "of-the-environment"}, ("of-the-environment", None)),
        ({"SPOTINST_TOKEN": "of-the-environment", "SPOTINST_ACCOUNT": "act-00000009"}, ("of-the-environment", "act-00000009")),
        ({"SPOTINST_CREDENTIALS_PROFILE": "other"}, ("50%of-other", "act-00000001")),
        ({"SPOTINST_PROFILE": "without"}, ("of-default", "act-00000003")),
        ({"SPOTINST_TOKEN": ""}, ("of-default", "act-00000001")),
    ],
)
def test_the_environment_counts_more_than_the_file(
    environment: dict[str, str], expected: tuple[str, str], file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert found() == expected


@pytest.mark.parametrize("variable", ["SPOTINST_CREDENTIALS_FILE", "SPOTINST_SHARED_CREDENTIALS_FILE"])
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"token": "of-json", "account": "act-00000002"}', ("of-json", "act-00000002")),
        ("[default]\ntoken = elsewhere\n", ("elsewhere", None)),
        ("no credentials at all", (None, None)),
        ("[]", (None, None)),
    ],
)
def test_a_file_elsewhere(
    variable: str, text: str, expected: tuple[str | None, str | None], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = home / "elsewhere"
    path.write_text(text)
    monkeypatch.setenv(variable, str(path))
    assert found() == expected


def test_modules_and_playbooks_use_it(file: Path) -> None:
    strategy, arguments = token_argument_spec()["spot_token"]["fallback"]
    assert strategy(*arguments) == "of-default"
    assert LookupModule().run(["token"]) == ["of-default"]
    assert LookupModule().run(["account"]) == ["act-00000001"]


def test_nothing_else_can_be_asked_for() -> None:
    with pytest.raises(AnsibleLookupError, match="takes one term"):
        LookupModule().run(["password"])
