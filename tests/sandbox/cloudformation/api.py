# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""CloudFormation's query protocol: each request parsed by the service model, each answer written by it."""

from __future__ import annotations

import threading
from functools import cache, partial
from typing import Any
from uuid import uuid4
from xml.sax.saxutils import escape

import botocore.session
from botocore import xform_name
from botocore.model import OperationModel, ServiceModel

from .. import aws, organizations
from ..moto_app import LOCK
from ..server import Answer
from ..settings import Settings
from ..validation import InvalidAnswer
from .deployment import Deployment
from .errors import Refusal
from .services import Surroundings
from .stack_sets import StackSets
from .stacks import Stacks


class Api:
    """Answers the calls to CloudFormation of all accounts and regions."""

    def __init__(self, settings: Settings, to_aws: aws.Aws, url: str) -> None:
        self._alive = threading.Event()
        self._alive.set()
        self._around = Surroundings(settings, to_aws, url, self._alive.is_set)
        self._deployment = Deployment(self._around, self.stacks)
        self._stacks: dict[tuple[str, str], Stacks] = {}
        self._stack_sets: dict[tuple[str, str], StackSets] = {}
        self._with_access: dict[str, dict[str, str]] = {}

    def abandon(self) -> None:
        """Let what is under way end without a trace."""
        self._alive.clear()

    def answer(self, call: aws.Call) -> Answer:
        """Answer a call, a refusal included."""
        name = xform_name(call.operation)
        with LOCK:
            method = self._method(call, name)
            if method is None:
                return aws.error(call, 400, "InvalidAction", f"The sandbox does not know the action {call.operation}")
            operation = _model().operation_model(call.operation)
            try:
                return _written(operation, method(_parsed(call.form, operation), call.access_key))
            except Refusal as refusal:
                return aws.error(call, _status(operation, refusal.code), refusal.code, refusal.message)

    def organization_changed(self) -> None:
        """Let automatic deployment follow the accounts that have moved since the last time."""
        with LOCK:
            for management, before in self._with_access.items():
                after = self._with_access[management] = organizations.parents(management)
                moved = [account for account in {**before, **after} if before.get(account) != after.get(account)]
                for (owner, _), stack_sets in list(self._stack_sets.items()):
                    for account in moved if owner == management else []:
                        stack_sets.account_moved(account, before.get(account), after.get(account))

    def _method(self, call: aws.Call, name: str) -> Any:
        if call.operation not in _model().operation_names:
            return None
        stack_sets = self.stack_sets(call.account, call.region)
        if name == "get_template_summary" and "StackSetName" in call.form:
            return stack_sets.get_template_summary
        return getattr(self.stacks(call.account, call.region), name, None) or getattr(stack_sets, name, None)

    def stack_sets(self, account: str, region: str) -> StackSets:
        """Return the stack sets of an account in a region."""
        if (account, region) not in self._stack_sets:
            of = partial(self._stack_sets_in, region)
            self._stack_sets[account, region] = StackSets(account, region, self._deployment, of, self._with_access)
        return self._stack_sets[account, region]

    def _stack_sets_in(self, region: str, account: str) -> StackSets:
        return self.stack_sets(account, region)

    def stacks(self, account: str, region: str) -> Stacks:
        """Return the stacks of an account in a region."""
        if (account, region) not in self._stacks:
            self._stacks[account, region] = Stacks(account, region, self._around)
        return self._stacks[account, region]


@cache
def _model() -> ServiceModel:
    return botocore.session.get_session().get_service_model("cloudformation")


def _status(operation: OperationModel, code: str) -> int:
    """Return the HTTP status of an error: 400, unless the model says something else."""
    errors = {shape.metadata.get("error", {}).get("code", shape.name): shape for shape in operation.error_shapes}
    return int(errors[code].metadata.get("error", {}).get("httpStatusCode", 400)) if code in errors else 400


def _written(operation: OperationModel, result: dict[str, Any]) -> Answer:
    shape = operation.output_shape
    content = f"<{operation.name}Result>{_content(result, shape)}</{operation.name}Result>" if shape else ""
    name, namespace = f"{operation.name}Response", operation.service_model.metadata["xmlNamespace"]
    metadata = f"<ResponseMetadata><RequestId>{uuid4()}</RequestId></ResponseMetadata>"
    return Answer(200, f'<{name} xmlns="{namespace}">{content}{metadata}</{name}>'.encode(), {"Content-Type": "text/xml"})


def _content(value: Any, shape: Any) -> str:
    """Return a value as the content of an XML element; what is None is left out."""
    if shape.type_name == "structure":
        unknown = [name for name in value if name not in shape.members]
        if unknown:
            raise InvalidAnswer(f"{shape.name} has no member {', '.join(unknown)}")
        given = [(name, member) for name, member in shape.members.items() if value.get(name) is not None]
        return "".join(f"<{name}>{_content(value[name], member)}</{name}>" for name, member in given)
    if shape.type_name == "list":
        return "".join(f"<member>{_content(item, shape.member)}</member>" for item in value)
    if shape.type_name == "timestamp":
        return value.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
    return escape(str(value).lower() if shape.type_name == "boolean" else str(value))


def _parsed(form: dict[str, str], operation: OperationModel) -> dict[str, Any]:
    """Return a request of the query protocol as the dict that boto3 was given."""
    if operation.input_shape is None:
        return {}
    parsed: dict[str, Any] = _read(form, "", operation.input_shape)
    return parsed


def _read(form: dict[str, str], prefix: str, shape: Any) -> Any:
    """Return the value of a shape whose parts stand at `prefix` in the form."""
    if shape.type_name == "structure":
        return {
            name: _read(form, key, member)
            for name, member in shape.members.items()
            if _is_given(form, key := f"{prefix}.{name}".lstrip("."))
        }
    if shape.type_name == "list":
        items = []
        while _is_given(form, key := f"{prefix}.member.{len(items) + 1}"):
            items.append(_read(form, key, shape.member))
        return items
    if shape.type_name == "map":
        entries: dict[str, Any] = {}
        while _is_given(form, key := f"{prefix}.entry.{len(entries) + 1}"):
            entries[form[f"{key}.key"]] = _read(form, f"{key}.value", shape.value)
        return entries
    text = form[prefix]
    if shape.type_name == "boolean":
        return text == "true"
    return int(text) if shape.type_name in ("integer", "long") else text


def _is_given(form: dict[str, str], key: str) -> bool:
    return key in form or any(name.startswith(f"{key}.") for name in form)
