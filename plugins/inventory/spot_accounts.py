# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: spot_accounts

short_description: The accounts of a Spot organisation that have an AWS account

version_added: 1.0.0

description:
  - Lists all accounts of the token's organisation with the Spot API, and adds a host for each that has an AWS account to the group
    C(spot_accounts), which the playbooks of this collection use.
  - Two Spot accounts on one AWS account are two hosts. Accounts without an AWS account, or of another cloud provider, are left out;
    C(-v) shows their number. If no account is left, there is a warning.
  - The hosts stand in the order of their names. Their variables are C(spot_account), C(spot_account_name), C(spot_organization),
    C(spot_cloud_provider) and C(aws_account).
  - O(compose) makes more variables, such as C(aws_role_arn). Set O(strict) with it; without O(strict), errors in expressions are ignored.
  - The inventory is complete or empty. If it cannot be built, Ansible warns and continues without it, unless
    E(ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED) is set.
  - The inventory's file is C(spot_accounts.yml) or C(spot_accounts.yaml), or ends in C(.spot_accounts.yml) or C(.spot_accounts.yaml).

extends_documentation_fragment:
  - ansible.builtin.constructed
  - ansible.builtin.inventory_cache

options:
  plugin:
    description:
      - The name of this plugin.
    type: str
    required: true
    choices: [spot.eventbridge.spot_accounts]
  spot_token:
    description:
      - The token of an administrator of the Spot organisation; others may not list accounts.
      - If it is not given, the environment variable E(SPOTINST_TOKEN) is used, or the token in Spot's credentials file, see
        P(spot.eventbridge.spot_credentials#lookup).
      - Give it from a vault, an environment variable or a lookup, never as plain text or as an extra variable, which
        C(ansible-inventory) shows.
      - It may be a template.
    # Must be a text; the plugin checks that itself, as Ansible's own error would show the value. The variable is not declared here, as
    # ansible-config would show its value.
    type: raw
  spot_api_url:
    description:
      - The address of the Spot API. Plain HTTP is accepted for loopback only.
      - It may be a template. Among variables, only extra variables are known here.
    type: str
    default: https://api.spotinst.io
  spot_validate_certs:
    description:
      - If V(true), the certificate of the Spot API is verified.
    type: bool
    default: true
  hostname:
    description:
      - The source of the hosts' names.
      - V(spot_account) is the Spot account's id, which C(-e account=) and C(--limit) take as it is.
      - V(name) is the Spot account's name, in which everything but letters, digits, C(.), C(-) and C(_) becomes C(_). Names that
        several accounts have, or that could be mistaken for something else, have the id appended.
    type: str
    choices: [spot_account, name]
    default: spot_account
  include:
    description:
      - Filters of which an account must match at least one.
      - "A filter is a dictionary with one or more of the keys C(spot_account), C(name), C(organization), C(aws_account),
        C(cloud_provider) and C(provider_account). Each value is a pattern, or a list of patterns of which one has to match;
        all keys have to match."
      - "Patterns are shell-style: V(*), V(?) and V([seq]). Case does not matter. A missing value matches no pattern."
    type: list
    elements: dict
    default: []
  exclude:
    description:
      - Filters of accounts to leave out, of the same form. They take precedence over O(include).
    type: list
    elements: dict
    default: []

notes:
  - With O(cache), Spot is not queried again until O(cache_timeout) is over or C(--flush-cache) is given. The cache holds the accounts
    as Spot listed them; filters and constructed variables are evaluated each time. It holds neither the token nor anything derived
    from it, and so cannot distinguish organisations. Use a file per organisation.
  - At a rate limit of Spot, the plugin waits for the time that Spot reports, up to a minute. Each call has at most three attempts.
  - A key that is no option of this plugin is refused, so that a typo in a filter is not ignored.

seealso:
  - module: spot.eventbridge.spot_account_info

author:
  - Contributors to the spot.eventbridge collection (@ansible-collections)
"""

EXAMPLES = r"""
# spot_accounts.yml: all accounts; the token is in SPOTINST_TOKEN
plugin: spot.eventbridge.spot_accounts

---
# fleet.spot_accounts.yml: which accounts, and how to get into each
plugin: spot.eventbridge.spot_accounts
spot_token: "{{ lookup('ansible.builtin.file', '~/.secrets/spot') }}"
include:
  - name: ["prod-*", "shared-*"]
  - aws_account: ["123456789012", "210987654321"]
exclude:
  - name: "*-sandbox"
  - spot_account: act-0f0f0f0f
strict: true
compose:
  aws_role_arn: "'arn:aws:iam::' ~ aws_account ~ ':role/SpotEventBridge'"
  aws_external_id: spot_organization
  aws_role_session_name: "'spot-eventbridge-' ~ spot_account"
groups:
  production: spot_account_name is match('prod-')
keyed_groups:
  - key: spot_organization
    prefix: organization

---
# named.spot_accounts.yml: hosts named by the accounts' names, an AWS profile for each, Spot queried once an hour
plugin: spot.eventbridge.spot_accounts
hostname: name
compose:
  aws_profile: "spot_account_name | lower"
cache: true
cache_plugin: ansible.builtin.jsonfile
cache_connection: ~/.cache/spot_accounts
cache_timeout: 3600

---
# A sandbox, or a proxy, instead of Spot
plugin: spot.eventbridge.spot_accounts
spot_api_url: "{{ lookup('ansible.builtin.env', 'SPOT_SANDBOX') | default('https://api.spotinst.io', true) }}"
"""

import os
import time
import typing as t

from ansible.errors import AnsibleError, AnsibleParserError
from ansible.plugins.inventory import BaseInventoryPlugin, Cacheable, Constructable
from ansible.utils.unsafe_proxy import wrap_var

from ansible_collections.spot.eventbridge.plugins.module_utils._core.argument_specs import spot_credentials
from ansible_collections.spot.eventbridge.plugins.module_utils._core.validation import ArgumentError, check_token, check_url
from ansible_collections.spot.eventbridge.plugins.module_utils._spot.accounts import (
    GROUP,
    Fleet,
    as_cached,
    fleet,
    from_cache,
    host_variables,
    parse_filters,
    problem,
)
from ansible_collections.spot.eventbridge.plugins.module_utils._spot.api import SpotApi
from ansible_collections.spot.eventbridge.plugins.module_utils._spot.responses import SpotAccount

_FILE_NAMES = ("spot_accounts.yml", "spot_accounts.yaml")
# A wait of more seconds is announced.
_LONG_PAUSE = 5


class InventoryModule(BaseInventoryPlugin, Constructable, Cacheable):  # type: ignore[misc]
    """A host for each Spot account that has an AWS account."""

    NAME = "spot.eventbridge.spot_accounts"

    def verify_file(self, path: str) -> bool:
        """Return whether this is a file for this plugin, by its name."""
        name = os.path.basename(path)
        return bool(super().verify_file(path)) and (name in _FILE_NAMES or name.endswith(tuple(f".{suffix}" for suffix in _FILE_NAMES)))

    def parse(self, inventory: t.Any, loader: t.Any, path: str, cache: bool = True) -> None:
        """Fill the inventory.

        :raises AnsibleParserError: Spot did not list the accounts, or the file is wrong. One line, without the token.
        """
        super().parse(inventory, loader, path, cache)
        try:
            self._read_options(path)
            include = parse_filters(self._worked_out("include"), "include")
            exclude = parse_filters(self._worked_out("exclude"), "exclude")
            found = fleet(self._accounts(path, cache), include, exclude, self.get_option("hostname"))
        except AnsibleError:
            raise
        except Exception as error:
            raise AnsibleParserError(problem(error)) from None
        self._populate(found)
        self._say(found)

    def _read_options(self, path: str) -> None:
        unknown = sorted(set(map(str, self._read_config_data(path))) - set(self.option_definitions) - {"plugin"})
        if unknown:
            raise AnsibleParserError(f"There is no option {', '.join(unknown)[:200]}. See ansible-doc -t inventory {self.NAME}.")
        self.templar.available_variables = self._vars

    def _worked_out(self, option: str) -> t.Any:
        try:
            return self.templar.template(self.get_option(option))
        except Exception as error:
            raise AnsibleParserError(f"The option {option} cannot be evaluated: {' '.join(str(error).split())}") from None

    def _accounts(self, path: str, cache: bool) -> list[SpotAccount]:
        url = check_url(str(self._worked_out("spot_api_url")), "The address of the Spot API")
        caching = self.get_option("cache")
        # Not the token: a value derived from it in the name of the cache's file would allow guesses to be tried.
        key = self.get_cache_key(f"{url} {path}") if caching else ""
        kept = self._kept(key) if caching and cache else None
        if kept is not None:
            return kept
        token, validate_certs = self._token(), self.get_option("spot_validate_certs")
        accounts = SpotApi(url, token, validate_certs=validate_certs, sleep=self._sleep, warn=self.display.warning).accounts()
        if caching:
            self.cache[key] = as_cached(accounts)
        return accounts

    def _kept(self, key: str) -> list[SpotAccount] | None:
        try:
            return from_cache(self.cache.get(key))
        except Exception as error:  # each cache plugin has its own
            self.display.warning(f"{self.NAME}: the cache cannot be read, so Spot is queried: {' '.join(str(error).split())}")
            return None

    def _token(self) -> str:
        token = self._worked_out("spot_token")
        if token is None:
            token = spot_credentials().token
        if token is None or isinstance(token, str):
            return check_token(token)
        raise ArgumentError("The option spot_token is not a text. Set it from a vault or a lookup, or set SPOTINST_TOKEN instead.")

    def _sleep(self, seconds: float) -> None:
        if seconds >= _LONG_PAUSE:
            self.display.warning(f"{self.NAME}: Spot's rate limit is reached; the next attempt is in {seconds:.0f} s.")
        time.sleep(seconds)

    def _populate(self, found: Fleet) -> None:
        self.inventory.add_group(GROUP)
        before = set(self.inventory.hosts)
        try:
            for name, account in found.hosts.items():
                self._add(name, account)
        except Exception:
            # A part of a fleet cannot be distinguished from all of it.
            for name in set(found.hosts) & (set(self.inventory.hosts) - before):
                self.inventory.remove_host(self.inventory.hosts[name])
            raise

    def _add(self, name: str, account: SpotAccount) -> None:
        self.inventory.add_host(name, group=GROUP)
        for variable, value in host_variables(account).items():
            self.inventory.set_variable(name, variable, _untemplated(value))
        strict, variables = self.get_option("strict"), self.inventory.get_host(name).get_vars()
        self._set_composite_vars(self.get_option("compose"), variables, name, strict=strict)
        self._add_host_to_composed_groups(self.get_option("groups"), variables, name, strict=strict)
        self._add_host_to_keyed_groups(self.get_option("keyed_groups"), variables, name, strict=strict)

    def _say(self, found: Fleet) -> None:
        if found.hosts:
            self.display.v(f"{self.NAME}: {found.summary}")
        else:
            self.display.warning(f"{self.NAME}: no host. {found.summary} Check the filters, and whose token it is.")


def _untemplated(value: t.Any) -> t.Any:
    # A name may hold any text. Before core 2.19, Ansible takes braces in it for a template, unless it is marked as unsafe; with all texts
    # marked, ansible-inventory shows each of them as `__ansible_unsafe`.
    return wrap_var(value) if isinstance(value, str) and "{" in value else value
