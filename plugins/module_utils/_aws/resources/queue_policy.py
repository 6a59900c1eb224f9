# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.iam_policy import EVENTBRIDGE, allows, beside, statements_of

if t.TYPE_CHECKING:
    from ansible_collections.spot.eventbridge.plugins.module_utils._core.plan import Document

_ACTION = "sqs:SendMessage"


@dataclass(frozen=True)
class QueuePolicy:
    """The policy that a dead-letter queue needs: EventBridge may send for its rules, and nobody uses plain HTTP.

    :ivar queue: the ARN of the queue
    :ivar rules: the ARNs of the rules, that of the warnings first; a wildcard stands for its temporary rules
    :ivar aws_account: the account of the rule
    """

    queue: str
    rules: tuple[str, ...]
    aws_account: str

    @property
    def document(self) -> Document:
        """Return our statements (EventBridge user guide, "dead-letter queues"; SQS developer guide, "encryption in transit")."""
        send = {
            "Sid": "SpotInterruptionDeadLetters",
            "Effect": "Allow",
            "Principal": {"Service": EVENTBRIDGE},
            "Action": _ACTION,
            "Resource": self.queue,
            "Condition": {"ArnLike": {"aws:SourceArn": list(self.rules)}},
        }
        encrypted = {
            "Sid": "SpotInterruptionTlsOnly",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "sqs:*",
            "Resource": self.queue,
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
        return {"Version": "2012-10-17", "Statement": [send, encrypted]}

    def beside(self, existing: t.Any) -> Document:
        """Return the policy together with the statements of others in an existing one that stay.

        :param existing: the existing policy, parsed
        """
        own = self.document
        sids = [statement["Sid"] for statement in own["Statement"]]
        others = [other for other in statements_of(existing) if other.get("Sid") not in sids]
        return beside(own, existing, others, lambda other: self.may_send({"Statement": [*own["Statement"], other]}))

    def may_send(self, policy: t.Any) -> str:
        """Return whether a policy lets the rule send its dead letters: YES, NO or UNSURE."""
        context = {"aws:SourceArn": self.rules[0], "aws:SourceAccount": self.aws_account, "aws:SecureTransport": "true"}
        return allows(policy, action=_ACTION, resource=self.queue, context=context, service=EVENTBRIDGE)
