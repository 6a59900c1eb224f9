# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The regions of an account, and EC2's DescribeRegions.

moto lists every region of every partition, enabled or not, and ignores AllRegions and filters. Answering here also
spares the import of its EC2, which takes longer than the rest of the sandbox.
"""

from __future__ import annotations

import re
from functools import cache
from xml.sax.saxutils import escape

import botocore.session

from .server import Answer
from .settings import Settings

# AWS Account Management guide: enabled in every account; all others have to be opted in.
_ASIA = ("ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-southeast-1", "ap-southeast-2")
_EUROPE = ("eu-central-1", "eu-north-1", "eu-west-1", "eu-west-2", "eu-west-3")
_AMERICA = ("ca-central-1", "sa-east-1", "us-east-1", "us-east-2", "us-west-1", "us-west-2")
DEFAULT = frozenset(_ASIA + _EUROPE + _AMERICA)


# The region that every account of a partition has, and in which its global services are.
HOMES = {"aws": "us-east-1", "aws-us-gov": "us-gov-west-1", "aws-cn": "cn-north-1", "aws-eusc": "eusc-de-east-1"}
_PREFIXES = {"us-gov-": "aws-us-gov", "cn-": "aws-cn", "eusc-": "aws-eusc"}
_OTHERS = {
    "aws-us-gov": frozenset({"us-gov-east-1", "us-gov-west-1"}),
    "aws-cn": frozenset({"cn-north-1", "cn-northwest-1"}),
    "aws-eusc": frozenset({"eusc-de-east-1"}),
}


def partition(region: str) -> str:
    """Return the partition that a region belongs to, by its name."""
    return next((name for prefix, name in _PREFIXES.items() if region.startswith(prefix)), "aws")


def enabled(settings: Settings) -> frozenset[str]:
    """Return the regions that are enabled for every account."""
    return _default(settings) if settings.enabled_regions is None else frozenset(settings.enabled_regions)


def _default(settings: Settings) -> frozenset[str]:
    return _OTHERS.get(settings.partition, DEFAULT)


def describe(form: dict[str, str], settings: Settings) -> Answer:
    """Answer DescribeRegions; `form` holds the request's parameters."""
    wanted = {value for key, value in form.items() if key.startswith("RegionName.")}
    known = _OTHERS.get(settings.partition) or _all()
    unknown = wanted - known
    if unknown:
        return _xml("Response", _error("InvalidParameterValue", f"Invalid region(s): {', '.join(sorted(unknown))}"), 400)
    status = {name: _opt_in_status(name, settings) for name in sorted(known | enabled(settings))}
    shown = [
        name
        for name in status
        if (name in wanted if wanted else form.get("AllRegions") == "true" or status[name] != "not-opted-in")
        and _passes_filters(form, name, status[name])
    ]
    items = "".join(
        f"<item><regionName>{name}</regionName><regionEndpoint>ec2.{name}.amazonaws.com</regionEndpoint>"
        f"<optInStatus>{status[name]}</optInStatus></item>"
        for name in shown
    )
    return _xml("DescribeRegionsResponse", f"<requestId>sandbox</requestId><regionInfo>{items}</regionInfo>")


@cache
def _all() -> frozenset[str]:
    return frozenset(botocore.session.get_session().get_available_regions("ec2"))


def _opt_in_status(name: str, settings: Settings) -> str:
    if name not in enabled(settings):
        return "not-opted-in"
    return "opt-in-not-required" if name in _default(settings) else "opted-in"


def _passes_filters(form: dict[str, str], name: str, status: str) -> bool:
    values = {"region-name": name, "opt-in-status": status, "endpoint": f"ec2.{name}.amazonaws.com"}
    for key, filter_name in form.items():
        number = re.fullmatch(r"Filter\.(\d+)\.Name", key)
        if number:
            accepted = [value for key, value in form.items() if key.startswith(f"Filter.{number[1]}.Value.")]
            if values.get(filter_name) not in accepted:
                return False
    return True


def _xml(root: str, content: str, status: int = 200) -> Answer:
    body = f'<?xml version="1.0"?><{root} xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">{content}</{root}>'
    return Answer(status, body.encode(), {"Content-Type": "text/xml;charset=UTF-8"})


def _error(code: str, message: str) -> str:
    return f"<Errors><Error><Code>{code}</Code><Message>{escape(message)}</Message></Error></Errors>"
