# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Several AWS accounts, in an organization or with the roles that stack sets need, and what a stack set has in them."""

from __future__ import annotations

import json
import time
from collections import Counter
from typing import Any

from tests.sandbox.client import Sandbox

ADMINISTRATOR, FIRST, SECOND, THIRD, LATE = "123456789012", "111111111111", "222222222222", "333333333333", "444444444444"
SPOT_ACCOUNTS = {FIRST: "act-00000011", SECOND: "act-00000022", THIRD: "act-00000033"}
LATE_SPOT_ACCOUNT = "act-00000044"
HOME, REGIONS = "us-east-1", ["eu-west-1", "us-west-2", "ap-south-1"]
NAME = "spot-interruption"
ADMINISTRATION_ROLE, EXECUTION_ROLE = "AWSCloudFormationStackSetAdministrationRole", "AWSCloudFormationStackSetExecutionRole"
STACK_SETS = "member.org.stacksets.cloudformation.amazonaws.com"
WRITES = ("CreateStackSet", "UpdateStackSet", "DeleteStackSet", "CreateStackInstances", "UpdateStackInstances", "DeleteStackInstances")


class Accounts:
    """The accounts of a sandbox, seen past the modules."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.cloudformation = sandbox.boto3("cloudformation", HOME)
        self.organizations = sandbox.boto3("organizations")
        known = {**SPOT_ACCOUNTS, LATE: LATE_SPOT_ACCOUNT}
        sandbox.add_spot_accounts([{"accountId": spot, "providerExternalId": aws, "name": aws} for aws, spot in known.items()])

    def keys(self, account: str) -> dict[str, str]:
        """Credentials of another account."""
        role = f"arn:aws:iam::{account}:role/tester"
        return dict(self.sandbox.boto3("sts").assume_role(RoleArn=role, RoleSessionName="test")["Credentials"])

    def client(self, account: str, service: str, region: str = HOME) -> Any:
        """A client of a service in another account."""
        keys = self.keys(account)
        more = {"aws_secret_access_key": keys["SecretAccessKey"], "aws_session_token": keys["SessionToken"]}
        return self.sandbox.boto3(service, region, keys["AccessKeyId"], **more)

    # To make

    def roles(self, *accounts: str) -> None:
        """Make the roles that permissions of one's own need, by default for the three accounts."""
        self.sandbox.boto3("iam").create_role(**ROLES[ADMINISTRATION_ROLE])
        for account in accounts or SPOT_ACCOUNTS:
            self.execution_role(account)

    def execution_role(self, account: str) -> None:
        """Make the role with which the administrator works in an account."""
        self.client(account, "iam").create_role(**ROLES[EXECUTION_ROLE])

    def organize(self) -> str:
        """Make an organization in which stack sets have access; its root."""
        self.organizations.create_organization(FeatureSet="ALL")
        self.cloudformation.activate_organizations_access()
        return str(self.organizations.list_roots()["Roots"][0]["Id"])

    def unit(self, parent: str, *accounts: str, name: str = "unit") -> str:
        """Make an organizational unit with new accounts; its id."""
        made = self.organizations.create_organizational_unit(ParentId=parent, Name=name)["OrganizationalUnit"]["Id"]
        for account in accounts:
            self.sandbox.add_organization_account(account, parent=made)
        return str(made)

    def move(self, account: str, source: str, target: str) -> None:
        """Move an account, and wait for what automatic deployment makes of it."""
        self.organizations.move_account(AccountId=account, SourceParentId=source, DestinationParentId=target)
        self.at_rest()

    # To look at

    def at_rest(self) -> None:
        """Wait until no operation is in progress."""
        end = time.monotonic() + 20
        while any(operation["Status"] in ("QUEUED", "RUNNING", "STOPPING") for operation in self.operations()):
            assert time.monotonic() < end
            time.sleep(0.02)

    def operations(self) -> list[Any]:
        """The operations on the stack set, the newest first."""
        return list(self.cloudformation.list_stack_set_operations(StackSetName=NAME)["Summaries"])

    def instances(self) -> dict[tuple[str, str], str]:
        """The status of each instance."""
        found = self.cloudformation.list_stack_instances(StackSetName=NAME)["Summaries"]
        return {(instance["Account"], instance["Region"]): instance["Status"] for instance in found}

    def last_operations(self) -> dict[tuple[str, str], str]:
        """The operation that was the last on each instance."""
        found = self.cloudformation.list_stack_instances(StackSetName=NAME)["Summaries"]
        return {(instance["Account"], instance["Region"]): instance["LastOperationId"] for instance in found}

    def writes(self) -> list[str]:
        """What was asked of CloudFormation that changes a stack set, in order."""
        return [call["operation"] for call in self.sandbox.calls(service="cloudformation") if call["operation"] in WRITES]

    def delivered(self, accounts: dict[str, str], regions: list[str] | None = None) -> Counter[tuple[str, str, str]]:
        """Interrupt an instance in each account and region; what Spot received of it: AWS account, region, Spot account."""
        self.sandbox.clear_received()
        for account in accounts:
            for region in regions or REGIONS:
                self.sandbox.interrupt(region, account)
        assert self.sandbox.settled()
        taken = [note for note in self.sandbox.notifications() if note["status"] == 200]
        return Counter((note["body"]["account"], note["body"]["region"], note["query"]["accountId"]) for note in taken)

    def left(self) -> list[str]:
        """What is left of integrations in the three accounts: connections and rules."""
        found = []
        for account in (*SPOT_ACCOUNTS, LATE):
            for region in REGIONS:
                events = self.client(account, "events", region)
                found += [item["Name"] for item in events.list_connections()["Connections"]]
                found += [item["Name"] for item in events.list_rules()["Rules"]]
        return found


def each(accounts: dict[str, str], regions: list[str] | None = None) -> Counter[tuple[str, str, str]]:
    """Each account and region once, with the Spot account that it ought to have."""
    return Counter((account, region, spot) for account, spot in accounts.items() for region in regions or REGIONS)


def _role(name: str, trusted: dict[str, str]) -> dict[str, str]:
    statement = {"Effect": "Allow", "Principal": trusted, "Action": "sts:AssumeRole"}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    return {"RoleName": name, "AssumeRolePolicyDocument": trust}


# The arguments of CreateRole for the roles that permissions of one's own need.
ROLES = {
    ADMINISTRATION_ROLE: _role(ADMINISTRATION_ROLE, {"Service": "cloudformation.amazonaws.com"}),
    EXECUTION_ROLE: _role(EXECUTION_ROLE, {"AWS": f"arn:aws:iam::{ADMINISTRATOR}:root"}),
}
