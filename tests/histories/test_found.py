# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The shortest histories of what chance has found, each named for its kind."""

from __future__ import annotations

from tests.histories.history import History
from tests.histories.sites import Trouble


def test_diff_of_a_removed_rule_names_no_tags_that_were_not_read() -> None:
    history = History()
    history.onboard(site="first", regions=["us-east-1"])
    history.offboard(site="first", regions=["us-east-1"])
    history.end()


def test_run_that_another_run_overtakes_does_not_stop_a_later_one() -> None:
    history = History()
    history.onboard(site="first", regions=["us-east-1"], trouble=Trouble(call=16, what="offboard"))
    history.onboard(site="first", regions=["us-east-1"])
    history.end()


def test_rule_of_a_stack_that_lost_its_target_is_seen_by_verify() -> None:
    history = History()
    history.deploy_by(site="beside", method="cloudformation")
    history.onboard(site="beside", regions=["us-east-1"])
    history.hand(site="beside", region="us-east-1", call=("events", "RemoveTargets", {"Rule": "{name}", "Ids": ["spot"]}))
    history.verify(site="beside", regions=["us-east-1"])
    history.end()


def test_adoption_that_stopped_after_its_stack_was_deleted_ends_when_it_is_repeated() -> None:
    history = History()
    history.deploy_by(site="first", method="cloudformation")
    history.onboard(site="first", regions=["us-east-1"])
    history.hand(site="first", region="us-east-1", call=("events", "DisableRule", {"Name": "{name}"}))
    history.onboard(site="first", regions=["us-east-1"], on_existing="adopt", trouble=Trouble(call=30, what="denied", times=8))
    history.end()


def test_queue_with_a_message_that_is_delayed_stays() -> None:
    message = {"QueueUrl": "{queue_url}", "MessageBody": '{"time": "2026-01-01T00:00:00Z"}', "DelaySeconds": 10}
    history = History()
    history.onboard(site="first", regions=["ap-south-1"])
    history.hand(site="first", region="ap-south-1", call=("sqs", "SendMessage", message))
    history.end()


def test_api_destination_whose_state_aws_shows_late_may_deliver() -> None:
    history = History()
    history.slow(state_seconds=1.5)
    history.onboard(site="elsewhere", regions=["ap-south-1"])
    history.slow(destination_lag_seconds=2.0)
    history.verify(site="elsewhere", regions=["ap-south-1"])


def test_an_authorisation_that_is_taken_away_meanwhile_is_no_change_of_the_run() -> None:
    history = History()
    history.onboard(site="first", regions=["us-east-1", "eu-west-1"])
    history.slow(state_seconds=1.5)
    history.hand(site="first", region="eu-west-1", call=("events", "DeauthorizeConnection", {"Name": "{name}"}))
    history.offboard(site="first", regions=["us-east-1"])
    history.end()


def test_cloudformation_fails_with_a_response_that_it_cannot_read() -> None:
    history = History()
    history.deploy_by(site="first", method="cloudformation")
    history.onboard(site="first", regions=["us-east-1", "eu-west-1"], trouble=Trouble(call=36, what="garbage", times=3))
    history.end()


def test_connection_that_reads_show_as_it_was_before_is_not_taken_for_broken() -> None:
    history = History()
    history.onboard(site="first", regions=["us-east-1"])
    history.slow(read_lag_seconds=1.0)
    history.hand(site="first", region="us-east-1", call=("events", "DeauthorizeConnection", {"Name": "{name}"}))
    history.onboard(site="first", regions=["us-east-1"])
    history.verify(site="first", regions=["us-east-1"])
    history.end()


def test_instance_of_a_stack_set_is_verified_under_the_names_of_its_stack() -> None:
    history = History()
    history.deploy_by(site="elsewhere", method="stack_set")
    history.onboard(site="elsewhere", regions=["us-east-1", "eu-west-1"])
    history.verify(site="elsewhere", regions=["us-east-1", "eu-west-1"])
    history.hand(site="elsewhere", region="us-east-1", call=("events", "DeauthorizeConnection", {"Name": "{name}"}))
    history.repair(site="elsewhere", regions=["us-east-1"])
    history.verify(site="elsewhere", regions=["us-east-1"])
    history.end()


def test_second_target_to_our_destination_is_named_by_onboarding() -> None:
    target = {"Id": "1", "RoleArn": "{role_arn}", "Arn": "{destination_arn}"}
    history = History()
    history.onboard(site="elsewhere", regions=["ap-south-1"])
    history.hand(site="elsewhere", region="ap-south-1", call=("events", "PutTargets", {"Rule": "{name}", "Targets": [target]}))
    history.onboard(site="elsewhere", regions=["ap-south-1"])
    history.end()


def test_rule_that_is_enabled_for_more_events_delivers() -> None:
    more = {"Name": "{name}", "State": "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS", "EventPattern": '{"source": ["aws.ec2"]}'}
    history = History()
    history.onboard(site="first", regions=["eu-west-1"])
    history.hand(site="first", region="eu-west-1", call=("events", "PutRule", more))
    history.end()


def test_connection_of_others_that_is_never_authorised_is_no_mistake_of_the_prediction() -> None:
    server = {
        "HttpMethod": "GET",
        "ClientParameters": {"ClientID": "x", "ClientSecret": "x"},
        "AuthorizationEndpoint": "https://x.invalid/",
    }
    connection = {
        "Name": "{name}",
        "AuthorizationType": "OAUTH_CLIENT_CREDENTIALS",
        "AuthParameters": {"OAuthParameters": server, "InvocationHttpParameters": {"QueryStringParameters": [{}]}},
    }
    history = History()
    history.hand(site="first", region="us-east-1", call=("events", "CreateConnection", connection))
    history.onboard(site="first", regions=["us-east-1"])
    history.end()


def test_no_region_is_active_whose_role_could_not_be_made() -> None:
    history = History()
    history.onboard(site="first", regions=["us-east-1"])
    history.hand(site="first", region="us-east-1", call=("iam", "DeleteRole", {"RoleName": "{name}"}))
    history.onboard(site="first", regions=["us-east-1"], trouble=Trouble(call=11, what="denied", times=8))
    history.end()


def test_region_that_adoption_could_not_read_stays_as_it_is_until_its_stack_is_released() -> None:
    history = History()
    history.deploy_by(site="first", method="cloudformation")
    history.onboard(site="first", regions=["us-east-1", "ap-south-1"])
    history.onboard(site="first", regions=["us-east-1"], on_existing="adopt", trouble=Trouble(call=19, what="lost_answer", times=8))
    assert not any(call["region"] == "ap-south-1" for call in history.house.calls(writes=True))
    history.refuse(site="first", region="ap-south-1")
    history.end()
