# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Compares an answer with the expectation of a record."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

Json = dict[str, Any]

ABSENT = object()
_REGULAR = re.compile(r"<re:(.*)>", re.DOTALL)


def differences(expect: Json, answer: Json) -> list[str]:
    """Return what is different, in words; nothing where the answer is as expected.

    Args:
        expect: the expectation of a record, with its placeholders replaced.
        answer: the answer, or `{"error": {"code", "message", "http"}}`.
    """
    if "error" in expect:
        return _error(expect["error"], answer)
    if "error" in answer:
        refusal = answer["error"]
        return [f"refused with {refusal['code']} ({refusal['http']}): {refusal['message']}"]
    problems: list[str] = []
    for name, wanted in expect.items():
        if name not in ("poll", "told"):
            if name not in _CHECKS:
                raise ValueError(f"unknown expectation {name}")
            problems += _CHECKS[name](wanted, answer)
    return problems


def at(answer: Any, path: str) -> Any:
    """Return the member at a dotted path such as `Stacks[0].StackStatus`; ABSENT if there is none."""
    for part in re.findall(r"[^.\[\]]+|\[\d+\]", path):
        try:
            answer = answer[int(part[1:-1])] if part.startswith("[") else answer[part]
        except (KeyError, IndexError, TypeError):
            return ABSENT
    return answer


def alike(wanted: Any, given: Any) -> bool:
    """Tell whether a value is as wanted; a text `<re:…>` stands for all that its regular expression is found in."""
    if isinstance(wanted, str) and (regular := _REGULAR.fullmatch(wanted)):
        return isinstance(given, str) and re.search(regular[1], given) is not None
    if isinstance(wanted, dict) and isinstance(given, dict):
        return wanted.keys() == given.keys() and all(alike(wanted[key], given[key]) for key in wanted)
    if isinstance(wanted, list) and isinstance(given, list):
        return len(wanted) == len(given) and all(alike(*pair) for pair in zip(wanted, given, strict=True))
    return type(wanted) is type(given) and wanted == given


def plain(value: Any) -> Any:
    """Return an answer as JSON can hold it, without ResponseMetadata."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items() if key != "ResponseMetadata"}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    return value.isoformat() if isinstance(value, datetime) else value


def _error(wanted: Json, answer: Json) -> list[str]:
    if "error" not in answer:
        return [f"accepted, not refused with {wanted['code']}: {_shown(answer)}"]
    given = answer["error"]
    return [f"{name} is {_shown(given[name])}, not {_shown(value)}" for name, value in wanted.items() if not alike(value, given[name])]


def _keys(wanted: list[str], given: Any, what: str) -> list[str]:
    if not isinstance(given, dict):
        return [f"{what} is {_shown(given)}, not an object"]
    more, less = sorted(set(given) - set(wanted)), sorted(set(wanted) - set(given))
    return [f"{what} has {', '.join(more)} besides"] * bool(more) + [f"{what} lacks {', '.join(less)}"] * bool(less)


def _values(wanted: Json, answer: Json) -> list[str]:
    found = {path: at(answer, path) for path in wanted}
    return [f"{path} is {_shown(found[path])}, not {_shown(value)}" for path, value in wanted.items() if not alike(value, found[path])]


def _matches(wanted: Json, answer: Json) -> list[str]:
    found = {path: at(answer, path) for path in wanted}
    return [
        f"{path} is {_shown(found[path])}, which does not match {pattern}"
        for path, pattern in wanted.items()
        if not isinstance(found[path], str) or not re.search(pattern, found[path])
    ]


def _json(wanted: Json, answer: Json) -> list[str]:
    problems = []
    for path, value in wanted.items():
        text = at(answer, path)
        try:
            given = json.loads(text)
        except (TypeError, ValueError):
            problems.append(f"{path} is {_shown(text)}, not JSON")
            continue
        if not alike(value, given):
            problems.append(f"{path} holds {_shown(given)}, not {_shown(value)}")
    return problems


def _differs(unwanted: Json, answer: Json) -> list[str]:
    return [f"{path} is still {_shown(value)}" for path, value in unwanted.items() if at(answer, path) in (value, ABSENT)]


def _event(event: Json) -> list[Any]:
    return [event["LogicalResourceId"], event["ResourceStatus"], event.get("ResourceStatusReason")]


def _events(wanted: list[Any], answer: Json) -> list[str]:
    given = [_event(event) for event in answer["StackEvents"]]
    return [] if alike(wanted, given) else [f"the events are {_shown(given)}, not {_shown(wanted)}"]


def _events_include(wanted: list[Any], answer: Json) -> list[str]:
    given = [_event(event) for event in answer["StackEvents"]]
    missing = [item for item in wanted if not any(alike(item, event) for event in given)]
    return [f"the event {_shown(item)} is not among {_shown(given)}" for item in missing]


def _one_event(wanted: Json, answer: Json) -> list[str]:
    properties = wanted.get("properties", {})
    plainly = {key: value for key, value in wanted.items() if key != "properties"}
    chosen = [event for event in answer["StackEvents"] if all(alike(value, event.get(key)) for key, value in plainly.items())]
    if not chosen:
        return [f"no event is {_shown(plainly)}"]
    given = json.loads(chosen[0]["ResourceProperties"])
    different = {key: value for key, value in properties.items() if given.get(key) != value}
    return [f"{key} is shown as {_shown(given.get(key))}, not {_shown(value)}" for key, value in different.items()]


def _resources(wanted: Json, answer: Json) -> list[str]:
    given = {item["LogicalResourceId"]: item.get("PhysicalResourceId", "") for item in answer["StackResources"]}
    return [
        f"{name} is {_shown(given.get(name))}, which does not match {pattern}"
        for name, pattern in wanted.items()
        if not re.search(pattern, given.get(name, ""))
    ]


def _members(wanted: Json, answer: Json, of: str) -> list[str]:
    """Compare some members of an object, such as the attributes of a dead letter."""
    given = answer.get(of, {})
    return [
        f"{name} is {_shown(given.get(name, ABSENT))}, not {_shown(value)}"
        for name, value in wanted.items()
        if not alike(value, given.get(name, ABSENT))
    ]


def _absent(unwanted: list[str], answer: Json) -> list[str]:
    inner = answer.get("attributes", {})  # a dead letter's attributes are named without a path
    return [f"{path} is there: {_shown(at(answer, path))}" for path in unwanted if at(answer, path) is not ABSENT or path in inner]


def _shown(value: Any) -> str:
    return "absent" if value is ABSENT else json.dumps(value, default=str, ensure_ascii=False)


_CHECKS: dict[str, Callable[[Any, Json], list[str]]] = {
    "keys": lambda wanted, answer: _keys(wanted, answer, "the answer"),
    "keys_of": lambda wanted, answer: [problem for path, keys in wanted.items() for problem in _keys(keys, at(answer, path), path)],
    "values": _values,
    "match": _matches,
    "absent": _absent,
    "json": _json,
    "differs": _differs,
    "events": _events,
    "events_include": _events_include,
    "event": _one_event,
    "resources": _resources,
    "attributes": lambda wanted, answer: _members(wanted, answer, "attributes"),
    "headers": lambda wanted, answer: _members(wanted, answer, "headers"),
    "exactly": lambda wanted, answer: _keys(wanted, answer.get("attributes"), "the dead letter"),
}
