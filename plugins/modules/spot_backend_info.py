#!/usr/bin/python
# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: spot_backend_info

short_description: Look at Spot's side of an integration, its feature flag and its log

version_added: 1.0.0

description:
  - Spot acts on a notice only if a feature flag is on, and writes each notice that arrives to its log. Spot's operators can read both;
    customers need Spot's support.
  - Queries the services that are given, and returns a finding for each. A service that refuses or does not respond is a finding with
    the outcome V(unknown), within 30 seconds, never a failure.
  - The module fails only if an option is not valid.

options:
  spot_account:
    description:
      - The Spot account, such as V(act-d7320fba).
    type: str
    required: true
  organization:
    description:
      - Spot's id of the organisation.
      - By default, it is read from Spot, if O(spot_token) is given.
    type: str
  feature_flag:
    description:
      - The feature flag of the account, and the service that evaluates it. A flag that does not exist is not reported as off.
    type: dict
    suboptions:
      provider:
        description:
          - V(ofrep) is OpenFeature's remote evaluation protocol. V(launchdarkly) is LaunchDarkly's REST API.
          - V(http) is any service that responds to GET with JSON.
        type: str
        choices: [ofrep, launchdarkly, http]
        required: true
      url:
        description:
          - The service's address. Required except for V(launchdarkly), whose default is V(https://app.launchdarkly.com).
          - With V(http), C({flag}), C({account}) and C({organization}) in it are filled in.
        type: str
      key:
        description: The flag.
        type: str
        default: aws-detach-instances-that-got-interruption-notification
      token:
        description: The token. Required for V(launchdarkly), where it needs the right to read.
        type: str
      token_header:
        description:
          - The header that carries the token, C(X-API-Key) for instance, which then carries nothing else.
          - By default C(Authorization).
        type: str
      project:
        description: LaunchDarkly's key of the project.
        type: str
      environment:
        description: LaunchDarkly's key of the environment.
        type: str
      context_kind:
        description: LaunchDarkly's kind of the context whose key is the Spot account. The organisation is an attribute of it.
        type: str
        default: account
      expression:
        description: With V(http), the JMESPath of the flag's value, which has to be true or false.
        type: str
      validate_certs:
        description: If V(true), the certificate of the service is verified.
        type: bool
        default: true
      ca_path:
        description: A file of further certificates to trust, in addition to the system's.
        type: path
  log:
    description:
      - The log in which notices are counted. The module returns only their number and the time of the last one.
    type: dict
    suboptions:
      provider:
        description: The service that is queried; V(kibana) for Elasticsearch or OpenSearch behind Kibana.
        type: str
        choices: [elasticsearch, opensearch, kibana]
        default: elasticsearch
      url:
        description: The service's address. That of V(kibana) may end in a space, C(/s/optimizer).
        type: str
        required: true
      index:
        description: The index, alias or data stream; several with commas or an asterisk.
        type: str
        default: optimizer*
      query:
        description:
          - The search, in the syntax of C(query_string). C({organization}), C({path}) (C(/interruptionNotification)),
            C({account}) and C({instance}) become phrases.
        type: str
        default: "{organization} AND {path} AND {account}"
      time_field:
        description: The field with the time.
        type: str
        default: "@timestamp"
      api_key:
        description: An API key, encoded as Elasticsearch gives it.
        type: str
      user:
        description: A user, instead of an API key.
        type: str
      password:
        description: The user's password.
        type: str
      validate_certs:
        description: If V(true), the certificate of the service is verified.
        type: bool
        default: true
      ca_path:
        description: A file of further certificates to trust, in addition to the system's.
        type: path
  hours:
    description:
      - The time of the log that is searched, in hours.
    type: int
    default: 24
  delivered:
    description:
      - The number of notices that AWS counted as delivered in that time. If it is not 0, a log without any notice is a warning.
    type: int
  instance_id:
    description:
      - The instance, as C({instance}) in O(log.query).
    type: str
    default: ""
  announced:
    description:
      - The time at which an interruption was announced, ISO 8601 in UTC, as RV(spot.eventbridge.spot_test_interruption#module:announced).
        The log must have a notice since then; the finding names the seconds between both.
    type: str
    default: ""
  wait_timeout:
    description:
      - The maximum time to wait for the notice of O(announced), in seconds.
    type: int
    default: 0
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

extends_documentation_fragment:
  - spot.eventbridge._spot_token
  - spot.eventbridge._attributes
  - spot.eventbridge._attributes.info

seealso:
  - module: spot.eventbridge.spot_integration_info

author:
  - Contributors to the spot.eventbridge collection (@ansible-collections)
"""

EXAMPLES = r"""
- name: Check the feature flag and the log
  spot.eventbridge.spot_backend_info:
    spot_account: act-d7320fba
    organization: "606079873399"
    feature_flag:
      provider: ofrep
      url: https://flags.example.com
      token: "{{ vault_flag_token }}"
    log:
      provider: kibana
      url: https://kibana.example.com/s/optimizer
      api_key: "{{ vault_kibana_key }}"
"""

RETURN = r"""
checks:
  description: The findings of the services that were queried.
  type: list
  elements: dict
  returned: success
  contains:
    check:
      description: V(feature_flag) or V(spot_log).
      type: str
      returned: always
      sample: feature_flag
    outcome:
      description: V(pass), V(warn), V(fail), V(skip) (proves nothing) or V(unknown) (could not be found out).
      type: str
      returned: always
      sample: pass
    message:
      description: The result in one line.
      type: str
      returned: always
      sample: The feature flag aws-detach-instances-that-got-interruption-notification is on for act-d7320fba.
    remedy:
      description: The recommended action. Empty for a pass.
      type: str
      returned: always
      sample: ""
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import failure_of
from ansible_collections.spot.eventbridge.plugins.module_utils._core.validation import ArgumentError, check_seconds, check_spot_account
from ansible_collections.spot.eventbridge.plugins.module_utils._spot import client
from ansible_collections.spot.eventbridge.plugins.module_utils._spot import feature_flag as _feature_flag
from ansible_collections.spot.eventbridge.plugins.module_utils._spot import log_search as _log_search
from ansible_collections.spot.eventbridge.plugins.module_utils._spot.announcement import parse_announced
from ansible_collections.spot.eventbridge.plugins.module_utils._spot.feature_flag import Context, FeatureFlag
from ansible_collections.spot.eventbridge.plugins.module_utils._spot.log_search import LogSearch, Window


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "spot_account": {"type": "str", "required": True},
            "organization": {"type": "str"},
            "feature_flag": {"type": "dict", "options": _feature_flag.argument_spec()},
            "log": {"type": "dict", "options": _log_search.argument_spec()},
            "hours": {"type": "int", "default": 24},
            "delivered": {"type": "int"},
            "instance_id": {"type": "str", "default": ""},
            "announced": {"type": "str", "default": ""},
            "wait_timeout": {"type": "int", "default": 0},
            **client.argument_spec(),
        },
        required_one_of=[["feature_flag", "log"]],
        supports_check_mode=True,
    )
    try:
        checks = _checks(module.params)
    except ArgumentError as error:
        module.fail_json(msg=str(error))
    except Exception as error:  # an uncaught one would print its arguments, the secrets among them
        module.fail_json(msg=failure_of(error).message)
    module.exit_json(changed=False, checks=checks)


def _checks(params: t.Mapping[str, t.Any]) -> list[dict[str, t.Any]]:
    spot_account = check_spot_account(params["spot_account"])
    if params["hours"] < 1:
        raise ArgumentError("hours must be at least 1.")
    window = Window(params["hours"], parse_announced(params["announced"]), check_seconds(params, "wait_timeout"))
    flag = FeatureFlag.from_parameters(params["feature_flag"]) if params["feature_flag"] else None
    log = LogSearch.from_parameters(params["log"]) if params["log"] else None
    context = Context(spot_account, client.organization_of(params, spot_account))
    found = []
    if flag:
        found.append(flag.check(context))
    if log:
        words = {
            "organization": context.organization,
            "path": _log_search.PATH,
            "account": spot_account,
            "instance": params["instance_id"],
        }
        found.append(log.check(words, window, params["delivered"]))
    return [finding.as_dict() for finding in found]


if __name__ == "__main__":
    main()
