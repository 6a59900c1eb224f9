# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists every message of the plugins that a user can meet, found by the calls that raise an error, build a finding or warn.

Usage: python -m tests.tools.messages
"""

from __future__ import annotations

import ast
import re
import typing as t
from dataclasses import dataclass
from pathlib import Path

PLUGINS = Path(__file__).resolve().parents[2] / "plugins"

# The positions, and the keywords, of the texts in the arguments of a call.
_MESSAGES: dict[str, tuple[tuple[int, ...], tuple[str, ...]]] = {
    "ArgumentError": ((0,), ()),
    "RegionError": ((1,), ("message",)),
    "Failure": ((1,), ("message",)),
    "SpotError": ((1,), ()),
    "PeerError": ((1,), ()),
    "ChannelError": ((0,), ()),
    "FolderError": ((0,), ()),
    "Finding": ((2, 3), ("message", "remedy")),
    "missing": ((1, 2), ()),
    "fail_json": ((0,), ("msg",)),
    "_fail": ((1,), ()),
    "warn": ((0,), ()),
    "warning": ((0,), ()),
    "AnsibleLookupError": ((0,), ()),
    "AnsibleParserError": ((0,), ()),
    "AnsibleFilterError": ((0,), ()),
    "AnsibleActionFail": ((0,), ()),
}
# Keywords that have a text for users in any call: notes of a plan or a result.
_ALWAYS = ("note", "unmet_dependency")
# A sentence ends with a full stop, a question mark or an exclamation mark, and white space before a capital or a value.
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z{'])")


@dataclass(frozen=True)
class Message:
    """A text, with `{…}` for each value.

    :ivar file: below `plugins`
    :ivar call: the name of the call that gets it
    """

    file: str
    line: int
    call: str
    text: str

    @property
    def sentences(self) -> int:
        """Return the number of its sentences."""
        return len(_SENTENCE_END.split(self.text.strip()))


def collect(folder: Path = PLUGINS) -> list[Message]:
    """Return the messages of all Python files in a folder, in their order."""
    return [message for path in sorted(folder.rglob("*.py")) for message in _in_file(path, folder)]


def _in_file(path: Path, folder: Path) -> t.Iterator[Message]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    module = _assigned(tree)
    functions = [node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
    scopes = {id(child): function for function in functions for child in ast.walk(function)}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        positions, keywords = _MESSAGES.get(name, ((), ()))
        given = [node.args[place] for place in positions if place < len(node.args)]
        given += [keyword.value for keyword in node.keywords if keyword.arg in (*keywords, *_ALWAYS)]
        known = {**module, **(_assigned(scopes[id(node)]) if id(node) in scopes else {})}
        for text in sorted({text for argument in given for text in _texts(argument, known)} - {""}):
            yield Message(str(path.relative_to(folder)), node.lineno, name, text)


def _assigned(scope: ast.AST) -> dict[str, list[ast.expr]]:
    """Return the values that are assigned to each name in a function, or in a module outside of its functions."""
    known: dict[str, list[ast.expr]] = {}
    nodes = ast.walk(scope) if not isinstance(scope, ast.Module) else iter(scope.body)
    for node in nodes:
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    known.setdefault(target.id, []).append(node.value)
                elif isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                    for name, value in zip(target.elts, node.value.elts, strict=False):
                        if isinstance(name, ast.Name):
                            known.setdefault(name.id, []).append(value)
    return known


def _texts(node: ast.expr, known: dict[str, list[ast.expr]], depth: int = 4) -> list[str]:
    """Return the texts that an expression can be, as far as the source shows them; `{…}` stands for the rest."""
    found = ["{…}"]
    if isinstance(node, ast.Constant):
        found = [node.value if isinstance(node.value, str) else ""]
    elif isinstance(node, ast.IfExp):
        found = _texts(node.body, known, depth) + _texts(node.orelse, known, depth)
    elif isinstance(node, ast.BoolOp):
        found = [text for value in node.values for text in _texts(value, known, depth)]
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        found = [one + other for one in _texts(node.left, known, depth) for other in _texts(node.right, known, depth)]
    elif isinstance(node, ast.JoinedStr):
        found = _joined(node, known, depth)
    elif isinstance(node, ast.Name) and depth and node.id in known:
        rest = {name: values for name, values in known.items() if name != node.id}
        found = [text for value in known[node.id] for text in _texts(value, rest, depth - 1)]
    return found


def _joined(node: ast.JoinedStr, known: dict[str, list[ast.expr]], depth: int) -> list[str]:
    texts = [""]
    for part in node.values:
        value = part.value if isinstance(part, ast.FormattedValue) else part
        # A name in braces is its text only where that is a part of the message, and not a value of the run.
        if isinstance(part, ast.FormattedValue) and not isinstance(value, (ast.Name, ast.Constant, ast.IfExp)):
            found = ["{…}"]
        else:
            found = _texts(t.cast("ast.expr", value), known, depth)
        texts = [text + more for text in texts for more in dict.fromkeys(found)]
    return texts


def main() -> None:
    """Print the list."""
    for message in collect():
        print(f"{message.file}:{message.line} {message.call}: {message.text}")


if __name__ == "__main__":
    main()
