# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import datetime
import typing as t
import uuid
from dataclasses import dataclass

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.evidence import read_metrics_between
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.paging import items
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.rule import rule_arn
from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import RegionError, is_code
from ansible_collections.spot.eventbridge.plugins.module_utils._core.finding import FAIL, PASS, SKIP, UNKNOWN, Finding
from ansible_collections.spot.eventbridge.plugins.module_utils._core.polling import Deadline, poll
from ansible_collections.spot.eventbridge.plugins.module_utils._notify.records import carried_tags
from ansible_collections.spot.eventbridge.plugins.module_utils._spot.checks import INTERRUPTION

if t.TYPE_CHECKING:
    from ansible_collections.spot.eventbridge.plugins.module_utils._core.region import Region

SERVICES = ("ec2", "fis", "cloudwatch")
# By this tag, a run finds what a killed one left.
TAG = "spot.eventbridge"
# Spot tags the instances of a group with its id. [?]
GROUP_TAG = "spotinst:aws:ec2:group:id"

# CloudWatch is a minute or two late, and each query costs money (GetMetricData).
_FIRST_PAUSE = 2.0
_STARTS_WITHIN = 60.0
_NOT_STARTED = ("pending", "initiating")
_BAD = ("failed", "stopped", "stopping", "cancelled")
# How far before the announcement figures are read, so that CloudWatch's periods lie within.
_BEFORE = datetime.timedelta(minutes=15)


@dataclass(frozen=True)
class Instance:
    """An instance that may be interrupted.

    :ivar lifecycle: `spot`; empty for one on demand
    :ivar group: Spot's id of the group it belongs to, empty if it is not tagged
    """

    id: str
    arn: str
    state: str
    lifecycle: str
    type: str
    name: str
    group: str

    @property
    def refusal(self) -> str:
        """Return why it must not be interrupted; empty if it may be."""
        if self.lifecycle != "spot":
            return f"{self.id} is not a spot instance"
        return "" if self.state == "running" else f"{self.id} is {self.state}, not running"

    def __str__(self) -> str:
        named = f" '{self.name}'" if self.name else ""
        return f"{self.id}{named} ({self.type}{f', group {self.group}' if self.group else ''})"


@dataclass(frozen=True)
class Outcome:
    """The result of an interruption.

    :ivar announced: when it was requested, in UTC
    :ivar metrics: the increase of the rule's metrics since then
    :ivar seconds: from then to the metrics that show its result
    """

    announced: datetime.datetime
    metrics: t.Mapping[str, int]
    seconds: float


def describe(region: Region, instance_id: str) -> Instance:
    """
    :raises RegionError: there is no such instance.
    """
    try:
        reservations = region.clients["ec2"].describe_instances(InstanceIds=[instance_id])["Reservations"]
    except Exception as error:
        if is_code(error, "InvalidInstanceID.NotFound", "InvalidInstanceID.Malformed"):
            reservations = []
        else:
            raise
    found = [(reservation["OwnerId"], instance) for reservation in reservations for instance in reservation["Instances"]]
    if not found:
        raise RegionError("NoInstance", f"there is no instance {instance_id} in {region.name}")
    owner, instance = found[0]
    tags = {tag["Key"]: tag["Value"] for tag in instance.get("Tags", [])}
    return Instance(
        id=instance["InstanceId"],
        arn=f"arn:{region.partition}:ec2:{region.name}:{owner}:instance/{instance['InstanceId']}",
        state=instance["State"]["Name"],
        lifecycle=instance.get("InstanceLifecycle", ""),
        type=instance.get("InstanceType", ""),
        name=tags.get("Name", ""),
        group=tags.get(GROUP_TAG, ""),
    )


def template(instance: Instance, role_arn: str, name: str, tags: t.Mapping[str, str] | None = None) -> dict[str, t.Any]:
    """Return an experiment that interrupts one instance (AWS FIS user guide, `aws:ec2:send-spot-instance-interruptions`).

    :param tags: those that a company's policy may demand
    """
    return {
        "description": f"Interrupts {instance.id} to test the notice to Spot. Made by the Ansible collection spot.eventbridge; temporary.",
        "roleArn": role_arn,
        "stopConditions": [{"source": "none"}],
        "targets": {"instance": {"resourceType": "aws:ec2:spot-instance", "resourceArns": [instance.arn], "selectionMode": "ALL"}},
        "actions": {
            "interrupt": {
                "actionId": "aws:ec2:send-spot-instance-interruptions",
                "parameters": {"durationBeforeInterruption": "PT2M"},
                "targets": {"SpotInstances": "instance"},
            }
        },
        "tags": {**(tags or {}), TAG: name},
    }


def interrupt(region: Region, instance: Instance, role_arn: str, name: str, timeout: float) -> Outcome:
    """Have AWS interrupt an instance, and follow the interruption notice to Spot. The experiment's template is removed in any case.

    :param name: the integration's, which is its rule's and the tag's value
    :param timeout: seconds to wait for CloudWatch, which is a minute or two late
    :raises RegionError: the experiment failed.
    """
    remove_templates(region, name)
    fis, announced = region.clients["fis"], datetime.datetime.now(datetime.timezone.utc)
    before = _figures(region, name, announced)
    tags = carried_tags(region, rule_arn(region, instance.arn.split(":")[4], name))
    made = fis.create_experiment_template(clientToken=str(uuid.uuid4()), **template(instance, role_arn, name, tags))["experimentTemplate"]
    try:
        started = fis.start_experiment(clientToken=str(uuid.uuid4()), experimentTemplateId=made["id"], tags={**tags, TAG: name})
        _wait_for_start(fis, started["experiment"]["id"])
    finally:
        fis.delete_experiment_template(id=made["id"])
    deadline = Deadline(timeout)
    added = poll(
        lambda: {key: number - before[key] for key, number in _figures(region, name, announced).items()},
        lambda found: bool(found["delivered"]) or _failed(found),
        deadline,
        at_least=_FIRST_PAUSE,
    )
    return Outcome(announced, added, deadline.passed)


def remove_templates(region: Region, name: str) -> None:
    """Remove the templates of a run that was killed."""
    fis = region.clients["fis"]
    templates = items(fis, "list_experiment_templates", "experimentTemplates")
    for template_id in [item["id"] for item in templates if item.get("tags", {}).get(TAG) == name]:
        fis.delete_experiment_template(id=template_id)


def finding(region: str, instance: Instance, outcome: Outcome) -> Finding:
    """Return the finding of an interruption."""
    when = outcome.announced.strftime("%Y-%m-%dT%H:%M:%SZ")
    if outcome.metrics.get("delivered"):
        message = f"{region}: AWS announced at {when} that {instance} will be interrupted, and Spot took it"
        return Finding(INTERRUPTION, PASS, f"{message}; CloudWatch showed it after {outcome.seconds:.0f} s.")
    if _failed(outcome.metrics):
        message = f"{region}: AWS announced at {when} that {instance} will be interrupted, and it did not reach Spot."
        return Finding(INTERRUPTION, FAIL, message, "Read the reason in the dead letters, and run the playbook spot.eventbridge.repair.")
    message = f"{region}: AWS announced at {when} that {instance} will be interrupted; after {outcome.seconds:.0f} s, CloudWatch shows "
    if outcome.metrics.get("matched"):
        return Finding(INTERRUPTION, UNKNOWN, f"{message}that the rule matched it and nothing more.", "Run verify later.")
    return Finding(INTERRUPTION, UNKNOWN, f"{message}nothing.", "CloudWatch may be late: run verify later.")


def unconfirmed(region: str, instance: Instance) -> Finding:
    """Return the finding of an interruption that is not confirmed."""
    message = f"{region}: {instance} would be interrupted, and lost two minutes later. Nothing was done, as it is not confirmed."
    return Finding(INTERRUPTION, SKIP, message, f"Confirm it by giving its id once more: {instance.id}.")


def _wait_for_start(fis: t.Any, experiment_id: str) -> None:
    state = poll(
        lambda: fis.get_experiment(id=experiment_id)["experiment"]["state"],
        lambda found: found["status"] not in _NOT_STARTED,
        Deadline(_STARTS_WITHIN),
    )
    if state["status"] in _BAD or state["status"] in _NOT_STARTED:
        reason = state.get("reason") or "no reason was given"
        raise RegionError("ExperimentFailed", f"the experiment {experiment_id} is {state['status']}: {reason}")


def _figures(region: Region, rule: str, announced: datetime.datetime) -> dict[str, int]:
    now = datetime.datetime.now(datetime.timezone.utc)
    found = read_metrics_between(region, rule, announced - _BEFORE, now)
    return {key: number or 0 for key, number in found.items()}


def _failed(metrics: t.Mapping[str, int]) -> bool:
    return any(metrics.get(key) for key in ("failed", "dead_lettered", "dead_letter_failed"))
