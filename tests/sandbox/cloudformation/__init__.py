# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""CloudFormation: stacks that really make their resources, by calls that take the way of all others.

moto's own makes neither connections nor API destinations, knows no states, and takes two seconds to import.

    api.py          each operation's request parsed, its answer as XML
    stacks.py       the operations on stacks
    stack_sets.py   the operations on stack sets; automatic deployment
    operations.py   what then happens in the background: create, update, delete, roll back
    deployment.py   the same for stack sets: accounts and regions, in turn or at once
    resources.py    the resource types
    services.py     the calls to other services
    template.py, evaluation.py, sources.py     templates: read, checked, evaluated, fetched
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ..moto_app import LOCK
from ..settings import Settings
from . import published

if TYPE_CHECKING:
    from ..aws import Aws, Call
    from ..server import Answer
    from .api import Api


class CloudFormation:
    """CloudFormation of all accounts; what answers is imported with the first call.

    Args:
        url: returns the sandbox's address of AWS.
    """

    def __init__(self, settings: Settings, aws: Aws, url: Callable[[], str]) -> None:
        self._settings, self._aws, self._url = settings, aws, url
        self._api: Api | None = None

    def answer(self, call: Call) -> Answer:
        """Answer a call to CloudFormation."""
        return self._started().answer(call)

    def organization_changed(self) -> None:
        """Let automatic deployment follow; whoever has made no call to CloudFormation yet has no stack set."""
        if self._api:
            self._api.organization_changed()

    def reset(self) -> None:
        """Forget every stack; operations under way end without a trace. Spot's template is published again."""
        with LOCK:
            if self._api:
                self._api.abandon()
            self._api = None
            published.publish()

    def _started(self) -> Api:
        from .api import Api

        with LOCK:
            if self._api is None:
                self._api = Api(self._settings, self._aws, self._url())
            return self._api
