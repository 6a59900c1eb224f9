# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import typing as t

import pytest

from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation import template as _stack_template
from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.template import (
    Parameter,
    Template,
    body_differences,
    check_template_body,
    check_template_url,
    looks_like_token,
    parameter_text,
    retained,
    target_ids,
)
from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import RegionError
from ansible_collections.spot.eventbridge.plugins.module_utils._core.validation import ArgumentError

SUMMARY: dict[str, t.Any] = {
    "Parameters": [
        {"ParameterKey": "AccountId", "ParameterType": "String", "NoEcho": False},
        {"ParameterKey": "Token", "ParameterType": "String", "NoEcho": True},
        {"ParameterKey": "Name", "ParameterType": "String", "NoEcho": False, "DefaultValue": "spot"},
    ],
    "Description": "warnings",
    "Capabilities": ["CAPABILITY_NAMED_IAM"],
    "ResourceTypes": ["AWS::Events::Rule", "AWS::Events::Connection"],
    "ResourceIdentifierSummaries": [{"ResourceType": "AWS::Events::Rule", "LogicalResourceIds": ["Second", "First"]}],
}
TEMPLATE = Template.from_summary(SUMMARY)


def with_parameters(*names: str) -> Template:
    return Template({name: Parameter() for name in names})


# Summaries


def test_a_summary_becomes_a_template() -> None:
    assert (
        Template(
            {"AccountId": Parameter(), "Token": Parameter(hidden=True), "Name": Parameter("spot")},
            ("AWS::Events::Connection", "AWS::Events::Rule"),
            {"AWS::Events::Rule": ("First", "Second")},
            "warnings",
            ("CAPABILITY_NAMED_IAM",),
        )
        == TEMPLATE
    )


def test_an_empty_summary_is_a_template_too() -> None:
    assert Template.from_summary({}) == Template({}, resources={})


def test_templates_of_the_same_summary_do_not_differ() -> None:
    again = {**SUMMARY, "ResourceTypes": SUMMARY["ResourceTypes"][::-1], "Capabilities": []}
    assert TEMPLATE.differences(Template.from_summary(again)) == ()


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        ({"Description": "other"}, "description"),
        ({"ResourceTypes": ["AWS::Events::Rule"]}, "resource types"),
        ({"ResourceIdentifierSummaries": []}, "resources"),
        ({"Parameters": [{**SUMMARY["Parameters"][2], "DefaultValue": "other"}]}, "parameters"),
    ],
)
def test_what_summaries_differ_in_is_named(change: dict[str, t.Any], difference: str) -> None:
    assert TEMPLATE.differences(Template.from_summary({**SUMMARY, **change})) == (difference,)


# Which parameter takes what


@pytest.mark.parametrize(
    "name", ["SpotAccountId", "SpotAccount", "SpotinstAccountId", "AccountId", "Account", "spot_account_id", "accountId"]
)
def test_the_account_s_parameter_is_found_by_its_name(name: str) -> None:
    assert with_parameters("Name", name, "Token").account_parameter(None) == name


@pytest.mark.parametrize("name", ["SpotToken", "SpotinstToken", "SpotApiToken", "Token", "ApiToken", "AccessToken", "token"])
def test_the_token_s_parameter_is_found_by_its_name(name: str) -> None:
    assert with_parameters("Name", name, "TokenRevision", "AccountId").token_parameter(None) == name


def test_a_name_with_spot_in_it_goes_before_one_without() -> None:
    template = with_parameters("AccountId", "Token", "SpotAccountId", "SpotToken")
    assert (template.account_parameter(None), template.token_parameter(None)) == ("SpotAccountId", "SpotToken")


@pytest.mark.parametrize("name", ["AwsAccountId", "AccountIds", "Accounting", "MyAccountNumber"])
def test_what_is_only_like_it_is_not_taken(name: str) -> None:
    with pytest.raises(
        RegionError, match=f"no parameter of the template seems to take a Spot account; set account_parameter to one of: {name}"
    ):
        with_parameters(name).account_parameter(None)


def test_where_two_may_be_meant_the_user_is_asked() -> None:
    with pytest.raises(
        RegionError, match="several parameters of the template may take a Spot token; set token_parameter to one of"
    ) as caught:
        with_parameters("ApiToken", "AccessToken").token_parameter(None)
    assert caught.value.failure.message.endswith(": ApiToken, AccessToken")


def test_the_user_s_word_counts() -> None:
    template = with_parameters("SpotAccountId", "Customer")
    assert template.account_parameter("Customer") == "Customer"
    with pytest.raises(RegionError, match=r"no parameter Kunde \(account_parameter\); it has: SpotAccountId, Customer"):
        template.account_parameter("Kunde")


def test_a_template_without_parameters_says_so() -> None:
    with pytest.raises(RegionError, match="set token_parameter to one of: none"):
        Template({}).token_parameter(None)


@pytest.mark.parametrize(("name", "token"), [("SpotToken", True), ("TOKEN", True), ("TokenRevision", False), ("Name", False)])
def test_what_may_hold_a_token_is_known_by_its_name(name: str, token: bool) -> None:
    assert looks_like_token(name) == token


# Arguments


@pytest.mark.parametrize(
    "url",
    [
        "https://spotinst-public.s3.amazonaws.com/assets/template.json",
        "https://s3.amazonaws.com/bucket/template.json",
        "https://s3-eu-west-1.amazonaws.com/bucket/template.json",
        "https://bucket.s3.eu-west-1.amazonaws.com/template.json",
        "https://bucket.s3.dualstack.eu-west-1.amazonaws.com/template.json",
        "https://a.bucket.s3.cn-north-1.amazonaws.com.cn/template.json?versionId=1",
    ],
)
def test_an_address_in_s3_is_taken(url: str) -> None:
    assert check_template_url(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "http://bucket.s3.amazonaws.com/template.json",
        "https://example.com/template.json",
        "https://bucket.s3.amazonaws.com.example.com/template.json",
        "https://example.com/s3.amazonaws.com",
        "s3://bucket/template.json",
        "https://[s3.amazonaws.com/",
        "",
    ],
)
def test_another_address_is_not(url: str) -> None:
    with pytest.raises(ArgumentError, match="CloudFormation reads templates at https:// addresses of S3 only"):
        check_template_url(url)


def test_a_signature_in_an_address_is_not_repeated() -> None:
    with pytest.raises(ArgumentError) as caught:
        check_template_url("https://example.com/template.json?X-Amz-Signature=0123")
    assert "0123" not in str(caught.value)


def test_a_body_may_be_so_long_and_not_longer() -> None:
    assert check_template_body("x" * 51200)
    with pytest.raises(ArgumentError, match="has 51201 bytes; CloudFormation accepts 51200"):
        check_template_body("ü" + "x" * 51199)


def test_an_empty_body_is_refused() -> None:
    with pytest.raises(ArgumentError, match="empty"):
        check_template_body(" \n")


@pytest.mark.parametrize(
    ("value", "text"), [(True, "true"), (300, "300"), ("x", "x"), (["a", 1, False], "a,1,false"), (("a",), "a"), (None, ""), (1.5, "1.5")]
)
def test_values_become_what_cloudformation_takes(value: t.Any, text: str) -> None:
    assert parameter_text(value) == text


# Bodies

YAML = """
# a comment
AWSTemplateFormatVersion: 2010-09-09
Description: warnings
Parameters:
  Name: {Type: String, Default: spot}
Conditions:
  Named: !Not [!Equals [!Ref Name, '']]
Resources:
  Rule:
    Type: AWS::Events::Rule
    Condition: Named
    Properties:
      Name: !Sub '${Name}-rule'
      State: !If [Named, ENABLED, !Ref AWS::NoValue]
      RoleArn: !GetAtt Role.Arn
      Numbers: [300, '300', true]
"""
LONG_FORM = {
    "AWSTemplateFormatVersion": "2010-09-09",
    "Description": "warnings",
    "Parameters": {"Name": {"Type": "String", "Default": "spot"}},
    "Conditions": {"Named": {"Fn::Not": [{"Fn::Equals": [{"Ref": "Name"}, ""]}]}},
    "Resources": {
        "Rule": {
            "Type": "AWS::Events::Rule",
            "Condition": "Named",
            "Properties": {
                "Name": {"Fn::Sub": "${Name}-rule"},
                "State": {"Fn::If": ["Named", "ENABLED", {"Ref": "AWS::NoValue"}]},
                "RoleArn": {"Fn::GetAtt": ["Role", "Arn"]},
                "Numbers": ["300", 300, "true"],
            },
        }
    },
}


@pytest.mark.parametrize("other", [YAML, LONG_FORM, json.dumps(LONG_FORM, indent=7)], ids=["YAML", "as boto3 gives JSON", "JSON"])
def test_a_template_is_the_same_however_it_is_written(other: t.Any) -> None:
    assert body_differences(other, YAML) == ()
    assert body_differences(YAML, other) == ()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("# a comment", "# another"),
        ("Description: warnings", "Description: others"),
        ("Default: spot", "Default: other"),
        ("Parameters:\n", "Metadata: {a: b}\nParameters:\n"),
        ("Parameters:\n  Name: {Type: String, Default: spot}", "Parameters:\n    Name: {'Default': 'spot', Type: String}  "),
    ],
)
def test_what_cloudformation_does_not_update_is_no_difference(old: str, new: str) -> None:
    assert old in YAML
    assert body_differences(YAML.replace(old, new), YAML) == ()


@pytest.mark.parametrize(
    ("old", "new", "differences"),
    [
        ("ENABLED", "DISABLED", ("Resources.Rule",)),
        ("  Rule:\n", "  Other:\n", ("Resources.Rule", "Resources.Other")),
        ("300, '300'", "300, 301", ("Resources.Rule",)),
        ("Conditions:\n", "Outputs:\n  A: {Value: 1}\nConditions:\n", ("Outputs.A",)),
        ("Conditions:\n  Named", "Conditions:\n  Unnamed", ("Conditions.Named", "Conditions.Unnamed")),
        ("Conditions:\n", "Transform: Macro\nConditions:\n", ("Transform",)),
    ],
)
def test_what_differs_is_named(old: str, new: str, differences: tuple[str, ...]) -> None:
    assert old in YAML
    assert sorted(body_differences(YAML, YAML.replace(old, new))) == sorted(differences)


@pytest.mark.parametrize("broken", ["{not json", "a: [", "- a list", "a text"])
def test_what_cannot_be_parsed_is_compared_as_text(broken: str) -> None:
    assert body_differences(broken, f"\n{broken}  \n") == ()
    assert body_differences(broken, f"{broken}x") == ("text",)
    assert body_differences(LONG_FORM, broken) == ("text",)


def test_without_pyyaml_yaml_is_compared_as_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_stack_template, "yaml", None)
    assert body_differences(YAML, YAML.replace("\n", "  \r\n")) == ()
    assert body_differences(YAML, YAML.replace("# a comment", "")) == ("text",)
    assert body_differences(LONG_FORM, json.dumps(LONG_FORM)) == ()


def test_yaml_that_wants_to_make_objects_makes_none() -> None:
    assert body_differences("a: !!python/object/apply:os.getcwd []", "a: !!python/object/apply:os.getcwd []") == ()


@pytest.mark.parametrize(
    "body", [{"Resources": {"A": {"Type": "T", "Metadata": {"x": 1}}}}, "Resources:\n  A:\n    Type: T\n    Metadata: {x: 1}\n"]
)
def test_a_template_is_made_one_that_retains_everything(body: t.Any) -> None:
    once, done = retained(body)
    assert done is False
    assert once["Resources"]["A"] == {"Type": "T", "DeletionPolicy": "Retain", "Metadata": {"x": 1, "RetainedBy": "spot.eventbridge"}}
    assert retained(once) == (once, True)


def test_what_a_template_retains_is_as_it_was() -> None:
    """An event pattern's numbers must stay numbers."""
    body = "Resources: {A: {Properties: {N: 300, B: false, V: 2012-10-17, S: '300', R: !Ref X, G: !GetAtt A.Arn}}}"
    properties = retained(body)[0]["Resources"]["A"]["Properties"]
    desired = {"N": 300, "B": False, "V": "2012-10-17", "S": "300", "R": {"Ref": "X"}, "G": {"Fn::GetAtt": ["A", "Arn"]}}
    assert json.dumps(properties) == json.dumps(desired)


@pytest.mark.parametrize("body", ["{", "a: [", {}, "text", "Resources: !!python/object/apply:os.getcwd []"])
def test_a_template_that_cannot_be_read_retains_nothing(body: t.Any) -> None:
    with pytest.raises(RegionError):
        retained(body)


@pytest.mark.parametrize(
    ("body", "ids"),
    [
        ({"Resources": {"Rule": {"Properties": {"Targets": [{"Id": "spot"}, {"Id": "b"}]}}}}, {"Rule": {"spot", "b"}}),
        ("Resources:\n  Rule:\n    Properties:\n      Targets:\n        - Id: 1\n", {"Rule": {"1"}}),
        ("Resources:\n  Rule:\n    Properties:\n      Targets:\n        - Id: !Ref Name\n", {}),
        ({"Resources": {"Rule": {"Properties": {"Targets": {"Fn::If": ["A", [], []]}}}}}, {}),
        ({"Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}}, {"Queue": set()}),
        ("no: {template", {}),
    ],
    ids=["json", "yaml", "computed", "computed list", "no targets", "broken"],
)
def test_the_ids_of_a_template_s_targets(body: t.Any, ids: dict[str, set[str]]) -> None:
    assert target_ids(body) == ids
