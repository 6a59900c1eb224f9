# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote, urlsplit

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.paging import items
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.api_destination import DEFAULT_ENDPOINT
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.connection import ACCOUNT_PARAMETER
from ansible_collections.spot.eventbridge.plugins.module_utils._aws.resources.event_rule import EVENT_BUS
from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import is_code

if t.TYPE_CHECKING:
    from ansible_collections.spot.eventbridge.plugins.module_utils._core.plan import Document
    from ansible_collections.spot.eventbridge.plugins.module_utils._core.region import Region

_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class OtherTarget:
    """A target that sends to another API destination.

    :ivar spot_account: the account it sends for; None where that is hidden or missing
    :ivar role_arn: its execution role
    :ivar queue_arn: its dead-letter queue; empty if it has none
    """

    rule: str
    target_id: str
    spot_account: str | None = None
    role_arn: str = ""
    queue_arn: str = ""


@dataclass(frozen=True)
class OtherDestination:
    """Another API destination of the region that sends to Spot, and its connected resources.

    :ivar spot_account: the account it sends for, unless a target decides it; None where that is hidden, missing or could not be read
    :ivar rules: the rules of the default event bus that send to it
    :ivar connection: the name of its connection
    :ivar targets: the targets that send to it; read only if they decide the account, or are needed
    :ivar foreign_targets: the ids of the further targets of its rules, by rule; read with `targets`
    :ivar dead: whether its connection was deleted, so that it delivers nothing
    :ivar elsewhere: where no rule of the default event bus sends to it, those of others, as `bus/rule`
    """

    name: str
    spot_account: str | None
    rules: tuple[str, ...]
    connection: str = field(default="", compare=False)
    targets: tuple[OtherTarget, ...] = field(default=(), compare=False)
    foreign_targets: t.Mapping[str, tuple[str, ...]] = field(default_factory=dict, compare=False)
    dead: bool = field(default=False, compare=False)
    elsewhere: tuple[str, ...] = ()

    def account_for(self, spot_account: str) -> str | None:
        """Return this account if it is served, None if it may be; else an account that is served."""
        accounts = [target.spot_account for target in self.targets] or [self.spot_account]
        if spot_account in accounts:
            return spot_account
        return None if None in accounts else accounts[0]

    def may_serve(self, spot_account: str) -> bool:
        """Return whether it sends for this account, as far as can be known."""
        return bool(self.rules or self.elsewhere) and not self.dead and self.account_for(spot_account) in (None, spot_account)


def others(region: Region, own: str, endpoint: str, *, with_targets: bool = False) -> tuple[OtherDestination, ...]:
    """Return the API destinations that send to the same address or to Spot's own, except ours. They are known by host and path alone.

    ListApiDestinations; for each of them DescribeConnection, ListRuleNamesByTarget, ListEventBuses where no rule of the default bus sends
    to it, and ListTargetsByRule where a target may decide the account.

    :param own: the name of ours
    :param with_targets: whether connected resources are needed; then a target that cannot be read is an error
    """
    events = region.clients["events"]
    addresses = {_address(endpoint), _address(DEFAULT_ENDPOINT)}
    listed = [
        item
        for item in items(events, "list_api_destinations", "ApiDestinations")
        if item["Name"] != own and _may_send_to(item.get("InvocationEndpoint", ""), addresses)
    ]
    found = (_read(events, item, addresses, with_targets) for item in listed)
    return tuple(other for other in found if other)


def _read(events: t.Any, item: Document, addresses: t.Collection[str], with_targets: bool) -> OtherDestination | None:
    name, endpoint = item["Name"], item["InvocationEndpoint"]
    connection = item.get("ConnectionArn", "").partition("connection/")[2].partition("/")[0]
    parameters, dead = _parameters_of(events, connection)
    rules = tuple(items(events, "list_rule_names_by_target", "RuleNames", TargetArn=item["ApiDestinationArn"]))
    elsewhere = () if rules or dead else tuple(_rules_of_other_buses(events, item["ApiDestinationArn"]))
    decided, account = _first_account(parameters, [])
    if decided and not with_targets and "*" not in endpoint:
        return OtherDestination(name, account, rules, connection, dead=dead, elsewhere=elsewhere)
    try:
        found = [(rule, list(items(events, "list_targets_by_rule", "Targets", Rule=rule))) for rule in rules]
    except Exception:
        if with_targets:
            raise
        return OtherDestination(name, account, rules, connection, dead=dead)  # its account stays unknown
    targets, foreign = [], {}
    for rule, all_targets in found:
        sending = [target for target in all_targets if target["Arn"] == item["ApiDestinationArn"]]
        foreign[rule] = tuple(target["Id"] for target in all_targets if target not in sending)
        for target in sending:
            address = _filled_in(endpoint, target)
            if _address(address) in addresses:
                of_target = _first_account(parameters, [_pairs_of(target), parse_qsl(urlsplit(address).query)])[1]
                queue_arn = target.get("DeadLetterConfig", {}).get("Arn", "")
                targets.append(OtherTarget(rule, target["Id"], of_target, target.get("RoleArn", ""), queue_arn))
    if "*" in endpoint and rules and not targets:
        return None  # its targets send elsewhere
    if not decided:
        account = _first_account(parameters, [parse_qsl(urlsplit(endpoint).query)])[1]
    used = {rule: ids for rule, ids in foreign.items() if ids}
    return OtherDestination(name, account, rules, connection, tuple(targets), used, dead, elsewhere)


def _rules_of_other_buses(events: t.Any, arn: str) -> t.Iterator[str]:
    """Yield the rules that send to an API destination, as `bus/rule`: a bus to which a rule of the default one forwards has rules, too."""
    for bus in items(events, "list_event_buses", "EventBuses"):
        if bus["Name"] != EVENT_BUS:
            for rule in items(events, "list_rule_names_by_target", "RuleNames", TargetArn=arn, EventBusName=bus["Name"]):
                yield f"{bus['Name']}/{rule}"


def _parameters_of(events: t.Any, connection: str) -> tuple[list[Document] | None, bool]:
    """Return the query parameters of a connection, None if they could not be read; and whether the connection is gone."""
    if not connection:
        return [], True
    try:
        http = events.describe_connection(Name=connection).get("AuthParameters", {}).get("InvocationHttpParameters", {})
    except Exception as error:
        gone = is_code(error, "ResourceNotFoundException")
        return ([] if gone else None), gone
    return http.get("QueryStringParameters", []), False


def _first_account(of_connection: list[Document] | None, further: t.Iterable[t.Iterable[tuple[str, str]]]) -> tuple[bool, str | None]:
    """Return whether an account is given, and the account; None where it is hidden or not known.

    A parameter of the connection takes precedence over the target's (EventBridge API reference, HttpParameters).
    """
    if of_connection is None:
        return True, None
    given = [item.get("Value") for item in of_connection if item.get("Key") == ACCOUNT_PARAMETER]
    if given:
        return True, given[0]
    values = [value for pairs in further for key, value in pairs if key == ACCOUNT_PARAMETER]
    return bool(values), values[0] if values else None


def _pairs_of(target: Document) -> t.Iterable[tuple[str, str]]:
    return target.get("HttpParameters", {}).get("QueryStringParameters", {}).items()


def _filled_in(endpoint: str, target: Document) -> str:
    for value in target.get("HttpParameters", {}).get("PathParameterValues", []):
        endpoint = endpoint.replace("*", value, 1)
    return endpoint


def _may_send_to(endpoint: str, addresses: t.Iterable[str]) -> bool:
    pattern = ".*".join(map(re.escape, _address(endpoint).split("*")))
    return any(re.fullmatch(pattern, address) for address in addresses)


def _address(url: str) -> str:
    """Return host and path of a URL, in one form for all ways to write them."""
    try:
        parts = urlsplit(url.strip() if "://" in url else f"https://{url.strip()}")
        port = "" if parts.port in (None, _PORTS.get(parts.scheme)) else f":{parts.port}"
    except ValueError:
        return url
    path = re.sub("/+", "/", unquote(parts.path)).rstrip("/")
    return f"{(parts.hostname or '').rstrip('.')}{port}{path}".lower()
