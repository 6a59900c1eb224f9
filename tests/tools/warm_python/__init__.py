# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A Python interpreter that has imported and read already what its programs import and read: each start of it is a fork.

Most of the CPU time of a run, of Ansible as of a module, is the start of Python, Ansible and boto3, the same in each: an onboarding of
two regions takes three to four times as much from the start. So the tests use interpreters that hand their program over to a process
that is long past that. It is run as ever: a module out of what Ansible sends, and each in a process of its own, with its own
environment, folder, input and output. If there is a variable TEST_RUN, its first 15 bytes are the name of the process, and of those
that it forks.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

NAME_BYTES = 15  # what Linux keeps of the name of a process
CLIENT = Path(__file__).with_name("client.py")
SERVER = Path(__file__).with_name("server.py")


class WarmPython:
    """The process that is asked for forks, and the program that asks it.

    Attributes:
        path: of that program. It takes a module as Ansible sends it, on standard input or in a file, or `-m` and a name; everything
            else it leaves to the interpreter that runs this.

    The process ends, and removes what is here, as soon as the one that made it is gone.

    Args:
        imports: names of Python modules to import ahead. What is not among them is imported by each run for itself.
        environment: what its environment has besides, where the imports make something of it. Each run has its own.
        cwd: the folder in which it imports.
    """

    def __init__(
        self,
        imports: Sequence[str],
        environment: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> None:
        folder = Path(tempfile.mkdtemp(prefix="warm-"))
        self.path = folder / "python"
        # The shortest start that there is: nothing but the standard library, and of that next to nothing.
        self.path.write_text(f"#!{sys.executable} -IS\n{CLIENT.read_text(encoding='utf-8')}", encoding="utf-8")
        self.path.chmod(0o755)
        own = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "ANSIBLE_", "SPOTINST_"))}
        self._process = subprocess.Popen(
            [sys.executable, SERVER, folder, ",".join(imports)],
            cwd=cwd,
            env={**own, "HOME": str(folder), **(environment or {})},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._process.stdout
        if self._process.stdout.readline() != b"ready\n":
            raise RuntimeError("the warm interpreter did not start")
