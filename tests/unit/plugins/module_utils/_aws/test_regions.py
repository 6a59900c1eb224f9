# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import threading
import typing as t

import pytest

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.regions import Regions
from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import Failure
from ansible_collections.spot.eventbridge.plugins.module_utils._core.region import Region
from ansible_collections.spot.eventbridge.plugins.module_utils._core.validation import ArgumentError

CREDENTIALS = {"access_key": "testing", "secret_key": "testing", "validate_certs": True}


class Module:
    """An AnsibleAWSModule, as far as it is asked."""

    def __init__(self, **params: t.Any) -> None:
        self.params = {**CREDENTIALS, **params}

    def fail_json(self, msg: str, **dummy: t.Any) -> t.NoReturn:
        raise AssertionError(msg)


@pytest.fixture(autouse=True)
def nothing_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_ENDPOINT_URL", "EC2_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")


def regions(names: list[str] | None, services: tuple[str, ...] = (), **params: t.Any) -> Regions:
    return Regions(t.cast("t.Any", Module(**params)), services, names)


def test_each_region_runs_once_in_the_given_order() -> None:
    results = regions(["us-west-2", "eu-west-1", "us-west-2"]).run(lambda region: region.name)
    assert list(results.items()) == [("us-west-2", "us-west-2"), ("eu-west-1", "eu-west-1")]


def test_all_regions_run_at_the_same_time() -> None:
    names = [f"us-east-{number}" for number in range(1, 18)]
    together = threading.Barrier(len(names), timeout=10)
    results = regions(names).run(lambda region: together.wait() >= 0)
    assert list(results.values()) == [True] * 17


def test_a_region_that_fails_stops_no_other() -> None:
    def work(region: Region) -> str:
        if region.name == "eu-west-1":
            raise RuntimeError("boom")
        return "done"

    results = regions(["us-east-1", "eu-west-1", "us-west-2"]).run(work)
    assert results == {"us-east-1": "done", "eu-west-1": Failure("RuntimeError", "unexpected: boom"), "us-west-2": "done"}


def test_failure_of_the_only_region_is_returned() -> None:
    assert regions(["eu-west-1"]).run(lambda region: 1 // 0) == {  # type: ignore[comparison-overlap]
        "eu-west-1": Failure("ZeroDivisionError", "unexpected: integer division or modulo by zero")
    }


def test_usual_region_is_used_without_regions() -> None:
    assert regions(None, region="eu-north-1").names == ["eu-north-1"]


@pytest.mark.parametrize(("given", "taken"), [(None, "us-east-1"), ("eu-north-1", "eu-north-1")])
def test_default_region_is_used_without_any_other(given: str | None, taken: str) -> None:
    found = Regions(t.cast("t.Any", Module(region=given)), (), None, default_region="us-east-1")
    assert found.names == [taken]


def test_regions_override_the_usual_region() -> None:
    assert regions(["us-east-1"], region="eu-north-1").names == ["us-east-1"]


@pytest.mark.parametrize(
    ("names", "given", "home"),
    [
        (["af-south-1", "eu-west-1"], None, "us-east-1"),
        (["af-south-1"], "eu-north-1", "eu-north-1"),
        (["cn-northwest-1"], None, "cn-north-1"),
        (["us-gov-east-1"], None, "us-gov-west-1"),
        (["mx-central-1"], None, "us-east-1"),
    ],
)
def test_what_concerns_the_whole_account_goes_to_the_region_given_or_to_one_that_every_account_has(
    names: list[str], given: str | None, home: str
) -> None:
    assert regions(names, region=given).home(()).name == home


def test_missing_region_is_an_error() -> None:
    with pytest.raises(ArgumentError, match="No region is given"):
        regions(None)


@pytest.mark.parametrize("name", ["mars", "not a region", ""])
def test_invalid_region_is_an_error(name: str) -> None:
    with pytest.raises(ArgumentError, match="is not the name of an AWS region"):
        regions(["us-east-1", name])


@pytest.mark.parametrize(
    ("name", "partition"),
    [
        ("us-east-1", "aws"),
        ("cn-north-1", "aws-cn"),
        ("us-gov-west-1", "aws-us-gov"),
        ("us-iso-east-1", "aws-iso"),
        ("us-isob-east-1", "aws-iso-b"),
        ("eu-isoe-west-1", "aws-iso-e"),
        ("us-isof-south-1", "aws-iso-f"),
        ("eusc-de-east-1", "aws-eusc"),
        # No botocore knows these.
        ("xx-nowhere-1", "aws"),
        ("cn-nowhere-7", "aws-cn"),
        ("us-gov-nowhere-1", "aws-us-gov"),
    ],
)
def test_a_region_knows_its_partition(name: str, partition: str) -> None:
    assert regions([name]).run(lambda region: region.partition) == {name: partition}


def test_region_has_clients_of_the_given_services() -> None:
    results = regions(["eu-west-1"], ("events", "sqs")).run(
        lambda region: {service: client.meta.region_name for service, client in region.clients.items()}
    )
    assert results == {"eu-west-1": {"events": "eu-west-1", "sqs": "eu-west-1"}}


def test_aws_config_of_the_user_overrides_the_default() -> None:
    config = {"read_timeout": 1, "retries": {"total_max_attempts": 1}}
    clients = regions(["eu-west-1"], ("events",), aws_config=config).run(lambda region: region.clients["events"].meta.config)
    found = t.cast("t.Any", clients["eu-west-1"])
    assert (found.read_timeout, found.retries["total_max_attempts"], found.connect_timeout) == (1, 1, 5)


def test_missing_profile_is_an_error() -> None:
    with pytest.raises(ArgumentError, match="nobody"):
        regions(["eu-west-1"], profile="nobody", access_key=None, secret_key=None)
