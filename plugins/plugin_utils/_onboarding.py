# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import typing as t

from ansible_collections.spot.eventbridge.plugins.module_utils._core.finding import PASS, SKIP
from ansible_collections.spot.eventbridge.plugins.module_utils._core.results import Row, row, worst_first
from ansible_collections.spot.eventbridge.plugins.module_utils._core.statuses import (
    ABSENT,
    ACTIVE,
    DRIFTED,
    INACTIVE,
    INCOMPLETE,
    UNKNOWN,
    UNSUPPORTED,
)
from ansible_collections.spot.eventbridge.plugins.plugin_utils._account import Result, result

# What a region is as long as a change was only predicted.
_PRESENT = {"created": ABSENT, "reauthorized": INACTIVE}
_STATES = (
    # kind, the key of its state, the only good value
    ("connection", "connection_state", "AUTHORIZED"),
    ("api_destination", "api_destination_state", "ACTIVE"),
    ("rule", "state", "ENABLED"),
)


Answer = t.Mapping[str, t.Any]


def onboarded(
    integration: Answer, preflight: Answer, *, host: str, spot_account: str, predicted: bool = False, takeover: Answer | None = None
) -> Result:
    """What came of onboarding an account.

    :param integration: the result of `spot_integration` or `spot_stack`, failed, skipped or not
    :param preflight: the result of `spot_preflight_info`, failed or not
    :param predicted: whether it was check mode, so that nothing was done
    :param takeover: what was done about the integrations that were there already: `existing` names them, each with its region;
        `test_event` is the result of `spot_test_event`, or nothing where no proof was needed; `removals` are the results of the
        modules that removed them
    """
    good = (ACTIVE, UNSUPPORTED, *((ABSENT, DRIFTED, INACTIVE) if predicted else ()))
    # Without a region done, there is nothing to say of those that would have been left out.
    found = rows(integration["regions"], preflight["unsupported"], predicted) if integration.get("regions") else []
    if takeover:
        found = worst_first(_taken_over(line, takeover, predicted) for line in found)
    whole = _whole(integration, preflight, predicted)
    return result(found, host=host, spot_account=spot_account, good=good, goal="not active", **whole)


def offboarded(integration: Answer, preflight: Answer, *, host: str, spot_account: str, predicted: bool = False) -> Result:
    """What came of offboarding an account; see `onboarded`."""
    found = removal_rows(integration.get("regions", {}), predicted)
    whole = _whole(integration, preflight, predicted)
    return result(found, host=host, spot_account=spot_account, good=(ABSENT, UNSUPPORTED), goal="could not be cleared", **whole)


def _whole(integration: Answer, preflight: Answer, predicted: bool) -> dict[str, t.Any]:
    """What concerns the account as a whole."""
    error = account_error(preflight, "regions") or account_error(integration, "failed_regions")
    if role_failed(integration):
        error = integration["msg"]
    return {"aws_account": preflight.get("aws_account"), "error": error, "notes": role_notes(integration, predicted)}


def role_failed(integration: Answer) -> bool:
    """Whether the execution role could not be made or removed."""
    return (integration.get("execution_role") or {}).get("action") == "failed"


def account_error(answer: Answer, key: str) -> str:
    """Why a module came to no result at all, in one line; empty if it did.

    :param key: what stands in each of its results
    """
    if key in answer:
        return ""
    return " ".join(str(answer.get("msg") or "the module ended without a result").split())


def role_notes(integration: Answer, predicted: bool) -> list[str]:
    """What was done to the execution role, in words; nothing if it stayed as it is.

    :param integration: the result of `spot_integration`
    """
    role = integration.get("execution_role") or {}
    if role.get("changed"):
        return [f"execution role {'would be ' if predicted else ''}{role['action']}"]
    return [role["note"]] if role.get("note") else []


def rows(regions: t.Mapping[str, t.Any], unsupported: t.Iterable[str] = (), predicted: bool = False) -> list[Row]:
    """What came of onboarding, one row for each region, worst first.

    :param regions: the `regions` of the answer of `spot_integration`
    :param unsupported: the regions that were left out
    :param predicted: whether it was check mode, so that nothing was done
    """
    found = [_row(region, entry, predicted) for region, entry in regions.items()]
    reason = "this region has no API destinations"
    return worst_first([*found, *(row(region, UNSUPPORTED, done="-", reason=reason) for region in unsupported)])


def removal_rows(regions: t.Mapping[str, t.Any], predicted: bool = False) -> list[Row]:
    """What came of offboarding, one row for each region, worst first.

    :param regions: as for `rows`
    :param predicted: as for `rows`
    """
    return worst_first(_removal_row(region, entry, predicted) for region, entry in regions.items())


def _taken_over(line: Row, takeover: Answer, predicted: bool) -> Row:
    """A region's row, with what became of the integrations that were there already; see `onboarded`."""
    region = line["region"]
    existing = [other for other in takeover["existing"] if other["region"] == region]
    if not existing or line["status"] in (INCOMPLETE, UNKNOWN):
        return line
    others = ", ".join(
        dict.fromkeys(f"the stack {other['stack_name']}" if other["stack_name"] else str(other["name"]) for other in existing)
    )

    def failed(reason: str) -> Row:
        return row(region, INCOMPLETE, changed=line["changed"], done=line["done"], reason=reason)

    test_event = takeover.get("test_event")
    if test_event:
        proof = (test_event.get("regions") or {}).get(region) or {"outcome": "", "message": test_event.get("msg") or "none was sent"}
        if proof["outcome"] not in ((PASS, SKIP) if predicted else (PASS,)):
            return failed(f"it was made, but no test event arrived by it, so that {others} was kept, too: {proof['message']}")
    for removal in takeover["removals"]:
        done = removal.get("regions", {}).get(region, {})
        if done.get("action") == "failed" or "regions" not in removal:
            error = done.get("error", {}).get("message") or removal.get("msg") or "it did not come to its end"
            return failed(f"{others} could not be removed: {error}")
    gone = f"{'would take over from' if predicted else 'took over from'} {others}"
    done_here = gone if line["done"] in ("-", "unchanged") else f"{line['done']}, {gone}"
    return row(region, line["status"], changed=True, done=done_here, reason=line["reason"])


def _actions(entry: t.Mapping[str, t.Any]) -> t.Mapping[str, str]:
    """What was done to each part; a stack is one."""
    if "actions" in entry:
        return t.cast("t.Mapping[str, str]", entry["actions"])
    return {} if entry["action"] == "failed" else {"stack": entry["action"]}


def _notes(entry: t.Mapping[str, t.Any]) -> list[str]:
    return entry["notes"] if "notes" in entry else [entry["note"]] if entry.get("note") else []


def _row(region: str, entry: t.Mapping[str, t.Any], predicted: bool) -> Row:
    if entry["action"] == "failed":
        return _failed_row(region, entry, predicted)
    lost = [
        f"the {kind.replace('_', ' ')} is {entry[kind].get(key)}"
        for kind, key, good in _STATES
        if (entry.get(kind) or {}).get(key, good) != good
    ]
    reason = "; ".join(_notes(entry) or lost) if lost else ""
    if predicted and entry["changed"]:
        return row(region, _PRESENT.get(entry["action"], DRIFTED), changed=True, done=_done(entry, predicted), reason=reason)
    return row(region, INACTIVE if lost else ACTIVE, changed=entry["changed"], done=_done(entry, predicted), reason=reason)


def _removal_row(region: str, entry: t.Mapping[str, t.Any], predicted: bool) -> Row:
    if entry["action"] == "failed":
        return _failed_row(region, entry, predicted)
    # What is kept on purpose is no failure: it is somebody else's, or holds what nobody has read yet.
    return row(region, ABSENT, changed=entry["changed"], done=_done(entry, predicted), reason="; ".join(_notes(entry)))


def _failed_row(region: str, entry: t.Mapping[str, t.Any], predicted: bool) -> Row:
    error = entry["error"]
    status = INCOMPLETE if _actions(entry) else UNKNOWN
    reason = f"{error['code']}: {error['message']}"
    return row(region, status, changed=entry["changed"], done=_done(entry, predicted), reason=reason)


def _done(entry: t.Mapping[str, t.Any], predicted: bool) -> str:
    actions = _actions(entry)
    done = [f"{kind.replace('_', ' ')} {action}" for kind, action in actions.items() if action != "unchanged"]
    if entry["action"] != "failed" and len(set(actions.values())) == 1:
        done = [entry["action"]]
    return ("would be " if predicted and entry["changed"] else "") + (", ".join(done) or "-")
