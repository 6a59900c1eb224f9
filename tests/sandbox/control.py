# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The HTTP control: what a test can switch, cause and look at. Every path is in README.md."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from . import organizations
from .moto_app import LOCK
from .server import Answer, Request, json_answer

if TYPE_CHECKING:
    from .world import World

Action = Callable[[dict[str, Any]], Any]


class Control:
    """Answers the control's requests; an action gets the query and the JSON body as one dict."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._actions: dict[str, Action] = {
            "GET /health": lambda _: {"ok": True},
            "POST /interruption": lambda given: world.interrupt(**given),
            "GET /calls": self._calls,
            "DELETE /calls": lambda _: world.aws.calls.clear(),
            "GET /received": self._received,
            "DELETE /received": lambda _: world.spot.received.clear(),
            "GET /faults": lambda _: world.faults.list(),
            "POST /faults": world.faults.add,
            "DELETE /faults": lambda given: world.faults.clear(int(given["id"]) if "id" in given else None),
            "GET /settings": lambda _: asdict(world.settings),
            "POST /settings": self._set,
            "GET /permissions": lambda _: {key: sorted(actions) for key, actions in world.aws.used.items()},
            "POST /permissions": lambda given: world.aws.permit(given["access_key"], given["allow"]),
            "DELETE /permissions": lambda _: world.aws.forget_permissions(),
            "POST /organization/accounts": self._add_organization_account,
            "GET /spot/accounts": lambda _: world.spot.accounts,
            "POST /spot/accounts": lambda given: world.spot.add_accounts(given["accounts"]),
            "GET /spot/tokens": lambda _: [asdict(token) for token in list(world.spot.tokens.values())],
            "POST /spot/tokens": lambda given: asdict(world.spot.add_token(given)),
            "DELETE /spot/tokens": lambda given: world.spot.revoke_token(given["name"]),
            "POST /spot/outage": lambda given: setattr(world.spot, "outage", given.get("status", 401)),
            "DELETE /spot/outage": lambda _: setattr(world.spot, "outage", None),
            "GET /deliveries": self._deliveries,
            "GET /deliveries/settled": lambda given: {"settled": world.delivery.wait(float(given.get("timeout", 10)))},
            "POST /reset": lambda _: world.reset(),
        }

    def handle(self, request: Request) -> Answer:
        """Answer a request: 200 with JSON, 400 with {"error"} for one that makes no sense, 404 for an unknown path."""
        action = self._actions.get(f"{request.method} {request.path}")
        if action is None:
            return json_answer({"error": f"no such control: {request.method} {request.path}"}, 404)
        try:
            given = {**request.query, **(json.loads(request.body) if request.body else {})}
            return json_answer(action(given))
        except (KeyError, TypeError, ValueError) as error:
            return json_answer({"error": f"{type(error).__name__}: {error}"}, 400)

    def _set(self, given: dict[str, Any]) -> dict[str, Any]:
        self._world.settings.update(given)
        return asdict(self._world.settings)

    def _add_organization_account(self, given: dict[str, Any]) -> dict[str, Any]:
        with LOCK:
            added = organizations.add_account(**given)
            self._world.cloudformation.organization_changed()
        return added

    def _calls(self, given: dict[str, Any]) -> list[dict[str, Any]]:
        given.setdefault("by", "caller")
        calls = list(self._world.aws.calls)
        if given.pop("writes", None) == "1":
            calls = [call for call in calls if call["write"]]
        return _matching(calls, given)

    def _received(self, given: dict[str, Any]) -> list[dict[str, Any]]:
        return _matching(list(self._world.spot.received), given)

    def _deliveries(self, given: dict[str, Any]) -> list[dict[str, Any]]:
        return _matching(list(self._world.delivery.attempts), given)


def _matching(entries: list[dict[str, Any]], wanted: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the entries that have all the wanted values."""
    return [entry for entry in entries if all(str(entry[name]) == value for name, value in wanted.items())]
