# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import dataclasses
import typing as t
from dataclasses import dataclass, field

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.kms import Key, check_kms_parameters
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.ownership import Stack as Owner
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.connection import Connection
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.existing_connection import ExistingConnection
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.tags import as_text
from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.stack.keys import read_keys
from ansible_collections.spot.eventbridge.plugins.module_utils._cloudformation.template import (
    check_template_body,
    check_template_url,
    parameter_text,
)
from ansible_collections.spot.eventbridge.plugins.module_utils._core.argument_specs import (
    ArgumentSpec,
    template_argument_spec,
    update_token_argument_spec,
)
from ansible_collections.spot.eventbridge.plugins.module_utils._core.validation import (
    ArgumentError,
    check_spot_account,
    check_stack_name,
    check_token,
)

if t.TYPE_CHECKING:
    from ansible_collections.spot.eventbridge.plugins.module_utils._core.plan import Document
    from ansible_collections.spot.eventbridge.plugins.module_utils._core.region import Region

DEFAULT_TIMEOUT = 900


def argument_spec() -> ArgumentSpec:
    """Return the options about the properties of a stack."""
    return {
        "spot_account": {"type": "str"},
        "cloudformation_role_arn": {"type": "str"},
        "retain_resources": {"type": "bool", "default": False},
        **template_argument_spec(),
        **update_token_argument_spec(),
    }


@dataclass(frozen=True)
class Stack:
    """The desired stack.

    :ivar account_parameter: the template's parameter for the Spot account; None to search it
    :ivar token_parameter: the same for the token
    :ivar parameters: the values of the other parameters
    :ivar keys: the KMS keys that parameters name, once they were read, by parameter
    :ivar notes: notes for users about these keys
    :ivar role_arn: the role that CloudFormation uses instead of the caller's permissions
    :ivar update_token: `changed`, `always` or `on_create`
    :ivar update: `changed`; or `always`, which leaves it to CloudFormation whether something changed
    :ivar retain: whether the resources stay when the stack goes
    """

    name: str
    present: bool = True
    template_body: str | None = None
    template_url: str | None = None
    spot_account: str = ""
    token: str = field(default="", repr=False)
    account_parameter: str | None = None
    token_parameter: str | None = None
    parameters: t.Mapping[str, str] = field(default_factory=dict)
    keys: t.Mapping[str, Key] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    role_arn: str | None = None
    tags: t.Mapping[str, str] | None = None
    purge_tags: bool = True
    update_token: str = "changed"
    update: str = "changed"
    retain: bool = False

    kind: t.ClassVar[str] = "stack"

    @classmethod
    def from_parameters(cls, params: t.Mapping[str, t.Any]) -> Stack:
        """Return the desired stack, out of the parameters of `spot_stack`.

        :raises ArgumentError: a parameter cannot be right.
        """
        name = check_stack_name(params["stack_name"])
        if Owner(name, "").of_a_set:
            raise ArgumentError(f"The stack '{name}' belongs to a stack set, which would undo changes of it. Use spot_stack_set.")
        if params["state"] == "absent":
            return cls(
                name,
                present=False,
                token_parameter=params["token_parameter"],
                role_arn=params["cloudformation_role_arn"],
                retain=params["retain_resources"],
            )
        token, body, url = check_token(params["spot_token"]), params["template_body"], params["template_url"]
        if not body and not url:
            raise ArgumentError("There is no template: set template_body or template_url.")
        given = {key: parameter_text(value) for key, value in params["parameters"].items() if value is not None}
        check_kms_parameters(given, params.get("regions"))
        tags = as_text(params["tags"])
        if any(token in text for text in (body or "", url or "", *given.values(), *(tags or {}).values())):
            raise ArgumentError("The Spot token must only be given with spot_token: CloudFormation shows templates, parameters and tags.")
        return cls(
            name,
            template_body=check_template_body(body) if body else None,
            template_url=check_template_url(url) if url else None,
            spot_account=check_spot_account(params["spot_account"]),
            token=token,
            account_parameter=params["account_parameter"],
            token_parameter=params["token_parameter"],
            parameters=given,
            role_arn=params["cloudformation_role_arn"],
            tags=tags,
            purge_tags=params["purge_tags"],
            update_token=params["update_token"],
            update=params["update"],
        )

    def prepared(self, region: Region) -> Stack:
        """Return the same with the KMS keys read that its parameters name.

        :raises RegionError: EventBridge cannot use one of them.
        """
        keys, notes = read_keys(region, self.parameters, self.spot_account)
        return dataclasses.replace(self, keys=keys, notes=notes)

    @property
    def source(self) -> Document:
        """Return the template as CloudFormation takes it."""
        return {"TemplateURL": self.template_url} if self.template_body is None else {"TemplateBody": self.template_body}

    @property
    def role(self) -> Document:
        """Return the role as CloudFormation takes it."""
        return {"RoleARN": self.role_arn} if self.role_arn else {}

    def connection(self, name: str, existing: ExistingConnection | None = None) -> Connection:
        """Return the stack's connection as it is desired: except for the token, the template decides about it."""
        return Connection(
            name=name,
            spot_account=self.spot_account,
            token=self.token,
            description=existing.managed_fields()["description"] if existing else "",
            update_token=self.update_token,
        )
