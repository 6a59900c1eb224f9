# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What several unit tests need: a region without clients, AWS's refusals, and a clock that does not wait."""

from __future__ import annotations

import sys
import typing as t
from pathlib import Path

import pytest
from ansible.utils.collection_loader._collection_finder import _AnsibleCollectionFinder
from botocore.exceptions import ClientError

# `make setup` puts amazon.aws, and this collection as a link, beside the interpreter; pytest-ansible looks elsewhere.
_COLLECTIONS = Path(sys.prefix) / "collections"
if _COLLECTIONS.is_dir():
    _AnsibleCollectionFinder(paths=[str(_COLLECTIONS)])._install()

from ansible_collections.spot.eventbridge.plugins.module_utils._core.region import Region  # noqa: E402


@pytest.fixture
def region() -> Region:
    """A region for pure functions: whoever calls a client in it fails."""
    return Region("eu-west-1", "aws", {})


@pytest.fixture
def refusal() -> t.Callable[..., ClientError]:
    """Makes what boto3 raises when AWS refuses a call."""

    def make(code: str, message: str = "No.", operation: str = "PutRule", attempts: int = 0) -> ClientError:
        answer = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"RetryAttempts": attempts}}
        return ClientError(t.cast("t.Any", answer), operation)

    return make


class Clock:
    """Stands for the module `time`: a sleep is over at once, and the time has passed all the same."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.pauses: list[float] = []

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()
