# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import dataclasses
import functools
import typing as t
from dataclasses import dataclass

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.regions import Regions, settle
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.execution_role import role_arn
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.rule import alarm_rule
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.tags import as_text
from ansible_collections.spot.eventbridge.plugins.module_utils._core.argument_specs import ArgumentSpec, tags_argument_spec
from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import Failure
from ansible_collections.spot.eventbridge.plugins.module_utils._core.plan import Document
from ansible_collections.spot.eventbridge.plugins.module_utils._core.reconcile import reconcile
from ansible_collections.spot.eventbridge.plugins.module_utils._core.results import (
    ABSENT,
    INCOMPLETE,
    LEFT_OUT,
    LEFT_OUT_ACTION,
    NO_API_DESTINATIONS,
    UNKNOWN,
    UNSUPPORTED,
    WATCHED,
    Outcome,
    Row,
    diff_entry,
    left_out,
    left_out_entry,
    problem,
    resource_result,
    row,
    worst_first,
)
from ansible_collections.spot.eventbridge.plugins.module_utils._core.validation import QUEUE_NAME, check_aws_account, check_name
from ansible_collections.spot.eventbridge.plugins.module_utils._watch.hub import Hub, hub_argument_spec
from ansible_collections.spot.eventbridge.plugins.module_utils._watch.permission import Permission
from ansible_collections.spot.eventbridge.plugins.module_utils._watch.rules import AlarmRule

if t.TYPE_CHECKING:
    pass

_PERMISSION = "execution_role"


def argument_spec() -> ArgumentSpec:
    """Return the options for how an integration is watched."""
    return {
        **hub_argument_spec(),
        "role_name": {"type": "str"},
        "role_arn": {"type": "str"},
        "queue_name": {"type": "str"},
        "aws_account": {"type": "str"},
        **tags_argument_spec(),
    }


@dataclass(frozen=True)
class Member:
    """How an integration is to be watched: the permission of its execution role, and a rule in each region."""

    permission: Permission
    rule: AlarmRule
    present: bool = True

    @classmethod
    def from_parameters(cls, params: t.Mapping[str, t.Any], regions: Regions) -> Member:
        """Return what the options of `spot_watch` desire.

        :raises ArgumentError: an option is not valid.
        """
        name, present = check_name(params["name"]), params["state"] == "present"
        role, arn = params["role_name"] or name, params["role_arn"] or ""
        if not present:
            return cls(Permission(role, role_arn=arn, present=False), AlarmRule.to_remove(name), present=False)
        queue = check_name(params["queue_name"] or name.replace(".", "-"), QUEUE_NAME)
        Hub.from_parameters(params)
        # AWS is called only once all other options are known to be valid.
        account = check_aws_account(params["aws_account"] or regions.aws_account())
        hub = Hub.from_parameters(params, account)
        rule = AlarmRule(
            alarm_rule(name),
            hub=hub,
            integration=name,
            aws_account=account,
            role_arn=arn or role_arn(regions[regions.names[0]].partition, account, role),
            dead_letter_queue=queue,
            tags=as_text(params["tags"]),
            purge_tags=params["purge_tags"],
        )
        return cls(Permission(role, hub, arn), rule)


def apply_member(member: Member, regions: Regions, *, check_mode: bool, timeout: float, unsupported: t.Iterable[str] = ()) -> Document:
    """Bring the watch of an integration to what is desired in all regions: the permission before the first, or after the last.

    :param timeout: seconds to wait for AWS in each step
    :param unsupported: the regions that the user has left out
    :returns: the result of `spot_watch`
    """
    how: Document = {"check_mode": check_mode, "timeout": timeout}
    permission: Outcome | Failure | None = None
    if member.present:
        permission = settle(member.permission, regions, **how)
        if isinstance(permission, Outcome):
            # As it was read: the path of a role is no part of its name.
            arn = str((permission.document or {})["role_arn"])
            member = dataclasses.replace(member, rule=dataclasses.replace(member.rule, role_arn=arn))
    results: dict[str, t.Any] = {}
    if not isinstance(permission, Failure):
        results = regions.run(functools.partial(reconcile, member.rule, **how))
    if not member.present and not any(isinstance(result, Failure) and not left_out(result)[0] for result in results.values()):
        # As long as a rule may be there, it needs the permission.
        permission = settle(member.permission, regions, **how)
    whole = _with_permission(_regions(member, results), permission)
    return _account(whole, present=member.present, predicted=check_mode, unsupported=unsupported)


def _regions(member: Member, results: t.Mapping[str, Outcome | Failure]) -> Document:
    out = {name: left_out(result) for name, result in results.items() if isinstance(result, Failure)}
    worked = {name: result for name, result in results.items() if not out.get(name, ("",))[0]}
    whole = resource_result(member.rule.kind, worked)
    entries = {name: left_out_entry(*out[name]) if name not in worked else whole["regions"][name] for name in results}
    return {**whole, "regions": entries}


def _with_permission(whole: Document, permission: Outcome | Failure | None) -> Document:
    if permission is None:
        return whole
    if isinstance(permission, Failure):
        failed = {"action": "failed", "changed": False, "error": permission.as_dict()}
        return {**whole, _PERMISSION: failed, "msg": f"execution role: {permission.code}: {permission.message}"}
    plan, changed = permission.plan, permission.plan.action != "unchanged"
    entry: Document = {"action": plan.action, "changed": changed, "permission": permission.document}
    if plan.note:
        entry["note"] = plan.note
    diff = [diff_entry("", "execution role", plan)] if changed else []
    return {**whole, _PERMISSION: entry, "changed": whole["changed"] or changed, "diff": [*diff, *whole["diff"]]}


def _account(whole: Document, *, present: bool, predicted: bool, unsupported: t.Iterable[str]) -> Document:
    rows = [_row(name, entry, present, predicted) for name, entry in whole["regions"].items()]
    by_user = [row(name, UNSUPPORTED, action="-", reason=NO_API_DESTINATIONS) for name in unsupported if rows]
    summary = worst_first([*rows, *by_user])
    good = (*LEFT_OUT, *((WATCHED, *((ABSENT,) if predicted else ())) if present else (ABSENT,)))
    role = whole.get(_PERMISSION) or {}
    error = whole["msg"] if role.get("action") == "failed" else ""
    words = f"permission of the execution role {'would be ' if predicted else ''}{role.get('action')}"
    seen = {line["region"]: {"status": line["status"], "reason": line["reason"]} for line in rows}
    return {
        **whole,
        "regions": {name: {**seen[name], **entry} for name, entry in whole["regions"].items()},
        "summary": summary,
        "problem": problem(summary, good, "not watched" if present else "could not be cleared", error),
        "notes": [words] if role.get("changed") else [role["note"]] if role.get("note") else [],
    }


def _row(name: str, entry: t.Mapping[str, t.Any], present: bool, predicted: bool) -> Row:
    action = entry["action"]
    if action == LEFT_OUT_ACTION:
        return row(name, entry["status"], action="-", reason=entry["reason"])
    if action == "failed":
        status = INCOMPLETE if present else UNKNOWN
        return row(name, status, action="-", reason=f"{entry['error']['code']}: {entry['error']['message']}")
    status = ABSENT if not present or (predicted and action == "created") else WATCHED
    words = "-" if action == "unchanged" else f"{'would be ' if predicted else ''}{action}"
    return row(name, status, action=words, reason=entry.get("note", ""), changed=entry["changed"])
