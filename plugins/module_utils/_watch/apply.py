# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import dataclasses
import typing as t
from dataclasses import dataclass

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.kms import check_kms_key
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.paging import items
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.dead_letter_queue import DEFAULT_RETENTION
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.tags import as_text
from ansible_collections.spot.eventbridge.plugins.module_utils._core.argument_specs import ArgumentSpec, tags_argument_spec
from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import Failure
from ansible_collections.spot.eventbridge.plugins.module_utils._core.plan import Document, Resource
from ansible_collections.spot.eventbridge.plugins.module_utils._core.reconcile import reconcile
from ansible_collections.spot.eventbridge.plugins.module_utils._core.results import Outcome, diff_entry
from ansible_collections.spot.eventbridge.plugins.module_utils._core.validation import ArgumentError, check_aws_account
from ansible_collections.spot.eventbridge.plugins.module_utils._watch.alarms import Alarm, Topic
from ansible_collections.spot.eventbridge.plugins.module_utils._watch.event_bus import EventBus
from ansible_collections.spot.eventbridge.plugins.module_utils._watch.hub import Hub, Senders
from ansible_collections.spot.eventbridge.plugins.module_utils._watch.hub_queue import DEFAULT_RECEIVES, HubQueue
from ansible_collections.spot.eventbridge.plugins.module_utils._watch.rules import HubRule

if t.TYPE_CHECKING:
    from ansible_collections.spot.eventbridge.plugins.module_utils._aws.regions import Regions
    from ansible_collections.spot.eventbridge.plugins.module_utils._core.region import Region

SERVICES = ("sqs", "events")


def argument_spec() -> ArgumentSpec:
    """Return the options for what a hub is like."""
    return {
        "organization": {"type": "str"},
        "accounts": {"type": "list", "elements": "str", "default": []},
        "message_retention_period": {"type": "int", "default": DEFAULT_RETENTION},
        "maximum_receives": {"type": "int", "default": DEFAULT_RECEIVES},
        "kms_master_key_id": {"type": "str", "no_log": False},
        "topic": {"type": "bool", "default": False},
        "alarms": {"type": "bool", "default": False},
        "delete_messages": {"type": "bool", "default": False},
        **tags_argument_spec(),
    }


@dataclass(frozen=True)
class HubDesired:
    """A hub as it is desired.

    :ivar steps: its resources, in the order in which they are made, or the reverse: none goes while another one needs it
    """

    hub: Hub
    steps: tuple[t.Any, ...]
    present: bool = True

    @classmethod
    def from_parameters(cls, params: t.Mapping[str, t.Any], regions: Regions) -> HubDesired:
        """Return what the options of `spot_watch_hub` desire.

        :raises ArgumentError: an option is not valid.
        """
        name, region, present = params["name"], regions.names[0], params["state"] == "present"
        Hub(name, region)
        senders = Senders(params["organization"] or "", tuple(params["accounts"]))
        if not 1 <= params["maximum_receives"] <= 1000:
            raise ArgumentError("maximum_receives must be 1 to 1000, as AWS requires.")
        check_kms_key("kms_master_key_id", params["kms_master_key_id"], [region])
        # AWS is called only once all other options are known to be valid.
        hub = Hub(name, region, check_aws_account(params["aws_account"] or regions.aws_account()))
        tags: Document = {"tags": as_text(params["tags"]), "purge_tags": params["purge_tags"]}
        queues: Document = {
            "hub": hub,
            "present": present,
            "rule": name,
            "aws_account": hub.aws_account,
            "retention": params["message_retention_period"],
            "kms_key": params["kms_master_key_id"],
            "delete_messages": params["delete_messages"],
            **tags,
        }
        topic, alarms = params["topic"], params["alarms"]
        steps: tuple[Resource, ...] = (
            HubQueue(hub.dead_letters, **queues),
            HubQueue(name, receives=params["maximum_receives"], **queues),
            EventBus(hub, present, senders, **tags),
            HubRule(name, present, hub=hub, **tags),
        )
        # Parts that are not desired are neither read nor changed; with the hub, all of them are removed.
        if topic or not present:
            steps += (Topic(hub, present, **tags),)
        if alarms or not present:
            steps += tuple(Alarm(hub, dead, present, notifies=topic, **tags) for dead in (False, True))
        return cls(hub, steps if present else steps[::-1], present)


def apply_hub(desired: HubDesired, regions: Regions, used_in: t.Sequence[Region] = (), *, check_mode: bool, timeout: float) -> Document:
    """Bring a hub to what is desired, up to the first resource that fails.

    :param used_in: the regions in which rules of its account may send to it; where one does, it is not removed
    :param timeout: seconds to wait for AWS in each step
    :returns: the result of `spot_watch_hub`
    """
    outcomes: dict[str, Outcome] = {}
    failed = ""

    def work(region: Region) -> None:
        nonlocal failed
        for step in desired.steps:
            failed, rule = step.kind, outcomes.get(HubRule.kind)
            if step.kind == EventBus.kind and not desired.present and rule and rule.document:
                continue  # the rule was kept, and a bus that has a rule cannot go
            outcomes[step.kind] = reconcile(step, region, check_mode=check_mode, timeout=timeout)

    notes, failure = _users(desired, regions, used_in) if not desired.present else ([], None)
    if not (notes or failure):
        done = regions.run(work)[desired.hub.region]
        failure = done if isinstance(done, Failure) else None
    return _result(desired, outcomes, notes, (failed, failure) if failure else None)


def _users(desired: HubDesired, regions: Regions, used_in: t.Sequence[Region]) -> tuple[list[str], Failure | None]:
    """Return why the hub cannot go: the rules of its account that send to it, or why they are not known."""

    def look(region: Region) -> list[str]:
        return list(items(region.clients["events"], "list_rule_names_by_target", "RuleNames", TargetArn=desired.hub.bus_arn))

    found = regions.run(look, among=used_in) if used_in else {}
    users = [f"{rule} in {region}" for region, rules in found.items() if not isinstance(rules, Failure) for rule in rules]
    if users:
        return [f"the hub {desired.hub.name} was kept: {len(users)} rule(s) send to it ({', '.join(users[:5])})"], None
    failures = [
        (region, result)
        for region, result in found.items()
        if isinstance(result, Failure) and not (result.of_organization or result.unsupported)
    ]
    if not failures:
        return [], None
    region, failure = failures[0]
    message = f"whether rules in {region} send to it was not found out: {failure.message}"
    return [], dataclasses.replace(failure, message=message)


def _result(desired: HubDesired, outcomes: t.Mapping[str, Outcome], notes: t.Sequence[str], failed: tuple[str, Failure] | None) -> Document:
    actions = {kind: outcome.plan.action for kind, outcome in outcomes.items()}
    name, changed = desired.hub.region, any(action != "unchanged" for action in actions.values())
    # Parts that were not there before either say nothing.
    different = {outcome.plan.action for outcome in outcomes.values() if outcome.document or outcome.plan.calls} or {"unchanged"}
    entry: Document = {
        "action": "failed" if failed else different.pop() if len(different) == 1 else "updated",
        "changed": changed,
        "actions": actions,
        **{kind: outcome.document for kind, outcome in outcomes.items()},
        "notes": [*(outcome.plan.note for outcome in outcomes.values() if outcome.plan.note), *notes],
    }
    whole: Document = {
        "changed": changed,
        "aws_account": desired.hub.aws_account,
        "regions": {name: entry},
        "failed_regions": [name] if failed else [],
        "diff": [diff_entry(name, kind, outcome.plan) for kind, outcome in outcomes.items() if actions[kind] != "unchanged"],
    }
    if failed:
        step, failure = failed
        what = f"{step.replace('_', ' ')}: " if step else ""
        message = f"hub {desired.hub.name} in {name}: {what}{failure.code}: {failure.message}"
        whole["msg"] = message
        entry["error"] = {"code": failure.code, "message": f"{what}{failure.message}"}
    return whole
