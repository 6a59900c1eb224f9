# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field, replace

from ansible_collections.amazon.aws.plugins.module_utils.tagging import ansible_dict_to_boto3_tag_list

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.rule import rule_arn
from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack_names import names_in_stack
from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import Failure, is_code
from ansible_collections.spot.eventbridge.plugins.module_utils._notify.message import Channel, ChannelError, Notification
from ansible_collections.spot.eventbridge.plugins.module_utils._notify.records import TAG, Records, Sent, carried_tags, read, tag_value

if t.TYPE_CHECKING:
    from ansible_collections.spot.eventbridge.plugins.module_utils._aws.regions import Regions
    from ansible_collections.spot.eventbridge.plugins.module_utils._core.region import Region

NO_RULE = "no rule exists whose tag could record it: onboard the region first"


@dataclass
class Ledger:
    """The records of the rules of all regions, and additions to them.

    :ivar stack_name: the stack that holds the rule, under any name; empty if none does
    :ivar records: by region; a failure where they could not be read, None where there is no rule
    """

    regions: Regions
    aws_account: str
    rule: str
    spot_account: str
    stack_name: str = ""
    records: dict[str, Records | Failure | None] = field(default_factory=dict)

    def read(self) -> None:
        """Read the records of all regions at once."""

        def records(region: Region) -> dict[str, Sent] | None:
            try:
                return read(region, self._arn(region), self.spot_account)
            except Exception as error:
                if is_code(error, "ResourceNotFoundException"):
                    return None
                raise

        self.records = dict(self.regions.run(records))

    def new(self, channel: str) -> tuple[str, ...]:
        """Return the regions of which nothing was sent through a channel before, as far as that is known."""
        return tuple(name for name, sent in self.records.items() if not isinstance(sent, Failure) and channel not in (sent or {}))

    def without_rule(self) -> tuple[str, ...]:
        """Return the regions in which nothing can be recorded."""
        return tuple(name for name, sent in self.records.items() if sent is None)

    def unread(self) -> dict[str, Failure]:
        """Return the regions whose records could not be read."""
        return {name: sent for name, sent in self.records.items() if isinstance(sent, Failure)}

    def record(self, channel: str, names: t.Collection[str], sent: Sent) -> dict[str, Failure]:
        """Record that a notification of regions was sent, in all of them at once.

        :returns: where it could not be written
        """

        def tag(region: Region) -> None:
            if region.name in names:
                known = self.records[region.name]
                records = {**(known if isinstance(known, dict) else {}), channel: sent}
                arn = self._arn(region)
                tags = {**carried_tags(region, arn), TAG: tag_value(self.spot_account, records)}
                region.clients["events"].tag_resource(ResourceARN=arn, Tags=ansible_dict_to_boto3_tag_list(tags))
                self.records[region.name] = records

        return {name: result for name, result in self.regions.run(tag).items() if isinstance(result, Failure)}

    def _arn(self, region: Region) -> str:
        rule = names_in_stack(region, self.stack_name).rule if self.stack_name else self.rule
        return rule_arn(region, self.aws_account, rule)


def notify(ledger: Ledger, channels: t.Sequence[Channel], notification: Notification, *, check_mode: bool) -> dict[str, dict[str, t.Any]]:
    """Send the new regions through each channel, and record each notification as soon as it is sent.

    A channel that fails does not stop the others. After a run that was killed between sending
    and recording, the next run sends again, with the same id.

    :param ledger: as it was read
    :param notification: with any regions: each channel gets those that are new to it
    :returns: by channel: `action` (`sent`, `failed`, `unchanged`), `regions`, `message`, `reference`, `note` if there is one, and `error`
        where it failed
    """
    outcomes: dict[str, dict[str, t.Any]] = {}
    for channel in channels:
        unmet_dependency = () if check_mode else ledger.without_rule()
        new = tuple(name for name in ledger.new(channel.name) if name not in unmet_dependency)
        desired = replace(notification, regions=new)
        outcome: dict[str, t.Any] = {"action": "unchanged", "regions": list(new), "message": desired.text() if new else "", "reference": ""}
        errors = [f"{', '.join(unmet_dependency)}: {NO_RULE}"] if unmet_dependency else []
        if new:
            outcome["action"] = "sent"
            if not check_mode:
                try:
                    delivery = channel.send(desired)
                    outcome.update(reference=delivery.reference, **({"note": delivery.note} if delivery.note else {}))
                    errors += _record(ledger, channel.name, new, Sent(notification.time, outcome["reference"]))
                except ChannelError as error:
                    outcome["action"] = "failed"
                    errors.append(str(error))
        if errors:
            outcome["error"] = "; ".join(errors)
        outcomes[channel.name] = outcome
    return outcomes


def _record(ledger: Ledger, channel: str, names: t.Collection[str], sent: Sent) -> list[str]:
    return [
        f"it was sent, but that could not be recorded in {name}, so the next run sends it again: {failure.code}: {failure.message}"
        for name, failure in ledger.record(channel, names, sent).items()
    ]
