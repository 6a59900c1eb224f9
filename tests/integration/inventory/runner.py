# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs ansible-inventory as a user does, and looks for tokens in all that it shows and leaves."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.integration.interpreters import for_playbooks, left_by_playbooks
from tests.integration.playbooks.leaks import seen_in, seen_in_files
from tests.sandbox.client import Sandbox
from tests.tools import cpu_time

BIN = Path(sys.executable).parent
COLLECTIONS = Path(sys.prefix) / "collections"
PLUGIN = "spot.eventbridge.spot_accounts"


@dataclass(frozen=True)
class Listing:
    """What ansible-inventory listed.

    Attributes:
        hosts: their variables, by name, in the order of the group `spot_accounts`.
        groups: their hosts, by name.
        warnings: what stands in standard error, as one line.
        requests: how many requests Spot received meanwhile.
        cpu: CPU seconds that it took; where Ansible was warm already, not the most of them.
    """

    hosts: dict[str, dict[str, Any]]
    groups: dict[str, list[str]]
    output: str
    warnings: str
    requests: int
    cpu: float


class Inventory:
    """Writes inventory files, and lists them.

    Args:
        folder: where they are; home and place for temporary files as well.

    Attributes:
        variables: what else is in the environment.
        warm: whether an Ansible lists that is warm already, see tests/tools/warm_python.
    """

    def __init__(self, sandbox: Sandbox, folder: Path) -> None:
        self.sandbox = sandbox
        self.folder = folder
        self.tokens = set(sandbox.tokens.values())
        self.variables: dict[str, str] = {}
        self.warm = True

    def file(self, name: str = "spot_accounts.yml", **options: Any) -> Path:
        """Write a file for the plugin; the address of the sandbox's Spot is in it unless another is given."""
        path = self.folder / name
        path.write_text(yaml.safe_dump({"plugin": PLUGIN, "spot_api_url": self.sandbox.spot_url, **options}, sort_keys=False))
        return path

    def __call__(self, *arguments: str, token: str | None = "admin", **options: Any) -> Listing:
        """Write a file with these options and list it."""
        return self.list(self.file(**options), *arguments, token=token)

    def list(self, *arguments: Path | str, token: str | None = "admin") -> Listing:
        """List files, each given as a Path; no token of the sandbox may be seen, or left in a file.

        Args:
            token: the name of the Spot token in the environment.
        """
        before, begin = len(self.sandbox.received()), cpu_time.of_children()
        done = subprocess.run(
            [*self._program(), "--list", *self._words(arguments)],
            cwd=self.folder,
            env=self.environment(token),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        cpu = cpu_time.of_children() - begin
        output = done.stdout + done.stderr
        assert seen_in(output.encode(), self.tokens) == []
        assert seen_in_files(self.folder, self.tokens) == seen_in_files(left_by_playbooks(), self.tokens) == {}
        assert "Traceback" not in output, output
        assert done.returncode == 0, output
        # With -v there is more than the list.
        found = json.loads(done.stdout[done.stdout.index("{\n") :], object_hook=_plain)
        hosts, groups = found["_meta"]["hostvars"], {name: entry.get("hosts", []) for name, entry in found.items()}
        return Listing(
            hosts={name: hosts[name] for name in groups.get("spot_accounts", [])},
            groups=groups,
            output=output,
            warnings=" ".join(done.stderr.split()),
            requests=len(self.sandbox.received()) - before,
            cpu=cpu,
        )

    def _program(self) -> list[Path | str]:
        return [for_playbooks(), "-m", "ansible", "inventory"] if self.warm else [BIN / "ansible-inventory"]

    def _words(self, arguments: tuple[Path | str, ...]) -> list[str]:
        return [word for given in arguments for word in (["-i", str(given)] if isinstance(given, Path) else [given])]

    def environment(self, token: str | None) -> dict[str, str]:
        """The environment of Ansible's programs."""
        return {
            **{name: value for name, value in self.sandbox.env(token).items() if not name.startswith("ANSIBLE_")},
            "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
            "HOME": str(self.folder),
            "TMPDIR": str(self.folder),
            "COLUMNS": "1000",
            **self.variables,
        }


def _plain(found: dict[str, Any]) -> Any:
    """ansible-core 2.19 wraps texts up that are no templates."""
    return found["__ansible_unsafe"] if set(found) == {"__ansible_unsafe"} else found
