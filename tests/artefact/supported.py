# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is supported, as environments: its ends, or with SUPPORTED=all in the environment all that this machine can run."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from tests.tools.environments import collections, environment
from tests.tools.interpreters import CORES, Version, interpreters, newest_core, oldest_core

# boto3 as the README says. PyPI has amazon.aws only in the package `ansible`: this one holds 10.1.0.
OLDEST = {"boto3": ["boto3==1.34.0", "botocore==1.34.0"], "amazon.aws": "ansible==12.0.0a5"}
NEWEST = {"boto3": ["boto3", "botocore"], "amazon.aws": "ansible>=14.5"}


@dataclass(frozen=True)
class Supported:
    """One combination that has to work."""

    name: str
    core: Version
    python: Path
    boto3: list[str]
    amazon_aws: str

    def environment(self) -> Path:
        """The folder of its virtual environment; it is made if it is not there yet."""
        major, minor = self.core
        return environment(self.name, self.python, [f"ansible-core~={major}.{minor}.0", *self.boto3])

    def collections(self) -> Path:
        """A collections path with amazon.aws on it; it is filled if it is not there yet."""
        return collections(self.amazon_aws)


def chosen() -> list[Supported]:
    """What is to be tested."""
    return every() if os.environ.get("SUPPORTED") == "all" else ends()


def every() -> list[Supported]:
    """Each supported ansible-core on each interpreter that runs it."""
    return [
        Supported(f"core-{core[0]}.{core[1]}-python-{version[0]}.{version[1]}", core, path, NEWEST["boto3"], NEWEST["amazon.aws"])
        for core, minors in CORES.items()
        for version, path in interpreters().items()
        if version[0] == 3 and version[1] in minors
    ]


def ends() -> list[Supported]:
    """Oldest and newest ansible-core, each with oldest and newest boto3."""
    return [
        Supported("oldest", *oldest_core(), OLDEST["boto3"], OLDEST["amazon.aws"]),
        Supported("newest", *newest_core(), NEWEST["boto3"], NEWEST["amazon.aws"]),
        Supported("oldest-core-newest-boto3", *oldest_core(), NEWEST["boto3"], NEWEST["amazon.aws"]),
        Supported("newest-core-oldest-boto3", *newest_core(), OLDEST["boto3"], OLDEST["amazon.aws"]),
    ]
