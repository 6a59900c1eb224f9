# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Wrong arguments: one line that says what to do, and not a single call of AWS."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.modules.aws import NAME, REGION, ROLE_ARN, SPOT_ACCOUNT
from tests.integration.modules.runner import Runner
from tests.sandbox.client import Sandbox

CONNECTION, DESTINATION = "spot_eventbridge_connection", "spot_api_destination"
RULE, QUEUE = "spot_interruption_rule", "spot_dead_letter_queue"
TOKEN = "0123456789abcdefSECRET"
RIGHT: dict[str, dict[str, Any]] = {
    CONNECTION: {"spot_account": SPOT_ACCOUNT, "spot_token": TOKEN},
    DESTINATION: {},
    RULE: {"role_arn": ROLE_ARN},
    QUEUE: {},
}

CASES = [
    (CONNECTION, {"spot_account": "act-1"}, "'act-1' is not a Spot account id. An id has the form act-d7320fba"),
    (CONNECTION, {"spot_account": None}, "'' is not a Spot account id. An id has the form act-d7320fba"),
    (CONNECTION, {"spot_token": None}, "There is no Spot token: set SPOTINST_TOKEN"),
    (CONNECTION, {"spot_token": ""}, "There is no Spot token: set SPOTINST_TOKEN"),
    (CONNECTION, {"spot_token": f"{TOKEN}:"}, "The Spot token contains a colon"),
    (CONNECTION, {"spot_token": f"{TOKEN}\n"}, "The Spot token contains a line break"),
    (CONNECTION, {"spot_token": f"Bearer {TOKEN}"}, "The Spot token contains white space"),
    (CONNECTION, {"spot_token": f"{TOKEN}é"}, "The Spot token contains a character outside of ASCII"),
    (CONNECTION, {"spot_token": TOKEN.ljust(506, "x")}, "The Spot token has 506 characters; AWS can send at most 505"),
    (CONNECTION, {"update_token": "never"}, "value of update_token must be one of: changed, always, on_create, got: never"),
    (DESTINATION, {"invocation_endpoint": "http://api.spotinst.io/"}, "is not an https:// address"),
    (DESTINATION, {"connection": "a b"}, "The name 'a b' (3 characters) cannot be used"),
    (DESTINATION, {"invocation_rate_limit_per_second": "many"}, "invocation_rate_limit_per_second"),
    (RULE, {"role_arn": None}, "role_arn is missing: without an execution role"),
    (RULE, {"maximum_event_age_in_seconds": 59}, "maximum_event_age_in_seconds must be 60 to 86400"),
    (RULE, {"maximum_retry_attempts": 186}, "maximum_retry_attempts must be 0 to 185"),
    (RULE, {"dead_letter_queue": "a.b"}, "The name 'a.b' (3 characters) cannot be used"),
    (RULE, {"dead_letter_queue": "a", "aws_account": "12345"}, "'12345' is not an AWS account id"),
    (QUEUE, {"message_retention_period": 1209601}, "message_retention_period must be 60 to 1209600 seconds"),
    (QUEUE, {"aws_account": "12345"}, "'12345' is not an AWS account id"),
    (QUEUE, {"rule": "c" * 65}, "AWS accepts 1 to 64 of letters"),
]
CASES += [
    (proof, {"name": NAME, option: -1}, f"{option} is -1, but must be")
    for proof, option in (("spot_test_event", "settle_seconds"), ("spot_test_event", "wait_timeout"))
]
STACK = "spot_stack"
STACKED = {"stack_name": "spot", "spot_account": SPOT_ACCOUNT, "spot_token": TOKEN, "template_body": "Resources: {}"}
CASES += [
    (STACK, {**STACKED, **wrong}, words)
    for wrong, words in (
        ({"stack_name": "StackSet-spot-0f1e"}, "belongs to a stack set, which would undo changes of it. Use spot_stack_set."),
        ({"stack_name": "1spot"}, "AWS accepts a letter, "),
        ({"template_body": None}, "There is no template: set template_body or template_url."),
        ({"template_url": "https://bucket.s3.amazonaws.com/x"}, "parameters are mutually exclusive: template_body|template_url"),
        ({"template_body": "x" * 51201}, "template_body has 51201 bytes; CloudFormation accepts 51200"),
        ({"parameters": {"Key": TOKEN}}, "The Spot token must only be given with spot_token"),
        ({"spot_token": None}, "There is no Spot token: set SPOTINST_TOKEN"),
        ({"spot_account": "act-1"}, "'act-1' is not a Spot account id"),
        ({"update_token": "never"}, "value of update_token must be one of: changed, always, on_create, got: never"),
        ({"wait_timeout": -1}, "wait_timeout is -1, but must be a number of seconds, 0 or more."),
        ({"update": "never"}, "value of update must be one of: changed, always, got: never"),
        ({"regions": []}, "No region is given: set 'regions', 'region' or AWS_REGION."),
    )
]
for every in RIGHT:
    too_long = "a" * (81 if every == QUEUE else 65)
    CASES += [
        (every, {"name": too_long}, f"({len(too_long)} characters) cannot be used"),
        (every, {"name": None}, "The name '' (0 characters) cannot be used"),
        (every, {"name": "ä"}, "The name 'ä' (1 characters) cannot be used"),
        (every, {"state": "gone"}, "value of state must be one of: present, absent, got: gone"),
        (every, {"wait_timeout": -1}, "wait_timeout is -1, but must be a number of seconds, 0 or more."),
        (every, {"regions": []}, "No region is given: set 'regions', 'region' or AWS_REGION."),
        (every, {"regions": ["nowhere"]}, "'nowhere' is not the name of an AWS region"),
        (every, {"regions": [REGION, "eu-west-1a"]}, "'eu-west-1a' is not the name of an AWS region"),
        (every, {"aws_config": {"read_timeouts": 1}}, "aws_config is not a configuration of botocore"),
    ]


@pytest.mark.parametrize(("module", "wrong", "words"), CASES, ids=lambda value: next(iter(value)) if isinstance(value, dict) else None)
def test_a_wrong_argument_is_refused_before_anything_is_asked(
    run: Runner, sandbox: Sandbox, module: str, wrong: dict[str, Any], words: str
) -> None:
    run.tokens.add(TOKEN)
    right = {"name": NAME, **RIGHT[module]} if module in RIGHT else {}
    done = run(module, **{"regions": [REGION], **right, **wrong})
    assert done.failed
    assert words in done.message
    assert "\n" not in done.message
    assert sandbox.calls() == []


@pytest.mark.parametrize("module", RIGHT)
def test_an_aws_that_is_not_there_is_told(run: Runner, module: str) -> None:
    quick = {"connect_timeout": 1, "read_timeout": 1, "retries": {"mode": "standard", "total_max_attempts": 1}}
    options = {"endpoint_url": "http://127.0.0.1:1", "aws_config": quick}
    done = run(module, name=NAME, regions=[REGION], **RIGHT[module], **options)
    assert done.failed
    assert "AWS did not respond" in done.message
    assert "http://127.0.0.1:1" in done.message


@pytest.mark.parametrize(("module", "missing"), [(CONNECTION, "spot_account"), (RULE, "role_arn")])
def test_what_must_be_given_is_named(run: Runner, sandbox: Sandbox, module: str, missing: str) -> None:
    options = {key: value for key, value in RIGHT[module].items() if key != missing}
    done = run(module, name=NAME, regions=[REGION], **options)
    assert done.failed
    assert done.message == f"state is present but all of the following are missing: {missing}"
    assert sandbox.calls() == []


def without_credentials(run: Runner) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        del run.environment[name]


@pytest.mark.parametrize("module", RIGHT)
def test_a_profile_that_does_not_exist_is_told(run: Runner, module: str) -> None:
    without_credentials(run)
    done = run(module, name=NAME, regions=[REGION], profile="nobody", **RIGHT[module])
    assert done.failed
    assert "The config profile (nobody) could not be found" in done.message


@pytest.mark.parametrize("module", RIGHT)
def test_missing_credentials_are_told(run: Runner, module: str) -> None:
    without_credentials(run)
    done = run(module, name=NAME, regions=[REGION], **RIGHT[module])
    assert done.failed
    assert "no AWS credentials were found: set AWS_PROFILE" in done.message
