# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import json
import typing as t

import pytest

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.conflicts import Existing
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.existing_connection import (
    DIFFERS,
    MATCHES,
    NOT_COMPARED,
    ExistingConnection,
)
from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack.apply import failure_after
from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack.desired import Stack
from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack.plan import plan as plan_stack
from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack.results import stack_result
from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack.state import CurrentStack, ForeignTargets
from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack.steps import (
    NOTHING_TRIED,
    Attempts,
    StackPlan,
    attempt,
)
from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.template import Parameter, Template
from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import RegionError
from ansible_collections.spot.eventbridge.plugins.module_utils._core.plan import Plan
from ansible_collections.spot.eventbridge.plugins.module_utils._core.region import Region
from ansible_collections.spot.eventbridge.plugins.module_utils._core.results import Outcome
from ansible_collections.spot.eventbridge.plugins.module_utils._core.validation import ArgumentError

Document = dict[str, t.Any]
UPDATED, AUTHORIZED = Attempts(frozenset({"update_stack"})), Attempts(frozenset({"update_connection"}))
UPDATED_AND_AUTHORIZED = Attempts(UPDATED.made | AUTHORIZED.made)
NO_CHANGE = Attempts(nothing_to_update=True)
TOKEN = "0123456789secretTOKEN"
SPOT = "act-d7320fba"
ROLE = "arn:aws:iam::123456789012:role/deploy"
BODY = "Resources: {}"
URL = "https://bucket.s3.amazonaws.com/template.json"
PARAMETERS = {"SpotAccountId": Parameter(), "SpotToken": Parameter(hidden=True), "Name": Parameter("spot"), "TokenRevision": Parameter("1")}
TEMPLATE = Template(PARAMETERS, capabilities=("CAPABILITY_NAMED_IAM",))
FOREIGN = Template({"AccountId": Parameter(), "Token": Parameter(hidden=True)})
DESIRED = Stack("spot", template_body=BODY, spot_account=SPOT, token=TOKEN)
BY_URL = Stack("spot", template_url=URL, spot_account=SPOT, token=TOKEN)
GONE = Stack("spot", present=False)
LEFT = {"Resources": {"Rule": {"Type": "AWS::Events::Rule", "DeletionPolicy": "Retain"}}}

DEAD = ["CREATE_FAILED", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "DELETE_FAILED", "REVIEW_IN_PROGRESS"]
GOOD = ["CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE", "IMPORT_ROLLBACK_COMPLETE"]
IN_PROGRESS = [
    *("CREATE_IN_PROGRESS", "ROLLBACK_IN_PROGRESS", "DELETE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"),
    *("UPDATE_ROLLBACK_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS", "IMPORT_IN_PROGRESS", "IMPORT_ROLLBACK_IN_PROGRESS"),
]


def connection(state: str = "AUTHORIZED", token: str = MATCHES, account: str | None = SPOT) -> ExistingConnection:
    """The stack's connection; `account` None hides the account."""
    parameter: Document = {"key": "accountId", "is_value_secret": account is None, **({"value": account} if account else {})}
    document = {
        "name": "warnings",
        "connection_arn": "arn",
        "description": "by the stack",
        "connection_state": state,
        "authorization_type": "API_KEY",
        "auth_parameters": {
            "api_key_auth_parameters": {"api_key_name": "Authorization"},
            "invocation_http_parameters": {"query_string_parameters": [parameter]},
        },
    }
    return ExistingConnection(document, token=token, token_unread="no permission" if token == NOT_COMPARED else None)


def found(status: str = "CREATE_COMPLETE", **changes: t.Any) -> Document:
    parameters = {"SpotAccountId": SPOT, "SpotToken": "****", "Name": "spot", "TokenRevision": "1"}
    stack = {"stack_id": "arn:stack", "stack_name": "spot", "stack_status": status, "parameters": parameters, "outputs": {"A": "a"}}
    return {**stack, "tags": {"team": "a"}, "resources": {}, **changes}


def current(status: str = "CREATE_COMPLETE", **changes: t.Any) -> CurrentStack:
    """A stack that is as wanted, but for `changes`."""
    given = {"found": found(status), "template": TEMPLATE, "connections": ("warnings",), "connection": connection(), **changes}
    return CurrentStack(**given)


def dead(status: str, **changes: t.Any) -> CurrentStack:
    return CurrentStack(found(status), TEMPLATE, causes=("Rule failed",), **changes)


def foreign(**changes: t.Any) -> CurrentStack:
    """A stack whose template has no revision of the token."""
    stack = found(parameters={"AccountId": SPOT, "Token": "****"})
    return current(**{"found": stack, "template": FOREIGN, **changes})


def desired(**changes: t.Any) -> Stack:
    return dataclasses.replace(DESIRED, **changes)


def calls(plan: Plan) -> list[str]:
    return [f"{call.service or 'cloudformation'}.{call.operation}" for call in plan.calls]


def arguments(plan: Plan) -> Document:
    (call,) = plan.calls
    return dict(call.arguments)


def given(plan: Plan) -> dict[str, t.Any]:
    """The parameters of a request: a value, or True for the previous one."""
    return {item["ParameterKey"]: item.get("ParameterValue", item.get("UsePreviousValue")) for item in arguments(plan)["Parameters"]}


# To make one


def test_no_stack_is_created_with_account_and_token(region: Region) -> None:
    plan = plan_stack(DESIRED, region, CurrentStack(None, TEMPLATE))
    assert (plan.action, calls(plan), plan.continues, plan.before) == ("created", ["cloudformation.create_stack"], False, None)
    assert arguments(plan) == {
        "StackName": "spot",
        "TemplateBody": BODY,
        "Parameters": [{"ParameterKey": "SpotAccountId", "ParameterValue": SPOT}, {"ParameterKey": "SpotToken", "ParameterValue": TOKEN}],
        "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"],
    }


def test_parameters_tags_and_the_role_are_given_when_a_stack_is_created(region: Region) -> None:
    stack = Stack("spot", template_url=URL, spot_account=SPOT, token=TOKEN, parameters={"Name": "x"}, tags={"team": "b"}, role_arn=ROLE)
    plan = plan_stack(stack, region, CurrentStack(None, TEMPLATE))
    assert given(plan) == {"SpotAccountId": SPOT, "SpotToken": TOKEN, "Name": "x"}
    given_besides = {key: value for key, value in arguments(plan).items() if key not in ("StackName", "Parameters", "Capabilities")}
    assert given_besides == {"TemplateURL": URL, "Tags": [{"Key": "team", "Value": "b"}], "RoleARN": ROLE}


def test_a_creation_predicts_the_stack(region: Region) -> None:
    plan = plan_stack(desired(tags={"team": "b"}), region, CurrentStack(None, TEMPLATE))
    parameters = {"SpotAccountId": SPOT, "SpotToken": "****", "Name": "spot", "TokenRevision": "1"}
    assert plan.after == {"stack_status": "CREATE_COMPLETE", "parameters": parameters, "tags": {"team": "b"}}
    assert plan.document == {"stack_name": "spot", **plan.after, "outputs": {}, "resources": {}, "connection": None}


# One that is there


@pytest.mark.parametrize("status", GOOD)
@pytest.mark.parametrize("stack", [DESIRED, BY_URL], ids=["body", "url"])
def test_a_stack_as_wanted_is_left_alone(region: Region, stack: Stack, status: str) -> None:
    plan = plan_stack(stack, region, current(status))
    assert (plan.action, plan.calls, plan.note) == ("unchanged", (), None)
    assert plan.document == {**found(status), "connection": connection().document}


CHANGES = [
    pytest.param({"parameters": {"Name": "x"}}, {}, id="a parameter"),
    pytest.param({"spot_account": "act-5a9d1c02"}, {}, id="the account"),
    pytest.param({"tags": {"team": "b"}}, {}, id="a tag"),
    pytest.param({}, {"differences": ("Resources.Rule",)}, id="the template"),
    pytest.param({"update": "always"}, {}, id="always"),
]


@pytest.mark.parametrize("status", GOOD)
@pytest.mark.parametrize(("wish", "state"), CHANGES)
def test_what_differs_is_updated(region: Region, wish: Document, state: Document, status: str) -> None:
    stack = current(status, **state)
    if "spot_account" in wish:
        stack = dataclasses.replace(stack, connection=connection(account=wish["spot_account"]))
    plan = plan_stack(desired(**wish), region, stack)
    assert (plan.action, calls(plan), plan.continues) == ("updated", ["cloudformation.update_stack"], False)
    declined = plan_stack(desired(**wish), region, stack, NO_CHANGE)
    assert (declined.action, declined.calls) == ("unchanged", ())
    assert bool(plan_stack(desired(**wish), region, stack, UPDATED).calls) == ("update" not in wish)
    assert (plan.after or {})["stack_status"] == "UPDATE_COMPLETE"


def test_an_update_that_was_neither_done_nor_rolled_back_is_made_again(region: Region) -> None:
    plan = plan_stack(DESIRED, region, current("UPDATE_FAILED", causes=("Rule failed",)))
    assert (plan.action, calls(plan)) == ("updated", ["cloudformation.update_stack"])
    assert ((plan.before or {})["stack_status"], (plan.after or {})["stack_status"]) == ("UPDATE_FAILED", "UPDATE_COMPLETE")
    assert failure_after(DESIRED, plan, current("UPDATE_FAILED", causes=("Rule failed",))) == "the stack is UPDATE_FAILED: Rule failed"


def test_an_update_gives_the_token_and_keeps_what_is_not_given(region: Region) -> None:
    plan = plan_stack(desired(tags={"team": "b"}), region, current())
    assert given(plan) == {"SpotAccountId": SPOT, "SpotToken": TOKEN, "Name": True, "TokenRevision": True}
    assert arguments(plan)["TemplateBody"] == BODY


def test_an_update_keeps_the_token_that_is_only_for_new_stacks(region: Region) -> None:
    plan = plan_stack(desired(tags={"team": "b"}, update_token="on_create"), region, current())
    assert given(plan)["SpotToken"] is True


def test_a_parameter_that_only_the_template_has_is_no_change_by_itself(region: Region) -> None:
    template = Template({**PARAMETERS, "Endpoint": Parameter("https://")})
    assert plan_stack(DESIRED, region, current(template=template)).action == "unchanged"


def test_what_a_new_template_has_besides_has_its_default_and_what_it_has_no_more_is_not_given(region: Region) -> None:
    template = Template({**PARAMETERS, "Endpoint": Parameter("https://")})
    stack = current(template=template, differences=("Parameters.Endpoint",), found=found(parameters={**found()["parameters"], "Old": "x"}))
    plan = plan_stack(DESIRED, region, stack)
    assert given(plan) == {"SpotAccountId": SPOT, "SpotToken": TOKEN, "Name": True, "TokenRevision": True}
    assert (plan.after or {})["parameters"]["Endpoint"] == "https://"
    assert "Old" not in (plan.after or {})["parameters"]


@pytest.mark.parametrize(
    ("tags", "purge", "sent"),
    [
        (None, True, {"team": "a"}),
        ({"team": "a"}, True, {"team": "a"}),
        ({"cost": "7"}, False, {"team": "a", "cost": "7"}),
        ({"cost": "7"}, True, {"cost": "7"}),
        ({}, True, {}),
        ({}, False, {"team": "a"}),
    ],
)
def test_tags_are_sent_whole_with_every_update(region: Region, tags: t.Any, purge: bool, sent: t.Any) -> None:
    plan = plan_stack(desired(tags=tags, purge_tags=purge, update="always"), region, current())
    tagged = arguments(plan).get("Tags")
    assert (None if tagged is None else {tag["Key"]: tag["Value"] for tag in tagged}) == sent


def test_a_diff_says_what_of_the_template_differs(region: Region) -> None:
    plan = plan_stack(DESIRED, region, current(differences=("Resources.Rule", "Outputs.A")))
    assert ((plan.before or {})["template"], (plan.after or {})["template"]) == ("differs: Resources.Rule, Outputs.A", "as given")


def test_where_cloudformation_sees_no_change_the_template_is_told_to_differ_all_the_same(region: Region) -> None:
    stack = current(differences=("Outputs.A",))
    note = "CloudFormation has nothing to update although the template differs: Outputs.A."
    assert plan_stack(DESIRED, region, stack, NO_CHANGE) == StackPlan("unchanged", stack.document, note=note)


def test_an_update_that_failed_is_called_broken_with_its_causes(region: Region) -> None:
    stack = current("UPDATE_ROLLBACK_COMPLETE", differences=("Resources.Rule",), causes=("Rule failed", "Queue failed"))
    update = plan_stack(DESIRED, region, stack)
    assert failure_after(DESIRED, update, stack) == "the stack is UPDATE_ROLLBACK_COMPLETE: Rule failed | Queue failed"
    assert failure_after(DESIRED, update, current(differences=("Resources.Rule",))) is None


# Parameters that cannot be right


@pytest.mark.parametrize("stack", [current(), CurrentStack(None, TEMPLATE)], ids=["there", "not there"])
@pytest.mark.parametrize(
    ("wish", "message"),
    [
        ({"parameters": {"Nmae": "x"}}, "the template has no parameter Nmae; it has: SpotAccountId, SpotToken, Name, TokenRevision"),
        ({"parameters": {"SpotToken": "x"}}, "give the template's parameter SpotToken with spot_token, not with 'parameters'"),
        ({"parameters": {"SpotAccountId": "x"}}, "give the template's parameter SpotAccountId with spot_account"),
        ({"account_parameter": "Name", "token_parameter": "Name"}, "account_parameter and token_parameter are the same: Name"),
        ({"account_parameter": "Customer"}, "the template has no parameter Customer"),
    ],
)
def test_a_parameter_that_cannot_be_right_is_refused_whether_or_not_something_changes(
    region: Region, stack: CurrentStack, wish: Document, message: str
) -> None:
    with pytest.raises(RegionError) as caught:
        plan_stack(desired(**wish), region, stack)
    assert caught.value.failure.message.startswith(message)


def test_a_parameter_without_a_value_is_named(region: Region) -> None:
    template = Template({**PARAMETERS, "Bucket": Parameter()})
    with pytest.raises(RegionError, match="the template's parameter Bucket has no default: give it with 'parameters'"):
        plan_stack(DESIRED, region, CurrentStack(None, template))


def test_a_token_that_the_template_shows_is_warned_of(region: Region) -> None:
    shown = Template({**PARAMETERS, "SpotToken": Parameter()})
    for stack in (CurrentStack(None, shown), current(template=shown), current(template=shown, differences=("Outputs.A",))):
        plan = plan_stack(DESIRED, region, stack)
        assert (plan.note or "").startswith("the template's parameter SpotToken is not NoEcho: ")
        assert TOKEN not in json.dumps([plan.before, plan.after, plan.document])


# From which nothing but removal helps


@pytest.mark.parametrize("status", DEAD)
def test_a_stack_that_cannot_be_updated_is_removed_first_and_then_made_anew(region: Region, status: str) -> None:
    plan = plan_stack(desired(role_arn=ROLE), region, dead(status))
    assert (plan.action, calls(plan), plan.continues) == ("created", ["cloudformation.delete_stack"], True)
    assert arguments(plan) == {"StackName": "spot", "RoleARN": ROLE}
    assert plan.note == f"the stack is {status}: Rule failed. It cannot be updated: it is deleted and created again."
    failure = failure_after(DESIRED, plan, dead(status))
    assert failure == (None if status == "REVIEW_IN_PROGRESS" else f"the stack is {status}: Rule failed")
    assert ((plan.before or {})["stack_status"], (plan.after or {})["stack_status"]) == (status, "CREATE_COMPLETE")
    assert plan.document == plan_stack(DESIRED, region, CurrentStack(None, TEMPLATE)).document


@pytest.mark.parametrize("status", DEAD)
def test_parameters_are_checked_before_anything_is_removed(region: Region, status: str) -> None:
    with pytest.raises(RegionError, match="the template has no parameter Nmae"):
        plan_stack(desired(parameters={"Nmae": "x"}), region, dead(status))


def test_a_rollback_that_got_stuck_is_completed_first(region: Region) -> None:
    stack = current("UPDATE_ROLLBACK_FAILED", differences=("Resources.Rule",), causes=("Rule failed",))
    plan = plan_stack(desired(role_arn=ROLE), region, stack)
    assert (plan.action, calls(plan), plan.continues) == ("updated", ["cloudformation.continue_update_rollback"], True)
    assert arguments(plan) == {"StackName": "spot", "RoleARN": ROLE}
    assert ((plan.before or {})["stack_status"], (plan.after or {})["stack_status"]) == ("UPDATE_ROLLBACK_FAILED", "UPDATE_COMPLETE")
    assert plan.note == "the stack is UPDATE_ROLLBACK_FAILED: Rule failed. Its rollback is completed first."
    failure = failure_after(DESIRED, plan, current("UPDATE_ROLLBACK_FAILED", causes=("Rule failed",)))
    assert str(failure).endswith("Repair the resource that stops the rollback, or skip it with ContinueUpdateRollback's ResourcesToSkip.")


def test_a_rollback_that_got_stuck_is_completed_also_if_nothing_else_is_wanted(region: Region) -> None:
    plan = plan_stack(DESIRED, region, current("UPDATE_ROLLBACK_FAILED"))
    assert (plan.action, calls(plan)) == ("updated", ["cloudformation.continue_update_rollback"])
    assert (plan.after or {})["stack_status"] == (plan.document or {})["stack_status"] == "UPDATE_ROLLBACK_COMPLETE"


def test_a_lost_connection_is_told_of_also_where_a_rollback_comes_first(region: Region) -> None:
    plan = plan_stack(DESIRED, region, current("UPDATE_ROLLBACK_FAILED", connection=connection("DEAUTHORIZED")))
    assert (plan.action, calls(plan)) == ("reauthorized", ["cloudformation.continue_update_rollback"])


# What CloudFormation is working on


@pytest.mark.parametrize("stack", [DESIRED, GONE])
@pytest.mark.parametrize("status", IN_PROGRESS)
def test_what_is_in_progress_is_waited_for_and_not_touched(region: Region, stack: Stack, status: str) -> None:
    assert not CurrentStack(found(status)).settled
    with pytest.raises(RegionError, match=f"the stack is {status}: wait until it is done, or raise wait_timeout"):
        plan_stack(stack, region, CurrentStack(found(status)))


@pytest.mark.parametrize("status", [*GOOD, *DEAD, "UPDATE_FAILED", "UPDATE_ROLLBACK_FAILED"])
def test_stack_is_settled_unless_in_progress(status: str) -> None:
    assert current(status).settled


@pytest.mark.parametrize("state", ["CREATING", "UPDATING", "AUTHORIZING", "DEAUTHORIZING", "DELETING"])
def test_a_connection_that_is_just_changing_is_waited_for(state: str) -> None:
    assert not current(connection=connection(state)).settled


def test_no_stack_is_at_rest() -> None:
    assert CurrentStack(None, TEMPLATE).settled


# The connection, of which CloudFormation knows nothing


@pytest.mark.parametrize("update_token", ["changed", "always", "on_create"])
@pytest.mark.parametrize("stack", [current, foreign], ids=["ours", "without a revision"])
@pytest.mark.parametrize("state", ["DEAUTHORIZED", "FAILED_CONNECTIVITY"])
def test_a_lost_connection_is_authorized_again_in_place(region: Region, state: str, stack: t.Any, update_token: str) -> None:
    plan = plan_stack(desired(update_token=update_token), region, stack(connection=connection(state)))
    assert (plan.action, calls(plan), plan.continues) == ("reauthorized", ["events.update_connection"], False)
    assert arguments(plan)["AuthParameters"]["ApiKeyAuthParameters"]["ApiKeyValue"] == f"Bearer {TOKEN}"
    assert (plan.before or {})["connection_state"] == state
    assert (plan.after or {}) == {**(plan.before or {}), "connection_state": "AUTHORIZED", "token": MATCHES}
    assert "does not notice" in (plan.note or "")
    lost = stack(connection=connection(state))
    assert failure_after(desired(update_token=update_token), plan, lost) == f"the connection warnings is {state}"
    assert calls(plan_stack(desired(update_token=update_token), region, lost, AUTHORIZED)) == ["events.update_connection"]


def test_a_lost_connection_comes_before_an_update(region: Region) -> None:
    plan = plan_stack(desired(parameters={"Name": "x"}), region, current(connection=connection("DEAUTHORIZED")))
    assert (plan.action, calls(plan), plan.continues) == ("reauthorized", ["events.update_connection"], True)
    assert (plan.after or {})["parameters"]["Name"] == "x"
    assert ((plan.after or {})["connection_state"], (plan.after or {})["stack_status"]) == ("AUTHORIZED", "UPDATE_COMPLETE")
    assert (plan.document or {})["connection"]["connection_state"] == "AUTHORIZED"


STALE = [
    pytest.param({}, connection(token=DIFFERS), False, id="another token"),
    pytest.param({}, connection(account="act-00000000"), False, id="another account"),
    pytest.param({"update_token": "always"}, connection(token=NOT_COMPARED), True, id="always"),
]


@pytest.mark.parametrize(("wish", "stale", "repeats"), STALE)
def test_a_token_is_written_by_an_update_with_the_next_revision(
    region: Region, wish: Document, stale: ExistingConnection, repeats: bool
) -> None:
    plan = plan_stack(desired(**wish), region, current(connection=stale))
    assert (plan.action, calls(plan)) == ("updated", ["cloudformation.update_stack"])
    assert (not plan_stack(desired(**wish), region, current(connection=stale), UPDATED).calls) == repeats
    assert (given(plan)["SpotToken"], given(plan)["TokenRevision"]) == (TOKEN, "2")
    assert ((plan.before or {})["parameters"]["TokenRevision"], (plan.after or {})["parameters"]["TokenRevision"]) == ("1", "2")
    assert (plan.after or {})["token"] == MATCHES
    assert plan.continues == (not repeats)
    assert calls(plan_stack(desired(**wish), region, current(connection=stale), NO_CHANGE)) == ["events.update_connection"]


@pytest.mark.parametrize(("wish", "stale", "repeats"), STALE)
def test_without_a_revision_cloudformation_is_asked_and_then_it_is_written_in_place(
    region: Region, wish: Document, stale: ExistingConnection, repeats: bool
) -> None:
    plan = plan_stack(desired(**wish), region, foreign(connection=stale))
    assert (plan.action, calls(plan), plan.continues) == ("updated", ["cloudformation.update_stack"], True)
    assert given(plan) == {"AccountId": SPOT, "Token": TOKEN}
    in_place = plan_stack(desired(**wish), region, foreign(connection=stale), NO_CHANGE)
    assert (in_place.action, calls(in_place)) == ("updated", ["events.update_connection"])
    assert calls(plan_stack(desired(**wish), region, foreign(connection=stale), UPDATED)) == ["events.update_connection"]
    assert (not plan_stack(desired(**wish), region, foreign(connection=stale), UPDATED_AND_AUTHORIZED).calls) == repeats
    assert (in_place.before, in_place.after) == (plan.before, plan.after)
    assert "in place" in (in_place.note or "")
    assert "in place" not in (plan.note or "")


@pytest.mark.parametrize(("now", "then"), [("1", "2"), ("9", "10"), ("2026-01", "1"), ("", "1")])
def test_revisions_are_counted(region: Region, now: str, then: str) -> None:
    stack = current(found=found(parameters={**found()["parameters"], "TokenRevision": now}), connection=connection(token=DIFFERS))
    assert given(plan_stack(DESIRED, region, stack))["TokenRevision"] == then


def test_a_revision_that_the_user_gives_is_his(region: Region) -> None:
    stack = desired(parameters={"TokenRevision": "1"})
    assert plan_stack(stack, region, current()).action == "unchanged"
    assert given(plan_stack(stack, region, current(connection=connection(token=DIFFERS))))["TokenRevision"] == "1"


def test_a_token_that_is_only_for_new_stacks_is_left_alone(region: Region) -> None:
    plan = plan_stack(desired(update_token="on_create"), region, current(connection=connection(token=NOT_COMPARED)))
    assert plan.action == "unchanged"


def test_an_account_that_the_template_hides_is_left_alone(region: Region) -> None:
    assert plan_stack(DESIRED, region, current(connection=connection(account=None))).action == "unchanged"


def test_a_token_that_could_not_be_compared_is_told(region: Region) -> None:
    plan = plan_stack(DESIRED, region, current(connection=connection(token=NOT_COMPARED)))
    assert (plan.action, plan.note) == (
        "unchanged",
        "not checked whether the token is current: no permission. update_token=always writes it in any case.",
    )


def test_several_connections_are_told_and_left_alone(region: Region) -> None:
    plan = plan_stack(DESIRED, region, current(connections=("a", "b"), connection=None))
    assert (plan.action, plan.note) == (
        "unchanged",
        "the stack has several connections (a, b): their states and tokens were not read.",
    )


def test_a_stack_without_a_connection_is_left_alone(region: Region) -> None:
    plan = plan_stack(DESIRED, region, current(connections=(), connection=None))
    assert (plan.action, plan.note, (plan.document or {})["connection"]) == ("unchanged", None, None)


def test_a_connection_that_somebody_removed_is_an_error_that_says_what_to_do(region: Region) -> None:
    with pytest.raises(
        RegionError, match=r"connection warnings was deleted, .* Remove the stack \(state=absent\), and create it again"
    ) as caught:
        plan_stack(DESIRED, region, current(connection=None))
    assert caught.value.failure.code == "ConnectionGone"


# Removal


def test_no_stack_needs_no_removal(region: Region) -> None:
    plan = plan_stack(GONE, region, None)
    assert (plan.action, plan.calls, plan.document) == ("unchanged", (), None)


@pytest.mark.parametrize("status", [*GOOD, *DEAD, "UPDATE_FAILED", "UPDATE_ROLLBACK_FAILED"])
def test_a_stack_is_removed_from_every_status(region: Region, status: str) -> None:
    plan = plan_stack(Stack("spot", present=False, role_arn=ROLE), region, CurrentStack(found(status), causes=("Queue failed",)))
    assert (plan.action, calls(plan), plan.document, plan.continues) == ("deleted", ["cloudformation.delete_stack"], None, False)
    assert arguments(plan) == {"StackName": "spot", "RoleARN": ROLE}
    failed = "FAILED" in status or "ROLLBACK" in status
    failure = failure_after(GONE, plan, CurrentStack(found(status), causes=("Queue failed",)))
    assert (failure or "").startswith(f"the stack is {status}: Queue failed" if failed else "")
    assert bool(failure) == failed


@pytest.mark.parametrize("stack", [DESIRED, GONE])
def test_a_protected_stack_is_kept_and_the_error_says_what_to_do(region: Region, stack: Stack) -> None:
    with pytest.raises(RegionError, match=r"has termination protection and was kept.*--no-enable-termination-protection --stack-name spot"):
        plan_stack(stack, region, dead("ROLLBACK_COMPLETE", is_protected=True))


def test_a_protected_stack_is_updated_all_the_same(region: Region) -> None:
    assert plan_stack(desired(parameters={"Name": "x"}), region, current(is_protected=True)).action == "updated"


@pytest.mark.parametrize("stack", [DESIRED, GONE])
def test_a_nested_stack_is_left_to_its_parent(region: Region, stack: Stack) -> None:
    with pytest.raises(RegionError, match="the stack is nested in arn:parent; change that stack instead"):
        plan_stack(stack, region, current(parent="arn:parent"))


# Secrets


@pytest.mark.parametrize(
    "stack",
    [
        CurrentStack(None, TEMPLATE),
        dead("ROLLBACK_COMPLETE"),
        current("UPDATE_ROLLBACK_FAILED", connection=connection(token=DIFFERS)),
        current(differences=("Outputs.A",)),
        current(connection=connection(token=DIFFERS)),
        foreign(connection=connection(token=DIFFERS)),
        current(connection=connection("DEAUTHORIZED"), differences=("Outputs.A",)),
    ],
)
def test_shown_parts_of_a_plan_have_no_token(region: Region, stack: CurrentStack) -> None:
    for attempts in (NOTHING_TRIED, UPDATED, NO_CHANGE):
        plan = plan_stack(DESIRED, region, stack, attempts)
        shown = [repr(plan), repr(plan.calls), json.dumps([plan.before, plan.after, plan.document]), plan.note or ""]
        assert not [text for text in shown if TOKEN in text]
    assert TOKEN not in repr(DESIRED)


# Arguments


def parameters(**changes: t.Any) -> Document:
    return {
        "stack_name": "spot",
        "state": "present",
        "template_body": BODY,
        "template_url": None,
        "spot_account": SPOT,
        "spot_token": TOKEN,
        "account_parameter": None,
        "token_parameter": None,
        "parameters": {},
        "update_token": "changed",
        "update": "changed",
        "cloudformation_role_arn": None,
        "retain_resources": False,
        "tags": None,
        "purge_tags": True,
        **changes,
    }


def from_parameters(**changes: t.Any) -> Stack:
    return Stack.from_parameters(parameters(**changes))


def test_arguments_become_what_is_wanted() -> None:
    assert from_parameters() == DESIRED
    assert from_parameters(template_body=None, template_url=URL) == BY_URL


def test_values_become_text() -> None:
    stack = from_parameters(parameters={"A": 1, "B": True, "C": ["x", 2], "D": None}, tags={"cost": 7})
    assert (stack.parameters, stack.tags) == ({"A": "1", "B": "true", "C": "x,2"}, {"cost": "7"})


def test_a_removal_needs_nothing_but_the_name() -> None:
    assert from_parameters(state="absent", template_body=None, spot_account=None, spot_token=None) == GONE


@pytest.mark.parametrize("state", ["present", "absent"])
def test_stacks_of_a_stack_set_are_refused(state: str) -> None:
    with pytest.raises(ArgumentError, match=r"The stack 'StackSet-spot-0f1e' belongs to a stack set.*Use spot_stack_set"):
        from_parameters(stack_name="StackSet-spot-0f1e", state=state)


@pytest.mark.parametrize("name", ["", "1spot", "spot_x", "a" * 129, "arn:aws:cloudformation:eu-west-1:1:stack/a/b", "spot\n"])
def test_a_name_that_aws_would_refuse_is_refused(name: str) -> None:
    with pytest.raises(ArgumentError, match="a letter, and then up to 127 letters, digits and hyphens"):
        from_parameters(stack_name=name)


@pytest.mark.parametrize(
    "where",
    [
        {"template_body": f"Token: {TOKEN}"},
        {"template_body": None, "template_url": f"{URL}?{TOKEN}"},
        {"parameters": {"Other": f"Bearer {TOKEN}"}},
        {"tags": {"token": TOKEN}},
    ],
)
def test_a_token_where_cloudformation_would_show_it_is_refused_without_repeating_it(where: Document) -> None:
    with pytest.raises(ArgumentError, match="must only be given with spot_token") as caught:
        from_parameters(**where)
    assert TOKEN not in str(caught.value)


@pytest.mark.parametrize(
    "wrong",
    [
        {"spot_account": "act-1"},
        {"spot_token": None},
        {"spot_token": "a b"},
        {"template_body": "x" * 51201},
        {"template_body": None},
        {"parameters": {"QueueKmsKey": "alias/aws/sqs"}},
        {"parameters": {"QueueKmsKey": "arn:aws:kms:eu-west-1:1:key/1f"}, "regions": ["us-east-1"]},
    ],
)
def test_other_wrong_arguments_are_refused(wrong: Document) -> None:
    with pytest.raises(ArgumentError):
        from_parameters(**wrong)


# The stack_result


def test_the_connection_stands_beside_the_stack() -> None:
    outcomes = {
        "a": Outcome(Plan("unchanged", None), {"stack_name": "spot", "connection": {"name": "warnings"}}),
        "b": Outcome(Plan("deleted", None), None),
        "c": RegionError("Boom", "no").failure,
    }
    regions = stack_result(outcomes, {"a": [Existing("theirs")], "b": []})["regions"]
    assert (regions["a"]["stack"], regions["a"]["connection"]) == ({"stack_name": "spot"}, {"name": "warnings"})
    assert [found["name"] for found in regions["a"]["other_integrations"]] == ["theirs"]
    assert "other_integrations" not in regions["b"]
    assert (regions["b"]["stack"], regions["b"]["connection"]) == (None, None)
    assert regions["c"] == {"action": "failed", "changed": False, "error": {"code": "Boom", "message": "no"}}


# A stack that goes, and leaves what it made


def leaving(region: Region, done: bool, **changes: t.Any) -> StackPlan:
    return plan_stack(dataclasses.replace(GONE, retain=True), region, CurrentStack(found(), retained=(LEFT, done), **changes))


def test_what_shall_stay_is_retained_first_and_then_the_stack_goes(region: Region) -> None:
    first, then = leaving(region, done=False), leaving(region, done=True)
    assert (first.action, first.continues, calls(first)) == ("deleted", True, ["cloudformation.update_stack"])
    assert json.loads(arguments(first)["TemplateBody"]) == LEFT
    assert given(first) == dict.fromkeys(found()["parameters"], True)
    assert (then.action, then.continues, calls(then)) == ("deleted", False, ["cloudformation.delete_stack"])
    assert "stay" in str(then.note)


def test_a_protected_stack_is_not_even_told_to_retain(region: Region) -> None:
    with pytest.raises(RegionError, match="termination protection"):
        leaving(region, done=False, is_protected=True)


# A rule with targets of others

TARGETS = (ForeignTargets("Rule", "spot", ("audit", "copy")),)
KEPT = "the rule spot was kept: it has targets that are not ours (audit, copy)"


def test_a_rule_with_foreign_targets_takes_two_deletions(region: Region) -> None:
    first = plan_stack(GONE, region, current(foreign_targets=TARGETS))
    assert (first.action, first.note, first.continues, arguments(first)) == ("deleted", KEPT, True, {"StackName": "spot"})
    failed = CurrentStack(found("DELETE_FAILED"), causes=("Rule failed",), foreign_targets=TARGETS)
    assert failure_after(GONE, first, failed) is None
    second = plan_stack(GONE, region, failed, Attempts(frozenset({"delete_stack"})))
    assert (second.action, second.note, second.continues) == ("deleted", KEPT, False)
    assert arguments(second) == {"StackName": "spot", "RetainResources": ["Rule"]}
    assert attempt(second.calls[0]) != attempt(first.calls[0])
    assert failure_after(GONE, second, failed) == "the stack is DELETE_FAILED: Rule failed"


def test_a_deletion_that_fails_for_another_reason_is_a_failure(region: Region) -> None:
    plan = plan_stack(GONE, region, current())
    failed = CurrentStack(found("DELETE_FAILED"), causes=("Queue failed",))
    assert (plan.continues, failure_after(GONE, plan, failed)) == (False, "the stack is DELETE_FAILED: Queue failed")


def test_a_stack_with_a_rule_that_cannot_go_is_not_made_again(region: Region) -> None:
    with pytest.raises(RegionError, match=r"targets of others.*: spot \(audit, copy\)\. Remove these targets, and run again\."):
        plan_stack(DESIRED, region, dead("DELETE_FAILED", foreign_targets=TARGETS))
