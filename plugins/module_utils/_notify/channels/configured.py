# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import typing as t

from ansible_collections.spot.eventbridge.plugins.module_utils._core.argument_specs import ArgumentSpec
from ansible_collections.spot.eventbridge.plugins.module_utils._notify.channels import file, jira, mail, webhook
from ansible_collections.spot.eventbridge.plugins.module_utils._notify.message import Channel

CHANNELS: dict[str, tuple[t.Callable[[], ArgumentSpec], t.Callable[[t.Mapping[str, t.Any]], Channel]]] = {
    "file": (file.argument_spec, file.FileChannel.from_parameters),
    "webhook": (webhook.argument_spec, webhook.WebhookChannel.from_parameters),
    "mail": (mail.argument_spec, mail.MailChannel.from_parameters),
    "jira": (jira.argument_spec, jira.JiraChannel.from_parameters),
}


def argument_spec() -> ArgumentSpec:
    """Return the options of all channels, one each."""
    return {name: {"type": "dict", "options": spec()} for name, (spec, dummy) in CHANNELS.items()}


def channels(params: t.Mapping[str, t.Any]) -> list[Channel]:
    """Return the channels that are configured.

    :raises ArgumentError: an option of one is not valid.
    """
    return [make(params[name]) for name, (dummy, make) in CHANNELS.items() if params[name]]


def reasons(outcomes: t.Mapping[str, t.Mapping[str, t.Any]]) -> str:
    """Return in one line which channels failed, and why."""
    failed = {name: outcome["error"] for name, outcome in outcomes.items() if "error" in outcome}
    return f"notification: {len(failed)} of {len(outcomes)} channel(s) failed. " + " | ".join(
        f"{name}: {why}" for name, why in failed.items()
    )
