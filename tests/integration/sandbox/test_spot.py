# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
from typing import Any
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

import pytest

from tests.integration.sandbox.integration import Integration
from tests.sandbox.client import NOTIFICATION, Sandbox

EVENT = {"source": "aws.ec2", "detail": {"instance-id": "i-0", "instance-action": "terminate"}}


def ask(sandbox: Sandbox, path: str, token: str = "admin", body: Any = None) -> tuple[int, Any, Any]:
    """Return status, parsed body (or text), and headers; a body makes it a POST."""
    value = sandbox.tokens.get(token, token)
    data = None if body is None else json.dumps(body).encode()
    request = Request(sandbox.spot_url + path, data, {"Authorization": f"Bearer {value}"})
    try:
        with build_opener(ProxyHandler({})).open(request) as answer:
            return answer.status, json.load(answer), answer.headers
    except HTTPError as error:
        text = error.read().decode()
        return error.code, json.loads(text) if text.startswith("{") else text, error.headers


def ids(answer: tuple[int, Any, Any]) -> list[str]:
    return [item["accountId"] for item in answer[1]["response"]["items"]]


def test_an_answer_comes_in_the_envelope(sandbox: Sandbox) -> None:
    _, body, _ = ask(sandbox, "/setup/account")
    assert set(body["request"]) == {"id", "url", "method", "timestamp"}
    assert body["response"]["status"] == {"code": 200, "message": "OK"}
    assert body["response"]["count"] == len(body["response"]["items"]) == 4


def test_an_error_comes_in_the_envelope(sandbox: Sandbox) -> None:
    status, body, _ = ask(sandbox, "/setup/account", token="nobody's")
    assert status == 401
    assert body["response"]["status"]["code"] == 401
    assert set(body["response"]["errors"][0]) == {"code", "message"}


def test_the_accounts_are_those_of_the_tokens_organisation(sandbox: Sandbox) -> None:
    assert ids(ask(sandbox, "/setup/account")) == ["act-00000001", "act-d7320fba", "act-5a9d1c02", "act-b1e4f7a3"]
    assert ids(ask(sandbox, "/setup/account", "other")) == ["act-0f0f0f0f"]


def test_the_accounts_are_as_uneven_as_spots(sandbox: Sandbox) -> None:
    items = ask(sandbox, "/setup/account")[1]["response"]["items"]
    assert {type(item["organizationId"]) for item in items} == {int, str}
    assert {type(item["providerExternalId"]) for item in items} == {int, str, type(None)}
    assert {"cloudProvider" in item for item in items} == {True, False}


def test_the_accounts_can_be_filtered_by_aws_account(sandbox: Sandbox) -> None:
    assert ids(ask(sandbox, "/setup/account?cloudAccountId=123456789012")) == ["act-d7320fba", "act-5a9d1c02"]


def test_only_an_admin_lists_all_accounts(sandbox: Sandbox) -> None:
    assert ask(sandbox, "/setup/account", "editor")[0] == 403
    assert ids(ask(sandbox, "/setup/account?cloudAccountId=210987654321", "limited")) == ["act-b1e4f7a3"]


@pytest.mark.parametrize(("token", "status"), [("viewer", 200), ("editor", 200), ("limited", 403), ("other", 403)])
def test_groups_prove_a_token_for_an_account(sandbox: Sandbox, token: str, status: int) -> None:
    assert ask(sandbox, "/aws/ec2/group?accountId=act-d7320fba", token)[0] == status


@pytest.mark.parametrize(("token", "status"), [("viewer", 403), ("editor", 200), ("limited", 403), ("admin", 200)])
def test_a_notification_needs_an_editor_of_the_account(sandbox: Sandbox, token: str, status: int) -> None:
    assert ask(sandbox, f"{NOTIFICATION}?accountId=act-d7320fba", token, EVENT)[0] == status


def test_without_an_account_it_is_the_oldest(sandbox: Sandbox) -> None:
    assert ask(sandbox, NOTIFICATION, "admin", EVENT)[0] == 200
    assert ask(sandbox, NOTIFICATION, "editor", EVENT)[0] == 403


def test_a_body_that_is_no_event_is_refused(sandbox: Sandbox) -> None:
    status, body, _ = ask(sandbox, f"{NOTIFICATION}?accountId=act-d7320fba", body={"no": "detail"})
    assert status == 400
    assert body["response"]["errors"][0]["field"] == "detail"


def test_refusals_can_have_another_status(sandbox: Sandbox) -> None:
    sandbox.settings(unseen_account_status=404, permission_refusal_status=401)
    assert ask(sandbox, "/aws/ec2/group?accountId=act-0f0f0f0f")[0] == 404
    assert ask(sandbox, f"{NOTIFICATION}?accountId=act-d7320fba", "viewer", EVENT)[0] == 401


def test_elastilog_tells_of_a_notification(sandbox: Sandbox, integration: Integration) -> None:
    integration.complete()
    instance = sandbox.interrupt("eu-west-1")["instance_id"]
    assert sandbox.settled()
    path = f"/aws/ec2/group/sig-d7320fba/logs?accountId=act-d7320fba&resourceId={instance}"
    assert instance in ask(sandbox, path, "viewer")[1]["response"]["items"][0]["message"]


def test_anything_else_does_not_exist(sandbox: Sandbox) -> None:
    assert ask(sandbox, "/aws/ec2/instance/interruption")[0] == 404
    assert ask(sandbox, NOTIFICATION)[0] == 404


def test_requests_are_kept_for_looking_at(sandbox: Sandbox) -> None:
    ask(sandbox, f"{NOTIFICATION}?accountId=act-d7320fba", "viewer", EVENT)
    (received,) = sandbox.notifications()
    assert (received["method"], received["status"], received["body"]) == ("POST", 403, EVENT)
    sandbox.clear_received()
    assert sandbox.received() == []


def test_a_revoked_token_is_unknown(sandbox: Sandbox) -> None:
    sandbox.revoke_token("admin")
    assert ask(sandbox, "/setup/account")[0] == 401


def test_tokens_and_accounts_can_be_added(sandbox: Sandbox) -> None:
    sandbox.add_spot_accounts([{"accountId": f"act-{number:08x}"} for number in range(0xA0, 0xA3)])
    value = sandbox.add_token("temporary", "viewer", ["act-000000a1"])
    assert ask(sandbox, "/aws/ec2/group?accountId=act-000000a1", value)[0] == 200
    assert ask(sandbox, "/aws/ec2/group?accountId=act-000000a2", value)[0] == 403


def test_an_outage_answers_every_call(sandbox: Sandbox) -> None:
    sandbox.start_outage(503)
    assert ask(sandbox, "/setup/account")[0] == 503
    assert ask(sandbox, f"{NOTIFICATION}?accountId=act-d7320fba", "editor", EVENT)[0] == 503
    sandbox.end_outage()
    assert ask(sandbox, "/setup/account")[0] == 200


def test_fault_rate_limit(sandbox: Sandbox) -> None:
    sandbox.add_fault({"status": 429, "reset": 2}, {"target": "spot", "path": "/setup/*"}, times=1)
    status, _, headers = ask(sandbox, "/setup/account")
    assert (status, headers["X-RateLimit-Reset"]) == (429, "2")
    assert ask(sandbox, "/setup/account")[0] == 200


def test_fault_text(sandbox: Sandbox) -> None:
    sandbox.add_fault({"text": "upstream error", "status": 502}, {"target": "spot"})
    assert ask(sandbox, "/setup/account")[:2] == (502, "upstream error")


def test_a_fault_of_spot_leaves_aws_alone(sandbox: Sandbox, events: Any) -> None:
    sandbox.add_fault({"status": 500}, {"target": "spot"})
    assert events.list_rules()["Rules"] == []


def test_reset_keeps_the_tokens(sandbox: Sandbox) -> None:
    sandbox.revoke_token("admin")
    sandbox.reset()
    assert ask(sandbox, "/setup/account")[0] == 200
