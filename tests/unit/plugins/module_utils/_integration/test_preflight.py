# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.spot.eventbridge.plugins.module_utils._core.region import Region
from ansible_collections.spot.eventbridge.plugins.module_utils._core.validation import ArgumentError
from ansible_collections.spot.eventbridge.plugins.module_utils._integration import preflight as _preflight
from ansible_collections.spot.eventbridge.plugins.module_utils._integration.preflight import (
    AwsIdentity,
    ask_aws_and_spot,
    choose_regions,
)
from ansible_collections.spot.eventbridge.plugins.module_utils._spot.api import SpotApi
from ansible_collections.spot.eventbridge.plugins.module_utils._spot.responses import SpotError
from ansible_collections.spot.eventbridge.plugins.module_utils._spot.token_proof import READ, Proof

AWS = "123456789012"
ENABLED = ["us-east-1", "eu-west-1", "il-central-1"]

# Which regions


def test_all_are_the_enabled_ones_and_no_list_of_ours_decides() -> None:
    assert choose_regions(["all"], ENABLED) == (["eu-west-1", "il-central-1", "us-east-1"], [])


def test_a_user_may_name_regions_that_have_no_api_destinations() -> None:
    assert choose_regions(["all"], ENABLED, ["il-central-1"]) == (["eu-west-1", "us-east-1"], ["il-central-1"])


def test_only_enabled_regions_are_told_as_left_out() -> None:
    assert choose_regions(["all"], ["us-east-1"], ["il-central-1"]) == (["us-east-1"], [])


def test_regions_that_are_named_are_taken_in_their_order() -> None:
    assert choose_regions(["us-east-1", "eu-west-1"], ENABLED) == (["us-east-1", "eu-west-1"], [])


def test_a_region_that_is_named_is_tried_although_it_is_thought_to_have_none() -> None:
    assert choose_regions(["il-central-1"], ENABLED, ["il-central-1"]) == (["il-central-1"], [])


def test_regions_that_are_not_enabled_are_named_with_those_that_are() -> None:
    with pytest.raises(ArgumentError) as error:
        choose_regions(["eu-west-1", "me-south-1", "xx-nowhere-1"], ENABLED)
    assert str(error.value) == (
        "Not a region, or not enabled in this AWS account: me-south-1, xx-nowhere-1. Enabled are: eu-west-1, il-central-1, us-east-1."
    )


@pytest.mark.parametrize(("desired", "taken"), [(["all"], ["us-east-1"]), (["eu-west-1", "us-east-1"], ["us-east-1"])])
def test_excluded_regions_are_left_out_of_all_and_of_those_that_are_named(desired: list[str], taken: list[str]) -> None:
    assert choose_regions(desired, ENABLED, ["il-central-1"], ["il-central-1", "eu-*"]) == (taken, [])


def test_to_exclude_all_regions_is_an_error() -> None:
    with pytest.raises(ArgumentError, match=r"All regions are excluded: eu-west-1, il-central-1, us-east-1 by \*\."):
        choose_regions(["all"], ENABLED, [], ["*"])


# Who and where


@pytest.mark.parametrize(
    ("arn", "partition"),
    [
        (f"arn:aws:iam::{AWS}:user/deploy", "aws"),
        (f"arn:aws-cn:sts::{AWS}:assumed-role/deploy/session:1", "aws-cn"),
        (f"arn:aws-us-gov:iam::{AWS}:root", "aws-us-gov"),
        ("", "aws"),
        ("somebody", "aws"),
    ],
)
def test_the_partition_is_that_of_the_caller(arn: str, partition: str) -> None:
    assert AwsIdentity(AWS, arn, (), "us-east-1").partition == partition


class Home:
    """The home region, with what its clients answer; an exception is raised."""

    names = ("us-east-1",)

    def __init__(self, identity: t.Any = None, regions: t.Any = None) -> None:
        self.answers = {
            "get_caller_identity": identity or {"Account": AWS, "Arn": f"arn:aws:iam::{AWS}:user/deploy"},
            "describe_regions": regions or {"Regions": [{"RegionName": name} for name in ENABLED]},
        }

    def __getattr__(self, operation: str) -> t.Any:
        def call() -> t.Any:
            answer = self.answers[operation]
            if isinstance(answer, Exception):
                raise answer
            return answer

        return call

    def first(self, function: t.Callable[[Region], t.Any], home: str = "") -> tuple[Region, t.Any]:
        region = Region("us-east-1", "aws", {"sts": self, "ec2": self})
        return region, function(region)


def asked(home: Home, api: SpotApi | None = None) -> t.Any:
    return ask_aws_and_spot(t.cast("t.Any", home), api, "act-d7320fba", lambda region, aws_account: Proof(READ))


def test_aws_says_who_calls_and_where_it_may_work() -> None:
    aws, spot = asked(Home())
    assert aws == AwsIdentity(AWS, f"arn:aws:iam::{AWS}:user/deploy", tuple(ENABLED), "us-east-1")
    assert spot is None


def test_a_caller_whom_aws_does_not_know_is_told_so_with_the_region(refusal: t.Callable[..., Exception]) -> None:
    with pytest.raises(ArgumentError, match=r"AWS identity \(us-east-1\): ExpiredToken: GetCallerIdentity: Too late\."):
        asked(Home(identity=refusal("ExpiredToken", "Too late.", "GetCallerIdentity")))


def test_a_caller_who_may_not_list_regions_is_told_the_permission(refusal: t.Callable[..., Exception]) -> None:
    with pytest.raises(ArgumentError, match=r"Cannot list the regions of AWS .*Grant the caller the permission for DescribeRegions"):
        asked(Home(regions=refusal("UnauthorizedOperation", "No.", "DescribeRegions")))


def test_spot_is_asked_about_the_callers_aws_account(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_preflight, "ask", lambda *given: given)
    api = SpotApi("http://localhost", "token")
    assert asked(Home(), api)[1] == (api, "act-d7320fba", AWS, Proof(READ))


def test_the_silence_of_spot_is_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    silence = SpotError(0, "nothing")

    def no_answer(*given: t.Any) -> t.Any:
        raise silence

    monkeypatch.setattr(_preflight, "ask", no_answer)
    assert asked(Home(), SpotApi("http://localhost", "token"))[1] is silence
