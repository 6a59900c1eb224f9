# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs modules of the collection inside of this process, against a sandbox that is in it as well."""

from __future__ import annotations

import contextlib
import datetime
import functools
import importlib
import io
import json
import os
import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar, Self
from unittest import mock

from ansible.module_utils import _internal, basic
from ansible.module_utils.common import dict_transformations, warnings
from ansible.utils.collection_loader._collection_finder import _AnsibleCollectionFinder
from botocore.retries import quota

from tests.integration.modules.runner import MODULES, Run
from tests.integration.modules.secrets_in import secrets_in
from tests.sandbox.in_process import CLOCK, InProcess
from tests.sandbox.server import Answer
from tests.sandbox.turns import of_a_process

# Another copy of the collection, with a mistake in it (mutants.py).
_COLLECTIONS = Path(os.environ.get("HISTORIES_COLLECTIONS") or Path(sys.prefix) / "collections")
if _COLLECTIONS.is_dir():
    _AnsibleCollectionFinder(paths=[str(_COLLECTIONS)])._install()
# At once, as pytest-ansible looks elsewhere later.
_MAINS = {
    name: importlib.import_module(f"{MODULES}.{name}").main
    for name in (
        *("spot_integration", "spot_integration_info", "spot_preflight_info", "spot_stack", "spot_stack_set"),
        *("spot_watch_hub", "spot_watch", "spot_heal_queue", "spot_heal_record"),
    )
}

PLUGINS = "ansible_collections.spot.eventbridge.plugins"
UTILS = f"{PLUGINS}.module_utils"
# What heal decides on the controller.
healed = importlib.import_module(f"{PLUGINS}.plugin_utils._healing").healed
plan_result = importlib.import_module(f"{UTILS}._heal.plan").plan_result
healing_record = importlib.import_module(f"{UTILS}._notify.healing_record")
# Modules that wait longer than this, by the clock of the sandbox, have no end.
LONGEST = 3600 * 3


class Killed(BaseException):
    """The process of a module is gone; nothing in it may catch this."""


def at_call(number: int, action: Callable[[], None], *, after: bool = False) -> Callable[..., Answer | None]:
    """Return a watcher that does something before, or after, the call of a number, the first being 0."""
    calls = iter(range(sys.maxsize))

    def watch(_service: str, _operation: str, call: Callable[[], Answer | None]) -> Answer | None:
        here = next(calls) == number
        if here and not after:
            _act(action)
        answer = call()
        if here and after:
            _act(action)
        return answer

    return watch


def _act(action: Callable[[], None]) -> None:
    try:
        action()
    except Exception as error:
        raise Failed from error


class Failed(BaseException):
    """What was to happen at a call has failed, and botocore, or the module, must not take that for a failure of the call."""


def kill() -> None:
    """End the module."""
    raise Killed


class InProcessModules:
    """Runs modules; each result is searched for tokens.

    Attributes:
        tokens: what must never be seen.
    """

    def __init__(self, sandbox: InProcess) -> None:
        self.sandbox = sandbox
        self._depth = 0
        self.tokens: set[str] = set(sandbox.tokens.values())

    def __call__(self, module: str, *, check: bool = False, watcher: Any = None, **arguments: Any) -> Run | None:
        """Run a module; `arguments` are its options, as in a playbook. None if it was killed."""
        internal = {"_ansible_check_mode": check, "_ansible_diff": True}
        given = json.dumps({"ANSIBLE_MODULE_ARGS": {**arguments, **internal}}).encode()
        out, begun, status = io.StringIO(), self.sandbox.clock.passed, 0
        before, self.sandbox.watcher = self.sandbox.watcher, watcher or self.sandbox.watcher
        if not self._depth:
            _Quota.refill()
            # What was done before shows by now; only its own changes, and those of a run in between, are late.
            self.sandbox.clock.sleep(self.sandbox.world.settings.read_lag_seconds)
        self._depth += 1
        try:
            with of_a_process(), _as_a_module(given), contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
                _MAINS[module]()
        except SystemExit as end:
            status = int(end.code or 0)
        except Killed:
            return None
        except Failed as failed:
            raise (failed.__cause__ or failed) from None
        finally:
            self.sandbox.watcher = before
            self._depth -= 1
        said = out.getvalue()
        assert secrets_in(said, self.tokens) == []
        assert "Traceback" not in said, said
        answer = json.loads(said)
        assert status == (1 if answer.get("failed") else 0)
        assert self.sandbox.clock.passed - begun < LONGEST, f"{module} took {self.sandbox.clock.passed - begun:.0f} s"
        return Run(answer, said)


class _Quota(quota.RetryQuota):
    """The retries that a client has left; full when a module begins, as its clients would be new."""

    made: ClassVar[list[_Quota]] = []

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.made.append(self)

    @classmethod
    def refill(cls) -> None:
        """Give all clients all of their retries."""
        for one in cls.made:
            one._available_capacity = one._max_capacity


class _Session:
    """A boto3 Session whose clients outlive it: to make one takes longer than all of its calls."""

    clients: ClassVar[dict[str, Any]] = {}

    def __init__(self, session: Any) -> None:
        self._session = session

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)

    def client(self, service: str, *, config: Any = None, **options: Any) -> Any:
        """See boto3."""
        key = repr((service, sorted(options.items()), sorted((config._user_provided_options if config else {}).items(), key=str)))
        if key not in self.clients:
            with mock.patch.object(quota, "RetryQuota", _Quota):
                self.clients[key] = self._session.client(service, config=config, **options)
        return self.clients[key]


@functools.cache
def _session(profile: str | None, region: str | None) -> _Session:
    return _Session(_make_session(profile, region))


def _any_session(profile: str | None, region: str | None = None, credentials: Any = None) -> Any:
    """As the collection's make_session; of an assumed role, all is made each time."""
    return _session(profile, region) if credentials is None else _make_session(profile, region, credentials)


def _make_session(*args: Any) -> Any:
    return importlib.import_module(f"{UTILS}._aws.session").make_session(*args)


class _Datetime(datetime.datetime):
    """By the clock of the sandbox: figures of a test event lie in its time, which passes where somebody sleeps."""

    @classmethod
    def now(cls, tz: datetime.tzinfo | None = None) -> Self:
        """See datetime."""
        return cls.fromtimestamp(CLOCK.time(), tz)


_TIME = types.SimpleNamespace(datetime=_Datetime, timedelta=datetime.timedelta, timezone=datetime.timezone)
_camel_to_snake = functools.cache(dict_transformations._camel_to_snake)


@contextlib.contextmanager
def _as_a_module(given: bytes) -> Iterator[None]:
    """Let ansible-core's code for modules do what it does in a process of a module's own; a module inside of another's call, too."""
    kept_warnings, kept_deprecations = dict(warnings._global_warnings), dict(warnings._global_deprecations)
    warnings._global_warnings.clear()
    warnings._global_deprecations.clear()
    importlib.import_module(f"{UTILS}._core.polling")._pool.cache_clear()
    with (
        mock.patch.object(basic, "_ANSIBLE_ARGS", given),
        mock.patch.object(basic, "_ANSIBLE_PROFILE", "legacy"),
        mock.patch.object(_internal, "is_controller", False),
        mock.patch.object(importlib.import_module(f"{UTILS}._aws.regions"), "make_session", _any_session),
        mock.patch.object(importlib.import_module(f"{UTILS}._proof.test_event"), "datetime", _TIME),
        mock.patch.object(dict_transformations, "_camel_to_snake", _camel_to_snake),
    ):
        try:
            yield
        finally:
            importlib.import_module(f"{UTILS}._core.polling")._pool.cache_clear()
            warnings._global_warnings.clear()
            warnings._global_warnings.update(kept_warnings)
            warnings._global_deprecations.clear()
            warnings._global_deprecations.update(kept_deprecations)
