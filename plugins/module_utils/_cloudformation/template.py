# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import json
import re
import typing as t
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlsplit

from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import RegionError
from ansible_collections.spot.eventbridge.plugins.module_utils._core.validation import ArgumentError

try:
    import yaml
except ImportError:  # templates in YAML are then compared as text
    yaml = None  # type: ignore[assignment]

# CloudFormation quotas: the longest template that a request may hold; a longer one has to come from S3.
LONGEST_BODY = 51200
# The parameter of this collection's template that has the token written again where nothing else changes.
REVISION_PARAMETER = "TokenRevision"
# As CloudFormation shows a hidden value.
HIDDEN = "****"
# Parts of a template that are no update by themselves (CloudFormation user guide). The values of parameters are compared separately.
_NOT_UPDATED = ("AWSTemplateFormatVersion", "Description", "Metadata", "Parameters")
_S3 = re.compile(r"(.+\.)?s3[.-]([a-z0-9.-]+\.)?amazonaws\.com(\.cn)?\Z")


@dataclass(frozen=True)
class Parameter:
    """A parameter of a template.

    :ivar default: None where there is none, so that it must be given
    :ivar hidden: whether CloudFormation keeps its value to itself (NoEcho)
    """

    default: str | None = None
    hidden: bool = False


@dataclass(frozen=True)
class Template:
    """CloudFormation's summary of a template.

    :ivar resources: the logical ids by type, as far as CloudFormation names them
    :ivar capabilities: the capabilities that a caller has to acknowledge
    """

    parameters: t.Mapping[str, Parameter]
    resource_types: tuple[str, ...] = ()
    resources: t.Mapping[str, tuple[str, ...]] | None = None
    description: str = ""
    capabilities: tuple[str, ...] = ()

    @classmethod
    def from_summary(cls, summary: t.Mapping[str, t.Any]) -> Template:
        """Return the template out of the response of GetTemplateSummary."""
        return cls(
            parameters={
                item["ParameterKey"]: Parameter(item.get("DefaultValue"), bool(item.get("NoEcho")))
                for item in summary.get("Parameters", [])
            },
            resource_types=tuple(sorted(summary.get("ResourceTypes", []))),
            resources={
                item["ResourceType"]: tuple(sorted(item.get("LogicalResourceIds", [])))
                for item in summary.get("ResourceIdentifierSummaries", [])
            },
            description=summary.get("Description") or "",
            capabilities=tuple(summary.get("Capabilities", [])),
        )

    def differences(self, other: Template) -> tuple[str, ...]:
        """Return the differences between two summaries. Capabilities follow from the resources."""
        parts = ("parameters", "resource_types", "resources", "description")
        return tuple(part.replace("_", " ") for part in parts if getattr(self, part) != getattr(other, part))

    def account_parameter(self, given: str | None) -> str:
        """Return the parameter that takes the Spot account.

        :param given: its name, if the user gives it
        :raises RegionError: there is none, or more than one that could be it.
        """
        return self._find(given, "account_parameter", "a Spot account", (r"spot(inst)?_?account(_?id)?", r"account(_?id)?"))

    def token_parameter(self, given: str | None) -> str:
        """Return the parameter that takes the Spot token. See `account_parameter`."""
        return self._find(given, "token_parameter", "a Spot token", (r"spot(inst)?_?(\w+_?)?token", r"((api|access)_?)?token"))

    def _find(self, given: str | None, option: str, what: str, forms: t.Sequence[str]) -> str:
        there = ", ".join(self.parameters) or "none"
        if given:
            if given not in self.parameters:
                raise RegionError("NoParameter", f"the template has no parameter {given} ({option}); it has: {there}")
            return given
        for form in forms:
            found = [name for name in self.parameters if re.fullmatch(form, name, re.IGNORECASE)]
            if len(found) > 1:
                raise RegionError("NoParameter", f"several parameters of the template may take {what}; set {option} to one of: {there}")
            if found:
                return found[0]
        raise RegionError("NoParameter", f"no parameter of the template seems to take {what}; set {option} to one of: {there}")


def looks_like_token(parameter: str) -> bool:
    """Return whether a parameter may hold a token, judged by its name; its value is not shown then."""
    return "token" in parameter.lower() and parameter != REVISION_PARAMETER


def check_template_url(url: str) -> str:
    """Return the address of a template.

    :raises ArgumentError: CloudFormation would refuse it (API reference, CreateStack: an S3 bucket, over https).
    """
    try:
        parts = urlsplit(url)
        if parts.scheme == "https" and _S3.match(parts.hostname or ""):
            return url
    except ValueError:
        pass
    shown = url.partition("?")[0][:200]  # behind it, a presigned address has its signature
    raise ArgumentError(f"template_url '{shown}' cannot be used: CloudFormation reads templates at https:// addresses of S3 only.")


def check_template_body(body: str) -> str:
    """Return a template's text.

    :raises ArgumentError: it is empty, or longer than a request may hold.
    """
    size = len(body.encode())
    if not body.strip():
        raise ArgumentError("template_body is empty.")
    if size > LONGEST_BODY:
        raise ArgumentError(f"template_body has {size} bytes; CloudFormation accepts {LONGEST_BODY}. Store it in S3, and set template_url.")
    return body


def body_differences(one: t.Any, other: t.Any) -> tuple[str, ...]:
    """Return the differences between two templates, as far as CloudFormation would update it.

    :param one: a text; or a dictionary, as boto3 returns a template in JSON
    :returns: `Resources.Rule`, `Outputs.RuleArn` …; `text` where one of them cannot be parsed
    """
    left, right = _parsed(one), _parsed(other)
    if left is None or right is None:
        return () if _lines(one) == _lines(other) else ("text",)
    sections = [name for name in {**left, **right} if name not in _NOT_UPDATED]
    return tuple(part for name in sections for part in _section_differences(name, left.get(name), right.get(name)))


def retained(body: t.Any) -> tuple[dict[str, t.Any], bool]:
    """Return a template whose resources all stay when the stack is deleted.

    :param body: a text; or a dictionary, as boto3 returns a template in JSON
    :returns: the template, and whether it was like that already
    :raises RegionError: it cannot be parsed.
    """
    template = _loaded(body, "SafeLoader")
    if template is None or not isinstance(template.get("Resources"), dict):
        raise RegionError("NoTemplate", "the stack's template could not be read, so its resources cannot be retained")
    mark = {"RetainedBy": "spot.eventbridge"}
    resources = {
        key: {**resource, "DeletionPolicy": "Retain", "Metadata": {**resource.get("Metadata", {}), **mark}}
        for key, resource in template["Resources"].items()
    }
    return {**template, "Resources": resources}, resources == template["Resources"]


def target_ids(body: t.Any) -> dict[str, set[str]]:
    """Return the ids of the targets that a template gives its rules, by the rule's name in it; without rules whose ids it computes.

    :param body: see `retained`
    """
    resources = (_loaded(body, "BaseLoader") or {}).get("Resources") or {}
    found: dict[str, set[str]] = {}
    for logical_id, resource in resources.items():
        targets = (resource.get("Properties") or {}).get("Targets") or []
        ids = [target.get("Id") if isinstance(target, dict) else None for target in targets] if isinstance(targets, list) else [None]
        if all(isinstance(target_id, str) for target_id in ids):
            found[logical_id] = {str(target_id) for target_id in ids}
    return found


def _section_differences(name: str, one: t.Any, other: t.Any) -> list[str]:
    if one == other:
        return []
    if not isinstance(one or {}, dict) or not isinstance(other or {}, dict):
        return [name]
    one, other = one or {}, other or {}
    return [f"{name}.{key}" for key in {**one, **other} if one.get(key) != other.get(key)]


def _parsed(template: t.Any) -> dict[str, t.Any] | None:
    """Return a template with all scalars as text: to CloudFormation, 300 and "300" are the same. None if it cannot be parsed."""
    loaded = _loaded(template, "BaseLoader")
    return None if loaded is None else _as_text(loaded)


def _loaded(template: t.Any, loader: str) -> dict[str, t.Any] | None:
    """Return a template as a dictionary, None if it cannot be one.

    :param loader: of YAML's: `BaseLoader` reads all scalars as text, `SafeLoader` knows numbers and truth values
    """
    if isinstance(template, str):
        template = _from_json(template) if template.lstrip().startswith("{") else _from_yaml(template, loader)
    return template if isinstance(template, dict) else None


def _from_json(text: str) -> t.Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _from_yaml(text: str, loader: str) -> t.Any:
    return None if yaml is None else _parsed_yaml(text, loader)


@lru_cache(maxsize=16)
def _parsed_yaml(text: str, loader: str) -> t.Any:
    """Parse YAML, None if it is none; the result must not be changed.

    All regions have the same few templates, each is read several times, and one takes yaml tens of milliseconds.
    """
    try:
        return yaml.load(text, _template_loader(getattr(yaml, loader)))
    except yaml.YAMLError:
        return None


def _template_loader(base: t.Any) -> t.Any:
    """Read the short forms of functions as their long forms, and dates as text: the version of a policy is one."""

    class Loader(base):  # type: ignore[misc]
        yaml_implicit_resolvers: t.ClassVar[t.Any] = {
            dead_letter: [(tag, form) for tag, form in resolvers if tag != "tag:yaml.org,2002:timestamp"]
            for dead_letter, resolvers in base.yaml_implicit_resolvers.items()
        }

    def function(loader: t.Any, suffix: str, node: t.Any) -> t.Any:
        if isinstance(node, yaml.ScalarNode):
            value = loader.construct_scalar(node)
            value = value.split(".", 1) if suffix == "GetAtt" else value
        elif isinstance(node, yaml.SequenceNode):
            value = loader.construct_sequence(node, deep=True)
        else:
            value = loader.construct_mapping(node, deep=True)
        return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}

    Loader.add_multi_constructor("!", function)
    return Loader


def _as_text(value: t.Any) -> t.Any:
    if isinstance(value, dict):
        return {str(key): _as_text(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_as_text(item) for item in value]
    return parameter_text(value)


def parameter_text(value: t.Any) -> str:
    """Return a value out of a playbook as CloudFormation takes it: truth values in small letters, lists with commas."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (list, tuple)):
        return ",".join(parameter_text(item) for item in value)
    return "" if value is None else str(value)


def _lines(template: t.Any) -> list[str]:
    text = template if isinstance(template, str) else json.dumps(template, sort_keys=True)
    return [line.rstrip() for line in text.strip().splitlines()]
