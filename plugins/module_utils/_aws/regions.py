# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import concurrent.futures
import contextlib
import copy
import functools
import threading
import typing as t

from ansible_collections.spot.eventbridge.plugins.module_utils._aws.session import (
    AssumeRole,
    connection_info,
    make_client,
    make_session,
    usable_credentials,
)
from ansible_collections.spot.eventbridge.plugins.module_utils._core.errors import Failure, failure_of
from ansible_collections.spot.eventbridge.plugins.module_utils._core.reconcile import reconcile
from ansible_collections.spot.eventbridge.plugins.module_utils._core.region import Region
from ansible_collections.spot.eventbridge.plugins.module_utils._core.validation import ArgumentError, check_regions

try:
    from botocore.config import Config
    from botocore.credentials import Credentials
    from botocore.exceptions import EndpointProviderError, InvalidRegionError, UnknownRegionError
except ImportError:  # AnsibleAWSModule reports it
    pass

if t.TYPE_CHECKING:
    from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

    from ansible_collections.spot.eventbridge.plugins.module_utils._core.plan import Resource
    from ansible_collections.spot.eventbridge.plugins.module_utils._core.results import Outcome

__all__ = ["MAX_WORKERS", "Region", "Regions"]

Result = t.TypeVar("Result")

# The region for calls about a whole AWS account of the partition `aws` if nothing names a region: every account has this region.
DEFAULT_HOME_REGION = "us-east-1"

# By the beginning of a region's name: its partition, and the region that every account of the partition has. A botocore that is older than
# a region does not know the region's partition (seen with 1.34.0 and mx-central-1), and still makes the endpoint from the name.
_PARTITIONS = {
    "cn-": ("aws-cn", "cn-north-1"),
    "us-gov-": ("aws-us-gov", "us-gov-west-1"),
    "us-iso-": ("aws-iso", "us-iso-east-1"),
    "us-isob-": ("aws-iso-b", "us-isob-east-1"),
    "eu-isoe-": ("aws-iso-e", "eu-isoe-west-1"),
    "us-isof-": ("aws-iso-f", "us-isof-south-1"),
    "eusc-": ("aws-eusc", "eusc-de-east-1"),
}
# STS's and EC2's response to the keys of another partition.
_UNKNOWN_KEY = ("InvalidClientTokenId", "UnrecognizedClientException", "AuthFailure")
_OTHER_HOMES = ("us-gov-west-1", "cn-north-1", "eusc-de-east-1")

# Every enabled region of an account at once: threads wait, and do not compute.
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
    """Clients by service, created at their first use."""

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
        session = make_session(profile, region or default_region or (home_region(names) if names else None))
        region = region or session.region_name or default_region
        self.names = check_regions(([region] if region else []) if names is None else names)
        self._home = region or home_region(self.names)
        given = options.get(_KEYS[0])
        found = None if given else usable_credentials(session)
        if role:
            keys = [options.pop(name, None) for name in _KEYS]
            source = Credentials(*keys) if given else found
            sts = {"region_name": self._home, "endpoint_url": endpoint_url, "config": config, "verify": options.get("verify")}
            session = make_session(profile, self._home, role.credentials(source, functools.partial(make_client, session, **sts)))

        self._session = session

        # A Session is not safe to share between threads, its clients are.
        making = threading.Lock()
        make = functools.cache(functools.partial(make_client, session, endpoint_url=endpoint_url, config=config, **options))

        def make_one(service: str, name: str) -> t.Any:
            with making:
                return make(service, region_name=name)

        self._make_client = make_one
        self._regions = {name: self._make_region(name, services) for name in self.names}

    def among(self, names: t.Sequence[str], services: t.Sequence[str], home: str) -> Regions:
        """Return other regions of the same account, with the same credentials and clients.

        :param home: the region for calls about the whole account
        :raises ArgumentError: not the name of a region.
        """
        others = copy.copy(self)
        others.names, others._home = check_regions(names), home
        others._regions = {name: others._make_region(name, services) for name in others.names}
        return others

    def aws_account(self) -> str:
        """Return the caller's AWS account, twelve digits.

        The first two regions and the home region are called at once and the first response counts: one region that is down, or does not
        exist, must not stop the others.
        """
        clients = [self._make_client("sts", name) for name in dict.fromkeys([*self.names[:2], self._home])]
        pool = concurrent.futures.ThreadPoolExecutor(max_workers=len(clients))
        futures = [pool.submit(client.get_caller_identity) for client in clients]
        pool.shutdown(wait=False)
        answered = next((future for future in concurrent.futures.as_completed(futures) if not future.exception()), futures[0])
        return str(answered.result()["Account"])

    def __getitem__(self, name: str) -> Region:
        """Return the region of this name."""
        return self._regions[name]

    def home(self, services: t.Sequence[str]) -> Region:
        """Return the region of parameters, environment or profile, else a usual one, for calls about the whole account, such as IAM's."""
        return self._make_region(self._home, services)

    def first(self, function: t.Callable[[Region], Result], home: str = "") -> tuple[Region, Result]:
        """Make a call about the whole account in the home region; in another one if the home region cannot respond to this caller.

        That is so if the organisation denies the home region, and if nothing names a region and the keys belong to another partition.

        :param home: the region to begin with, by default the home region
        :returns: the region that responded, and the function's result for it
        :raises Exception: that of the home region, if no other region responds.
        """
        region = self._make_region(home or self._home, ())
        try:
            return region, function(region)
        except Exception as error:
            others = self._instead_of(region.name, failure_of(error))
            if not others:
                raise
            pool = concurrent.futures.ThreadPoolExecutor(max_workers=MAX_WORKERS)
            futures = {pool.submit(function, other): other for other in others}
            pool.shutdown(wait=False)
            for future in concurrent.futures.as_completed(futures):
                if not future.exception():
                    return futures[future], future.result()
            raise

    def _instead_of(self, home: str, failure: Failure) -> list[Region]:
        names: t.Iterable[str] = ()
        if failure.of_organization:
            # Only to find one that responds: AWS lists the regions.
            names = [*self.names, *self._session.get_available_regions("ec2", partition_of(home))]
        elif failure.code in _UNKNOWN_KEY and home == DEFAULT_HOME_REGION:
            names = _OTHER_HOMES
        return [self._make_region(name, ()) for name in dict.fromkeys(names) if name != home]

    def elsewhere(self, names: t.Iterable[str], services: t.Sequence[str]) -> list[Region]:
        """Return further regions, which are not among those to work in."""
        return [self._make_region(name, services) for name in names if name not in self._regions]

    def _make_region(self, name: str, services: t.Sequence[str]) -> Region:
        clients = _Clients(functools.partial(self._make_client, name=name))
        # A name from which botocore cannot make an endpoint fails in its own thread, and stops no other region.
        with contextlib.suppress(EndpointProviderError, InvalidRegionError, UnknownRegionError):
            for service in services:
                clients[service]  # made before the threads begin, as each of them would wait for the others
        return Region(name, partition_of(name), clients)

    def run(self, function: t.Callable[[Region], Result], among: t.Sequence[Region] | None = None) -> dict[str, Result | Failure]:
        """Call a function once for each region, all at the same time.

        :param among: other regions than those of this run
        :returns: by region, in the order the user gave them: the function's result, or why there is none.
            Never raises for a region, so that one that fails does not stop the others.
        """
        regions = self._regions if among is None else {region.name: region for region in among}
        if len(regions) == 1:
            (region,) = regions.values()
            return {region.name: _attempt(function, region)}
        with concurrent.futures.ThreadPoolExecutor(max_workers=len(regions)) as pool:
            futures = {name: pool.submit(_attempt, function, region) for name, region in regions.items()}
            return {name: future.result() for name, future in futures.items()}


def enabled_regions(region: Region) -> tuple[str, ...]:
    """Return the regions that are enabled for the account.

    :param region: the region of the call
    """
    # Without AllRegions, AWS lists those that are enabled (EC2 API reference, DescribeRegions).
    return tuple(item["RegionName"] for item in region.clients["ec2"].describe_regions()["Regions"])


def regions_of_account(region: Region) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the regions that are enabled for the account, and those of AWS that are not.

    :param region: the region of the call
    """
    found = region.clients["ec2"].describe_regions(AllRegions=True)["Regions"]
    disabled = tuple(sorted(item["RegionName"] for item in found if item.get("OptInStatus") == "not-opted-in"))
    return tuple(item["RegionName"] for item in found if item["RegionName"] not in disabled), disabled


def regions_of_every_account(regions: Regions) -> list[str]:
    """Return the regions that every AWS account has, without opting in.

    :raises ArgumentError: AWS does not list them.
    """
    filters = [{"Name": "opt-in-status", "Values": ["opt-in-not-required"]}]
    try:
        answer = regions.first(lambda region: region.clients["ec2"].describe_regions(Filters=filters))[1]
    except Exception as error:
        failure, where = failure_of(error), regions.home(()).name
        raise ArgumentError(f"Cannot list the regions (ec2:DescribeRegions in {where}): {failure.code}: {failure.message}") from None
    return sorted(item["RegionName"] for item in answer["Regions"])


def settle(resource: Resource, regions: Regions, **how: t.Any) -> Outcome | Failure:
    """Bring a resource of the whole account to the desired state, or return why that failed.

    :param how: options of `reconcile`
    """
    try:
        return reconcile(resource, regions.home((resource.service,)), **how)
    except Exception as error:  # of any kind: the result also has the work in the regions
        return failure_of(error)


def _attempt(function: t.Callable[[Region], Result], region: Region) -> Result | Failure:
    try:
        return function(region)
    except Exception as error:  # of any kind: it concerns this region only
        return failure_of(error)


def partition_of(region: str) -> str:
    """Return the partition of a region, known to botocore or not, by its name."""
    return next((partition for prefix, (partition, dummy) in _PARTITIONS.items() if region.startswith(prefix)), "aws")


def home_region(names: t.Sequence[str]) -> str:
    """Return the region for calls about the whole account, if parameters, environment and profile name none.

    :param names: the regions to work in; their partition is that of the account
    """
    name = names[0] if names else ""
    return next((home for prefix, (dummy, home) in _PARTITIONS.items() if name.startswith(prefix)), DEFAULT_HOME_REGION)
