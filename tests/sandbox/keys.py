# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What KMS decides when a service uses a customer's key: by the state of the key, and by its policy."""

from __future__ import annotations

from dataclasses import dataclass

from moto.kms.exceptions import NotFoundException
from moto.kms.models import Key, kms_backends

from .policy import allows


@dataclass(frozen=True)
class Refusal:
    """Why a key cannot be used.

    Attributes:
        usable: whether the key itself could be used, by somebody else.
    """

    usable: bool
    message: str


def find(identifier: str, account: str, region: str) -> Key | None:
    """Return the key of an id, an ARN, an alias or the ARN of an alias, None if there is none."""
    backend = kms_backends[account][region]
    try:
        return backend.keys.get(backend.any_id_to_key_id(identifier))
    except (AttributeError, KeyError, NotFoundException):  # AttributeError: moto knows no such alias
        return None


def arn_of(identifier: str, account: str, region: str) -> str | None:
    """Return the ARN of a key, None if there is none."""
    key = find(identifier, account, region)
    return key.arn if key else None


def refusal(
    identifier: str, account: str, region: str, *, service: str, actions: tuple[str, ...], context: dict[str, str]
) -> Refusal | None:
    """Tell why a service cannot use a key, None if it can."""
    if identifier.startswith("alias/aws/"):
        return Refusal(True, f"{service} is not authorized to use {identifier}, which AWS manages")
    key = find(identifier, account, region)
    if key is None:
        return Refusal(False, f"Key '{identifier}' does not exist")
    if key.key_state != "Enabled":
        return Refusal(False, f"{key.arn} is {key.key_state.lower()}.")
    for action in actions:
        if not allows([key.policy], action, key.arn, service, context):
            return Refusal(True, f"User: {service} is not authorized to perform: {action} on resource: {key.arn}")
    return None
