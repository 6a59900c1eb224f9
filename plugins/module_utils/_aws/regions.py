# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import concurrent.futures
import functools
import threading
import typing as t

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.session import AssumeRole, connection_info, make_session
from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import Failure, failure_of
from ansible_collections.spot.eventbridge.plugins.module_utils._core.region import Region
from ansible_collections.spot.eventbridge.plugins.module_utils._core.validation import ArgumentError, check_regions

try:
    from botocore.config import Config
    from botocore.credentials import Credentials
except ImportError:  # AnsibleAWSModule says so
    pass

if t.TYPE_CHECKING:
    from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

__all__ = ["MAX_WORKERS", "Region", "Regions"]

Result = t.TypeVar("Result")

# Where nothing names a region, what concerns a whole AWS account of the partition `aws` is asked here: every account has this region.
DEFAULT_HOME_REGION = "us-east-1"

# Every enabled region of an account at once: the work is waiting, not computing.
MAX_WORKERS = 40

# Six attempts carry a call through one-in-five throttling; ten seconds each end a silent region in about a minute.
_CONFIG: dict[str, t.Any] = {
    "connect_timeout": 5,
    "read_timeout": 10,
    "retries": {"mode": "standard", "total_max_attempts": 6},
    "user_agent_extra": "ansible-collection/spot.eventbridge",
}
_KEYS = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")


class _Clients(dict[str, t.Any]):
    """Clients by service, made when they are asked for the first time."""

    def __init__(self, make: t.Callable[[str], t.Any]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, service: str) -> t.Any:
        self[service] = client = self._make(service)
        return client


class Regions:
    """The regions of one module run: one boto3 Session, a client per region and service, and a thread per region."""

    def __init__(
        self,
        module: AnsibleAWSModule,
        services: t.Sequence[str],
        names: t.Sequence[str] | None = None,
        default_region: str | None = None,
    ) -> None:
        """
        :param module: its parameters choose credentials and endpoint as in every amazon.aws module
        :param services: boto3's names of the services that will be called
        :param names: the regions; without them, the one that the parameters, the environment or the profile name
        :param default_region: the region if none of those names one
        :raises ArgumentError: no region, or not the name of one; a profile that does not exist.
        """
        region, endpoint_url, options = connection_info(module)
        config = Config(**_CONFIG).merge(options.pop("aws_config", None) or Config())
        role, profile = AssumeRole.from_parameters(module.params), options.pop("profile_name", None)
        session = make_session(profile)
        region = region or session.region_name or default_region
        self.names = check_regions(([region] if region else []) if names is None else names)
        self._home = region or (DEFAULT_HOME_REGION if _partition(session, self.names[0]) == "aws" else self.names[0])
        if role:
            keys = [options.pop(name, None) for name in _KEYS]
            source = Credentials(*keys) if keys[0] else session.get_credentials()
            sts = {"region_name": self._home, "endpoint_url": endpoint_url, "config": config, "verify": options.get("verify")}
            session = make_session(profile, role.credentials(source, functools.partial(session.client, **sts)))

        self._session = session

        # A Session is not safe to share between threads, its clients are.
        making = threading.Lock()

        def make_client(service: str, name: str) -> t.Any:
            with making:
                return session.client(service, region_name=name, endpoint_url=endpoint_url, config=config, **options)

        self._make_client = make_client
        self._regions = {name: self._make_region(name, services) for name in self.names}

    def aws_account(self) -> str:
        """The caller's AWS account, twelve digits.

        The first two regions are asked at once and the first answer counts: one region that is down must not stop the others.
        """
        clients = [self._make_client("sts", name) for name in self.names[:2]]
        pool = concurrent.futures.ThreadPoolExecutor(max_workers=2)
        futures = [pool.submit(client.get_caller_identity) for client in clients]
        pool.shutdown(wait=False)
        answered = next((future for future in concurrent.futures.as_completed(futures) if not future.exception()), futures[0])
        return str(answered.result()["Account"])

    def __getitem__(self, name: str) -> Region:
        """The region of this name."""
        return self._regions[name]

    def home(self, services: t.Sequence[str]) -> Region:
        """The region that parameters, environment or profile name, else a usual one, for what concerns the whole account, as `iam`."""
        return self._make_region(self._home, services)

    def _make_region(self, name: str, services: t.Sequence[str]) -> Region:
        clients = _Clients(functools.partial(self._make_client, name=name))
        for service in services:
            clients[service]  # made before the threads begin, as each of them would wait for the others
        return Region(name, _partition(self._session, name), clients)

    def run(self, function: t.Callable[[Region], Result]) -> dict[str, Result | Failure]:
        """Call a function once for each region, all at the same time.

        :returns: by region, in the order the user gave them: what the function returned, or why it could not.
            Never raises for a region, so that one that fails does not stop the others.
        """
        if len(self.names) == 1:
            (region,) = self._regions.values()
            return {region.name: _attempt(function, region)}
        with concurrent.futures.ThreadPoolExecutor(max_workers=min(MAX_WORKERS, len(self.names))) as pool:
            futures = {name: pool.submit(_attempt, function, region) for name, region in self._regions.items()}
            return {name: future.result() for name, future in futures.items()}


def regions_of_every_account(region: Region) -> list[str]:
    """The regions that every AWS account has, without opting in.

    :param region: the one to ask
    :raises ArgumentError: AWS does not list them.
    """
    try:
        answer = region.clients["ec2"].describe_regions(Filters=[{"Name": "opt-in-status", "Values": ["opt-in-not-required"]}])
    except Exception as error:
        failure = failure_of(error)
        raise ArgumentError(f"Cannot list the regions (ec2:DescribeRegions in {region.name}): {failure.code}: {failure.message}") from None
    return sorted(item["RegionName"] for item in answer["Regions"])


def _attempt(function: t.Callable[[Region], Result], region: Region) -> Result | Failure:
    try:
        return function(region)
    except Exception as error:  # whatever it was, it is this region's alone
        return failure_of(error)


def _partition(session: t.Any, region: str) -> str:
    try:
        return str(session.get_partition_for_region(region))
    except Exception:
        raise ArgumentError(f"'{region}' is not the name of an AWS region that botocore knows.") from None
