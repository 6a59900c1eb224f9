# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.amazon.aws.plugins.module_utils.arn import validate_aws_arn

from ansible_collections.spot.eventbridge.plugins.module_utils._core.argument_specs import DEFAULT_SESSION_NAME
from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import failure_of
from ansible_collections.spot.eventbridge.plugins.module_utils._core.validation import ArgumentError

try:
    from botocore.credentials import AssumeRoleCredentialFetcher, RefreshableCredentials
except ImportError:  # AnsibleAWSModule says so
    pass


@dataclass(frozen=True)
class AssumeRole:
    """The role in whose account a module works.

    :ivar external_id: what the role's trust policy asks for; None if it asks for nothing
    :ivar session_name: under which CloudTrail shows what was done
    """

    arn: str
    external_id: str | None = None
    session_name: str = DEFAULT_SESSION_NAME

    @classmethod
    def from_parameters(cls, params: t.Mapping[str, t.Any]) -> AssumeRole | None:
        """What the arguments of `argument_specs.assume_role_argument_spec` ask for; None if no role is to be assumed.

        :raises ArgumentError: the role's ARN is none.
        """
        arn = params.get("assume_role_arn")
        if not arn:
            return None
        if not arn.startswith("arn:") or not validate_aws_arn(arn, service="iam", resource_type="role"):
            raise ArgumentError(f"'{arn[:200]}' is not the ARN of a role. ARNs look like arn:aws:iam::123456789012:role/name.")
        return cls(arn, params.get("assume_role_external_id") or None, params.get("assume_role_session_name") or DEFAULT_SESSION_NAME)

    def credentials(self, source: t.Any, make_client: t.Callable[..., t.Any]) -> t.Any:
        """botocore's credentials of the role, which renew themselves before they expire.

        :param source: the credentials that may assume it; None if there are none
        :param make_client: makes a client of STS, given credentials as `botocore.session.Session.create_client` takes them
        :raises ArgumentError: it cannot be assumed.
        """
        if source is None:
            raise ArgumentError(f"There are no AWS credentials to assume {self.arn} with: set AWS_PROFILE, or access keys.")
        arguments = {"RoleSessionName": self.session_name, **({"ExternalId": self.external_id} if self.external_id else {})}
        fetcher = AssumeRoleCredentialFetcher(make_client, source, self.arn, extra_args=arguments)
        try:
            first = fetcher.fetch_credentials()
        except Exception as error:
            failure = failure_of(error)
            raise ArgumentError(
                f"The role {self.arn} cannot be assumed: {failure.code}: {failure.message} "
                f"It must be there, and its trust policy must name the caller{' and the external id' if self.external_id else ''}."
            ) from None
        return RefreshableCredentials.create_from_metadata(first, fetcher.fetch_credentials, "assume-role")


class AssumedRoleProvider:
    """Gives a botocore session the credentials of an assumed role; has what botocore asks of a `CredentialProvider`."""

    METHOD = "spot-eventbridge-assumed-role"
    CANONICAL_NAME = None

    def __init__(self, credentials: t.Any) -> None:
        self._credentials = credentials

    def load(self) -> t.Any:
        """See botocore."""
        return self._credentials
