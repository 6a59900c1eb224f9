# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.kms import KEY_PARAMETERS, is_same_key
from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.template import (
    HIDDEN,
    REVISION_PARAMETER,
    Template,
    looks_like_token,
)
from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import RegionError

# The parameter of this collection's template that takes an execution role made elsewhere.
ROLE_PARAMETER = "ExecutionRoleArn"


def integration_name(parameters: t.Mapping[str, str], spot_account: str | None) -> str:
    """Return the name that this collection's template gives to connection, API destination and rule."""
    return parameters.get("Name") or f"spot-interruption-{spot_account}"


def as_shown(given: t.Mapping[str, str], current: t.Mapping[str, str], key_arns: t.Mapping[str, str] | None = None) -> dict[str, str]:
    """Return desired parameters with each KMS key in the form that the stack has, where it is the same key: no update is needed.

    :param current: the parameters of the stack
    :param key_arns: the ARNs of KMS keys by identifier, as far as they are known
    """
    same = {name: current[name] for name in KEY_PARAMETERS if is_same_key(current.get(name), given.get(name), key_arns)}
    return {**given, **same}


@dataclass(frozen=True)
class StackParameters:
    """The parameters of a stack: existing, desired, and as a request has them.

    :ivar current: the stack's, as CloudFormation shows them; None where there is no stack
    :ivar given: the desired values, the Spot account included
    :ivar token_name: the parameter that takes the token
    :ivar keep_token: whether a token that the stack has stays
    """

    template: Template
    current: t.Mapping[str, str] | None
    given: t.Mapping[str, str]
    token_name: str
    token: str = field(repr=False)
    keep_token: bool = False

    def check(self) -> None:
        """Refuse, with a clearer message, parameters that CloudFormation would refuse.

        :raises RegionError: a parameter is not in the template, or has no value.
        """
        names = self.template.parameters
        unknown = [name for name in self.given if name not in names]
        if unknown:
            raise RegionError("NoParameter", f"the template has no parameter {', '.join(unknown)}; it has: {', '.join(names)}")
        known = {self.token_name, *self.given, *(self.current or {})}
        missing = [name for name, parameter in names.items() if name not in known and parameter.default is None]
        if missing:
            raise RegionError("NoParameter", f"the template's parameter {', '.join(missing)} has no default: give it with 'parameters'")

    def request(self) -> list[dict[str, t.Any]]:
        """Return them as CreateStack and UpdateStack take them: all that the template has, except those that keep its defaults."""
        found: list[dict[str, t.Any]] = []
        for name in self.template.parameters:
            in_stack = self.current is not None and name in self.current
            if name == self.token_name and not (self.keep_token and in_stack):
                found.append({"ParameterKey": name, "ParameterValue": self.token})
            elif name in self.given:
                found.append({"ParameterKey": name, "ParameterValue": self.given[name]})
            elif in_stack:
                found.append({"ParameterKey": name, "UsePreviousValue": True})
        return found

    def desired(self) -> dict[str, str]:
        """Return them as CloudFormation will show them."""
        current = self.current or {}
        return {
            name: HIDDEN
            if parameter.hidden or name == self.token_name or looks_like_token(name)
            else self.given.get(name, current.get(name, parameter.default or ""))
            for name, parameter in self.template.parameters.items()
        }

    def changed(self) -> bool:
        """Return whether a value differs that the stack has and CloudFormation shows. A new parameter shows in a resource."""
        current = self.current or {}
        return any(name in current and current[name] not in (value, HIDDEN) for name, value in self.desired().items())

    def next_revision(self) -> str | None:
        """Return the next value of the parameter that has the token written again; None without it, or if the user sets it."""
        if REVISION_PARAMETER not in self.template.parameters or REVISION_PARAMETER in self.given:
            return None
        now = (self.current or {}).get(REVISION_PARAMETER, "")
        return str(int(now) + 1) if now.isdecimal() else "1"
