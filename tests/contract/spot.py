# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Asks the Spot API what this project guesses about it: SPOTINST_TOKEN=… python tests/contract/spot.py --account act-0123abcd

Statuses of refusals, the envelope of answers, limits. It changes nothing at Spot, and it names no instance that exists: notifications are
sent only with --notify, and only about the instance i-00000000000000000. It needs nothing but Python. A second token in
SPOTINST_VIEWER_TOKEN, a viewer's, lets it ask what a viewer is refused with.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

Json = dict[str, Any]
NOTIFICATION = "/aws/ec2/instance/interruptionNotification"
GROUPS = "/aws/ec2/group"
NO_INSTANCE = "i-00000000000000000"
UNKNOWN_TOKEN = "0" * 64
_SHOWN_HEADERS = re.compile(r"(?i)^(x-ratelimit-.*|retry-after|content-type)$")
_LONG_ENOUGH = 6


@dataclass(frozen=True)
class Question:
    """One question to the Spot API.

    Attributes:
        name: its name in the file of answers.
        asked: what is not known.
        code: the code that depends on it.
        token: the name of the token to use: own, viewer, unknown or none.
        notifies: whether Spot may take it for a notification.
        body: the request's body; a text is sent as it is.
    """

    name: str
    asked: str
    code: str
    method: str = "GET"
    path: str = GROUPS
    query: tuple[tuple[str, str], ...] = ()
    token: str = "own"
    notifies: bool = False
    body: Json | str | None = None


def questions(account: str) -> Iterator[Question]:
    """Yield what is to be asked about an account of Spot."""
    mine, nobody = (("accountId", account),), (("accountId", "act-00000000"),)
    client, proof = "plugins/module_utils/_spot/client.py", "plugins/module_utils/_spot/token_proof.py"
    yield Question("unknown-token", "Which status and envelope refuse a token that does not exist?", proof, query=mine, token="unknown")
    yield Question("no-token", "Which status refuses a request without a token?", proof, query=mine, token="none")
    yield Question("unseen-account", "Which status refuses an account that the token cannot see?", proof, query=nobody)
    yield Question("no-account", "Is a request without accountId answered for the organisation's oldest account?", client)
    yield Question("groups", "What is in an item of the list of groups, and where is its region?", client, query=mine)
    yield Question("accounts", "May this token list all accounts, and what is in an item?", client, path="/setup/account")
    other = (("cloudAccountId", "000000000000"),)
    yield Question("accounts-of-nobody", "What is answered for an AWS account that is unknown?", client, path="/setup/account", query=other)
    logs = f"{GROUPS}/sig-00000000/logs"
    yield Question("log-of-no-group", "Which status refuses the log of a group that does not exist?", client, path=logs, query=mine)
    yield Question("no-such-path", "What is answered for a path that does not exist?", client, path="/aws/ec2/contract", query=mine)
    post: Json = {"method": "POST", "path": NOTIFICATION, "query": mine}
    yield Question("notification-of-nothing", "Which status refuses a notification without a detail?", proof, **post, body={})
    yield Question("notification-not-json", "Which status refuses a notification that is not JSON?", proof, **post, body="not json")
    asked = "Is a notification refused to a viewer with 401, which de-authorises the connection in AWS, or with 403, which does not?"
    yield Question("notification-of-a-viewer", asked, proof, **post, token="viewer", body={})
    asked = "Is a notification refused to an unknown token with 401 or 403?"
    yield Question("notification-unknown-token", asked, proof, **post, token="unknown", body={})
    unseen = {**post, "query": nobody}
    yield Question("notification-unseen-account", "Which status refuses a notification to an unseen account?", proof, **unseen, body={})
    asked = "What is the envelope of the answer to a notification?"
    yield Question("notification", asked, client, **post, notifies=True, body=_notice())


def _notice() -> Json:
    """Return a notice as EC2 emits it, about an instance that does not exist."""
    return {
        "version": "0",
        "id": "00000000-0000-0000-0000-000000000000",
        "detail-type": "EC2 Spot Instance Interruption Warning",
        "source": "aws.ec2",
        "account": "000000000000",
        "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": "us-east-1",
        "resources": [f"arn:aws:ec2:us-east-1a:instance/{NO_INSTANCE}"],
        "detail": {"instance-id": NO_INSTANCE, "instance-action": "terminate"},
    }


def ask(question: Question, url: str, tokens: dict[str, str]) -> Json:
    """Return the answer to a question: status, headers, body."""
    headers = {"Content-Type": "application/json", "User-Agent": "spot.eventbridge contract"}
    if question.token != "none":
        headers["Authorization"] = f"Bearer {tokens[question.token]}"
    body = question.body if isinstance(question.body, str) else json.dumps(question.body)
    data = None if question.body is None else body.encode()
    request = Request(f"{url}{question.path}?{urlencode(question.query)}", data, headers, method=question.method)
    try:
        with urlopen(request, timeout=30) as response:
            status, found, text = response.status, response.headers, response.read()
    except HTTPError as refusal:
        status, found, text = refusal.code, refusal.headers, refusal.read()
    shown = {name: value for name, value in found.items() if _SHOWN_HEADERS.match(name)}
    return {"status": status, "headers": shown, "body": _parsed(text.decode(errors="replace"))}


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text[:500]


def outline(value: Any) -> Any:
    """Return a body's form: of lists the first item, of items the kinds of their values; codes and messages stay as they are."""
    if isinstance(value, list):
        return [outline(value[0]), f"{len(value)} in all"] if value else []
    if not isinstance(value, dict):
        return value if isinstance(value, (bool, type(None))) else type(value).__name__
    return {key: item if key in ("code", "message", "kind", "count", "field") else outline(item) for key, item in value.items()}


def hidden(text: str, secrets: list[str]) -> str:
    """Return a text without tokens, accounts and numbers of accounts."""
    for secret in secrets:
        text = text.replace(secret, "<hidden>")
    return re.sub(r"\b\d{12}\b", "<account number>", re.sub(r"\bact-[0-9a-f]{8}\b", "<account>", text))


def main() -> int:
    """Ask all, print and write the answers; 0 if all were asked that can be, 1 if Spot could not be reached, 2 for wrong arguments."""
    parser = argparse.ArgumentParser(prog="python tests/contract/spot.py", description=__doc__)
    parser.add_argument("--account", required=True, help="the Spot account to ask about: act- and eight digits")
    parser.add_argument("--url", default="https://api.spotinst.io", help="the API (default: %(default)s)")
    parser.add_argument("--notify", action="store_true", help=f"also send a notification about {NO_INSTANCE}, which does not exist")
    parser.add_argument("--limit", type=int, default=0, metavar="N", help="ask for the groups up to N times, to see what a limit answers")
    parser.add_argument("--output", type=Path, default=Path("spot-answers.json"), help="the file of answers (default: %(default)s)")
    given = parser.parse_args()
    tokens = {"own": os.environ.get("SPOTINST_TOKEN", ""), "viewer": os.environ.get("SPOTINST_VIEWER_TOKEN", ""), "unknown": UNKNOWN_TOKEN}
    if not re.fullmatch(r"act-[0-9a-f]{8}", given.account) or not tokens["own"]:
        print("--account has to be act- and eight hexadecimal digits, and SPOTINST_TOKEN a token. Nothing was asked.", file=sys.stderr)
        return 2
    secrets = sorted((value for value in tokens.values() if len(value) >= _LONG_ENOUGH), key=len, reverse=True)
    answers: list[Json] = []
    try:
        for question in questions(given.account):
            reason = _not_asked(question, tokens, given.notify)
            answer = {"not asked": reason} if reason else ask(question, given.url, tokens)
            _note(question, answer, answers, secrets)
        if given.limit:
            _note(_LIMIT, _until_limited(given.limit, given.account, given.url, tokens), answers, secrets)
    except URLError as error:
        print(f"Spot cannot be reached: {hidden(str(error.reason), secrets)}", file=sys.stderr)
        return 1
    finally:
        given.output.write_text(
            json.dumps({"date": f"{datetime.now(UTC):%Y-%m-%d}", "answers": answers}, indent=2) + "\n", encoding="utf-8"
        )
    print(f"\nAnswers: {given.output}")
    return 0


_LIMIT = Question("limit", "Which status and headers tell of a limit?", "plugins/module_utils/_spot/client.py")


def _not_asked(question: Question, tokens: dict[str, str], notify: bool) -> str | None:
    if question.notifies and not notify:
        return "sends a notification: --notify"
    return None if question.token == "none" or tokens[question.token] else "needs SPOTINST_VIEWER_TOKEN"


def _until_limited(most: int, account: str, url: str, tokens: dict[str, str]) -> Json:
    question = Question("limit", "", "", query=(("accountId", account),))
    for number in range(1, most + 1):
        answer = ask(question, url, tokens)
        if answer["status"] == 429:
            return {**answer, "after": number}
    return {"not seen": f"no limit within {most} requests", "headers": answer["headers"]}


def _note(question: Question, answer: Json, answers: list[Json], secrets: list[str]) -> None:
    """Add an answer to the file and print it, with nothing in it that is anybody's."""
    formed = {key: outline(value) if key == "body" else value for key, value in answer.items()}
    entry = {"name": question.name, "question": question.asked, "code": question.code, **formed}
    answers.append(json.loads(hidden(json.dumps(entry), secrets)))
    print(hidden(f"{question.name}: {json.dumps(formed)}", secrets), flush=True)


if __name__ == "__main__":
    sys.exit(main())
