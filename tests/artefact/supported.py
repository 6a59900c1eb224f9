# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The ends of what is supported, as environments: the oldest and the newest of everything that this machine can run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests.tools.environments import environment
from tests.tools.interpreters import Version, newest_core, oldest_core

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
        packages = [f"ansible-core~={major}.{minor}.0", *self.boto3]
        return environment(self.name, self.python, packages, self.amazon_aws)


def ends() -> list[Supported]:
    """Oldest and newest ansible-core, each with oldest and newest boto3."""
    return [
        Supported("oldest", *oldest_core(), OLDEST["boto3"], OLDEST["amazon.aws"]),
        Supported("newest", *newest_core(), NEWEST["boto3"], NEWEST["amazon.aws"]),
        Supported("oldest-core-newest-boto3", *oldest_core(), NEWEST["boto3"], NEWEST["amazon.aws"]),
        Supported("newest-core-oldest-boto3", *newest_core(), OLDEST["boto3"], OLDEST["amazon.aws"]),
    ]
