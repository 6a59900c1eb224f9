# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What has to hold, whatever has happened: pure functions of results and of the truth."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from tests.histories.sites import SITES, Site
from tests.integration.modules.runner import Run
from tests.integration.modules.secrets_in import secrets_in

if TYPE_CHECKING:
    from tests.histories.history import History
    from tests.histories.truth import Arrival, Key

Json = dict[str, Any]
Demand = Callable[[bool, str], None]
POLICY, TARGET = "invoke-api-destination", "spot"
# The checks each of which, where it fails, says that no notice arrives by this integration.
FATAL = {
    *("integration", "connection", "connection_state", "api_destination", "api_destination_state"),
    *("rule", "rule_state", "rule_matches", "target", "execution_role"),
}
# These say something about more than the integration.
EVIDENCE = {"deliveries", "dead_letters", "notification"}
_ID = re.compile(r"/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def state_of(entry: Json) -> str:
    """Return the state of a region as verify sees it: its status, and the checks that did not pass."""
    found = sorted(
        f"{finding['check']}={finding['outcome']}"
        for finding in entry["findings"]
        if finding["outcome"] not in ("pass", "skip") and finding["check"] not in EVIDENCE
    )
    return f"{entry['status']}: {' '.join(found)}"


def judge(
    entry: Json, arrivals: Sequence[Arrival], site: Site, demand: Demand, region: str, *, refused: bool = False, lags: bool = False
) -> str:
    """Compare what verify says of a region with what would arrive; return `delivered`, `lost` or `undecided`.

    Args:
        refused: whether the token that verify was given is not good, and preflight has said so.
        lags: whether AWS shows the state of an API destination later than it is.
    """
    outcome = {finding["check"]: finding["outcome"] for finding in entry["findings"]}
    of_account = [arrival for arrival in arrivals if arrival.spot_account == site.spot_account]
    ours = [arrival for arrival in of_account if arrival.rule == site.name and arrival.whole]
    doubts = {check for check, result in outcome.items() if result in ("warn", "unknown")} - EVIDENCE - {"stack"}
    said = f"{region}: verify says {state_of(entry)}, and {len(ours)} notice(s) would arrive by it, {len(of_account)} in all"
    if entry["status"] == "active":
        demand(len(ours) == 1 or bool(doubts) or refused, said)
        demand(len(of_account) <= 1 or outcome.get("double_delivery") != "pass", said)
    failed = {check for check, result in outcome.items() if result == "fail"}
    if "target_role" in failed:  # another role is used in place of the one that is desired, and may do
        failed.discard("execution_role")
    if (entry["resources"]["rule"] or {}).get("state") != "DISABLED":  # there are several states in which it is enabled
        failed.discard("rule_state")
    if failed & FATAL - ({"api_destination_state"} if lags else set()):
        demand(not ours, said)
    if entry["status"] == "unknown" or (entry["status"] == "active" and doubts and len(ours) != 1):
        return "undecided"
    return "delivered" if ours else "lost"


def is_ours(key: Key, site: Site, regions: Collection[str]) -> bool:
    """Tell whether a resource belongs to a site, and to the regions that were asked for; the role is for all."""
    account, region, _, name = key
    return account == site.aws_account and name == site.name and (not region or region in regions)


def demand_others_untouched(
    before: dict[Key, Json], after: dict[Key, Json], site: Site, regions: Collection[str], demand: Demand, *, removes: bool
) -> None:
    """What is of others stays, byte for byte: their resources, and their targets and tags on ours."""
    for key in before.keys() | after.keys():
        one, other = before.get(key), after.get(key)
        if not is_ours(key, site, regions):
            demand(removes or _lasting(one) == _lasting(other), f"{key} is of others, and changed: {one} to {other}")
        elif one and other and key[2] == "rule":
            kept, now = _foreign_targets(one, before, site, key), _foreign_targets(other, before, site, key)
            demand(removes or kept == now, f"the targets of others on {key} changed: {kept} to {now}")


def same(before: dict[Key, Json], after: dict[Key, Json]) -> bool:
    """Tell whether nothing has changed, but for what changes by itself as time passes."""
    return {key: _lasting(value) for key, value in before.items()} == {key: _lasting(value) for key, value in after.items()}


def _lasting(resource: Json | None) -> Json | None:
    return resource and {name: value for name, value in resource.items() if name not in ("connection_state", "secret", "messages")}


def _foreign_targets(rule: Json, before: dict[Key, Json], site: Site, key: Key) -> Json:
    destination = before.get((key[0], key[1], "api_destination", site.name), {}).get("arn")
    return {name: target for name, target in rule["targets"].items() if name != TARGET and target["Arn"] != destination}


def demand_calls_where_asked(calls: Iterable[Json], regions: Collection[str], demand: Demand) -> None:
    """Nothing is written in a region that was not asked for."""
    strange = {(call["region"], call["operation"]) for call in calls if call["service"] not in ("iam", "sts")}
    strange = {(region, operation) for region, operation in strange if region not in regions}
    demand(not strange, f"written in regions that were not asked for: {sorted(strange)}")


def demand_written_once(calls: Iterable[Json], demand: Demand) -> None:
    """A run that nothing goes wrong in makes each change by one call."""
    taken = [call for call in calls if call["status"] == 200 and call["operation"] != "DeleteRolePolicy"]
    seen = [(call["region"], call["operation"]) for call in taken]
    demand(len(seen) == len(set(seen)), f"written more than once: {sorted({call for call in seen if seen.count(call) > 1})}")


def demand_dead_letters_kept(before: dict[Key, Json], after: dict[Key, Json], demand: Demand) -> None:
    """A queue that holds messages stays."""
    gone = [key for key, value in before.items() if key[2] == "queue" and value["messages"] and key not in after]
    demand(not gone, f"removed with the dead letters in them: {gone}")


def demand_no_token_stored(resources: dict[Key, Json], tokens: Iterable[str], demand: Demand) -> None:
    """A token is in the parameters and the secret of a connection, and nowhere else."""
    tokens = list(tokens)
    for key, resource in resources.items():
        rest = {name: value for name, value in resource.items() if name not in ("parameters", "secret")}
        found = secrets_in(json.dumps(rest), tokens) if any(token in str(rest) for token in tokens) else []
        demand(not found, f"{key} has {found}")


def demand_good_token(before: dict[Key, Json], after: dict[Key, Json], site: Site, token: str, demand: Demand, *, good: bool) -> None:
    """A token is written only if it is good: preflight comes before each run, and has to prove it.

    Args:
        good: whether Spot takes the token of the site for notices.
    """
    for key, resource in after.items():
        if is_ours(key, site, {key[1]}) and key[2] == "connection" and resource["secret"] != before.get(key, {}).get("secret"):
            written = token in json.dumps(resource["secret"])
            demand(good or not written, f"{key[1]}: a token was written that Spot does not take")


# As the documentation has them; the template of CloudFormation has the same ones.
DEFAULTS: Json = {
    "description": "Sends EC2 Spot interruption notices to Spot. Managed by the Ansible collection spot.eventbridge.",
    "invocation_rate_limit_per_second": 300,
    "maximum_event_age_in_seconds": 120,
    "maximum_retry_attempts": 185,
    "message_retention_period": 1209600,
}


def demand_as_desired(there: dict[Key, Json], site: Site, region: str, options: Json, demand: Demand) -> None:
    """After an onboarding that nothing has hindered, each setting is what was desired."""
    wanted = {**DEFAULTS, **options}
    found = {kind: there.get((site.aws_account, region, kind, site.name)) for kind in ("queue", "api_destination", "rule")}
    if any(resource is None for resource in found.values()):
        return  # another oracle judges that
    queue, destination, rule = (resource or {} for resource in found.values())
    target: Json = next((target for target in rule["targets"].values() if target["Arn"] == destination["arn"]), {})
    retries = target.get("RetryPolicy") or {}
    seen = {
        "description": rule["description"],
        "invocation_rate_limit_per_second": destination["invocation_rate_limit_per_second"],
        "maximum_event_age_in_seconds": retries.get("MaximumEventAgeInSeconds"),
        "maximum_retry_attempts": retries.get("MaximumRetryAttempts"),
        "message_retention_period": int(queue["attributes"]["MessageRetentionPeriod"]),
    }
    other = {name: (wanted[name], value) for name, value in seen.items() if value != wanted[name]}
    demand(not other, f"{region}: desired and found differ: {other}")


def demand_cleared(there: dict[Key, Json], site: Site, region: str, demand: Demand, *, of_stack: bool = False) -> None:
    """After offboarding nothing of ours is left, except what holds something of others or dead letters.

    Args:
        of_stack: whether only what a stack has made is ours; others have made something of our name, too.
    """
    for (account, where, kind, name), resource in there.items():
        if (account, where, name) != (site.aws_account, region, site.name):
            continue
        if of_stack and "aws:cloudformation:stack-name" not in resource.get("tags", {}):
            continue
        if kind == "rule":
            demand(bool(resource["targets"]) and TARGET not in resource["targets"], f"{region}: the rule is left: {resource}")
        else:
            demand(kind == "queue" and resource["messages"] > 0, f"{region}: the {kind} is left: {resource}")


def demand_predicted(predicted: Run, run: Run, demand: Demand) -> None:
    """Check mode says what the run then does."""
    for region, entry in run.answer.get("regions", {}).items():
        foreseen = predicted.answer.get("regions", {}).get(region)
        if foreseen is None or "failed" in (entry["action"], foreseen["action"]):
            failure = (entry.get("error") or {}).get("code")
            demand(
                foreseen is not None and (entry["action"] == foreseen["action"] or failure in _ONLY_SEEN_IN_THE_RUN),
                f"{region}: predicted {foreseen and foreseen['action']}, but {entry['action']}: {entry.get('error') or foreseen}",
            )
            continue
        demand(foreseen["actions"] == entry["actions"], f"{region}: predicted {foreseen['actions']}, done {entry['actions']}")
    roles = [(result.answer.get("execution_role") or {}).get("action") for result in (predicted, run)]
    demand(roles[0] == roles[1] or run.failed, f"execution role: predicted {roles[0]}, done {roles[1]}")
    if not run.failed:
        one, other = _diffs(predicted), _diffs(run)
        demand(one.keys() == other.keys(), f"predicted changes of {sorted(one)}, shown {sorted(other)}")
        for header, entry in one.items():
            demand(_unknown_aside(entry, other[header]) == other[header], f"{header}: predicted {entry}, shown {other[header]}")


# What only AWS's answer to the call itself can tell.
# A connection of others that AWS never finishes, as its OAuth server is silent.
_ONLY_SEEN_IN_THE_RUN = ("ConcurrentModificationException",)


def _diffs(run: Run) -> dict[str, Json]:
    found = {entry["before_header"]: {"before": entry["before"], "after": entry["after"]} for entry in run.answer.get("diff", [])}
    return json.loads(_ID.sub("/ID", json.dumps(found)))  # type: ignore[no-any-return]


def _unknown_aside(predicted: Any, shown: Any) -> Any:
    """Return a prediction in which what AWS chooses is as it was chosen: identifiers of what does not exist yet."""
    if isinstance(predicted, dict) and isinstance(shown, dict):
        return {name: _unknown_aside(value, shown.get(name)) for name, value in predicted.items()}
    if isinstance(shown, str) and _is_unknown(predicted) and (shown.startswith("arn:") or not shown):
        return shown  # not so an API destination whose connection went before it
    return predicted


def _is_unknown(value: Any) -> bool:
    return value is None or (isinstance(value, str) and ("known" in value or "00000000" in value or value.startswith("arn:")))


def demand_diff_is_true(
    run: Run, before: dict[Key, Json], after: dict[Key, Json], site: Site, *, check: bool, lags: bool, demand: Demand
) -> None:
    """A diff names every field that changed and no other, with the values before and after.

    Args:
        lags: whether reads show a change late, as that a connection is being authorised.
    """
    shown: dict[tuple[str, str], Json] = {}
    for entry in run.answer.get("diff", []):
        region, _, kind = entry["before_header"].rpartition(" ")
        key = ("", "execution_role") if entry["before_header"] == "execution role" else (region, kind)
        shown[key] = entry
    for key in before.keys() | after.keys():
        account, region, kind, name = key
        if account != site.aws_account or name != site.name:
            continue
        one, other = fields(kind, before.get(key)), fields(kind, after.get(key))
        changed = {field for field in one.keys() | other.keys() if one.get(field) != other.get(field)}
        if lags and str(other.get("connection_state")).endswith("ING"):
            other["connection_state"] = one.get("connection_state")
            changed.discard("connection_state")
        entry = shown.get((region, kind))
        if entry is None:
            if str(one.get("connection_state")).endswith("ING"):  # it settles by itself
                changed.discard("connection_state")
            demand(not changed or run.failed, f"{region} {kind}: {sorted(changed)} changed, and the diff does not name it")
            continue
        told = {field for field in one.keys() | other.keys() if entry["before"].get(field) != entry["after"].get(field)}
        existed = {field: value for field, value in entry["before"].items() if field in one}
        demand(
            existed == {field: one[field] for field in existed} or str(one.get("connection_state")).endswith("ING"),  # it was waited for
            f"{region} {kind}: the diff says {existed} was there, and there was {one}",
        )
        # That it is gone, is all that has to be known of what is gone.
        if check or run.failed or key not in after:
            continue
        demand(changed == told, f"{region} {kind}: changed {sorted(changed)}, the diff names {sorted(told)}")
        now = {field: value for field, value in entry["after"].items() if field in other}
        demand(
            all(_is_unknown(value) or value == other[field] for field, value in now.items()),
            f"{region} {kind}: the diff says {now} is there, and there is {other}",
        )


def fields(kind: str, resource: Json | None) -> Json:
    """Return the fields of a resource as a diff has them; none where it does not exist."""
    return _FIELDS[kind](resource) if resource else {}


def _of_queue(queue: Json) -> Json:
    found = queue["attributes"]
    return {
        "message_retention_period": int(found["MessageRetentionPeriod"]),
        "sqs_managed_sse_enabled": str(found.get("SqsManagedSseEnabled", "false")).lower() == "true",
        "kms_master_key_id": found.get("KmsMasterKeyId") or None,
        "policy": found.get("Policy") or None,
        "tags": queue["tags"],
    }


def _of_connection(connection: Json) -> Json:
    found = connection["parameters"]
    parameters = found.get("InvocationHttpParameters", {}).get("QueryStringParameters", [])
    shown = [
        {"key": item.get("Key"), "value": "(hidden)" if item.get("IsValueSecret") else item.get("Value", "(hidden)")} for item in parameters
    ]
    return {
        "description": connection["description"],
        "authorization_type": connection["authorization_type"],
        "api_key_name": found.get("ApiKeyAuthParameters", {}).get("ApiKeyName"),
        "query_string_parameters": shown,
        "kms_key_identifier": connection["kms_key_identifier"],
        "connection_state": connection["connection_state"],
    }


def _of_rule(rule: Json) -> Json:
    return {name: rule[name] for name in ("description", "state", "event_pattern", "schedule_expression", "tags")}


def _of_destination(destination: Json) -> Json:
    return {name: value for name, value in destination.items() if name != "arn"}


def _of_role(role: Json) -> Json:
    kept = {name: role[name] for name in ("description", "assume_role_policy_document", "permissions_boundary", "tags")}
    return {**kept, "policy": role["policies"].get(POLICY)}


_FIELDS: dict[str, Callable[[Json], Json]] = {
    "queue": _of_queue,
    "connection": _of_connection,
    "api_destination": _of_destination,
    "rule": _of_rule,
    "execution_role": _of_role,
}


def excused(history: History, site_name: str, region: str) -> bool:
    """Tell whether others have a say that onboarding cannot take from them: policies and boundaries on our role."""
    site = SITES[site_name]
    role = history._there(site_name).get((site.aws_account, "", "execution_role", site.name))
    return bool(role and (set(role["policies"]) - {POLICY} or role["attached"] or role["permissions_boundary"]))


def may_fail(run: Run, touched: bool, options: Json) -> bool:
    """Tell whether an onboarding may fail although no fault was injected: where others have changed something that it must not change."""
    reasons = list(_reasons(run))
    return touched and bool(reasons) and all(any(text in reason for text in _ACCEPTED) for reason in reasons)


def may_stay(run: Run) -> bool:
    """Tell whether an offboarding may fail although no fault was injected: something of others needs what would be removed."""
    reasons = list(_reasons(run))
    return bool(reasons) and all("is used by API destination" in reason for reason in reasons)


_ACCEPTED = ("permissions boundary", "exceeds the maximum number allowed", "KMS key", *_ONLY_SEEN_IN_THE_RUN)


def _reasons(run: Run) -> Iterator[str]:
    for entry in run.answer.get("regions", {}).values():
        if entry["action"] == "failed":
            yield f"{entry['error']['code']}: {entry['error']['message']}"
    if run.failed and not any(entry["action"] == "failed" for entry in run.answer.get("regions", {}).values()):
        yield run.message
