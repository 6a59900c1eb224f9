# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: stack_template

short_description: The CloudFormation template of an integration

version_added: 1.0.0

description:
  - Returns the text of the CloudFormation template that comes with this collection. A stack of it is the same integration that
    M(spot.eventbridge.spot_integration) makes, in one region.
  - Its parameters are C(SpotAccountId), C(SpotToken), C(TokenRevision), C(Endpoint), C(Name), C(QueueName),
    C(InvocationRateLimitPerSecond), C(MaximumEventAgeInSeconds), C(MaximumRetryAttempts), C(MessageRetentionPeriod),
    C(ConnectionKmsKey), C(QueueKmsKey), C(Description), C(RolePath), C(PermissionsBoundaryArn), C(ExecutionRoleArn) and
    C(WatchBusArn); the first two have no default.
  - The template makes an IAM role without a name, so that stacks in several regions do not collide.

options:
  _terms:
    description: No terms are accepted.

seealso:
  - module: spot.eventbridge.spot_stack

author:
  - Contributors to the spot.eventbridge collection (@ansible-collections)
"""

EXAMPLES = r"""
- name: A stack in each of three regions
  spot.eventbridge.spot_stack:
    stack_name: spot-interruption-act-d7320fba
    template_body: "{{ lookup('spot.eventbridge.stack_template') }}"
    spot_account: act-d7320fba
    spot_token: "{{ lookup('ansible.builtin.env', 'SPOTINST_TOKEN') }}"
    regions: [us-east-1, us-west-2, eu-west-1]

- name: The template as a file, for the console or another tool
  ansible.builtin.copy:
    content: "{{ lookup('spot.eventbridge.stack_template') }}"
    dest: spot-interruption-eventbridge.yml
    mode: "0644"
"""

RETURN = r"""
_raw:
  description: The template's text.
  type: list
  elements: str
"""

import typing as t
from pathlib import Path

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase

# In the role that deploys it, so that users find it without this plugin too.
TEMPLATE = Path(__file__).parents[2] / "roles" / "spot_eventbridge" / "files" / "spot-interruption-eventbridge.yml"


class LookupModule(LookupBase):  # type: ignore[misc]
    """See DOCUMENTATION."""

    def run(self, terms: t.Sequence[t.Any], variables: t.Any = None, **kwargs: t.Any) -> list[str]:
        """Return the template's text, as the only entry.

        :raises AnsibleLookupError: terms or options were given, or the file is not there.
        """
        if terms or kwargs:
            raise AnsibleLookupError("spot.eventbridge.stack_template takes neither terms nor options.")
        try:
            return [TEMPLATE.read_text(encoding="utf-8")]
        except OSError as error:
            raise AnsibleLookupError(f"The template cannot be read: {error}. Install the collection again.") from None
