# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass, replace

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.iam_policy import EVENTBRIDGE, NO, UNSURE
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.api_destination import new_destination_arn
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.execution_role import ExecutionRole
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.existing_role import ACTION, ExistingRole, read_with_policies
from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import Failure, failure_of
from ansible_collections.spot.eventbridge.plugins.module_utils._core.results import LEFT_OUT_ACTION, failure_message
from ansible_collections.spot.eventbridge.plugins.module_utils._integration.findings.common import may
from ansible_collections.spot.eventbridge.plugins.module_utils._integration.results import combined_result

if t.TYPE_CHECKING:
    from ansible_collections.spot.eventbridge.plugins.module_utils._aws.regions import Regions
    from ansible_collections.spot.eventbridge.plugins.module_utils._core.plan import Document

_ARN = re.compile(r"arn:(?P<partition>[a-z-]+):iam::(?P<account>\d{12}):role/(?P<name>[!-~]+)\Z")
_UNUSABLE = "RoleNotUsable"
_NOT_PERMITTED = "RoleNotPermitted"


@dataclass(frozen=True)
class GivenRole:
    """An execution role that is made elsewhere, as far as it can be read.

    PutTargets accepts a role that does not exist (tests/contract/records/rules.yml, targets-missing-role-accepted), so it is read.

    :ivar failure: why EventBridge cannot assume it; None if it can, or if that is not known
    :ivar missing: whether the failure is that it does not exist, which is no obstacle to a prediction
    :ivar notes: facts that could not be read
    :ivar role: the role with all its policies; None if they could not be read
    """

    arn: str
    failure: Failure | None = None
    missing: bool = False
    notes: tuple[str, ...] = ()
    role: ExistingRole | None = None

    @property
    def name(self) -> str:
        """Return its name, without the path."""
        return self.arn.rsplit("/", 1)[-1]

    @classmethod
    def read(cls, regions: Regions, arn: str, aws_account: str = "") -> GivenRole:
        """Read the role: GetRole, and all its policies. Raises nothing.

        :param aws_account: the account that the rule is in, if it is known
        """
        parts = _ARN.match(arn)
        if not parts:
            message = f"'{arn[:200]}' is not the ARN of a role. Give one like arn:aws:iam::123456789012:role/name."
            return cls(arn, Failure(_UNUSABLE, message))
        account = parts["account"]
        if aws_account and account != aws_account:
            # IAM user guide, "Grant a user permissions to pass a role to an AWS service": only within an account.
            message = f"the role {arn} is in another AWS account than the rule, {aws_account}. EventBridge needs a role of that account."
            return cls(arn, Failure(_UNUSABLE, message))
        try:
            return cls._of(regions, arn, account)
        except Exception as error:  # of any kind: work goes on, and the result has it as a note
            return cls(arn, notes=(_unread(f"EventBridge may assume the execution role {arn}", failure_of(error)),))

    @classmethod
    def _of(cls, regions: Regions, arn: str, account: str) -> GivenRole:
        home, name = regions.home((ExecutionRole.service,)), arn.rsplit("/", 1)[-1]
        refused = None
        try:
            role = read_with_policies(home, arn)
        except Exception as error:
            # A caller may be allowed to read the role, and not its policies.
            refused, found = failure_of(error), home.clients["iam"].get_role(RoleName=name)["Role"]
            role = ExistingRole(found["Arn"], found.get("AssumeRolePolicyDocument"), ())
        if role is None:
            message = f"there is no role {name} in the AWS account {account}. Create the role, or correct its ARN, {arn}."
            return cls(arn, Failure(_UNUSABLE, message), missing=True)
        if role.arn != arn:
            return cls(arn, Failure(_UNUSABLE, f"the ARN of the role {name} is {role.arn}, not {arn}. Correct the ARN."))
        trusts = role.trusts_eventbridge(account)
        if trusts == NO:
            remedy = f"Allow {EVENTBRIDGE} sts:AssumeRole in its trust policy, for the AWS account {account}."
            return cls(arn, Failure(_UNUSABLE, f"EventBridge may not assume the role {arn}. {remedy}"))
        notes = [may("", "EventBridge", f"assume the execution role {arn}", trusts).message] if trusts == UNSURE else []
        if refused:
            notes.append(_unread(f"the execution role {arn} may send to the API destination", refused))
        return cls(arn, notes=tuple(notes), role=None if refused else role)

    def refusal(self, *, check_mode: bool) -> Failure | None:
        """Return why the work is not to be begun; None if it is. A prediction ignores a role that is missing."""
        return None if self.missing and check_mode else self.failure

    def reviewed(self, whole: Document, name: str, destination_arn: t.Callable[[Document], str | None]) -> Document:
        """Return the result of work in which the regions have failed whose API destination the role may not send to.

        :param whole: the result of the work, with `regions`, each with its `action`
        :param name: the name of the API destination
        :param destination_arn: returns its ARN, out of the result of a region; nothing if it does not exist yet
        """
        regions, notes = dict(whole["regions"]), [*self.notes]
        worked_on = {region: entry for region, entry in regions.items() if entry["action"] not in ("failed", LEFT_OUT_ACTION)}
        decisions = {region: self._may_invoke(region, name, destination_arn(entry)) for region, entry in worked_on.items()}
        refused = [region for region, decision in decisions.items() if decision == NO]
        unsure = [region for region, decision in decisions.items() if decision == UNSURE]
        if unsure:
            what = f"send to the API destination {name} in {', '.join(unsure)}"
            notes.append(may("", f"the execution role {self.arn}", what, UNSURE).message)
        finding = may("", f"the execution role {self.arn}", f"send to the API destination {name}", NO)
        failure = Failure(_NOT_PERMITTED, f"{finding.message} Allow it {ACTION} there.")
        for region in refused:
            regions[region] = {"error": failure.as_dict(), **regions[region]}
        if notes:
            whole = {**whole, ExecutionRole.kind: {"action": "unchanged", "changed": False, "note": " ".join(notes)}}
        failures = {region: Failure(**entry["error"]) for region, entry in regions.items() if "error" in entry}
        if not refused:
            return whole
        return {
            **whole,
            "regions": regions,
            "failed_regions": list(failures),
            "msg": failure_message("integration", failures, len(regions)),
        }

    def of_another_account(self, region: str, name: str) -> tuple[str, ...]:
        """Return notes on the role for CloudFormation's work in other accounts, of which the role's may be one."""
        decision = self._may_invoke(region, name, None)
        what = f"send to the API destination {name}"
        doubts = [may("", f"the execution role {self.arn}", what, decision).message] if decision in (NO, UNSURE) else []
        return (*self.notes, *doubts)

    def _may_invoke(self, region: str, name: str, arn: str | None) -> str | None:
        if self.role is None:
            return None
        partition, account = self.arn.split(":")[1], self.arn.split(":")[4]
        return self.role.may_invoke(arn or new_destination_arn(partition, region, account, name))


def with_given_role(
    given: GivenRole, work: t.Callable[[], Document], name: str, destination_arn: t.Callable[[Document], str | None], *, check_mode: bool
) -> Document:
    """Do work that uses a role made elsewhere, unless EventBridge cannot use the role. See `GivenRole.reviewed`."""
    refusal = given.refusal(check_mode=check_mode)
    if refusal:
        return combined_result({}, refusal)
    if given.failure:
        given = replace(given, notes=(f"Outside of check mode, this fails: {given.failure.message}",))
    return given.reviewed(work(), name, destination_arn)


def _unread(what: str, failure: Failure) -> str:
    return f"Unknown whether {what}: {failure.code}: {failure.message}"
