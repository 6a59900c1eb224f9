# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.spot.eventbridge.plugins.module_utils._core.validation import ArgumentError
from ansible_collections.spot.eventbridge.plugins.module_utils._spot import feature_flag as _feature_flag
from ansible_collections.spot.eventbridge.plugins.module_utils._spot.feature_flag import MISSING, Context, FeatureFlag, argument_spec

GIVEN = {name: option.get("default") for name, option in argument_spec().items()}
CONTEXT = Context("act-d7320fba", "606079873399")
SECRET = "flag-token-0123"


def flag(**given: t.Any) -> FeatureFlag:
    return FeatureFlag.from_parameters({**GIVEN, "provider": "ofrep", "url": "https://flags.example.com", "token": SECRET, **given})


@pytest.mark.parametrize(
    ("given", "headers"),
    [
        ({}, {"Authorization": f"Bearer {SECRET}"}),
        ({"token_header": "X-API-Key"}, {"X-API-Key": SECRET}),
        ({"provider": "launchdarkly", "project": "p", "environment": "e"}, {"Authorization": SECRET}),
        ({"token": None}, {}),
    ],
)
def test_a_token_goes_as_the_service_takes_it(given: dict[str, t.Any], headers: dict[str, str]) -> None:
    assert flag(**given).peer.headers == headers


def test_launchdarkly_has_an_address_of_its_own() -> None:
    assert flag(provider="launchdarkly", url=None, project="p", environment="e").peer.host == "app.launchdarkly.com"


@pytest.mark.parametrize(
    ("value", "outcome"), [(True, "pass"), (False, "fail"), (MISSING, "unknown"), (None, "unknown"), ("true", "unknown"), (1, "unknown")]
)
def test_only_true_is_on_and_only_false_is_off(value: t.Any, outcome: str) -> None:
    assert flag().finding(value, CONTEXT).outcome == outcome


def test_a_value_that_is_the_token_is_not_told() -> None:
    assert SECRET not in flag().finding(SECRET, CONTEXT).message


def test_a_missing_jmespath_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_feature_flag, "jmespath", None)
    with pytest.raises(ArgumentError, match="needs the Python library jmespath"):
        flag(provider="http", expression="enabled")
