# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The way of a site whose integration is deployed by a stack set: one for each site, run from the first AWS account."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from tests.integration.modules.accounts import ADMINISTRATION_ROLE, ADMINISTRATOR, EXECUTION_ROLE, HOME, ROLES

if TYPE_CHECKING:
    from tests.histories.sites import Site
    from tests.integration.modules.runner import Run
    from tests.sandbox.in_process import InProcess

Json = dict[str, Any]


def make_roles(house: InProcess, account: str) -> None:
    """Make the roles that a stack set with permissions of one's own needs; no matter if they are there."""
    for owner, role in ((ADMINISTRATOR, ADMINISTRATION_ROLE), (account, EXECUTION_ROLE)):
        with suppress(ClientError):
            house.boto3("iam", HOME, house.key_of(owner)).create_role(**ROLES[role])


def present(site: Site, regions: Sequence[str], template: Json, revision: int) -> Json:
    """Return the options of the module that deploys to regions, and to no others.

    Args:
        template: the options about the template and its parameters, as spot_stack has them.
        revision: another one has the token written again.
    """
    kept = ("template_body", "spot_token", "parameters")
    return {
        **_of_administrator(site),
        **{name: template[name] for name in kept},
        "spot_accounts": {site.aws_account: site.spot_account},
        "regions": list(regions),
        "token_revision": str(revision),
        "purge_limit": 100,
    }


def absent(site: Site) -> Json:
    """Return the options of the module that removes the stack set."""
    return {**_of_administrator(site), "state": "absent"}


def _of_administrator(site: Site) -> Json:
    return {"name": site.name, "region": HOME, "access_key": "testing", "secret_key": "testing"}


def current(run: Run, site: Site) -> list[str]:
    """Return the regions in which a run says that the instance is as desired."""
    return [
        entry["region"]
        for entry in run.answer.get("instances", [])
        if entry["account"] == site.aws_account and entry["status"] == "CURRENT"
    ]


def left(run: Run, regions: Sequence[str]) -> tuple[str, ...]:
    """Return the regions in which there is still an instance; all, if the run could not read them."""
    if "instances" not in run.answer:
        return tuple(regions)
    there = {entry["region"] for entry in run.answer["instances"]}
    return tuple(region for region in regions if region in there)
