# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Checks requests to EventBridge, and answers, against what AWS publishes in botocore's service models.

boto3 itself checks only types and required members of a request; lengths, patterns and enumerations are checked by AWS.
"""

from __future__ import annotations

import json
import re
from datetime import datetime
from functools import cache, lru_cache
from typing import Any

import botocore.session
from botocore.model import ServiceModel
from moto.events.exceptions import ValidationException

_AMBIGUOUS = re.compile(r"^\^\[ \\t\]\*(\[[^]]+\])\+\(\[ \\t\]\+\1\+\)\*\[ \\t\]\*\$$")
# The order in which AWS names the values, where it is not the model's (recorded).
_ENUM_ORDER = {"ApiDestinationHttpMethod": ["HEAD", "POST", "PATCH", "DELETE", "PUT", "GET", "OPTIONS"]}


_TYPES: dict[str, tuple[type, ...]] = {
    "structure": (dict,),
    "map": (dict,),
    "list": (list,),
    "string": (str,),
    "integer": (int,),
    "long": (int,),
    "boolean": (bool,),
    "timestamp": (int, float, str, datetime),
    "float": (int, float),
    "double": (int, float),
    "blob": (str, bytes),
}


class InvalidAnswer(Exception):
    """An answer of the sandbox that AWS cannot give: a mistake of the sandbox."""


@cache
def _model(service: str = "events") -> ServiceModel:
    return botocore.session.get_session().get_service_model(service)


def validate(operation: str, request: str) -> None:
    """Raise a ValidationException in AWS's words if `request`, a JSON text, breaks a constraint of the model."""
    problems = _problems_of(operation, request)
    if problems:
        plural = "s" if len(problems) > 1 else ""
        raise ValidationException(f"{len(problems)} validation error{plural} detected: {'; '.join(problems)}")


@lru_cache(maxsize=4096)
def _problems_of(operation: str, request: str) -> list[str]:
    return _problems(_model().operation_model(operation).input_shape, json.loads(request), "")


@lru_cache(maxsize=4096)
def valid_answer(service: str, operation: str, answer: str) -> str:
    """Return an answer, a JSON text, without nulls; raise InvalidAnswer for what AWS cannot answer."""
    value = without_nulls(json.loads(answer))
    validate_answer(service, operation, value)
    return json.dumps(value)


def validate_answer(service: str, operation: str, answer: Any) -> None:
    """Raise InvalidAnswer for an answer with members or types that the service's model does not have."""
    shape = _model(service).operation_model(operation).output_shape
    problems = _answer_problems(shape, answer, operation) if shape else [f"{operation} has no answer"] * bool(answer)
    if problems:
        raise InvalidAnswer("; ".join(problems))


def without_nulls(value: Any) -> Any:
    """Return a value without the members that are null: AWS leaves them out."""
    if isinstance(value, dict):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    return [without_nulls(item) for item in value] if isinstance(value, list) else value


def _answer_problems(shape: Any, value: Any, path: str) -> list[str]:
    kinds = _TYPES[shape.type_name]
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
        return [f"{path} is of type {type(value).__name__}, not {shape.type_name}"]
    if shape.type_name == "structure":
        names = {member.serialization.get("name", name): member for name, member in shape.members.items()}
        problems = [f"{path} has no member {name}" for name in value if name not in names]
        problems += [f"{path}.{name} is missing" for name in shape.required_members if name not in value]
        for name in set(value) & set(names):
            problems += _answer_problems(names[name], value[name], f"{path}.{name}")
        return problems
    if shape.type_name == "list":
        return [problem for item in value for problem in _answer_problems(shape.member, item, f"{path}[]")]
    if shape.type_name == "map":
        return [problem for item in value.values() for problem in _answer_problems(shape.value, item, f"{path}{{}}")]
    allowed = shape.metadata.get("enum")
    return [f"{path} is {value}, which is none of {', '.join(allowed)}"] if allowed and value not in allowed else []


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
        problems = [_problem(shape, value, path, constraint) for constraint in _sizes(shape, len(value), "have length")]
        for index, item in enumerate(value, 1):
            problems += _problems(shape.member, item, f"{path}.{index}.member")
        return problems
    constraints: list[str] = []
    if shape.type_name == "string":
        constraints = _text_constraints(shape, value) + _sizes(shape, len(value), "have length")
    elif shape.type_name in ("integer", "long"):
        constraints = _sizes(shape, value, "have value")
    return [_problem(shape, value, path, constraint) for constraint in constraints]


def _sizes(shape: Any, size: int, what: str) -> list[str]:
    minimum, maximum = shape.metadata.get("min"), shape.metadata.get("max")
    too_small = minimum is not None and size < minimum
    too_big = maximum is not None and size > maximum
    return [f"Member must {what} greater than or equal to {minimum}"] * too_small + [
        f"Member must {what} less than or equal to {maximum}"
    ] * too_big


def _text_constraints(shape: Any, value: str) -> list[str]:
    """Return the constraints that a text breaks, but for its length, which AWS names last (recorded)."""
    broken = []
    allowed = shape.metadata.get("enum")
    if allowed and value not in allowed:
        shown = _ENUM_ORDER.get(shape.name, allowed)
        broken.append(f"Member must satisfy enum value set: [{', '.join(shown)}]")
    pattern = shape.metadata.get("pattern")
    if pattern and not _compiled(pattern).fullmatch(value):
        broken.append(f"Member must satisfy regular expression pattern: {pattern}")
    return broken


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
    hidden = shape.metadata.get("sensitive") or not isinstance(value, (str, int))
    shown = " '[]'" if value == [] else "" if hidden else f" '{value}'"
    return f"Value{shown} at '{path}' failed to satisfy constraint: {constraint}"


def _join(path: str, name: str) -> str:
    return f"{path}.{name[0].lower()}{name[1:]}".lstrip(".")
