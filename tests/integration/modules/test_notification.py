# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The hand-over to Spot's operators: once per channel and region, remembered on the rule, and never a secret in it."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes import certificate
from tests.fakes.jira import USER as JIRA_USER
from tests.fakes.jira import Jira
from tests.fakes.mail import USER, Mail
from tests.fakes.webhook import Webhook
from tests.integration.modules.aws import ACCOUNT, NAME, SPOT_ACCOUNT, Aws
from tests.integration.modules.runner import Run, Runner
from tests.integration.modules.test_documentation import permissions
from tests.sandbox.client import Sandbox

ACTIVE = {"eu-west-1": "active", "us-east-1": "active"}
TAG = "SpotNotification"


def arn(region: str) -> str:
    return f"arn:aws:events:{region}:{ACCOUNT}:rule/{NAME}"


def make_rule(aws: Aws, region: str) -> None:
    pattern = json.dumps({"source": ["aws.ec2"]})
    aws.events(region).put_rule(Name=NAME, EventPattern=pattern, Tags=[{"Key": "Team", "Value": "platform"}])


def tag(aws: Aws, region: str = "eu-west-1") -> str | None:
    tags = aws.events(region).list_tags_for_resource(ResourceARN=arn(region))["Tags"]
    assert {"Key": "Team", "Value": "platform"} in tags
    return next((entry["Value"] for entry in tags if entry["Key"] == TAG), None)


@pytest.fixture
def hand_over(run: Runner, aws: Aws, sandbox: Sandbox) -> Any:
    """Runs the module for an account whose rules are there."""
    for region in ACTIVE:
        make_rule(aws, region)

    def call(check: bool = False, **more: Any) -> Run:
        arguments = {"name": NAME, "spot_account": SPOT_ACCOUNT, "aws_account": ACCOUNT, "statuses": ACTIVE, **more}
        arguments.setdefault("spot_api_url", sandbox.spot_url)
        return run("spot_notification", check=check, **arguments)

    return call


@pytest.fixture
def webhook(run: Runner) -> Iterator[Webhook]:
    with Webhook() as service:
        run.tokens.add(service.secret)
        yield service


@pytest.fixture
def jira(run: Runner) -> Iterator[Jira]:
    with Jira() as service:
        run.tokens.add(service.secret)
        yield service


@pytest.fixture
def mail(run: Runner) -> Iterator[Mail]:
    with Mail() as service:
        run.tokens.add(service.password)
        yield service


def mail_options(mail: Mail, **more: Any) -> dict[str, Any]:
    return {
        "host": "127.0.0.1",
        "port": mail.port,
        "encryption": "none",
        "user": USER,
        "password": mail.password,
        "sender": "eventbridge@example.com",
        "recipients": ["sre@example.com"],
        **more,
    }


# Once


def test_two_runs_send_once(hand_over: Any, webhook: Webhook) -> None:
    first, second = (hand_over(webhook={"url": webhook.address}) for dummy in range(2))
    assert (first.changed, first.answer["channels"]["webhook"]["action"]) == (True, "sent")
    assert (second.changed, second.answer["channels"]["webhook"]["action"], second.answer["channels"]["webhook"]["regions"]) == (
        False,
        "unchanged",
        [],
    )
    assert len(webhook.received) == 1


def test_a_region_that_is_added_later_is_sent_alone(hand_over: Any, webhook: Webhook, aws: Aws) -> None:
    hand_over(webhook={"url": webhook.address})
    make_rule(aws, "ap-south-1")
    hand_over(webhook={"url": webhook.address}, statuses={**ACTIVE, "ap-south-1": "active"})
    assert [body["notification"]["regions"] for body in webhook.bodies] == [["eu-west-1", "us-east-1"], ["ap-south-1"]]


def test_a_region_that_is_not_active_is_told_of_but_not_handed_over(hand_over: Any, webhook: Webhook, aws: Aws) -> None:
    hand_over(webhook={"url": webhook.address}, statuses={"eu-west-1": "active", "us-east-1": "inactive"})
    (body,) = webhook.bodies
    assert (body["notification"]["regions"], body["notification"]["statuses"]["us-east-1"]) == (["eu-west-1"], "inactive")
    assert "Other regions: us-east-1 inactive" in body["text"]
    assert tag(aws, "us-east-1") is None


def test_without_an_active_region_nothing_is_sent(hand_over: Any, webhook: Webhook) -> None:
    run = hand_over(webhook={"url": webhook.address}, statuses={"eu-west-1": "inactive"})
    assert (run.failed, run.changed, webhook.received) == (False, False, [])


def test_the_tag_says_when_and_how_beside_the_tags_of_others(hand_over: Any, webhook: Webhook, aws: Aws) -> None:
    hand_over(webhook={"url": webhook.address})
    (body,) = webhook.bodies
    assert tag(aws) == f"account={SPOT_ACCOUNT} webhook={body['notification']['time']}"


def test_verify_says_since_when(hand_over: Any, webhook: Webhook, jira: Jira, run: Runner, aws: Aws) -> None:
    # A rule without our target is none of an integration.
    aws.events().put_targets(Rule=NAME, Targets=[{"Id": "spot", "Arn": f"arn:aws:sqs:eu-west-1:{ACCOUNT}:x"}])

    def found() -> dict[str, str]:
        looked = run("spot_integration_info", name=NAME, spot_account=SPOT_ACCOUNT, regions=["eu-west-1"])
        return {entry["outcome"]: entry["message"] for entry in looked.entry["findings"] if entry["check"] == "notification"}

    assert "This collection has not notified Spot's operators of this region" in found()["skip"]
    hand_over(webhook={"url": webhook.address}, jira={"url": jira.url, "token": jira.secret, "project": "SRE"})
    when = webhook.bodies[0]["notification"]["time"]
    assert found() == {"pass": f"Spot's operators were notified of this region: jira on {when} (SRE-1), webhook on {when}."}


def test_a_tag_of_another_spot_account_says_nothing(hand_over: Any, webhook: Webhook, aws: Aws) -> None:
    for region in ACTIVE:
        value = "account=act-00000001 webhook=2026-01-01T00:00:00Z"
        aws.events(region).tag_resource(ResourceARN=arn(region), Tags=[{"Key": TAG, "Value": value}])
    assert hand_over(webhook={"url": webhook.address}).changed


# What is told


def test_it_tells_all_that_spots_operators_need(hand_over: Any, webhook: Webhook, sandbox: Sandbox) -> None:
    hand_over(webhook={"url": webhook.address}, spot_token=sandbox.tokens["admin"])
    (body,) = webhook.bodies
    told = body["notification"]
    assert (told["spot_account"], told["aws_account"], told["organization"]) == (SPOT_ACCOUNT, ACCOUNT, "606079873399")
    assert told["feature_flag"] == "aws-detach-instances-that-got-interruption-notification"
    for word in (SPOT_ACCOUNT, ACCOUNT, "606079873399", "eu-west-1, us-east-1", told["feature_flag"], told["time"], told["id"]):
        assert word in body["text"]


def test_a_token_that_may_not_list_accounts_leaves_the_organisation_unknown(hand_over: Any, webhook: Webhook, sandbox: Sandbox) -> None:
    assert hand_over(webhook={"url": webhook.address}, spot_token=sandbox.tokens["limited"]).changed
    assert webhook.bodies[0]["notification"]["organization"] is None


def test_no_message_holds_a_token(hand_over: Any, webhook: Webhook, jira: Jira, mail: Mail, sandbox: Sandbox) -> None:
    run = hand_over(
        webhook={"url": webhook.address},
        mail=mail_options(mail),
        jira={"url": jira.url, "user": JIRA_USER, "token": jira.secret, "project": "SRE"},
        spot_token=sandbox.tokens["admin"],
    )
    assert not run.failed, run.message
    sent = json.dumps([webhook.bodies, jira.bodies, [message.as_string() for message in mail.messages]])
    assert [name for name in (*sandbox.tokens.values(), webhook.secret, jira.secret, mail.password) if name in sent] == []


# Check mode


def test_check_mode_shows_the_message_and_sends_nothing(hand_over: Any, webhook: Webhook, aws: Aws, sandbox: Sandbox) -> None:
    sandbox.clear_calls()
    run = hand_over(check=True, webhook={"url": webhook.address})
    assert (run.changed, webhook.received, sandbox.calls(writes=True), tag(aws)) == (True, [], [], None)
    assert "Please:\n1. Enable monitoring" in run.answer["channels"]["webhook"]["message"]
    assert run.answer["diff"][0]["after"].startswith("AWS now sends")


def test_check_mode_predicts_for_rules_that_are_not_made_yet(hand_over: Any, webhook: Webhook) -> None:
    run = hand_over(check=True, webhook={"url": webhook.address}, statuses={"eu-north-1": "active"})
    assert (run.failed, run.answer["channels"]["webhook"]["regions"]) == (False, ["eu-north-1"])


def test_where_there_is_no_rule_nothing_is_sent_as_nothing_could_be_recorded(hand_over: Any, webhook: Webhook) -> None:
    run = hand_over(webhook={"url": webhook.address}, statuses={"eu-north-1": "active", **ACTIVE})
    assert run.failed
    assert "eu-north-1: no rule exists" in run.message
    assert webhook.bodies[0]["notification"]["regions"] == ["eu-west-1", "us-east-1"]


# What fails


def test_a_webhook_that_answers_500_is_named_and_tried_again_in_the_next_run(hand_over: Any, webhook: Webhook, aws: Aws) -> None:
    webhook.status = 500
    run = hand_over(webhook={"url": webhook.address})
    assert run.failed
    assert "webhook: the webhook at 127.0.0.1" in run.message
    assert "responded with 500" in run.message
    assert tag(aws) is None
    webhook.status = None
    assert hand_over(webhook={"url": webhook.address}).changed
    assert len(webhook.bodies) == 1


def test_a_channel_that_fails_hinders_no_other_and_is_tried_again_alone(hand_over: Any, webhook: Webhook, jira: Jira) -> None:
    options = {"webhook": {"url": webhook.address}, "jira": {"url": jira.url, "token": jira.secret, "project": "SRE"}}
    webhook.status = 500
    assert hand_over(**options).answer["failed_channels"] == ["webhook"]
    webhook.status = None
    assert not hand_over(**options).failed
    assert (len(webhook.bodies), len(jira.bodies)) == (1, 1)


def test_what_was_sent_and_could_not_be_recorded_is_a_failure_that_says_so(hand_over: Any, webhook: Webhook, sandbox: Sandbox) -> None:
    sandbox.permit("testing", ["events:ListTagsForResource"])
    run = hand_over(webhook={"url": webhook.address})
    assert run.failed
    assert "it was sent, but that could not be recorded in eu-west-1, so the next run sends it again: AccessDenied" in run.message
    assert len(webhook.bodies) == 1


def test_a_region_whose_tags_cannot_be_read_is_not_handed_over(hand_over: Any, webhook: Webhook, sandbox: Sandbox) -> None:
    sandbox.add_fault({"error": {"status": 400, "code": "AccessDeniedException", "message": "no"}}, {"region": "eu-west-1"})
    run = hand_over(webhook={"url": webhook.address})
    assert run.failed
    assert "eu-west-1: AccessDeniedException" in run.message
    assert webhook.bodies[0]["notification"]["regions"] == ["us-east-1"]


def test_a_service_that_refuses_the_connection_is_named_without_its_address(hand_over: Any, run: Runner) -> None:
    with Webhook() as gone:
        run.tokens.add(gone.secret)
    failed = hand_over(webhook={"url": gone.address})
    assert failed.failed
    assert "did not respond" in failed.message


@pytest.mark.parametrize("url", ["http://example.com/services/topsecretpath", "ftp://127.0.0.1/topsecretpath", "topsecretpath"])
def test_an_address_that_is_not_safe_is_refused_without_being_repeated(hand_over: Any, run: Runner, url: str) -> None:
    run.tokens.add("topsecretpath")
    failed = hand_over(webhook={"url": url})
    assert failed.message == "webhook.url is not an https:// address. Plain http is for loopback only."


# The channels


@pytest.mark.parametrize(("kind", "form"), [("slack", "slack"), ("slack", "json"), ("google_chat", "google_chat"), ("discord", "discord")])
def test_each_chat_shows_the_whole_message(hand_over: Any, webhook: Webhook, kind: str, form: str) -> None:
    webhook.kind = kind
    run = hand_over(webhook={"url": webhook.address, "format": form})
    assert not run.failed, run.message
    (shown,) = webhook.shown
    assert shown.startswith(f"EventBridge for {SPOT_ACCOUNT}")
    assert "Enable monitoring of account" in shown
    assert "A second copy has the same id." in shown


def test_teams_shows_a_card_and_does_not_confirm_it(hand_over: Any, webhook: Webhook, aws: Aws) -> None:
    webhook.kind = "teams"
    run = hand_over(webhook={"url": webhook.address, "format": "teams"})
    (shown,) = webhook.shown
    assert "Enable monitoring of account" in shown
    assert str(tag(aws)).endswith("Z/accepted-not-confirmed")
    assert any("does not report whether it is shown" in warning for warning in run.warnings)


def test_a_service_that_drops_what_it_accepts_is_not_remembered_as_confirmed(hand_over: Any, webhook: Webhook, aws: Aws) -> None:
    webhook.kind = "teams"
    run = hand_over(webhook={"url": webhook.address, "format": "json"})
    assert (run.failed, webhook.shown) == (False, [])
    assert str(tag(aws)).endswith("Z/accepted-not-confirmed")


def test_a_failure_with_a_status_of_success_is_a_failure(hand_over: Any, webhook: Webhook, aws: Aws) -> None:
    webhook.kind, webhook.throttled = "connector", True
    options = {"url": webhook.address, "format": "teams"}
    assert "Webhook message delivery failed with error" in hand_over(webhook=options).message
    assert tag(aws) is None
    webhook.throttled = False
    assert not hand_over(webhook=options).failed
    assert str(tag(aws)).endswith("Z")


def test_the_files_are_markdown_and_json(hand_over: Any, tmp_path: Path) -> None:
    assert hand_over(file={"folder": str(tmp_path / "a" / "b")}).changed
    json_file, markdown = sorted((tmp_path / "a" / "b").iterdir())
    assert json.loads(json_file.read_text())["regions"] == ["eu-west-1", "us-east-1"]
    assert markdown.read_text().startswith(f"# EventBridge for {SPOT_ACCOUNT}: enable monitoring in 2 regions")
    assert markdown.name == f"notification-{SPOT_ACCOUNT}-{json.loads(json_file.read_text())['id'][:8]}.md"


def test_a_folder_that_cannot_be_made_is_named(hand_over: Any, tmp_path: Path, aws: Aws) -> None:
    (tmp_path / "file").write_text("")
    run = hand_over(file={"folder": str(tmp_path / "file" / "x")})
    assert "file: " in run.message
    assert "cannot be written to" in run.message
    assert tag(aws) is None


@pytest.mark.parametrize("user", [JIRA_USER, None])
def test_a_ticket_is_opened_and_its_key_kept(hand_over: Any, jira: Jira, aws: Aws, user: str | None) -> None:
    run = hand_over(jira={"url": jira.url, "user": user, "token": jira.secret, "project": "SRE", "labels": ["aws"]})
    assert run.answer["channels"]["jira"]["reference"] == "SRE-1"
    assert str(tag(aws)).endswith("Z/SRE-1")
    assert jira.bodies[0]["fields"]["labels"] == ["aws", "spot-eventbridge", SPOT_ACCOUNT]


def test_wrong_credentials_of_jira_are_named_as_such(hand_over: Any, jira: Jira, run: Runner) -> None:
    run.tokens.add("wrong-token-0123")
    message = hand_over(jira={"url": jira.url, "token": "wrong-token-0123", "project": "SRE"}).message
    assert "responded with 401 (it refuses the credentials)" in message


def test_a_jira_without_labels_on_its_screen_gets_a_ticket_without_labels(hand_over: Any, jira: Jira, aws: Aws) -> None:
    jira.screen.remove("labels")
    run = hand_over(jira={"url": jira.url, "token": jira.secret, "project": "SRE", "fields": {"priority": {"name": "Low"}}})
    assert (run.failed, run.answer["channels"]["jira"]["reference"]) == (False, "SRE-1")
    assert str(tag(aws)).endswith("Z/SRE-1")
    (ticket,) = jira.bodies
    assert "labels" not in ticket["fields"]
    assert ticket["fields"]["priority"] == {"name": "Low"}
    assert any("Jira refused the labels, so the ticket has none: Field 'labels' cannot be set." in warning for warning in run.warnings)


def test_a_field_that_is_null_is_left_out(hand_over: Any, jira: Jira) -> None:
    jira.screen.remove("labels")
    run = hand_over(jira={"url": jira.url, "token": jira.secret, "project": "SRE", "fields": {"labels": None}})
    assert (run.failed, run.warnings, len(jira.received)) == (False, [], 1)


def test_a_field_of_the_user_replaces_the_channels_own(hand_over: Any, jira: Jira) -> None:
    fields = {"issuetype": {"id": "10001"}, "labels": ["only"]}
    assert not hand_over(jira={"url": jira.url, "token": jira.secret, "project": "SRE", "fields": fields}).failed
    assert {name: jira.bodies[0]["fields"][name] for name in fields} == fields


def test_a_field_that_jira_requires_is_named_with_where_to_set_it(hand_over: Any, jira: Jira, aws: Aws) -> None:
    jira.required["customfield_10011"] = "Epic Name"
    jira.screen.remove("labels")
    options = {"url": jira.url, "token": jira.secret, "project": "SRE"}
    message = hand_over(jira=options).message
    assert "Epic Name is required." in message
    assert "Set customfield_10011 in jira.fields" in message
    assert (tag(aws), len(jira.received)) == (None, 1)
    assert not hand_over(jira={**options, "fields": {"customfield_10011": "Spot"}}).failed


def test_what_jira_does_not_like_about_a_ticket_is_told(hand_over: Any, jira: Jira) -> None:
    message = hand_over(jira={"url": jira.url, "token": jira.secret, "project": "NOPE"}).message
    assert "valid project is required" in message


@pytest.mark.parametrize("encryption", ["none", "starttls", "tls"])
def test_a_mail_goes_over_tls_with_a_login(hand_over: Any, run: Runner, tmp_path: Path, encryption: str) -> None:
    (tmp_path / "tls").mkdir()
    files = certificate.make(tmp_path / "tls")
    with Mail(encryption, files.context()) as mail:
        run.tokens.add(mail.password)
        done = hand_over(mail=mail_options(mail, encryption=encryption, ca_path=str(files.authority)))
    assert not done.failed, done.message
    (message,) = mail.messages
    body, attached = message.iter_parts()
    assert message["To"] == "sre@example.com"
    assert "Please:" in body.get_content()
    assert json.loads(attached.get_content())["regions"] == ["eu-west-1", "us-east-1"]


def test_a_mail_server_with_an_unknown_certificate_gets_no_password(hand_over: Any, run: Runner, tmp_path: Path) -> None:
    (tmp_path / "tls").mkdir()
    with Mail("starttls", certificate.make(tmp_path / "tls").context()) as mail:
        run.tokens.add(mail.password)
        assert "SSLCertVerificationError" in hand_over(mail=mail_options(mail, encryption="starttls")).message
    assert mail.messages == []


def test_a_wrong_password_is_named_as_such(hand_over: Any, mail: Mail, run: Runner) -> None:
    run.tokens.add("wrong-password-0123")
    message = hand_over(mail=mail_options(mail, password="wrong-password-0123")).message
    assert "it refuses the credentials: 535" in message


@pytest.mark.slow
def test_a_mail_server_that_says_nothing_is_given_up_within_thirty_seconds(hand_over: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        start = time.monotonic()
        options = {"host": "127.0.0.1", "port": silent.getsockname()[1], "encryption": "none"}
        run = hand_over(mail={**options, "sender": "a@example.com", "recipients": ["b@example.com"]})
        assert time.monotonic() - start < 30
    assert f"the mail server 127.0.0.1:{options['port']}: SMTPServerDisconnected: Connection unexpectedly closed: timed out" in run.message


def test_a_recipient_that_is_refused_is_a_failure(hand_over: Any, run: Runner, aws: Aws) -> None:
    with Mail(refused="gone@example.com") as mail:
        run.tokens.add(mail.password)
        message = hand_over(mail=mail_options(mail, recipients=["sre@example.com", "gone@example.com"])).message
    assert "refuses recipients: gone@example.com: 550" in message
    assert tag(aws) is None


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"recipients": ["sre@example.com\nBcc: all@example.com"]}, "is not an e-mail address"),
        ({"recipients": []}, "mail.recipients is empty"),
        ({"sender": "nobody"}, "is not an e-mail address"),
        ({"host": "mail.example.com"}, "is for loopback only"),
        ({"user": None}, "go together"),
    ],
)
def test_a_mail_that_cannot_be_right_is_refused(hand_over: Any, mail: Mail, changed: dict[str, Any], told: str) -> None:
    assert told in hand_over(mail=mail_options(mail, **changed)).message
    assert mail.messages == []


def test_it_calls_nothing_that_its_notes_do_not_name(hand_over: Any, webhook: Webhook, sandbox: Sandbox) -> None:
    sandbox.clear_calls()
    hand_over(webhook={"url": webhook.address})
    called = {f"{call['service']}:{call['operation']}" for call in sandbox.calls()}
    assert called == permissions("spot_notification")
