#!/usr/bin/python
# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: spot_account_info

short_description: Ask Spot about a token and the accounts that it sees

version_added: 1.0.0

description:
  - Checks with the Spot API whether a token is valid for a Spot account and returns the AWS account of that Spot account; or lists all
    accounts of the token's organisation, or those that filters select.
  - AWS takes any token. This module proves that Spot takes it too; with a token that Spot refuses, the first notice would switch the
    region off.
  - Only reads, except that the proof of a token posts a notice of an instance that cannot exist. Problems of token or accounts are in
    RV(checks) and do not fail the module. It fails if Spot does not respond.

options:
  spot_account:
    description:
      - The Spot account to check, such as V(act-d7320fba).
      - Without it, all accounts of the organisation are listed, which needs an administrator's token.
    type: str
  aws_account:
    description:
      - With O(spot_account), the AWS account to which it should belong, twelve digits.
      - Without O(spot_account), lists only the accounts that belong to this AWS account.
    type: str
  spot_accounts:
    description:
      - Spot accounts by AWS account. For each, the module checks that the token is valid, and that it belongs to that AWS account.
      - Not together with O(spot_account), O(aws_account), O(include) and O(exclude).
    type: dict
  include:
    description:
      - Filters of which an account must match at least one to be listed.
      - In a filter, each value is a pattern, or a list of patterns of which one has to match; all that is given has to match.
      - "Patterns are shell-style: V(*), V(?) and V([seq]). Case does not matter. A missing value matches no pattern,
        so that C(aws_account: '*') chooses the accounts that have an AWS account."
      - Not together with O(spot_account).
    type: list
    elements: dict
    suboptions: &filter
      spot_account:
        description: The id of the Spot account.
        type: raw
      name:
        description: Its name.
        type: raw
      organization:
        description: Spot's id of the organisation.
        type: raw
      aws_account:
        description: The AWS account, twelve digits; quote them in YAML.
        type: raw
      cloud_provider:
        description: The cloud provider if Spot reports it, such as V(AWS), V(AZURE) or V(GCP).
        type: raw
      provider_account:
        description: The account at that provider, as in RV(accounts[].provider_account).
        type: raw
  exclude:
    description:
      - Filters of accounts to leave out, of the same form. They take precedence over O(include).
      - Not together with O(spot_account).
    type: list
    elements: dict
    suboptions: *filter
  spot_api_url:
    description:
      - The address of the Spot API. Plain HTTP is accepted for loopback only.
    type: str
    default: https://api.spotinst.io
  spot_validate_certs:
    description:
      - If V(true), the certificate of the Spot API is verified.
    type: bool
    default: true

  proof:
    description:
      - The proof that a token has to give for O(spot_account) or O(spot_accounts), as
        O(spot.eventbridge.spot_preflight_info#module:proof).
    type: str
    choices: [notification, read, none]
    default: notification
  invocation_endpoint:
    description:
      - The address that takes notices, where the proof V(notification) is sent.
      - By default, C(/aws/ec2/instance/interruptionNotification) at O(spot_api_url).
    type: str

extends_documentation_fragment:
  - spot.eventbridge._spot_token
  - spot.eventbridge._attributes
  - spot.eventbridge._attributes.info

notes:
  - At a rate limit of Spot, the module waits for the time that Spot reports, up to a minute, or for a minute. Each call has at most
    three attempts.
  - Spot returns the AWS account of a Spot account only for a token of an organisation administrator. With another token, that check
    has the outcome V(skip), and there is a warning.

seealso:
  - plugin: spot.eventbridge.spot_accounts
    plugin_type: inventory

author:
  - Contributors to the spot.eventbridge collection (@ansible-collections)
"""

EXAMPLES = r"""
- name: Is the token good for this account, and is it the account behind my AWS credentials?
  spot.eventbridge.spot_account_info:
    spot_account: act-d7320fba
    aws_account: "123456789012"
    spot_token: "{{ lookup('ansible.builtin.env', 'SPOTINST_TOKEN') }}"
  register: spot

- name: Stop if Spot refuses the token
  ansible.builtin.assert:
    that: spot.checks | selectattr('outcome', 'eq', 'fail') | length == 0

- name: Is it good for all these accounts, and do they belong to these AWS accounts?
  spot.eventbridge.spot_account_info:
    spot_accounts:
      "123456789012": act-d7320fba
      "210987654321": act-b1e4f7a3
    spot_token: "{{ lookup('ansible.builtin.env', 'SPOTINST_TOKEN') }}"

- name: All accounts of the organisation
  spot.eventbridge.spot_account_info:
    spot_token: "{{ lookup('ansible.builtin.env', 'SPOTINST_TOKEN') }}"

- name: List the production accounts that have an AWS account, except the sandboxes
  spot.eventbridge.spot_account_info:
    spot_token: "{{ lookup('ansible.builtin.env', 'SPOTINST_TOKEN') }}"
    include:
      - name: ["prod-*", "shared-*"]
        aws_account: "*"
    exclude:
      - name: "*-sandbox"
"""

RETURN = r"""
checks:
  description: The findings about token and account.
  type: list
  elements: dict
  returned: when O(spot_account) or O(spot_accounts) is given
  contains:
    check:
      description: One of V(spot_token), V(spot_account) and V(aws_account).
      type: str
      returned: always
      sample: spot_token
    outcome:
      description: One of V(pass), V(warn), V(fail), and V(skip) where it could not be checked.
      type: str
      returned: always
      sample: pass
    message:
      description: The result in one line.
      type: str
      returned: always
      sample: Spot accepts the token for act-d7320fba.
    remedy:
      description: The recommended action. Empty for a pass.
      type: str
      returned: always
      sample: ""
accounts:
  description: The accounts found, in Spot's order; with O(spot_account) or O(spot_accounts), these if Spot lists them.
  type: list
  elements: dict
  returned: success
  contains:
    spot_account:
      description: The id of the Spot account.
      type: str
      returned: always
      sample: act-d7320fba
    name:
      description: Its name, which is not unique.
      type: str
      returned: always
      sample: production
    organization:
      description: Spot's id of the organisation. It is not an AWS account, though it has twelve digits.
      type: str
      returned: always
      sample: "606079873399"
    aws_account:
      description: The AWS account behind it, V(none) where there is none.
      type: str
      returned: always
      sample: "123456789012"
    cloud_provider:
      description: The cloud provider if Spot reports it, else V(none).
      type: str
      returned: always
      sample: AWS
    provider_account:
      description:
        - The account at that cloud provider, V(none) where there is none. For AWS, the same as RV(accounts[].aws_account).
      type: str
      returned: always
      sample: "123456789012"
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.spot.eventbridge.plugins.module_utils._core.finding import FAIL, PASS
from ansible_collections.spot.eventbridge.plugins.module_utils._core.validation import ArgumentError, check_aws_account, check_spot_account
from ansible_collections.spot.eventbridge.plugins.module_utils._spot import client
from ansible_collections.spot.eventbridge.plugins.module_utils._spot.accounts import FIELDS, parse_filters, problem, select
from ansible_collections.spot.eventbridge.plugins.module_utils._spot.api import SpotApi
from ansible_collections.spot.eventbridge.plugins.module_utils._spot.token_findings import findings
from ansible_collections.spot.eventbridge.plugins.module_utils._spot.token_proof import ask, ask_all

# The region of the notice that proves a token; Spot need not know it.
DEFAULT_HOME_REGION = "us-east-1"


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "spot_account": {"type": "str"},
            "aws_account": {"type": "str"},
            "spot_accounts": {"type": "dict"},
            "include": _filters_argument(),
            "exclude": _filters_argument(),
            **client.argument_spec(),
            **client.proof_argument_spec(),
        },
        mutually_exclusive=[("spot_accounts", option) for option in ("spot_account", "aws_account", "include", "exclude")],
        supports_check_mode=True,
    )
    try:
        answer = _answer(module.params, module.warn)
    except Exception as error:  # an uncaught one would print its arguments, the token among them
        module.fail_json(msg=problem(error))
    for check in answer.get("checks", []):
        if check["outcome"] not in (PASS, FAIL):
            module.warn(f"{check['message']} {check['remedy']}")
    module.exit_json(changed=False, **answer)


def _filters_argument() -> dict[str, t.Any]:
    return {"type": "list", "elements": "dict", "options": {field: {"type": "raw"} for field in FIELDS}}


def _given(filters: list[dict[str, t.Any]] | None) -> list[dict[str, t.Any]]:
    # Ansible fills in what was left out.
    return [{field: patterns for field, patterns in entry.items() if patterns is not None} for entry in filters or []]


def _answer(params: t.Mapping[str, t.Any], warn: t.Callable[[str], None]) -> dict[str, t.Any]:
    api = client.client(params, warn)
    if params["spot_accounts"] is not None:
        return _about_all(api, params)
    aws_account = check_aws_account(params["aws_account"]) if params["aws_account"] else None
    if params["spot_account"] is None:
        include, exclude = (parse_filters(_given(params[option]), option) for option in ("include", "exclude"))
        return {"accounts": [account.as_dict() for account in select(api.accounts(aws_account), include, exclude)]}
    if params["include"] or params["exclude"]:
        raise ArgumentError("'include' and 'exclude' are for lists: leave 'spot_account' out, or them.")
    spot_account = check_spot_account(params["spot_account"])
    answers = ask(api, spot_account, aws_account, client.proof(params, DEFAULT_HOME_REGION, aws_account))
    return {
        "checks": [finding.as_dict() for finding in findings(answers, spot_account, aws_account, params["proof"])],
        "accounts": [answers.account.as_dict()] if answers.account else [],
    }


def _about_all(api: SpotApi, params: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    given = params["spot_accounts"]
    desired = {check_aws_account(str(account)): check_spot_account(str(spot_account)) for account, spot_account in given.items()}
    answers = ask_all(api, desired.values(), client.proof(params, DEFAULT_HOME_REGION, None))
    found = [(aws_account, spot_account, answers[spot_account]) for aws_account, spot_account in desired.items()]
    return {
        "checks": [
            finding.as_dict()
            for aws_account, spot_account, told in found
            for finding in findings(told, spot_account, aws_account, params["proof"])
        ],
        "accounts": [told.account.as_dict() for told in answers.values() if told.account],
    }


if __name__ == "__main__":
    main()
