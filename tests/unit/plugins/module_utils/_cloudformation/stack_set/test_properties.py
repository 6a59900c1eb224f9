# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import typing as t

import pytest

from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack_set.properties import Properties, properties
from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.template import Parameter, Template
from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import RegionError
from ansible_collections.spot.eventbridge.plugins.module_utils._core.validation import ArgumentError
from tests.unit.plugins.module_utils._cloudformation.stack_set.stack_sets import (
    BODY,
    PARAMETERS,
    TOKEN,
    current,
    desired,
    nothing,
    of_organization,
    of_units,
    reading,
)


def arguments(found: Properties) -> dict[str, t.Any]:
    assert found.arguments is not None
    return found.arguments


def values(found: Properties) -> dict[str, t.Any]:
    """The parameters of the call; None where the previous value is used."""
    return {
        item["ParameterKey"]: None if item.get("UsePreviousValue") else item["ParameterValue"] for item in arguments(found)["Parameters"]
    }


def names(*parameters: str) -> dict[str, Parameter]:
    """Parameters without defaults; those that are called like a token are hidden."""
    return {name: Parameter(hidden="Token" in name) for name in parameters}


def revised(revision: str) -> t.Any:
    """What was read of a stack set whose token has this revision."""
    there = current().found["Parameters"]
    changed = [{**item, "ParameterValue": revision} if item["ParameterKey"] == "TokenRevision" else item for item in there]
    return reading(current(Parameters=changed))


def test_a_new_stack_set_is_made_with_all_it_needs() -> None:
    found = properties(desired(tags={"team": "a"}), nothing())
    assert arguments(found) == {
        "StackSetName": "spot",
        "Description": desired().description,
        "TemplateBody": BODY,
        "Capabilities": ["CAPABILITY_IAM"],
        "PermissionModel": "SELF_MANAGED",
        "ManagedExecution": {"Active": True},
        "Parameters": [
            {"ParameterKey": "SpotAccountId", "ParameterValue": "act-00000000"},
            {"ParameterKey": "SpotToken", "ParameterValue": TOKEN},
        ],
        "Tags": [{"Key": "team", "Value": "a"}],
    }
    assert found.account_parameter == "SpotAccountId"


def test_with_permissions_of_the_service_auto_deployment_is_said_and_who_calls() -> None:
    found = arguments(properties(of_units(auto_deployment={"Enabled": True}, delegated_admin=True), nothing()))
    assert (found["PermissionModel"], found["AutoDeployment"], found["CallAs"]) == ("SERVICE_MANAGED", {"Enabled": True}, "DELEGATED_ADMIN")


def test_roles_of_ones_own_are_given() -> None:
    found = arguments(properties(desired(administration_role_arn="arn:aws:iam::1:role/a", execution_role_name="e"), nothing()))
    assert (found["AdministrationRoleARN"], found["ExecutionRoleName"]) == ("arn:aws:iam::1:role/a", "e")


def test_a_template_at_an_address_is_given_by_it() -> None:
    found = arguments(properties(desired(template_body=None, template_url="https://s3/x"), nothing()))
    assert found["TemplateURL"] == "https://s3/x"
    assert "TemplateBody" not in found


def test_neither_the_token_nor_its_length_is_in_what_is_shown() -> None:
    for found in (properties(desired(), nothing()), properties(desired(update_token="always"), reading())):
        assert TOKEN in str(arguments(found))
        assert TOKEN not in repr(found)
        assert TOKEN not in str((found.before, found.after, found.document))
        assert found.document["parameters"]["SpotToken"] == "****"


def test_a_stack_set_as_it_shall_be_is_left_alone_without_a_token() -> None:
    found = properties(desired(token=""), reading())
    assert found.arguments is None
    assert found.document["parameters"] == {
        "SpotAccountId": "act-00000000",
        "SpotToken": "****",
        "TokenRevision": "1",
        "Endpoint": "https://api.spotinst.io/",
    }


def test_making_one_needs_a_token() -> None:
    with pytest.raises(ArgumentError, match="There is no Spot token"):
        properties(desired(token=""), nothing())


@pytest.mark.parametrize(
    ("changes", "there", "changed"),
    [
        ({"description": "other"}, {}, ["description"]),
        ({"parameters": {"Endpoint": "https://example.com/"}}, {}, ["parameters"]),
        ({"default_spot_account": "act-dddddddd"}, {}, ["parameters"]),
        ({"tags": {"team": "a"}}, {}, ["tags"]),
        ({"tags": {}}, {"Tags": [{"Key": "team", "Value": "a"}]}, ["tags"]),
        ({"managed_execution": False}, {}, ["managed_execution"]),
        ({}, {"ManagedExecution": None}, ["managed_execution"]),
        ({"update": "always"}, {}, ["update"]),
        ({"administration_role_arn": "arn:aws:iam::1:role/a"}, {}, ["administration_role_arn"]),
        ({"execution_role_name": "mine"}, {"ExecutionRoleName": "theirs"}, ["execution_role_name"]),
        ({"token_revision": "2"}, {}, ["parameters", "token"]),
        ({"update_token": "always"}, {}, ["parameters", "token"]),
    ],
    ids=str,
)
def test_what_differs_is_changed(changes: dict[str, t.Any], there: dict[str, t.Any], changed: list[str]) -> None:
    found = properties(desired(**changes), reading(current(**there)))
    assert list(found.changed) == changed


@pytest.mark.parametrize(
    ("there", "changed"),
    [({}, []), ({"AutoDeployment": {"Enabled": True, "RetainStacksOnAccountRemoval": False}}, ["auto_deployment"])],
    ids=str,
)
def test_auto_deployment_is_compared(there: dict[str, t.Any], changed: list[str]) -> None:
    assert list(properties(of_units(), reading(of_organization(**there))).changed) == changed


def test_an_update_leaves_the_token_and_what_nobody_gave_as_they_are() -> None:
    found = properties(desired(token="", description="other"), reading())
    assert values(found) == {"SpotAccountId": "act-00000000", "SpotToken": None, "TokenRevision": None, "Endpoint": None}
    assert arguments(found)["UsePreviousTemplate"] is True
    assert "Tags" not in arguments(found)


def test_tags_that_are_not_purged_are_given_with_the_new_ones() -> None:
    found = properties(desired(tags={"team": "a"}, purge_tags=False), reading(current(Tags=[{"Key": "owner", "Value": "them"}])))
    assert arguments(found)["Tags"] == [{"Key": "owner", "Value": "them"}, {"Key": "team", "Value": "a"}]


def test_all_tags_can_be_taken_away() -> None:
    assert arguments(properties(desired(tags={}), reading(current(Tags=[{"Key": "a", "Value": "b"}]))))["Tags"] == []


def test_another_template_brings_its_parameters_and_drops_those_it_has_not() -> None:
    summary = Template({**names("SpotAccountId", "SpotToken", "Name"), "Optional": Parameter("")})
    found = properties(desired(parameters={"Name": "spot"}), reading(current("Resources.Rule"), template=summary))
    assert found.changed == ("parameters", "template")
    assert values(found) == {"SpotAccountId": "act-00000000", "Name": "spot", "SpotToken": None}
    assert arguments(found)["TemplateBody"] == BODY


def test_where_another_template_calls_the_token_otherwise_it_is_written() -> None:
    summary = Template(names("AccountId", "Token"))
    found = properties(desired(), reading(current("Parameters.Token"), template=summary))
    assert values(found) == {"AccountId": "act-00000000", "Token": TOKEN}


def test_a_role_of_ones_own_is_named_again_in_an_update() -> None:
    theirs = current(AdministrationRoleARN="arn:aws:iam::1:role/mine")
    assert arguments(properties(desired(description="o"), reading(theirs)))["AdministrationRoleARN"] == "arn:aws:iam::1:role/mine"
    default = current(AdministrationRoleARN="arn:aws:iam::1:role/AWSCloudFormationStackSetAdministrationRole")
    assert "AdministrationRoleARN" not in arguments(properties(desired(description="o"), reading(default)))


def test_another_revision_writes_the_token() -> None:
    found = properties(desired(token_revision="2026-11"), reading())
    assert (values(found)["TokenRevision"], values(found)["SpotToken"]) == ("2026-11", TOKEN)


def test_the_same_revision_does_not() -> None:
    assert properties(desired(token_revision="1", token=""), reading()).arguments is None


def test_a_new_stack_set_begins_with_the_revision_given() -> None:
    assert values(properties(desired(token_revision="7"), nothing()))["TokenRevision"] == "7"


@pytest.mark.parametrize(("there", "after"), [("1", "2"), ("99", "100"), ("2026-11", "1")])
def test_to_write_it_always_is_to_raise_the_revision(there: str, after: str) -> None:
    found = properties(desired(update_token="always"), revised(there))
    assert (values(found)["TokenRevision"], values(found)["SpotToken"]) == (after, TOKEN)


def test_to_write_it_always_is_to_write_it_once_in_a_run() -> None:
    assert properties(desired(update_token="always"), revised("2"), done=True).arguments is None


def test_without_a_revision_in_the_template_the_token_is_written_all_the_same() -> None:
    summary = Template({name: parameter for name, parameter in PARAMETERS.items() if name != "TokenRevision"})
    found = properties(desired(update_token="always"), reading(template=summary))
    assert values(found) == {"SpotAccountId": "act-00000000", "SpotToken": TOKEN, "Endpoint": None}


def test_other_hidden_parameters_are_written_with_another_change_only() -> None:
    summary = Template({**PARAMETERS, "Secret": Parameter(hidden=True)})
    given = desired(parameters={"Secret": "s"})
    there = current(Parameters=[*current().found["Parameters"], {"ParameterKey": "Secret", "ParameterValue": "****"}])
    assert values(properties(given, nothing(template=summary)))["Secret"] == "s"
    assert properties(given, reading(there, template=summary)).arguments is None
    assert values(properties(dataclasses.replace(given, description="o"), reading(there, template=summary)))["Secret"] == "s"


@pytest.mark.parametrize(
    ("changes", "summary", "words"),
    [
        ({"parameters": {"Endpiont": "x"}}, None, "the template has no parameter Endpiont; it has: SpotAccountId, SpotToken"),
        ({"parameters": {"SpotToken": "x"}}, None, "parameters: SpotToken is given with spot_token"),
        ({"parameters": {"SpotAccountId": "x"}}, None, "parameters: SpotAccountId is given with spot_accounts"),
        ({"token_revision": "2"}, ("SpotAccountId", "SpotToken"), "token_revision: the template has no parameter TokenRevision"),
        ({}, ("SpotAccountId", "SpotToken", "Name"), "the template's parameter Name has no default"),
        ({}, ("SpotToken",), "set account_parameter to one of"),
        ({}, ("SpotAccountId",), "set token_parameter to one of"),
        ({"token_parameter": "Key"}, None, "the template has no parameter Key (token_parameter)"),
    ],
)
def test_a_template_without_the_parameters_is_refused_by_name(
    changes: dict[str, t.Any], summary: tuple[str, ...] | None, words: str
) -> None:
    template = Template(names(*summary)) if summary else nothing().template
    with pytest.raises(RegionError) as told:
        properties(desired(**changes), reading(template=template))
    assert words in told.value.failure.message


def test_the_permission_model_of_a_stack_set_with_instances_cannot_change() -> None:
    with pytest.raises(RegionError, match="is not SERVICE_MANAGED, and has 9 instances"):
        properties(of_units(), reading())
    assert arguments(properties(of_units(), reading(found={})))["PermissionModel"] == "SERVICE_MANAGED"


def test_the_diff_shows_what_was_and_what_will_be() -> None:
    found = properties(desired(description="other", parameters={"Endpoint": "https://example.com/"}), reading())
    assert found.before is not None
    assert found.after is not None
    differing = {key for key in found.after if found.before[key] != found.after[key]}
    assert differing == {"description", "parameters"}
    assert "SpotToken" not in found.before["parameters"]
