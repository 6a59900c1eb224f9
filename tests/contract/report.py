# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run says: each record's outcome, and a file of new records. Account numbers, identities and random parts are replaced."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import yaml

from tests.contract.comparison import ABSENT, at
from tests.contract.records import Json
from tests.contract.replay import ANSWERED, DIFFERENT, SAME, Outcome, Target

_UUID = r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
# What is replaced wherever it stands, by what is shown for it. In an expectation, each stands for what its expression finds.
_ALWAYS = (
    ("access key", r"\b(?:AKIA|ASIA|AROA|AIDA)[A-Z0-9]{12,}\b"),
    ("authorization details", r"https://\S*authorization-details/\S+ for complete details.*"),
    ("uuid", _UUID),
    ("organization", r"\bo-[a-z0-9]{10,32}\b"),
    ("policy", r"\bp-[a-z0-9]{8,}\b"),
    ("account", r"\b\d{12}\b"),
    ("time", r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[0-9:.+Z-]*"),
)
_SHOWN = {f"<{name}>": pattern for name, pattern in _ALWAYS} | {"<caller>": r"\S+", "<random>": "[A-Za-z0-9]+"}
_TOKEN = re.compile("|".join(re.escape(token) for token in _SHOWN))


@dataclass
class Mask:
    """Replaces in texts what is not to be told, and what another run has differently.

    Args:
        caller: the ARN of whoever runs it.
    """

    target: Target
    caller: str

    def text(self, text: str, values: dict[str, str]) -> str:
        """Return a text with the values of a record's placeholders, and everything private, replaced."""
        known = {**values, "account": self.target.account, "region": self.target.region}
        text = text.replace(self.caller, "<caller>")
        for name, value in sorted(known.items(), key=lambda item: -len(str(item[1]))):
            if len(str(value)) > 3:
                text = text.replace(str(value), f"{{{{{name}}}}}")
        text = text.replace(self.target.prefix, "spot-contract-<random>-")
        for name, pattern in _ALWAYS:
            text = re.sub(pattern, f"<{name}>", text)
        return text

    def all(self, value: Any, values: dict[str, str]) -> Any:
        """Return a value with all its texts masked."""
        if isinstance(value, str):
            return self.text(value, values)
        if isinstance(value, list):
            return [self.all(item, values) for item in value]
        return {key: self.all(item, values) for key, item in value.items()} if isinstance(value, dict) else value


def lines(outcome: Outcome, mask: Mask) -> list[str]:
    """Return what is printed about an outcome."""
    record = outcome.record
    first = f"{outcome.status:10} {record.name}"
    if outcome.status == SAME:
        return [first]
    if outcome.status not in (DIFFERENT, ANSWERED):
        return [f"{first}: {'; '.join(outcome.problems)}"]
    told = [f"question: {record.question}"] if record.question else [*outcome.problems, f"expected: {_json(record.expect)}"]
    told.append(f"answered: {_json(outcome.answer)}")
    return [first, *(f"           {mask.text(line, outcome.values)}" for line in told)]


def recorded(outcomes: list[Outcome], mask: Mask) -> str:
    """Return a file of records that expect what was answered in this run; it can be added to `records/`."""
    now = datetime.now(UTC)
    where = mask.target.url or f"AWS, region {mask.target.region}"
    where = f"{where}, {now:%Y-%m-%d}" if mask.target.url is None else f"an endpoint that is not AWS ({where}), {now:%Y-%m-%d}"
    records = []
    for outcome in outcomes:
        if outcome.answer is None:
            continue
        raw = {key: value for key, value in outcome.record.raw.items() if key in ("id", "setup", "call", "arguments", "untagged", "note")}
        expect = learned(outcome.record.expect or {}, mask.all(outcome.answer, outcome.values))
        records.append({"id": raw.pop("id"), "sources": [{"run": where}], **raw, "expect": expect})
    head = (
        "# Copyright: Contributors to the spot.eventbridge collection\n"
        "# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)\n"
        # REUSE-IgnoreStart
        "# SPDX-License-Identifier: GPL-3.0-or-later\n---\n"
        # REUSE-IgnoreEnd
    )
    return head + yaml.safe_dump(records, sort_keys=False, allow_unicode=True, width=140)


def learned(expect: Json, answer: Json) -> Json:
    """Return an expectation that a masked answer fulfils; it looks at the same members as `expect`, at all where that has none."""
    if "error" in answer:
        return {"error": _expected(answer["error"])}
    of = {
        "keys": lambda _: sorted(answer),
        "keys_of": lambda given: {path: sorted(at(answer, path)) for path in given if isinstance(at(answer, path), dict)},
        "values": lambda given: _found(given, answer),
        "match": lambda given: _found(given, answer),
        "json": lambda given: {path: _expected(json.loads(at(answer, path))) for path in given},
        "attributes": lambda _: _expected(answer["attributes"]),
        "headers": lambda _: _expected(answer["headers"]),
        "events": lambda _: _events(answer),
        "events_include": lambda _: _events(answer),
        "absent": lambda given: [path for path in given if at(answer, path) is ABSENT],
        "exactly": lambda _: sorted(answer["attributes"]),
        "resources": lambda _: {item["LogicalResourceId"]: _pattern(item["PhysicalResourceId"]) for item in answer["StackResources"]},
    }
    names = {"match": "values", "events_include": "events"}
    result: Json = {}
    for name, given in expect.items():
        if name in of:
            value = of[name](given)
            key = names.get(name, name)
            result[key] = {**result.get(key, {}), **value} if isinstance(value, dict) else value
        elif name == "poll":
            result[name] = given
    return result or {
        "keys": sorted(answer),
        "values": {path: value for path, value in _leaves(answer) if not str(value).startswith("<re:")},
    }


def _found(paths: Json, answer: Json) -> Json:
    return {path: _expected(at(answer, path)) for path in paths if at(answer, path) is not ABSENT}


def _events(answer: Json) -> list[Any]:
    return [
        [_expected(event["LogicalResourceId"]), event["ResourceStatus"], _expected(event.get("ResourceStatusReason"))]
        for event in answer["StackEvents"]
    ]


def _leaves(value: Any, path: str = "") -> list[tuple[str, Any]]:
    if isinstance(value, dict):
        return [leaf for key, item in value.items() for leaf in _leaves(item, f"{path}.{key}".lstrip("."))]
    if isinstance(value, list):
        return [leaf for number, item in enumerate(value) for leaf in _leaves(item, f"{path}[{number}]")]
    return [(path, _expected(value))]


def _expected(value: Any) -> Any:
    """Return a masked value as an expectation: a text with replaced parts becomes a regular expression."""
    if isinstance(value, dict):
        return {key: _expected(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_expected(item) for item in value]
    if not isinstance(value, str) or not _TOKEN.search(value):
        return value
    return f"<re:{_pattern(value)}>"


def _pattern(text: str) -> str:
    parts = _TOKEN.split(text)
    tokens = [_SHOWN[token] for token in _TOKEN.findall(text)]
    escaped = [re.escape(part).replace(r"\{\{", "{{").replace(r"\}\}", "}}").replace(r"\ ", " ") for part in parts]
    return "^" + "".join(part + token for part, token in zip(escaped, [*tokens, ""], strict=True)) + "$"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
