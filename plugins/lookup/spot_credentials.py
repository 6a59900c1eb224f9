# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: spot_credentials

short_description: The token and the account of Spot's own clients

version_added: 1.0.0

description:
  - Returns the token or the account that Spot's own clients would use on the controller.
  - The environment variables E(SPOTINST_TOKEN) and E(SPOTINST_ACCOUNT) take precedence. Without a token there, Spot's credentials file is
    read, C(~/.spotinst/credentials), or the file in E(SPOTINST_CREDENTIALS_FILE) or E(SPOTINST_SHARED_CREDENTIALS_FILE).
  - "The file has sections, C([default]) or that of E(SPOTINST_CREDENTIALS_PROFILE) or E(SPOTINST_PROFILE), with C(token) and C(account); or
    it is a JSON object with both. YAML, which only Spot's SDK for Python reads, is not read."
  - The account in the file belongs to its token, and does not count for a token of the environment.

options:
  _terms:
    description: C(token) or C(account).
    required: true

author:
  - Contributors to the spot.eventbridge collection (@ansible-collections)
"""

EXAMPLES = r"""
- name: The accounts that the token of Spot's own clients sees
  spot.eventbridge.spot_account_info:
    spot_token: "{{ lookup('spot.eventbridge.spot_credentials', 'token') }}"
"""

RETURN = r"""
_raw:
  description: The token or the account, an empty text if there is none.
  type: list
  elements: str
"""

import typing as t

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase

from ansible_collections.spot.eventbridge.plugins.module_utils._core.argument_specs import spot_credentials


class LookupModule(LookupBase):  # type: ignore[misc]
    """See DOCUMENTATION."""

    def run(self, terms: t.Sequence[str], variables: t.Any = None, **kwargs: t.Any) -> list[str]:
        """Return the token or the account, as the only entry.

        :raises AnsibleLookupError: another term was given.
        """
        if kwargs or len(terms) != 1 or terms[0] not in ("token", "account"):
            raise AnsibleLookupError("spot.eventbridge.spot_credentials takes one term, 'token' or 'account'.")
        return [getattr(spot_credentials(), terms[0]) or ""]
