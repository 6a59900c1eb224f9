# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import typing as t
from dataclasses import dataclass
from urllib.parse import quote

from ansible_collections.spot.eventbridge.plugins.module_utils._core.argument_specs import ArgumentSpec, service_argument_spec
from ansible_collections.spot.eventbridge.plugins.module_utils._core.finding import FAIL, PASS, UNKNOWN, Finding
from ansible_collections.spot.eventbridge.plugins.module_utils._core.http import Peer, PeerError, Reply
from ansible_collections.spot.eventbridge.plugins.module_utils._core.validation import ArgumentError, check_url
from ansible_collections.spot.eventbridge.plugins.module_utils._spot.checks import FEATURE_FLAG

try:
    import jmespath
except ImportError:  # it comes with botocore; `_check_expression` reports where it does not
    jmespath = None

DEFAULT_FLAG = "aws-detach-instances-that-got-interruption-notification"
PROVIDERS = ("ofrep", "launchdarkly", "http")
_LAUNCHDARKLY = "https://app.launchdarkly.com"

# The states of a flag that a service may report. A missing flag is not "off".
MISSING = "missing"
Value = t.Any


def argument_spec() -> ArgumentSpec:
    """Return the options of this check."""
    return {
        "provider": {"type": "str", "choices": list(PROVIDERS), "required": True},
        "url": {"type": "str"},
        "key": {"type": "str", "default": DEFAULT_FLAG, "no_log": False},
        "token": {"type": "str", "no_log": True},
        "token_header": {"type": "str", "no_log": False},
        "project": {"type": "str"},
        "environment": {"type": "str"},
        "context_kind": {"type": "str", "default": "account"},
        "expression": {"type": "str"},
        **service_argument_spec(),
    }


@dataclass(frozen=True)
class Context:
    """The account for which a flag is evaluated."""

    spot_account: str
    organization: str


@dataclass(frozen=True)
class FeatureFlag:
    """A flag, and the service that evaluates it.

    :ivar project: LaunchDarkly's, as is `environment`
    :ivar context_kind: LaunchDarkly's kind of the context whose key is the account
    :ivar expression: JMESPath, for a service that is not one of the known ones
    """

    peer: Peer
    provider: str
    key: str
    project: str = ""
    environment: str = ""
    context_kind: str = "account"
    expression: str = ""

    @classmethod
    def from_parameters(cls, params: t.Mapping[str, t.Any]) -> FeatureFlag:
        """
        :raises ArgumentError: an option is missing or not valid.
        """
        provider, token = params["provider"], params["token"] or ""
        url = params["url"] or (_LAUNCHDARKLY if provider == "launchdarkly" else "")
        needed = {"launchdarkly": ("token", "project", "environment"), "http": ("url", "expression"), "ofrep": ("url",)}[provider]
        missing = [name for name in needed if not (url if name == "url" else params[name])]
        if missing:
            raise ArgumentError(f"feature_flag.{missing[0]} is missing: the provider {provider} needs it.")
        if provider == "http":
            _check_expression(params["expression"])
        header = params["token_header"] or "Authorization"
        # LaunchDarkly takes its access token without a scheme, the others with Bearer, and a header of another name has it as it is.
        bare = provider == "launchdarkly" or header.lower() != "authorization"
        return cls(
            peer=Peer(
                what="the flag service",
                url=check_url(url, "feature_flag.url"),
                headers={header: token if bare else f"Bearer {token}"} if token else {},
                secrets=(token,),
                validate_certs=params["validate_certs"],
                ca_path=params["ca_path"],
            ),
            provider=provider,
            key=params["key"],
            project=params["project"] or "",
            environment=params["environment"] or "",
            context_kind=params["context_kind"],
            expression=params["expression"] or "",
        )

    def check(self, context: Context) -> Finding:
        """Query the flag. Never raises for a response of the service."""
        try:
            value = {"ofrep": self._ofrep, "launchdarkly": self._launchdarkly, "http": self._http}[self.provider](context)
        except PeerError as error:
            message = f"Unknown whether the feature flag {self.key} is on: {str(error).rstrip('.')}."
            return Finding(FEATURE_FLAG, UNKNOWN, message, error.remedy)
        return self.finding(value, context)

    def finding(self, value: Value, context: Context) -> Finding:
        """Return the finding of a flag's value."""
        if value is True:
            return Finding(FEATURE_FLAG, PASS, f"The feature flag {self.key} is on for {context.spot_account}.")
        if value is False:
            message = f"The feature flag {self.key} is off for {context.spot_account}: Spot receives notices and does not act on them."
            return Finding(FEATURE_FLAG, FAIL, message, "Have Spot's operators turn it on.")
        if value == MISSING:
            message = f"There is no feature flag {self.key} at {self.peer.host}. This does not mean off."
            return Finding(FEATURE_FLAG, UNKNOWN, message, "Check the flag's name, and the project and environment or the expression.")
        message = f"The feature flag {self.key} is neither on nor off for {context.spot_account}, but {self.peer.scrub(repr(value)[:100])}."
        return Finding(FEATURE_FLAG, UNKNOWN, message, "Check the flag's name and kind: it has to be true or false.")

    def _ofrep(self, context: Context) -> Value:
        """Query one flag for a context by OpenFeature's remote evaluation protocol, version 0.3."""
        body = {"context": {"targetingKey": context.spot_account, **_attributes(context)}}
        reply = self.peer.ask("POST", f"/ofrep/v1/evaluate/flags/{quote(self.key, safe='')}", body)
        if reply.status == 404 and _is_missing(reply):
            return MISSING
        document = self._document(reply)
        # A service that leaves the decision to the code returns no value; there is no default here.
        return document.get("value")

    def _launchdarkly(self, context: Context) -> Value:
        """Query LaunchDarkly's REST API, "Evaluate flags for context instance"."""
        project, environment = quote(self.project, safe=""), quote(self.environment, safe="")
        body = {"kind": self.context_kind, "key": context.spot_account, **_attributes(context)}
        reply = self.peer.ask(
            "POST",
            f"/api/v2/projects/{project}/environments/{environment}/flags/evaluate",
            body,
            {"filter": f"query equals {self.key}"},
        )
        items = self._document(reply).get("items")
        # The filter also matches names, and does not care about case.
        found = [item for item in items or [] if isinstance(item, dict) and item.get("key") == self.key]
        return found[0].get("_value") if found else MISSING

    def _http(self, context: Context) -> Value:
        """Return any service that responds with JSON. `{flag}`, `{account}` and `{organization}` in its address are filled in."""
        words = {"flag": self.key, "account": context.spot_account, "organization": context.organization}
        url = self.peer.url
        for name, word in words.items():
            url = url.replace(f"{{{name}}}", quote(word, safe=""))
        peer = Peer(**{**vars(self.peer), "url": url})
        value = jmespath.search(self.expression, self._document(peer.ask("GET"), kinds=(dict, list)))
        return MISSING if value is None else value

    def _document(self, reply: Reply, kinds: tuple[type, ...] = (dict,)) -> t.Any:
        if not reply.ok:
            raise self.peer.refusal(reply)
        document = reply.json()
        if not isinstance(document, kinds):
            raise PeerError(reply.status, f"the service at {self.peer.host} is not a flag service: its response has another form")
        return document


def _attributes(context: Context) -> dict[str, str]:
    return {"account": context.spot_account, **({"organization": context.organization} if context.organization else {})}


def _is_missing(reply: Reply) -> bool:
    document = reply.json()
    return isinstance(document, dict) and document.get("errorCode") == "FLAG_NOT_FOUND"


def _check_expression(expression: str) -> None:
    if jmespath is None:
        raise ArgumentError("feature_flag.expression needs the Python library jmespath, which comes with botocore. Install it.")
    try:
        jmespath.compile(expression)
    except Exception as error:
        raise ArgumentError(f"feature_flag.expression is not JMESPath: {' '.join(str(error).split())}") from None
