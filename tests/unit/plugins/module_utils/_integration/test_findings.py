# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A healthy integration, one thing of it changed: exactly that is found, with what was seen, what was expected and a remedy."""

from __future__ import annotations

import json
import typing as t
from dataclasses import dataclass, replace

import pytest

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.evidence import METRICS, DeadLetter, Evidence
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.kms import Key
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.other_destinations import OtherDestination
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.ownership import Stack
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.api_destination import (
    DEFAULT_ENDPOINT,
    ApiDestination,
    ExistingApiDestination,
)
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.connection import Connection
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.dead_letter_queue import ExistingQueue, Queue
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.event_rule import ExistingRule
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.execution_role import ExecutionRole, ExistingRole
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.existing_connection import (
    DIFFERS,
    MATCHES,
    ExistingConnection,
)
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.rule import EVENT_PATTERN, Rule
from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack_names import StackNames
from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import Failure
from ansible_collections.spot.eventbridge.plugins.module_utils._core.finding import FAIL, PASS, SKIP, UNKNOWN, WARN, Finding
from ansible_collections.spot.eventbridge.plugins.module_utils._core.region import Region
from ansible_collections.spot.eventbridge.plugins.module_utils._integration.desired import Desired
from ansible_collections.spot.eventbridge.plugins.module_utils._integration.findings.region import findings
from ansible_collections.spot.eventbridge.plugins.module_utils._integration.read import Readings
from ansible_collections.spot.eventbridge.plugins.module_utils._integration.status import status

AWS, SPOT, NAME = "123456789012", "act-d7320fba", "spot-interruption-act-d7320fba"
EVENTS = f"arn:aws:events:eu-west-1:{AWS}"
CONNECTION_ARN, DESTINATION_ARN = f"{EVENTS}:connection/{NAME}/1-2", f"{EVENTS}:api-destination/{NAME}/3-4"
RULE_ARN, QUEUE_ARN, ROLE_ARN = f"{EVENTS}:rule/{NAME}", f"arn:aws:sqs:eu-west-1:{AWS}:{NAME}", f"arn:aws:iam::{AWS}:role/{NAME}"
OTHER_ARN = f"{EVENTS}:api-destination/other/5-6"
HERE = Region("eu-west-1", "aws", {})

OUR_ROLE = ExecutionRole(NAME, aws_account=AWS, api_destination=NAME)
DESIRED = Desired(
    connection=Connection(name=NAME, spot_account=SPOT, token="given"),
    api_destination=ApiDestination(name=NAME),
    rule=Rule(name=NAME, role_arn=ROLE_ARN, dead_letter_queue=NAME, aws_account=AWS),
    queue=Queue(name=NAME, rule=NAME, aws_account=AWS),
    execution_role=OUR_ROLE,
)
TARGET = {
    "Id": "spot",
    "Arn": DESTINATION_ARN,
    "RoleArn": ROLE_ARN,
    "RetryPolicy": {"MaximumRetryAttempts": 185, "MaximumEventAgeInSeconds": 120},
    "DeadLetterConfig": {"Arn": QUEUE_ARN},
}
REFUSED = Failure("AccessDeniedException", "DescribeSomething: no.")
SILENT = Failure("ConnectTimeoutError", "AWS did not answer", unreachable=True)
UNSUPPORTED = Failure("UnknownOperationException", "what?", unsupported=True)
DENIED = Failure("AccessDeniedException", "no.", of_organization=True)


def connection(
    token: str = MATCHES, unread: str | None = None, parameters: t.Any = None, key: str = "Authorization", **changes: t.Any
) -> t.Any:
    if parameters is None:
        parameters = [{"key": "accountId", "value": SPOT, "is_value_secret": False}]
    auth = {"api_key_auth_parameters": {"api_key_name": key}, "invocation_http_parameters": {"query_string_parameters": parameters}}
    told = {
        "name": NAME,
        "connection_arn": CONNECTION_ARN,
        "connection_state": "AUTHORIZED",
        "authorization_type": "API_KEY",
        "auth_parameters": auth,
        **changes,
    }
    return ExistingConnection(told, token=token, token_unread=unread)


def destination(**changes: t.Any) -> t.Any:
    told = {
        "name": NAME,
        "api_destination_arn": DESTINATION_ARN,
        "api_destination_state": "ACTIVE",
        "connection_arn": CONNECTION_ARN,
        "invocation_endpoint": DEFAULT_ENDPOINT,
        "http_method": "POST",
        "invocation_rate_limit_per_second": 300,
        **changes,
    }
    return ExistingApiDestination(told)


def rule(*targets: dict[str, t.Any], **changes: t.Any) -> t.Any:
    """With its target, unless others are given."""
    told = {"name": NAME, "arn": RULE_ARN, "event_pattern": json.dumps(EVENT_PATTERN), "state": "ENABLED", **changes}
    return ExistingRule(told, targets or (TARGET,))


def target(**changes: t.Any) -> dict[str, t.Any]:
    """The target; an element that is changed to None is not there."""
    return {element: value for element, value in {**TARGET, **changes}.items() if value is not None}


def queue(policy: t.Any = None, **changes: str) -> t.Any:
    given = json.dumps(DESIRED.queue.policy(HERE).document) if policy is None else policy
    return ExistingQueue(NAME, "https://queue", {"QueueArn": QUEUE_ARN, "Policy": given, "SqsManagedSseEnabled": "true", **changes})


def queue_policy(**changes: t.Any) -> str:
    document = DESIRED.queue.policy(HERE).document
    send, *more = document["Statement"]
    return json.dumps({**document, "Statement": [{**send, **changes}, *more]})


def role(trust: dict[str, t.Any] | None = None, permission: dict[str, t.Any] | None = None) -> ExistingRole:
    """The execution role, with changes to the one statement of its trust and of its permission."""
    trusts, allows = OUR_ROLE.trust_policy(), OUR_ROLE.policy("aws")
    trusts["Statement"][0].update(trust or {})
    allows["Statement"][0].update(permission or {})
    return ExistingRole(ROLE_ARN, trusts, (allows,))


OWN_POLICY = DESIRED.queue.policy(HERE).document
# A condition that cannot be evaluated here.
ONLY_AWS_KNOWS: dict[str, t.Any] = {"Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}}
# Of others, about the queue.
UNSURE_DENIAL = {"Sid": "theirs", "Effect": "Deny", "Principal": "*", "Action": "sqs:*", "Resource": QUEUE_ARN, **ONLY_AWS_KNOWS}

# The same, of others, about the role.
UNSURE_TRUST = {"Effect": "Deny", "Principal": "*", "Action": "sts:*", **ONLY_AWS_KNOWS}
UNSURE_PERMISSION = {"Effect": "Deny", "Action": "events:*", "Resource": "*", **ONLY_AWS_KNOWS}
SOURCE_ARN = {"Condition": {"StringEquals": {"aws:SourceAccount": AWS}, "ArnLike": {"aws:SourceArn": f"arn:aws:events:*:{AWS}:rule/*"}}}


def beside(trust: dict[str, t.Any] | None = None, permission: dict[str, t.Any] | None = None) -> ExistingRole:
    """The execution role, with a statement of others in its trust policy, or a policy of theirs."""
    found = role()
    trusts = {**found.trust, "Statement": [*found.trust["Statement"], *([trust] if trust else [])]}
    return replace(found, trust=trusts, policies=(*found.policies, *([{"Statement": [permission]}] if permission else [])))


HEALTHY = Readings(connection(), destination(), rule(), queue(), role(), matches_sample=True)


def with_others(*others: OtherDestination) -> Readings:
    return replace(HEALTHY, others=others)


def look(readings: Readings, desired: Desired = DESIRED) -> dict[str, Finding]:
    """All findings by their check, of which there is one each."""
    found = findings(HERE, readings, desired)
    by_check = {finding.check: finding for finding in found}
    assert len(by_check) == len(found)
    return by_check


def not_passed(readings: Readings, desired: Desired = DESIRED) -> dict[str, str]:
    return {check: finding.outcome for check, finding in look(readings, desired).items() if finding.outcome != PASS}


CHECKS = {
    *("connection", "connection_state", "connection_authorization", "connection_api_key", "connection_account", "connection_token"),
    *("api_destination", "api_destination_state", "api_destination_endpoint", "api_destination_method"),
    *("api_destination_rate_limit", "api_destination_connection"),
    *("rule", "rule_state", "rule_pattern", "rule_matches"),
    *("target", "target_role", "target_retry_policy", "target_input", "target_destination", "target_dead_letter"),
    *("execution_role", "execution_role_trust", "execution_role_permission"),
    *("queue", "queue_policy", "queue_encryption", "stack", "double_delivery"),
    "settings",
}


def test_a_healthy_integration_passes_every_check() -> None:
    assert {check: finding.outcome for check, finding in look(HEALTHY).items()} == dict.fromkeys(CHECKS, PASS)


@pytest.mark.parametrize("stack_name", ["", "a-stack"])
def test_a_region_of_which_nothing_could_be_read_is_unknown(stack_name: str) -> None:
    found = findings(HERE, Readings.unread(Failure("KeyError", "unexpected: 'x'")), replace(DESIRED, stack_name=stack_name))
    assert status(found) == "unknown"
    assert all("unexpected: 'x'" in finding.message for finding in found)


def test_a_healthy_integration_is_active() -> None:
    assert status(findings(HERE, HEALTHY, DESIRED)) == "active"


def test_a_pass_needs_no_remedy() -> None:
    assert {finding.remedy for finding in look(HEALTHY).values()} == {""}


@dataclass(frozen=True)
class Drift:
    """One thing that is not as it should be.

    :ivar fails: the one check that fails
    :ivar says: what its message has to name: what was seen and, where it is not the same, what was expected
    """

    name: str
    changed: dict[str, t.Any]
    fails: str
    says: tuple[str, ...]
    status: str = "drifted"

    @property
    def readings(self) -> Readings:
        return replace(HEALTHY, **self.changed)


def account(*items: tuple[str, str | None]) -> t.Any:
    parameters = [{"key": key, **({} if value is None else {"value": value})} for key, value in items]
    return connection(parameters=parameters)


DRIFTS = [
    Drift(
        "connection de-authorised",
        {"connection": connection(connection_state="DEAUTHORIZED", state_reason="The endpoint said 401.")},
        "connection_state",
        ("DEAUTHORIZED: The endpoint said 401.", "drops every notice"),
        "inactive",
    ),
    Drift(
        "connection failed for another reason",
        {"connection": connection(connection_state="FAILED_CONNECTIVITY")},
        "connection_state",
        ("FAILED_CONNECTIVITY.",),
        "inactive",
    ),
    Drift(
        "connection without a state", {"connection": connection(connection_state="")}, "connection_state", ("without a state",), "inactive"
    ),
    Drift(
        "another authorisation",
        {"connection": connection(authorization_type="BASIC")},
        "connection_authorization",
        ("BASIC", "expected API_KEY"),
    ),
    Drift("another API key", {"connection": connection(key="X-Key")}, "connection_api_key", ("X-Key", "expected Authorization")),
    Drift("no API key", {"connection": connection(key=None)}, "connection_api_key", ("missing", "expected Authorization")),
    Drift("no account", {"connection": account()}, "connection_account", ("accountId is missing", "the organisation's oldest account")),
    Drift("other parameters", {"connection": account(("x", SPOT))}, "connection_account", ("accountId is missing",)),
    Drift("account hidden", {"connection": account(("accountId", None))}, "connection_account", ("accountId is hidden", SPOT)),
    Drift("another account", {"connection": account(("accountId", "act-1"))}, "connection_account", ("act-1", f"expected {SPOT}")),
    Drift(
        "two accounts",
        {"connection": account(("accountId", SPOT), ("accountId", "act-1"))},
        "connection_account",
        (f"{SPOT}, act-1", f"expected {SPOT}"),
    ),
    Drift(
        "another token",
        {"connection": connection(token=DIFFERS)},
        "connection_token",
        ("holds a token that differs, or was deleted",),
    ),
    Drift("no connection", {"connection": None}, "connection", (f"no connection {NAME}",), "incomplete"),
    Drift("no destination", {"api_destination": None}, "api_destination", (f"no API destination {NAME}",), "incomplete"),
    Drift(
        "destination inactive",
        {"api_destination": destination(api_destination_state="INACTIVE")},
        "api_destination_state",
        ("INACTIVE", "expected ACTIVE"),
        "inactive",
    ),
    Drift(
        "another endpoint",
        {"api_destination": destination(invocation_endpoint="https://example.com/")},
        "api_destination_endpoint",
        ("https://example.com/", f"expected {DEFAULT_ENDPOINT}"),
    ),
    Drift("another method", {"api_destination": destination(http_method="PUT")}, "api_destination_method", ("PUT", "expected POST")),
    Drift(
        "another rate",
        {"api_destination": destination(invocation_rate_limit_per_second=1)},
        "api_destination_rate_limit",
        ("is 1", "expected 300"),
    ),
    Drift(
        "destination on another connection",
        {"api_destination": destination(connection_arn=f"{EVENTS}:connection/other/7")},
        "api_destination_connection",
        ("connection/other/7", f"expected {CONNECTION_ARN}"),
    ),
    Drift("no rule", {"rule": None, "matches_sample": None}, "rule", (f"no rule {NAME}", "default event bus"), "incomplete"),
    Drift("rule disabled", {"rule": rule(state="DISABLED")}, "rule_state", ("DISABLED", "expected ENABLED")),
    Drift(
        "wider pattern",
        {"rule": rule(event_pattern='{"source": ["aws.ec2"]}')},
        "rule_pattern",
        ('{"source": ["aws.ec2"]}', "expected", "EC2 Spot Instance Interruption Warning"),
    ),
    Drift("pattern that is none", {"rule": rule(event_pattern="{")}, "rule_pattern", ("is {", "expected")),
    Drift("no pattern", {"rule": rule(event_pattern=None)}, "rule_pattern", ("missing", "expected")),
    Drift("rule picks nothing", {"matches_sample": False}, "rule_matches", ("does not match a sample notice",)),
    Drift(
        "no target",
        {"rule": rule({"Id": "audit", "Arn": QUEUE_ARN})},
        "target",
        ("no target spot", NAME),
        "incomplete",
    ),
    Drift("another target", {"rule": rule(target(Arn=OTHER_ARN))}, "target_destination", (OTHER_ARN, f"expected {DESTINATION_ARN}")),
    Drift("another role", {"rule": rule(target(RoleArn="arn:x"))}, "target_role", ("arn:x", f"expected {ROLE_ARN}")),
    Drift("no role in the target", {"rule": rule(target(RoleArn=None))}, "target_role", ("missing", f"expected {ROLE_ARN}")),
    Drift(
        "AWS's retry policy",
        {"rule": rule(target(RetryPolicy=None))},
        "target_retry_policy",
        ("86400 s, 185 attempts", "expected 120 s, 185 attempts"),
    ),
    Drift(
        "no retries",
        {"rule": rule(target(RetryPolicy={"MaximumRetryAttempts": 0, "MaximumEventAgeInSeconds": 120}))},
        "target_retry_policy",
        ("120 s, 0 attempts", "expected 120 s, 185 attempts"),
    ),
    Drift(
        "another input",
        {"rule": rule(target(InputTransformer={"InputTemplate": '"x"'}))},
        "target_input",
        ("has InputTransformer", "does not get the whole notice"),
    ),
    Drift("part of the input", {"rule": rule(target(InputPath="$.detail"))}, "target_input", ("has InputPath",)),
    Drift("fixed input", {"rule": rule(target(Input="{}"))}, "target_input", ("has Input,",)),
    Drift("no dead letters", {"rule": rule(target(DeadLetterConfig=None))}, "target_dead_letter", ("missing", f"expected {QUEUE_ARN}")),
    Drift(
        "dead letters to another queue",
        {"rule": rule(target(DeadLetterConfig={"Arn": "arn:x"}))},
        "target_dead_letter",
        ("arn:x", f"expected {QUEUE_ARN}"),
    ),
    Drift("no execution role", {"execution_role": None}, "execution_role", (ROLE_ARN,), "incomplete"),
    Drift(
        "role trusts another",
        {"execution_role": role(trust={"Principal": {"Service": "ec2.amazonaws.com"}})},
        "execution_role_trust",
        ("events.amazonaws.com may not assume the execution role",),
    ),
    Drift(
        "role may not",
        {"execution_role": role(permission={"Resource": "arn:x"})},
        "execution_role_permission",
        ("may not send to the API destination", "nothing is delivered"),
    ),
    Drift(
        "role trusts EventBridge for every account",
        {"execution_role": role(trust={"Condition": {}})},
        "execution_role_trust",
        ("differs from the one that trusts EventBridge for this account alone",),
    ),
    Drift(
        "role trusts EventBridge on a condition of others",
        {"execution_role": role(trust=ONLY_AWS_KNOWS)},
        "execution_role_trust",
        ("differs from the one that trusts EventBridge",),
    ),
    Drift(
        "role may more",
        {"execution_role": role(permission={"Resource": "*"})},
        "execution_role_permission",
        ("differs from the one that allows this API destination alone",),
    ),
    Drift(
        "role may on a condition of others",
        {"execution_role": role(permission=ONLY_AWS_KNOWS)},
        "execution_role_permission",
        ("differs from the one that allows",),
    ),
    Drift("no queue", {"queue": None}, "queue", (f"no dead-letter queue {NAME}", "without a record"), "incomplete"),
    Drift("queue closed", {"queue": queue(policy="")}, "queue_policy", ("may not send to its dead-letter queue",)),
    Drift(
        "queue open to another rule",
        {"queue": queue(queue_policy(Condition={"ArnEquals": {"aws:SourceArn": "arn:x"}}))},
        "queue_policy",
        ("may not send",),
    ),
    Drift(
        "queue open to all",
        {"queue": queue(queue_policy(Principal="*"))},
        "queue_policy",
        ("differs from the one that allows no other sender",),
    ),
    Drift(
        "our own statement has a condition of others",
        {"queue": queue(queue_policy(Condition=ONLY_AWS_KNOWS["Condition"]))},
        "queue_policy",
        ("may let the rule send", "differs from the one that"),
    ),
    Drift(
        "queue of an earlier run takes plain HTTP",
        {"queue": queue(json.dumps({**OWN_POLICY, "Statement": OWN_POLICY["Statement"][:1]}))},
        "queue_policy",
        ("lets the rule send", "denies plain HTTP"),
    ),
    Drift("queue not encrypted", {"queue": queue(SqsManagedSseEnabled="false")}, "queue_encryption", ("not encrypted",)),
]
EACH_DRIFT = pytest.mark.parametrize("drift", DRIFTS, ids=[drift.name for drift in DRIFTS])


@EACH_DRIFT
def test_a_drift_fails_exactly_its_check(drift: Drift) -> None:
    failed = [check for check, outcome in not_passed(drift.readings).items() if outcome == FAIL]
    assert failed == [drift.fails]


@EACH_DRIFT
def test_a_drift_says_what_was_seen_and_what_was_expected(drift: Drift) -> None:
    said = look(drift.readings)[drift.fails].message
    assert [part for part in drift.says if part not in said] == []


@EACH_DRIFT
def test_a_drift_says_how_to_mend_it(drift: Drift) -> None:
    assert look(drift.readings)[drift.fails].remedy == "Run the playbook spot.eventbridge.repair."


@EACH_DRIFT
def test_a_drift_gives_the_status(drift: Drift) -> None:
    assert status(findings(HERE, drift.readings, DESIRED)) == drift.status


SET = replace(
    DESIRED,
    settings=frozenset({"description", "message_retention_period", "queue_kms_master_key_id"}),
    tags={"Team": "ours"},
    execution_role=ExecutionRole(NAME, aws_account=AWS, api_destination=NAME, description=DESIRED.connection.description, boundary="arn:b"),
)


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"connection": connection(description="x")}, "the connection: description is 'x', expected 'Sends"),
        ({"api_destination": destination(description="x")}, "the api destination: description is 'x', expected 'Sends"),
        ({"rule": rule(schedule_expression="rate(1 day)")}, "schedule_expression is set, expected missing"),
        ({"rule": rule(target(HttpParameters={"HeaderParameters": {"X": "secret"}}))}, "target.http_parameters is set, expected missing"),
        ({"queue": queue(MessageRetentionPeriod="60")}, "message_retention_period is 60, expected 1209600"),
        ({"execution_role": role()}, "permissions_boundary is missing, expected 'arn:b'"),
    ],
)
def test_what_else_onboarding_would_change_is_a_difference_of_the_settings(changed: dict[str, t.Any], says: str) -> None:
    finding = look(replace(HEALTHY, **changed), SET)["settings"]
    assert finding.outcome == FAIL
    assert says in finding.message
    assert "secret" not in finding.message


@pytest.mark.parametrize(
    ("tags", "outcome", "says"),
    [
        ({"queue": {"Team": "theirs"}}, FAIL, "Onboarding would change the queue: tags.Team is 'theirs', expected 'ours'."),
        ({"rule": {"Of": "others"}}, FAIL, "Onboarding would change the rule: tags.Team is missing, expected 'ours'."),
        ({"queue": {"Team": "ours", "Of": "others"}, "rule": {"Team": "ours"}}, PASS, ""),
        ({"queue": REFUSED, "rule": {"Team": "ours"}}, WARN, "queue: AccessDeniedException: DescribeSomething: no."),
    ],
)
def test_tags_are_compared_beside_those_of_others(tags: dict[str, t.Any], outcome: str, says: str) -> None:
    finding = look(replace(HEALTHY, tags=tags), replace(DESIRED, tags={"Team": "ours"}, execution_role=None))["settings"]
    assert finding.outcome == outcome
    assert says in finding.message


def test_settings_that_are_not_given_are_not_compared() -> None:
    readings = replace(HEALTHY, queue=queue(MessageRetentionPeriod="60", KmsMasterKeyId="alias/x"), connection=connection(description="x"))
    assert look(readings)["settings"].outcome == PASS


@pytest.mark.parametrize("stack", [Stack("theirs", "id"), StackNames(Stack("theirs", "id"), "CREATE_COMPLETE", {}, ours=True)])
def test_a_stack_decides_the_settings_of_its_integration(stack: t.Any) -> None:
    assert "settings" not in look(replace(HEALTHY, stack=stack, connection=connection(description="x")), SET)


def test_each_check_fails_somewhere() -> None:
    assert {drift.fails for drift in DRIFTS} == CHECKS - {"double_delivery", "stack", "settings"}


# What is not there is not checked in parts


@pytest.mark.parametrize(
    ("changed", "unchecked"),
    [
        ({"connection": None}, "connection_"),
        ({"api_destination": None}, "api_destination_"),
        ({"rule": None}, "rule_"),
        ({"rule": None}, "target"),
        ({"rule": rule({"Id": "audit", "Arn": QUEUE_ARN})}, "target_"),
        ({"execution_role": None}, "execution_role_"),
        ({"queue": None}, "queue_"),
    ],
)
def test_parts_of_what_is_not_there_are_not_checked(changed: dict[str, t.Any], unchecked: str) -> None:
    assert [check for check in look(replace(HEALTHY, **changed)) if check.startswith(unchecked)] == []


@pytest.mark.parametrize(
    ("changed", "unchecked"),
    [
        ({"connection": None}, "api_destination_connection"),
        ({"api_destination": None}, "target_destination"),
        ({"api_destination": None}, "execution_role_permission"),
        ({"queue": None}, "target_dead_letter"),
    ],
)
def test_what_would_be_compared_with_it_is_not_checked_either(changed: dict[str, t.Any], unchecked: str) -> None:
    assert unchecked not in look(replace(HEALTHY, **changed))


def test_a_target_of_another_id_that_leads_to_the_destination_is_the_target() -> None:
    assert not_passed(replace(HEALTHY, rule=rule(target(Id="by-hand")))) == {}


def test_targets_of_others_do_not_matter() -> None:
    assert not_passed(replace(HEALTHY, rule=rule({"Id": "audit", "Arn": QUEUE_ARN}, TARGET))) == {}


def test_a_pattern_is_compared_by_what_it_means() -> None:
    text = json.dumps(dict(reversed(EVENT_PATTERN.items())), indent=2)
    assert not_passed(replace(HEALTHY, rule=rule(event_pattern=text))) == {}


def test_a_queue_with_a_customers_key_is_encrypted() -> None:
    assert not_passed(replace(HEALTHY, queue=queue(SqsManagedSseEnabled="false", KmsMasterKeyId="alias/x"))) == {}


# What could not be found out


@pytest.mark.parametrize(
    ("part", "check"),
    [
        ("connection", "connection"),
        ("api_destination", "api_destination"),
        ("rule", "rule"),
        ("queue", "queue"),
        ("execution_role", "execution_role"),
        ("matches_sample", "rule_matches"),
        ("others", "double_delivery"),
    ],
)
def test_a_refused_reading_is_one_unknown_with_the_reason(part: str, check: str) -> None:
    readings = replace(HEALTHY, **{part: REFUSED})
    finding = look(readings)[check]
    assert not_passed(readings) == {check: UNKNOWN}
    assert "AccessDeniedException: DescribeSomething: no." in finding.message
    assert finding.remedy == "See the guide 'Permissions in AWS' for the policy verify."


def test_a_region_that_does_not_answer_is_one_finding() -> None:
    readings = Readings(SILENT, SILENT, SILENT, SILENT, role(), matches_sample=None, others=SILENT)
    (only,) = findings(HERE, readings, DESIRED)
    assert (only.check, only.outcome) == ("integration", "unknown")
    assert only.remedy == "Try again; if the error stays, check AWS's status of the region."
    assert "ConnectTimeoutError: AWS did not answer" in only.message
    assert status([only]) == "unknown"


@pytest.mark.parametrize("state", ["CREATING", "UPDATING", "AUTHORIZING", "DEAUTHORIZING", "DELETING"])
def test_a_connection_that_aws_is_changing_is_unknown(state: str) -> None:
    finding = look(replace(HEALTHY, connection=connection(connection_state=state)))["connection_state"]
    assert (finding.outcome, finding.remedy) == (UNKNOWN, "Run it again in a minute.")
    assert state in finding.message


def test_a_match_that_aws_did_not_tell_is_skipped() -> None:
    assert not_passed(replace(HEALTHY, matches_sample=None)) == {"rule_matches": SKIP}


@pytest.mark.parametrize(
    ("changed", "check"),
    [
        ({"execution_role": beside(trust=UNSURE_TRUST)}, "execution_role_trust"),
        ({"execution_role": role(trust=SOURCE_ARN)}, "execution_role_trust"),
        ({"execution_role": beside(permission=UNSURE_PERMISSION)}, "execution_role_permission"),
        ({"queue": queue(json.dumps({**OWN_POLICY, "Statement": [*OWN_POLICY["Statement"], UNSURE_DENIAL]}))}, "queue_policy"),
    ],
)
def test_a_policy_that_only_aws_can_evaluate_is_a_warning(changed: dict[str, t.Any], check: str) -> None:
    readings = replace(HEALTHY, **changed)
    finding = look(readings)[check]
    # Whether onboarding changes it is another question.
    assert {other: outcome for other, outcome in not_passed(readings).items() if other != "settings"} == {check: WARN}
    assert "only AWS can evaluate" in finding.message
    assert finding.remedy
    assert status([finding]) == "active"


def test_a_role_that_is_made_elsewhere_is_judged_by_what_it_allows() -> None:
    elsewhere = replace(DESIRED, execution_role=None)
    wider = role(trust={"Condition": {}}, permission={"Resource": "*"})
    assert not_passed(replace(HEALTHY, execution_role=wider), elsewhere) == {}
    unsure = role(trust=ONLY_AWS_KNOWS, permission=ONLY_AWS_KNOWS)
    expected = {"execution_role_trust": WARN, "execution_role_permission": WARN}
    assert not_passed(replace(HEALTHY, execution_role=unsure), elsewhere) == expected


KEY_METADATA = {"Arn": f"arn:aws:kms:us-east-1:{AWS}:key/1f"}
FOR_QUEUE = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "kms:*", "Resource": "*"}


@pytest.mark.parametrize(
    ("key", "outcome", "says"),
    [
        (Key("1f", KEY_METADATA, {"Statement": [FOR_QUEUE]}), PASS, "can use the KMS key 1f of the dead-letter queue"),
        (Key("1f", KEY_METADATA, {"Statement": []}), FAIL, "does not let events.amazonaws.com call kms:GenerateDataKey"),
        (Key("alias/aws/sqs"), FAIL, "AWS manages it"),
        (Key("1f", unread=("kms:DescribeKey (AccessDeniedException)",)), WARN, "kms:DescribeKey (AccessDeniedException)"),
    ],
)
def test_the_key_of_the_queue_is_a_finding(key: Key, outcome: str, says: str) -> None:
    found = look(replace(HEALTHY, queue=replace(queue(), key=key)))["queue_key"]
    assert (found.outcome, says in found.message) == (outcome, True)
    assert bool(found.remedy) == (outcome != PASS)


# The token


@pytest.mark.parametrize(
    ("current", "has_token", "says", "remedy"),
    [
        (connection("not compared"), False, "no token was given", "Set SPOTINST_TOKEN."),
        (
            connection("not compared", unread="the caller lacks secretsmanager:GetSecretValue on the connection's secret"),
            True,
            "lacks secretsmanager:GetSecretValue",
            "Grant secretsmanager:GetSecretValue on secret:events!connection/*.",
        ),
        (connection("not compared"), True, "the connection is not authorised", "Run the playbook spot.eventbridge.repair."),
    ],
)
def test_a_token_that_was_not_compared_is_skipped_with_the_reason(current: t.Any, has_token: bool, says: str, remedy: str) -> None:
    readings, desired = (
        replace(HEALTHY, connection=current),
        replace(DESIRED, connection=replace(DESIRED.connection, token="given" if has_token else "")),
    )
    finding = look(readings, desired)["connection_token"]
    assert not_passed(readings, desired) == {"connection_token": SKIP}
    assert says in finding.message
    assert finding.remedy == remedy


# Double delivery


@pytest.mark.parametrize("of", [SPOT, None])
def test_another_destination_to_the_same_account_is_named(of: str | None) -> None:
    readings = with_others(OtherDestination("by-hand", of, ("their-rule", "second")))
    finding = look(readings)["double_delivery"]
    assert not_passed(readings) == {"double_delivery": WARN}
    assert f"by-hand (rule their-rule, second; account {of or 'hidden or missing'})" in finding.message
    assert finding.remedy


def test_a_destination_of_another_spot_account_is_no_double_delivery() -> None:
    assert not_passed(with_others(OtherDestination("theirs", "act-5a9d1c02", ("rule",)))) == {}


def test_a_second_target_of_our_rule_to_our_destination_is_named() -> None:
    finding = look(replace(HEALTHY, rule=rule(TARGET, target(Id="by-hand"))))["double_delivery"]
    assert (finding.outcome, "has a second target to the same API destination" in finding.message) == (WARN, True)
    assert look(replace(HEALTHY, rule=rule(target(Id="by-hand"))))["double_delivery"].outcome == PASS


def test_a_destination_that_no_rule_uses_is_no_double_delivery() -> None:
    assert not_passed(with_others(OtherDestination("unused", SPOT, ()))) == {}


# Evidence


def evidence(**known: int) -> Evidence:
    return Evidence(24, {**dict.fromkeys(METRICS), **known})


def test_evidence_that_was_looked_for_is_among_the_findings() -> None:
    found = look(replace(HEALTHY, evidence=evidence(matched=1, delivered=1)))
    assert set(found) == CHECKS | {"deliveries", "dead_letters"}


def test_evidence_of_failures_does_not_change_the_status() -> None:
    dead_letter = DeadLetter("2026-01-01T00:00:00Z", "SDK_CLIENT_ERROR", "401", 1, "i-1")
    readings = replace(HEALTHY, evidence=Evidence(24, dict.fromkeys(METRICS, 1), (dead_letter,), 1))
    assert not_passed(readings) == {"deliveries": WARN, "dead_letters": WARN}
    assert status(findings(HERE, readings, DESIRED)) == "active"


# Regions without an integration

NOTHING = Readings(None, None, None, None, role())


def test_a_region_without_api_destinations_is_unsupported() -> None:
    found = findings(HERE, replace(NOTHING, connection=UNSUPPORTED), DESIRED)
    assert [(finding.check, finding.outcome) for finding in found] == [("region", SKIP)]
    assert status(found) == "unsupported"


@pytest.mark.parametrize("first_read", ["connection", "queue", "api_destination", "rule", "stack"])
def test_a_region_that_the_organization_denies_is_denied_whatever_is_read_first(first_read: str) -> None:
    found = findings(HERE, replace(NOTHING, **{first_read: DENIED}), DESIRED)
    assert [(finding.check, finding.outcome) for finding in found] == [("organization", SKIP)]
    assert status(found) == "denied"
    assert "Grant" not in found[0].message + found[0].remedy


def test_where_only_others_may_not_be_listed_a_region_with_an_integration_keeps_its_status() -> None:
    assert status(findings(HERE, replace(HEALTHY, others=DENIED), DESIRED)) == "active"
    assert status(findings(HERE, replace(NOTHING, others=DENIED), DESIRED)) == "denied"


def test_a_region_without_anything_is_absent() -> None:
    found = findings(HERE, NOTHING, DESIRED)
    assert [(finding.check, finding.outcome) for finding in found] == [("integration", FAIL)]
    assert "spot.eventbridge.onboard" in found[0].remedy
    assert status(found) == "absent"


KEPT_QUEUE = queue(ApproximateNumberOfMessages="2")
KEPT_RULE = rule({"Id": "audit", "Arn": QUEUE_ARN})


@pytest.mark.parametrize(
    ("left", "says"),
    [
        ({"queue": KEPT_QUEUE}, f"This remains: the queue {NAME} with 2 dead letter(s)."),
        ({"rule": KEPT_RULE}, f"This remains: the rule {NAME}, without our target."),
        ({"rule": KEPT_RULE, "queue": KEPT_QUEUE}, f"the rule {NAME}, without our target and the queue {NAME} with 2 dead letter(s)."),
    ],
)
def test_what_offboarding_keeps_is_named_and_is_no_integration(left: dict[str, t.Any], says: str) -> None:
    (only,) = findings(HERE, replace(NOTHING, **left), DESIRED)
    assert (only.check, only.outcome) == ("integration", FAIL)
    assert says in only.message


@pytest.mark.parametrize("left", [{"connection": connection()}, {"api_destination": destination()}, {"rule": rule()}])
def test_what_is_of_the_integration_makes_it_incomplete(left: dict[str, t.Any]) -> None:
    assert status(findings(HERE, replace(NOTHING, **left), DESIRED)) == "incomplete"


@pytest.mark.parametrize("part", ["connection", "api_destination", "rule", "queue"])
def test_a_region_of_which_not_all_could_be_read_is_not_absent(part: str) -> None:
    found = findings(HERE, replace(NOTHING, **{part: REFUSED}), DESIRED)
    assert "integration" not in {finding.check for finding in found}


# The status, of findings alone


def finding(check: str, outcome: str) -> Finding:
    return Finding(check, outcome, "x")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([], "active"),
        ([("rule", PASS), ("double_delivery", WARN), ("connection_token", SKIP)], "active"),
        ([("rule_state", FAIL)], "drifted"),
        ([("rule", FAIL)], "incomplete"),
        ([("connection_state", FAIL)], "inactive"),
        ([("deliveries", FAIL)], "failing"),
        ([("deliveries", FAIL), ("rule_state", FAIL)], "failing"),
        ([("deliveries", FAIL), ("rule", FAIL)], "incomplete"),
        ([("deliveries", FAIL), ("connection_state", FAIL)], "inactive"),
        ([("api_destination_state", FAIL)], "inactive"),
        ([("integration", FAIL)], "absent"),
        ([("region", SKIP)], "unsupported"),
        ([("rule", UNKNOWN)], "unknown"),
        ([("rule_matches", UNKNOWN)], "unknown"),
        ([("connection_state", UNKNOWN)], "unknown"),
        # what tells of more than the integration
        ([("double_delivery", UNKNOWN)], "active"),
        ([("connection_token", UNKNOWN)], "active"),
        # what counts more
        ([("region", SKIP), ("integration", FAIL)], "unsupported"),
        ([("integration", FAIL), ("connection_state", FAIL)], "absent"),
        ([("connection_state", FAIL), ("rule", FAIL), ("rule_state", FAIL)], "inactive"),
        ([("rule", FAIL), ("rule_state", FAIL)], "incomplete"),
        ([("rule_state", FAIL), ("queue", UNKNOWN)], "drifted"),
        ([("queue", FAIL), ("connection", UNKNOWN)], "incomplete"),
    ],
)
def test_the_status_is_the_first_that_fits(given: list[tuple[str, str]], expected: str) -> None:
    found = [finding(check, outcome) for check, outcome in given]
    assert status(found) == status(reversed(found)) == expected


# Stacks

STACK = Stack("a-stack", "arn:a-stack")
IN_STACK = replace(DESIRED, stack_name="a-stack")


def held(status: str = "CREATE_COMPLETE", ours: bool = True) -> StackNames:
    return StackNames(STACK, status, {}, ours)


def test_an_integration_that_a_stack_owns_is_active_and_the_stack_is_named() -> None:
    readings = replace(HEALTHY, stack=STACK)
    assert not_passed(readings) == {"stack": WARN}
    assert "the stack a-stack" in look(readings)["stack"].message
    assert status(look(readings).values()) == "active"


def test_one_of_a_stack_set_is_left_to_the_stack_set() -> None:
    finding = look(replace(HEALTHY, stack=Stack("StackSet-all-1", "arn")))["stack"]
    assert "spot.eventbridge.stack_set" in finding.remedy


def test_what_is_broken_in_one_of_a_stack_set_is_repaired_by_the_stack_set() -> None:
    stack = StackNames(Stack("StackSet-all-1", "arn"), "", {}, ours=True)
    found = look(replace(HEALTHY, stack=stack, queue=None), replace(DESIRED, stack_name="StackSet-all-1"))
    assert (found["stack"].outcome, found["queue"].outcome) == (WARN, FAIL)
    assert "remove the region from the stack set, and add it again" in found["queue"].message
    lost = replace(HEALTHY, stack=stack, connection=connection(connection_state="DEAUTHORIZED"))
    found = look(lost, replace(DESIRED, stack_name="StackSet-all-1"))
    assert "with another token_revision" in found["connection_state"].remedy


def test_where_nobody_may_ask_for_the_stack_it_was_not_checked() -> None:
    assert not_passed(replace(HEALTHY, stack=REFUSED)) == {"stack": SKIP}
    assert not_passed(replace(HEALTHY, stack=Failure("Throttling", "no"))) == {"stack": UNKNOWN}
    assert status(look(replace(HEALTHY, stack=REFUSED)).values()) == "active"


@pytest.mark.parametrize(
    ("state", "outcome", "word"),
    [
        ("CREATE_COMPLETE", PASS, "active"),
        ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", PASS, "active"),
        ("UPDATE_ROLLBACK_COMPLETE", WARN, "active"),
        ("UPDATE_IN_PROGRESS", UNKNOWN, "active"),
        ("UPDATE_ROLLBACK_FAILED", FAIL, "drifted"),
    ],
)
def test_the_state_of_the_stack_is_a_finding(state: str, outcome: str, word: str) -> None:
    found = look(replace(HEALTHY, stack=held(state)), IN_STACK)
    assert (found["stack"].outcome, status(found.values())) == (outcome, word)


def test_a_stack_that_is_not_there_is_no_integration() -> None:
    nothing = Readings(None, None, None, None, None)
    (finding,) = findings(HERE, nothing, IN_STACK)
    assert (finding.outcome, status([finding])) == (FAIL, "absent")
    (finding,) = findings(HERE, replace(nothing, stack=SILENT), IN_STACK)
    assert (finding.outcome, status([finding])) == (UNKNOWN, "unknown")


def test_a_stack_that_was_rolled_back_says_so() -> None:
    (finding,) = findings(HERE, Readings(None, None, None, None, None, stack=held("ROLLBACK_COMPLETE")), IN_STACK)
    assert "ROLLBACK_COMPLETE" in finding.message
    assert status([finding]) == "absent"


def test_what_another_template_decides_is_at_most_a_warning() -> None:
    readings = replace(HEALTHY, queue=None, rule=rule(target(RetryPolicy=None, DeadLetterConfig=None)), stack=held(ours=False))
    assert not_passed(readings, IN_STACK) == {"target_retry_policy": WARN, "queue": WARN}
    assert status(look(readings, IN_STACK).values()) == "active"
    assert not_passed(replace(readings, stack=held()), IN_STACK) == {"target_retry_policy": FAIL, "queue": FAIL}


def test_a_hidden_account_is_what_another_template_decides_and_a_wrong_one_is_not() -> None:
    hidden, wrong = ([{"key": "accountId", **value}] for value in ({"is_value_secret": True}, {"value": "act-00000000"}))
    for parameters, outcome in ((hidden, WARN), (wrong, FAIL)):
        readings = replace(HEALTHY, connection=connection(parameters=parameters), stack=held(ours=False))
        assert not_passed(readings, IN_STACK) == {"connection_account": outcome}


def test_where_only_something_else_serves_the_account_it_is_named() -> None:
    readings = Readings(None, None, None, None, None, others=(OtherDestination("of-a-stack", SPOT, ("rule",)),))
    (finding,) = findings(HERE, readings, DESIRED)
    assert "of-a-stack" in finding.message
    assert status([finding]) == "absent"


def test_a_role_under_another_path_than_the_given_arn_is_missing() -> None:
    elsewhere = replace(role(), arn=ROLE_ARN.replace("role/", "role/service-role/"))
    assert not_passed(replace(HEALTHY, execution_role=elsewhere)) == {"execution_role": FAIL}


@pytest.mark.parametrize(("by_name", "seen"), [(True, PASS), (False, FAIL)])
def test_where_a_role_cannot_be_read_its_name_decides(by_name: bool, seen: str) -> None:
    there = ROLE_ARN.replace("role/", "role/service-role/")
    readings = replace(HEALTHY, execution_role=REFUSED, rule=rule(target(RoleArn=there)))
    role_by_name = ExecutionRole(NAME, aws_account=AWS) if by_name else None
    assert look(readings, replace(DESIRED, execution_role=role_by_name))["target_role"].outcome == seen


@pytest.mark.parametrize("state", ["DEAUTHORIZED", "DEAUTHORIZING"])
def test_parameters_that_a_deauthorization_removed_are_not_compared(state: str) -> None:
    emptied = connection(connection_state=state, auth_parameters={})
    found = {finding.check: finding for finding in findings(HERE, replace(HEALTHY, connection=emptied), DESIRED)}
    assert [found[check].outcome for check in ("connection_api_key", "connection_account")] == [SKIP, SKIP]
    assert all("not authorised" in found[check].message for check in ("connection_api_key", "connection_account"))
