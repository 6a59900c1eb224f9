# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Records: what AWS was asked, and what it answered. They are data, in the files of `records/`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

Json = dict[str, Any]

HERE = Path(__file__).parent
RECORDS = HERE / "records"
_PLACEHOLDER = re.compile(r"\{\{(\w+)\}\}")
_MEMBERS = frozenset(
    {"id", "sources", "setup", "call", "arguments", "expect", "note", "manual", "sandbox_only", "sandbox_differs", "untagged"}
    | {"question", "code", "setting", "test", "as", "region", "poll"}
)

_OWN = frozenset({"id", "sources", "setup", "arguments", "expect", "as", "region", "poll"})


class RecordError(ValueError):
    """A file of records that cannot be used. Its text names the file and the record."""


@dataclass(frozen=True)
class Record:
    """One record.

    Attributes:
        name: file and id, unique.
        sources: where the answer was seen, each with kind and date (see `sources.yml`).
        setup: the calls that come first.
        call: the call whose answer is compared: `service.Operation`, or `observe.*` for a delivery.
        expect: the answer; None for an open question.
        manual: the reason why no program can replay the record; None if one can.
        sandbox_only: the reason why the record cannot be replayed on AWS itself.
        sandbox_differs: the reason why the sandbox still gives another answer.
        untagged: the record is about tags or all members of an answer, so that the runner adds no tag of its own.
        question: what is not known about AWS, for a record without an expectation.
        code: the product's code that depends on the answer.
        setting: the setting of the sandbox that gives either answer; None where the code does not look at it.
        test: the test that runs this code with either answer.
    """

    name: str
    sources: list[Json]
    setup: list[Json]
    call: str
    arguments: Json
    expect: Json | None
    note: str | None = None
    manual: str | None = None
    sandbox_only: str | None = None
    sandbox_differs: str | None = None
    untagged: bool = False
    question: str | None = None
    code: list[str] = field(default_factory=list)
    setting: str | None = None
    test: str | None = None
    raw: Json = field(default_factory=dict)


def load(folder: Path = RECORDS) -> list[Record]:
    """Return the records of all files of a folder (YAML or JSON); a RecordError names the first that is not valid."""
    records: list[Record] = []
    for path in sorted(folder.iterdir()):
        if path.suffix in (".yml", ".json"):
            records += _of_file(path)
    names = [record.name for record in records]
    for name in names:
        if names.count(name) > 1:
            raise RecordError(f"{name} is there twice")
    return records


def _of_file(path: Path) -> Iterator[Record]:
    text = path.read_text(encoding="utf-8")
    content = json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)
    for raw in content["records"] if isinstance(content, dict) else content:
        yield _record(path.stem, raw)


def _record(file: str, raw: Json) -> Record:
    name = f"{file}/{raw.get('id')}"
    unknown = sorted(set(raw) - _MEMBERS)
    if unknown:
        raise RecordError(f"{name}: unknown members {', '.join(unknown)}")
    needed = ("id", "call", "code") if "question" in raw else ("id", "call", "sources", "expect")
    missing = [member for member in needed if not raw.get(member)]
    if "question" in raw and "expect" in raw:
        raise RecordError(f"{name}: an open question has no expectation")
    if missing:
        raise RecordError(f"{name}: missing {', '.join(missing)}")
    if raw["call"] == "observe" and not raw.get("manual"):
        raise RecordError(f"{name}: manual has to say why nothing can replay it")
    return Record(
        name=name,
        sources=[_source(name, item) for item in raw.get("sources", [])],
        setup=[step for item in raw.get("setup", []) for step in _steps(name, item)],
        raw=raw,
        arguments=raw.get("arguments", {}),
        expect=raw.get("expect"),
        **{member: raw[member] for member in _MEMBERS - _OWN if member in raw},
    )


def _steps(name: str, item: str | Json) -> list[Json]:
    """Return a step, or the steps of a name in `setups.yml`."""
    if isinstance(item, dict):
        return [item]
    if item not in _shared("setups.yml"):
        raise RecordError(f"{name}: setups.yml does not have {item}")
    return list(_shared("setups.yml")[item])


def _source(name: str, item: Json) -> Json:
    """Return a source with what `sources.yml` knows about it: kind, date."""
    ((key, where),) = item.items()
    if key not in _shared("sources.yml"):
        raise RecordError(f"{name}: sources.yml does not have {key}")
    return {"source": key, "where": where, **_shared("sources.yml")[key]}


@cache
def _shared(file: str) -> Json:
    content: Json = yaml.safe_load((HERE / file).read_text(encoding="utf-8"))
    return content


def filled(value: Any, values: Mapping[str, str]) -> Any:
    """Return a value with its placeholders replaced; a KeyError names one that has no value."""
    if isinstance(value, str):
        return _PLACEHOLDER.sub(lambda match: str(values[match[1]]), value)
    if isinstance(value, list):
        return [filled(item, values) for item in value]
    if isinstance(value, dict):
        return {filled(key, values): filled(item, values) for key, item in value.items()}
    return value
