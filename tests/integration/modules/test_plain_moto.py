# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The same on moto as it is: nothing may depend on what the sandbox corrects."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import ProxyHandler, Request, build_opener

import boto3
import pytest

from tests.fakes.plain_moto import plain_moto
from tests.integration.modules.aws import NAME, ROLE_ARN, SPOT_ACCOUNT, make_role
from tests.integration.modules.runner import Runner
from tests.tools.kms_keys import make_key

pytestmark = pytest.mark.slow

REGIONS = ["us-east-1", "eu-west-1"]
TOKEN = "0123456789abcdefSECRETofPlainMoto"
CONNECTION = ("spot_eventbridge_connection", {"spot_account": SPOT_ACCOUNT, "spot_token": TOKEN})
DESTINATION: tuple[str, dict[str, Any]] = ("spot_api_destination", {})
RULE = ("spot_interruption_rule", {"role_arn": ROLE_ARN, "dead_letter_queue": NAME, "tags": {"team": "a"}})
QUEUE = ("spot_dead_letter_queue", {"tags": {"team": "a"}})
MODULES = [QUEUE, CONNECTION, DESTINATION, RULE]
_open = build_opener(ProxyHandler({})).open


@pytest.fixture(scope="module")
def moto_url() -> Iterator[str]:
    with plain_moto() as url:
        yield url


@pytest.fixture
def run(moto_url: str, tmp_path: Path) -> Runner:
    _open(Request(f"{moto_url}/moto-api/reset", method="POST"), timeout=10).close()
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "SPOTINST_")) and "proxy" not in name.lower()}
    make_role(boto3.client("iam", "us-east-1", endpoint_url=moto_url, aws_access_key_id="testing", aws_secret_access_key="testing"))
    aws = {"AWS_ENDPOINT_URL": moto_url, "AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
    config = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    return Runner({**kept, **aws, **config}, tmp_path, {TOKEN})


def every_region(action: str) -> dict[str, str]:
    return dict.fromkeys(REGIONS, action)


def test_an_integration_is_made_left_alone_changed_and_removed(run: Runner) -> None:
    for module, options in MODULES:
        assert run(module, name=NAME, regions=REGIONS, check=True, **options).actions == every_region("created")
    made = []
    for module, options in MODULES:
        made.append(run(module, name=NAME, regions=REGIONS, **options))
        assert (made[-1].message, made[-1].actions, made[-1].warnings) == ("", every_region("created"), [])
    for module, options in MODULES:
        for check in (True, False):
            again = run(module, name=NAME, regions=REGIONS, check=check, **options)
            assert (again.actions, again.changed, again.warnings) == (every_region("unchanged"), False, [])
    for module, _ in reversed(MODULES):
        for check, action in ((True, "deleted"), (False, "deleted"), (True, "unchanged"), (False, "unchanged")):
            gone = run(module, name=NAME, regions=REGIONS, state="absent", check=check)
            assert (gone.message, gone.actions) == ("", every_region(action))


@pytest.mark.parametrize(
    ("module", "options", "change"),
    [
        (*DESTINATION, {"invocation_rate_limit_per_second": 7}),
        (*DESTINATION, {"description": "new"}),
        (*RULE, {"maximum_retry_attempts": 3}),
        (*RULE, {"description": "new"}),
        (*RULE, {"tags": {"team": "b"}}),
        (*QUEUE, {"message_retention_period": 60}),
        (*QUEUE, {"tags": {"team": "b"}}),
        (*QUEUE, {"kms_master_key_id": "alias/letters"}),
    ],
    ids=lambda value: next(iter(value), "") if isinstance(value, dict) else value,
)
def test_a_change_is_made_once(run: Runner, moto_url: str, module: str, options: dict[str, Any], change: dict[str, Any]) -> None:
    for region in REGIONS if "kms_master_key_id" in change else ():
        keys = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
        make_key(boto3.client("kms", region_name=region, endpoint_url=moto_url, **keys), "alias/letters")
    for needed in (CONNECTION, DESTINATION) if module == RULE[0] else (CONNECTION,) if module == DESTINATION[0] else ():
        run(needed[0], name=NAME, regions=REGIONS, **needed[1])
    run(module, name=NAME, regions=REGIONS, **options)
    predicted = run(module, name=NAME, regions=REGIONS, check=True, **{**options, **change})
    changed = run(module, name=NAME, regions=REGIONS, **{**options, **change})
    again = run(module, name=NAME, regions=REGIONS, **{**options, **change})
    assert (predicted.actions, changed.actions, again.actions) == (
        every_region("updated"),
        every_region("updated"),
        every_region("unchanged"),
    )
    assert predicted.answer["diff"] == changed.answer["diff"]
