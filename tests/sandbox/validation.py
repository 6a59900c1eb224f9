# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Checks a request to EventBridge against the constraints that AWS publishes in botocore's service model.

boto3 itself checks only types and required members; lengths, patterns and enumerations are checked by AWS.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import botocore.session
from botocore.model import ServiceModel
from moto.events.exceptions import ValidationException

_AMBIGUOUS = re.compile(r"^\^\[ \\t\]\*(\[[^]]+\])\+\(\[ \\t\]\+\1\+\)\*\[ \\t\]\*\$$")


@cache
def _model() -> ServiceModel:
    return botocore.session.get_session().get_service_model("events")


def validate(operation: str, request: dict[str, Any]) -> None:
    """Raise a ValidationException in AWS's words if `request` breaks a constraint of the model."""
    problems = _problems(_model().operation_model(operation).input_shape, request, "")
    if problems:
        plural = "s" if len(problems) > 1 else ""
        raise ValidationException(f"{len(problems)} validation error{plural} detected: {'; '.join(problems)}")


def _problems(shape: Any, value: Any, path: str) -> list[str]:
    """Return what is wrong with a value and all that it holds, by the botocore shape it has to have."""
    if shape.type_name == "structure":
        missing = [
            f"Value null at '{_join(path, name)}' failed to satisfy constraint: Member must not be null"
            for name in shape.required_members
            if value.get(name) is None
        ]
        return missing + [
            problem
            for name, member in shape.members.items()
            if value.get(name) is not None
            for problem in _problems(member, value[name], _join(path, name))
        ]
    if shape.type_name == "list":
        own = _constraint(shape, len(value), "length")
        problems = [_problem(shape, value, path, own)] if own else []
        for index, item in enumerate(value, 1):
            problems += _problems(shape.member, item, f"{path}.{index}.member")
        return problems
    constraint = None
    if shape.type_name == "string":
        constraint = _constraint(shape, len(value), "length") or _text_constraint(shape, value)
    elif shape.type_name in ("integer", "long"):
        constraint = _constraint(shape, value, "value")
    return [_problem(shape, value, path, constraint)] if constraint else []


def _constraint(shape: Any, size: int, what: str) -> str | None:
    minimum, maximum = shape.metadata.get("min"), shape.metadata.get("max")
    noun = "have length" if what == "length" else "have value"
    if minimum is not None and size < minimum:
        return f"Member must {noun} greater than or equal to {minimum}"
    if maximum is not None and size > maximum:
        return f"Member must {noun} less than or equal to {maximum}"
    return None


def _text_constraint(shape: Any, value: str) -> str | None:
    allowed = shape.metadata.get("enum")
    if allowed and value not in allowed:
        return f"Member must satisfy enum value set: [{', '.join(allowed)}]"
    pattern = shape.metadata.get("pattern")
    if pattern and not _compiled(pattern).fullmatch(value):
        return f"Member must satisfy regular expression pattern: {pattern}"
    return None


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """Compile a pattern of the model.

    The one of credentials and headers can be read in exponentially many ways; it says the same as: one character of
    the class at least, and tabs anywhere.
    """
    ambiguous = _AMBIGUOUS.match(pattern)
    if ambiguous:
        return re.compile(rf"\t*{ambiguous[1]}(?:\t|{ambiguous[1]})*")
    try:
        return re.compile(pattern)
    except re.error:  # Java's \p{L} and the like, in parameters that nobody here uses
        return re.compile(".*", re.DOTALL)


def _problem(shape: Any, value: Any, path: str, constraint: str) -> str:
    shown = "" if shape.metadata.get("sensitive") or not isinstance(value, (str, int)) else f" '{value}'"
    return f"Value{shown} at '{path}' failed to satisfy constraint: {constraint}"


def _join(path: str, name: str) -> str:
    return f"{path}.{name[0].lower()}{name[1:]}".lstrip(".")
