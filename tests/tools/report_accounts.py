# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role verify might have found: three accounts with everything in them, and two hundred."""

from __future__ import annotations

import typing as t
from pathlib import Path

from ansible_collections.spot.eventbridge.plugins.plugin_utils._report.document import Report, verification_report
from ansible_collections.spot.eventbridge.plugins.plugin_utils._report.page import page

FILES = Path(__file__).parents[2] / "plugins" / "plugin_utils" / "_report"
GENERATED = "2026-01-02T03:04:05Z"

REGIONS = [
    *("af-south-1", "ap-east-1", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-south-2", "ap-southeast-1"),
    *("ap-southeast-2", "ap-southeast-3", "ap-southeast-4", "ca-central-1", "ca-west-1", "eu-central-1", "eu-central-2", "eu-north-1"),
    *("eu-south-1", "eu-south-2", "eu-west-1", "eu-west-2", "eu-west-3", "il-central-1", "me-central-1", "me-south-1", "mx-central-1"),
    *("sa-east-1", "us-east-1", "us-east-2", "us-west-1", "us-west-2"),
]
UNSUPPORTED_REGIONS = ("ap-southeast-4", "ca-west-1", "il-central-1", "mx-central-1")

MEND = "Run the playbook spot.eventbridge.repair."
# What would run if a message were taken for markup; each sets a mark that a test looks for.
HOSTILE = (
    "<img src=x onerror=\"document.title='owned'\"></script><script>document.title='owned'</script> '\"&amp; \x00\x1b[31m "
    "\u202egnp {{ 7 * 7 }}"
)

Document = dict[str, t.Any]


def finding(check: str, outcome: str, message: str, remedy: str = "") -> Document:
    return {"check": check, "outcome": outcome, "message": message, "remedy": remedy}


def passes(name: str, region: str, aws_account: str) -> list[Document]:
    return [
        finding("connection", "pass", f"The connection {name} is there."),
        finding("connection_state", "pass", "The connection is AUTHORIZED."),
        finding("connection_authorization", "pass", "The authorisation type is API_KEY."),
        finding("connection_api_key", "pass", "The API key's name is Authorization."),
        finding("connection_account", "pass", f"The query parameter accountId is {name[-12:]}."),
        finding("api_destination", "pass", f"The API destination {name} exists."),
        finding("api_destination_state", "pass", "The API destination is ACTIVE."),
        finding("api_destination_endpoint", "pass", "The endpoint is https://api.spotinst.io/aws/ec2/instance/interruptionNotification."),
        finding("api_destination_method", "pass", "The method is POST."),
        finding("rule", "pass", f"The rule {name} is there."),
        finding("rule_state", "pass", "The rule is ENABLED."),
        finding("rule_pattern", "pass", "The rule matches an interruption warning."),
        finding("target", "pass", "The rule has its target."),
        finding("target_role", "pass", f"The target's execution role is arn:aws:iam::{aws_account}:role/{name}."),
        finding("target_retry_policy", "pass", "The retry policy is 120 s, 185 attempts."),
        finding("execution_role", "pass", f"The execution role arn:aws:iam::{aws_account}:role/{name} is there."),
        finding("execution_role_trust", "pass", "events.amazonaws.com may assume the execution role."),
        finding("queue", "pass", f"The dead-letter queue {name} exists."),
        finding("queue_policy", "pass", "The rule may send to its dead-letter queue."),
        finding("double_delivery", "pass", "Nothing else in this region sends notices to this Spot account."),
    ]


def resources(name: str, region: str, aws_account: str, state: str = "AUTHORIZED") -> Document:
    arn = f"arn:aws:events:{region}:{aws_account}"
    return {
        "connection": {
            "name": name,
            "connection_arn": f"{arn}:connection/{name}/8a6b1c7e-0b1d-4b8e-9a55-3f1c62d0e7aa",
            "connection_state": state,
            "authorization_type": "API_KEY",
            "auth_parameters": {
                "api_key_auth_parameters": {"api_key_name": "Authorization"},
                "invocation_http_parameters": {
                    "query_string_parameters": [{"key": "accountId", "value": name[-12:], "is_value_secret": False}]
                },
            },
            "secret_arn": f"arn:aws:secretsmanager:{region}:{aws_account}:secret:events!connection/{name}/2f3b-AbCdEf",
            "creation_time": "2026-01-01T00:00:00+00:00",
            "last_authorized_time": "2026-01-01T00:00:00+00:00",
        },
        "api_destination": {
            "name": name,
            "api_destination_arn": f"{arn}:api-destination/{name}/0f8fad5b-d9cb-469f-a165-70867728950e",
            "api_destination_state": "ACTIVE" if state == "AUTHORIZED" else "INACTIVE",
            "connection_arn": f"{arn}:connection/{name}/8a6b1c7e-0b1d-4b8e-9a55-3f1c62d0e7aa",
            "invocation_endpoint": "https://api.spotinst.io/aws/ec2/instance/interruptionNotification",
            "http_method": "POST",
            "invocation_rate_limit_per_second": 300,
        },
        "rule": {
            "name": name,
            "arn": f"{arn}:rule/{name}",
            "state": "ENABLED",
            "event_bus_name": "default",
            "event_pattern": {"source": ["aws.ec2"], "detail-type": ["EC2 Spot Instance Interruption Warning"]},
            "tags": {"ManagedBy": "spot.eventbridge"},
            "targets": [
                {
                    "id": "spot",
                    "arn": f"{arn}:api-destination/{name}/0f8fad5b-d9cb-469f-a165-70867728950e",
                    "role_arn": f"arn:aws:iam::{aws_account}:role/{name}",
                    "retry_policy": {"maximum_event_age_in_seconds": 120, "maximum_retry_attempts": 185},
                    "dead_letter_config": {"arn": f"arn:aws:sqs:{region}:{aws_account}:{name}"},
                }
            ],
        },
        "queue": {
            "queue_url": f"https://sqs.{region}.amazonaws.com/{aws_account}/{name}",
            "queue_arn": f"arn:aws:sqs:{region}:{aws_account}:{name}",
            "message_retention_period": 1209600,
            "approximate_number_of_messages": 0,
        },
    }


def evidence(*figures: int | None, letters: t.Sequence[Document] = (), count: int | None = None, **notes: str) -> Document:
    names = ("matched", "delivered", "retried", "failed", "dead_lettered", "dead_letter_failed")
    values = [*figures, *[None] * (len(names) - len(figures))]
    dead: Document = {"count": len(letters) if count is None else count, "messages": list(letters)}
    if "letters_note" in notes:
        dead["note"] = notes.pop("letters_note")
    return {"window_hours": 24, "metrics": dict(zip(names, values)), "dead_letters": dead, **notes}


def letter(message: str = "401 Unauthorized from api.spotinst.io", **changes: t.Any) -> Document:
    return {
        "time": "2026-01-02T01:02:03Z",
        "error_code": "NO_PERMISSIONS",
        "error_message": message,
        "attempts": 3,
        "instance_id": "i-1234567890abcdef0",
        **changes,
    }


def healthy(host: str, region: str, aws_account: str = "123456789012") -> Document:
    name = f"spot-interruption-{host}"
    return {
        "status": "active",
        "findings": [
            *passes(name, region, aws_account),
            finding("deliveries", "pass", "Notices of the last 24 h reached Spot: 3 matched, 3 delivered."),
            finding("dead_letters", "pass", "There are no dead letters."),
        ],
        "resources": resources(name, region, aws_account),
        "evidence": evidence(3, 3),
    }


NOTHING_THERE = {
    "unsupported": ("region", "skip", "This region has no API destinations.", "Leave it out."),
    "denied": ("region", "skip", "The organisation denies this region by a service control policy.", "Leave it out."),
    "absent": (
        "connection",
        "fail",
        "The account was never onboarded here: nothing is there.",
        "Run the playbook spot.eventbridge.onboard.",
    ),
}


def unhealthy(host: str, region: str, status: str, aws_account: str = "123456789012") -> Document:
    """A region of any status, with the findings that lead to it."""
    name = f"spot-interruption-{host}"
    known = passes(name, region, aws_account)
    nothing = dict.fromkeys(("connection", "api_destination", "rule", "queue"))
    if status in NOTHING_THERE:
        return {"status": status, "findings": [finding(*NOTHING_THERE[status])], "resources": nothing, "evidence": None}
    if status == "unknown":
        said = f"AccessDeniedException: User: arn:aws:sts::{aws_account}:assumed-role/Audit/ci is not authorized to perform: "
        found = [
            finding(
                check,
                "unknown",
                f"Could not be read: {said}{action} with an explicit deny",
                "See the guide 'Permissions in AWS' for the policy verify.",
            )
            for check, action in (("connection", "events:DescribeConnection"), ("rule", "events:DescribeRule"))
        ]
        return {
            "status": status,
            "findings": found,
            "resources": nothing,
            "evidence": evidence(note="AccessDenied: GetMetricData", letters_note="AccessDenied: ReceiveMessage"),
        }
    if status == "inactive":
        known[1] = finding(
            "connection_state",
            "fail",
            "The connection is DEAUTHORIZED: HTTP 401 from the endpoint. AWS drops every notice until it is authorised again.",
            MEND,
        )
        known[6] = finding("api_destination_state", "fail", "The API destination is INACTIVE, expected ACTIVE.", MEND)
        known.append(
            finding("connection_token", "skip", "The token was not compared: secretsmanager:GetSecretValue is denied.", "Grant it.")
        )
        known.append(
            finding(
                "deliveries",
                "warn",
                "Not every notice of the last 24 h reached Spot: 3 matched, 2 delivered, 1 failed.",
                "The dead letters say why.",
            )
        )
        seen = evidence(3, 2, 1, 1, 1, 0, letters=[letter(), letter(error_message="The event was too old", attempts=None)], count=12)
        return {"status": status, "findings": known, "resources": resources(name, region, aws_account, "DEAUTHORIZED"), "evidence": seen}
    if status == "failing":
        refused = letter(error_code="NO_PERMISSIONS", error_message="Forbidden")
        why = "None of the last 3 deliveries succeeded. The latest dead letter: NO_PERMISSIONS: Forbidden"
        known.append(finding("deliveries", "fail", why, "Give the token's user the permission."))
        seen = evidence(3, 0, 0, 3, 3, 0, letters=[refused], count=3)
        return {"status": status, "findings": known, "resources": resources(name, region, aws_account), "evidence": seen}
    if status == "incomplete":
        known[12:15] = [finding("target", "fail", f"There is no target spot in the rule {name}.", MEND)]
        return {"status": status, "findings": known, "resources": resources(name, region, aws_account), "evidence": evidence()}
    known[7] = finding(
        "api_destination_endpoint",
        "fail",
        "The endpoint is https://api.spotinst.io/aws/ec2/instance, expected https://api.spotinst.io/aws/ec2/instance/interruptionNotification.",
        MEND,
    )
    return {"status": "drifted", "findings": known, "resources": resources(name, region, aws_account), "evidence": evidence(0)}


def account(host: str, regions: Document, aws_account: str | None = "123456789012", **changes: t.Any) -> Document:
    checks = [
        finding("spot_token", "pass", "Spot accepts the token."),
        finding("spot_account", "pass", f"The Spot account {host} is linked to the AWS account {aws_account}."),
    ]
    return {"host": host, "spot_account": host, "aws_account": aws_account, "error": None, "checks": checks, "regions": regions, **changes}


def three() -> list[Document]:
    """Every status and outcome, an account that could not be verified, and messages that would like to be markup."""
    mixed = {region: healthy("act-d7320fba", region) for region in REGIONS if region not in UNSUPPORTED_REGIONS}
    mixed.update({region: unhealthy("act-d7320fba", region, "unsupported") for region in UNSUPPORTED_REGIONS})
    for region, status in (
        ("us-east-1", "inactive"),
        ("eu-west-1", "inactive"),
        ("eu-central-1", "incomplete"),
        ("ap-south-1", "drifted"),
        ("sa-east-1", "absent"),
        ("us-west-1", "failing"),
        ("ap-northeast-3", "denied"),
        ("me-south-1", "unknown"),
    ):
        mixed[region] = unhealthy("act-d7320fba", region, status)
    noted = {region: healthy("act-0badcafe", region, "210987654321") for region in ("us-east-1", "us-west-2", "eu-west-1")}
    noted["us-west-2"]["findings"].append(
        finding("double_delivery", "warn", f"Other API destinations send to the same endpoint: {HOSTILE}", f"Remove them. {HOSTILE}")
    )
    noted["us-west-2"]["evidence"] = evidence(1, 1, letters=[letter(HOSTILE, error_code=HOSTILE)])
    refused = [finding("spot_token", "fail", "Spot refuses the token: 401 Unauthorized.", "Make a new one in the Spot console.")]
    return [
        account("act-0badcafe", noted, "210987654321", checks=refused),
        account("act-d7320fba", mixed),
        account(
            "act-5eed0bad",
            {},
            None,
            error="AWS refuses the credentials: ExpiredToken: The security token included in the request is expired",
            checks=[],
        ),
    ]


def many(accounts: int = 200, regions: t.Sequence[str] = REGIONS, bad: str | None = None) -> list[Document]:
    """So many accounts in so many regions; about one region in forty is not active, or all of them have the status `bad`."""
    found = []
    statuses = ("inactive", "failing", "drifted", "incomplete", "absent", "unknown")
    for number in range(accounts):
        host, aws_account = f"act-{0x10000000 + number * 7919:08x}", f"{100000000000 + number * 104729}"
        entries = {}
        for index, region in enumerate(regions):
            dice = (number * 31 + index * 17 + number * index) % 200
            if bad or region in UNSUPPORTED_REGIONS:
                entries[region] = unhealthy(host, region, bad or "unsupported", aws_account)
            elif dice < len(statuses) and number % 3 == 0:
                entries[region] = unhealthy(host, region, statuses[dice], aws_account)
            else:
                entries[region] = healthy(host, region, aws_account)
        found.append(account(host, entries, aws_account))
    return found


def report(accounts: list[Document]) -> Report:
    return verification_report(accounts, GENERATED, "0.1.0")


def html(accounts: list[Document]) -> str:
    return page(report(accounts))
