# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the words in braces stand for in what others do by hand (hands.py)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.histories.sites import SITES

if TYPE_CHECKING:
    from tests.histories.history import History


class Words(dict[str, str]):
    """What the words in braces stand for in arguments of calls by hand; other resources of a region are made when they are spoken of."""

    def __init__(self, history: History, site: str, region: str) -> None:
        super().__init__()
        self._history, self._site, self._region = history, site, region

    def __missing__(self, word: str) -> str:
        history, site, region = self._history, SITES[self._site], self._region
        there = history._there(self._site)
        of_region = {"connection_arn": "connection", "destination_arn": "api_destination", "rule_arn": "rule"}
        plain = {
            "name": site.name,
            "aws_account": site.aws_account,
            "spot_account": site.spot_account,
            "endpoint": history.endpoint,
            "token": history._token(self._site),
            "viewer": history.house.tokens["viewer"],
            "other": history.house.tokens["other"],
            "queue_arn": f"arn:aws:sqs:{region}:{site.aws_account}:{site.name}",
            "queue_url": f"http://sqs.{region}.amazonaws.com/{site.aws_account}/{site.name}",
        }
        if word in plain:
            return plain[word]
        if word in of_region:
            return str(there[site.aws_account, region, of_region[word], site.name]["arn"])
        if word == "role_arn":
            return str(there[site.aws_account, "", "execution_role", site.name]["arn"])
        if word == "secret_arn":
            from tests.sandbox import events

            return events.backend(site.aws_account, region).links.connections[site.name].secret_arn
        made = f"{word}/{site.aws_account}/{region}"
        if made not in history._others:
            history._others[made] = str(getattr(self, f"_make_{word}")())
        return history._others[made]

    def _client(self, service: str) -> Any:
        return self._history._client(self._site, service, self._region)

    def _make_other_connection_arn(self) -> str:
        key = {"ApiKeyAuthParameters": {"ApiKeyName": "Authorization", "ApiKeyValue": "Bearer x"}}
        return self._client("events").create_connection(Name="theirs", AuthorizationType="API_KEY", AuthParameters=key)["ConnectionArn"]

    def _make_other_destination_arn(self) -> str:
        connection = self["other_connection_arn"]
        return self._client("events").create_api_destination(
            Name="theirs", ConnectionArn=connection, InvocationEndpoint="https://example.com/", HttpMethod="POST"
        )["ApiDestinationArn"]

    def _make_other_queue_arn(self) -> str:
        self._client("sqs").create_queue(QueueName="theirs")
        return f"arn:aws:sqs:{self._region}:{SITES[self._site].aws_account}:theirs"

    def _make_other_role_arn(self) -> str:
        trust = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sts:AssumeRole"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        return self._client("iam").create_role(RoleName=f"theirs-{self._region}", AssumeRolePolicyDocument=document)["Role"]["Arn"]

    def _managed(self, name: str, effect: str, action: str) -> str:
        document = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": effect, "Action": action, "Resource": "*"}]})
        return self._client("iam").create_policy(PolicyName=f"{name}-{self._region}", PolicyDocument=document)["Policy"]["Arn"]

    def _make_managed_policy(self) -> str:
        return self._managed("allow", "Allow", "*")

    def _make_managed_denial(self) -> str:
        return self._managed("deny", "Deny", "events:*")

    def _make_managed_nothing(self) -> str:
        return self._managed("nothing", "Allow", "s3:*")

    def _make_key_id(self) -> str:
        return self._client("kms").create_key()["KeyMetadata"]["KeyId"]

    def _make_key(self) -> str:
        return f"arn:aws:kms:{self._region}:{SITES[self._site].aws_account}:key/{self['key_id']}"
