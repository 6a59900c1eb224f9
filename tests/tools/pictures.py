# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the README's pictures out of runs on the sandbox: `make pictures`.

- session.svg: the story of tests/integration/fleet/test_story.py, which compares it with what is printed
- report.png: what verify says of twelve accounts with various troubles, as headless Chromium shows it

Usage: python pictures.py [session|report]
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from PIL import Image

from tests.integration.fleet.fleet import REGIONS, Fleet
from tests.integration.report.browser import FLAGS
from tests.sandbox.client import Sandbox
from tests.tools import session
from tests.tools.guides import commands, files

IMAGES = session.PICTURE.parent
ONBOARD, VERIFY, REPAIR = (line for line in commands("guide_fleet") if line.startswith("ansible-playbook "))
WIDTH, HEIGHT, LARGEST_BYTES = 1280, 600, 150_000
# What the panel shows: the region of an account.
SHOWN = ("2a90b7c3", "eu-west-1")
ACCOUNTS = {
    f"act-{spot}": f"{aws}"
    for spot, aws in {
        "07c41b9e": 104857600123,
        "1f6e8d20": 118273645546,
        "2a90b7c3": 129384756657,
        "3d51e4f8": 134567890215,
        "48b2c6d1": 146810121416,
        "5c7f09ae": 157924680135,
        "6e13d5b4": 163840000512,
        "7ab8e2f6": 177147531441,
        "80d94c17": 185193246913,
        "9be5f732": 196608393216,
        "a4c06d8b": 205891132094,
        "b83fd715": 216873645917,
    }.items()
}


def in_a_fleet(
    work: Callable[[Sandbox, Fleet], None], accounts: dict[str, str] | None = None, regions: list[str] | None = None, twin: bool = False
) -> None:
    """Does something with accounts of a sandbox of their own, and the inventory of the guide.

    :param accounts: five of the tests' unless given
    :param twin: another Spot account on the AWS account of the first
    """
    with Sandbox(max_seconds=900) as sandbox, tempfile.TemporaryDirectory(prefix="pictures-") as temporary:
        if regions:
            sandbox.settings(enabled_regions=regions)
        fleet = Fleet(sandbox, Path(temporary) / "home", size=5, accounts=accounts, regions=regions or ["all"])
        if twin:
            fleet.accounts["act-f1ee0006"] = fleet.accounts["act-f1ee0001"]
            sandbox.add_spot_accounts([{"accountId": "act-f1ee0006", "providerExternalId": fleet.accounts["act-f1ee0006"]}])
        # Those that the sandbox has from the beginning have other names, or other AWS accounts.
        wanted = "".join(f"\n  - {{spot_account: {spot}, aws_account: '{aws}'}}" for spot, aws in fleet.accounts.items())
        fleet.inventory = Path(temporary) / "spot_accounts.yml"
        fleet.inventory.write_text(f"{files('guide_fleet')['spot_accounts.yml']}spot_api_url: {sandbox.spot_url}\ninclude:{wanted}\n")
        onboarded = fleet.typed(ONBOARD)
        if onboarded.rc:
            raise SystemExit(onboarded.output)
        work(sandbox, fleet)


def make_session() -> None:
    """The terminal session."""

    def work(_sandbox: Sandbox, fleet: Fleet) -> None:
        fleet.lose("act-f1ee0004", "ap-south-1")
        steps = [(line, fleet.typed(line, color=True).stdout) for line in (VERIFY, REPAIR)]
        session.PICTURE.write_text(session.svg(steps), encoding="utf-8")

    in_a_fleet(work, regions=REGIONS, twin=True)


def make_report() -> None:
    """The report."""

    def work(sandbox: Sandbox, fleet: Fleet) -> None:
        trouble(sandbox, fleet)
        fleet.typed(VERIFY)
        account, region = SHOWN
        page = fleet.inventory.parent / "report" / "report.html"
        photograph(f"{page.as_uri()}#act-{account}/{region}", IMAGES / "report.png")

    in_a_fleet(work, accounts=dict(ACCOUNTS))


def trouble(sandbox: Sandbox, fleet: Fleet) -> None:
    """What goes wrong in time: lost authorisations, a rule that somebody disabled, a target that is gone, a region that does not answer."""
    spot = list(fleet.accounts)
    account, region = SHOWN
    for number, regions in {
        list(ACCOUNTS).index(f"act-{account}"): [region],
        5: ["us-east-1", "us-east-2", "us-west-2"],
        11: ["eu-west-1"],
    }.items():
        for region in regions:
            fleet.lose(spot[number], region)
    rule = f"spot-interruption-{spot[7]}"
    fleet.of(spot[7]).boto3("events", "ap-southeast-2").disable_rule(Name=rule)
    fleet.of(spot[7]).boto3("events", "eu-central-1").remove_targets(Rule=rule, Ids=["spot"])
    sandbox.add_fault(
        {"error": {"status": 400, "code": "AccessDeniedException", "message": "User is not authorized to perform this action"}},
        {"account": fleet.accounts[spot[9]], "region": "sa-east-1", "service": "events"},
    )
    for region in ("us-east-1", "eu-west-1", "ap-northeast-1"):
        sandbox.interrupt(region, fleet.accounts[spot[0]])
        sandbox.interrupt(region, fleet.accounts[spot[3]])
    sandbox.settled()


def photograph(address: str, picture: Path) -> None:
    """A page as a browser shows it, in few colours, as there are not many more in it."""
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if not chromium:
        raise SystemExit("There is no Chromium to make a picture of the report with.")
    with tempfile.TemporaryDirectory(prefix="chromium-") as profile:
        options = [f"--user-data-dir={profile}", "--hide-scrollbars", f"--window-size={WIDTH},{HEIGHT}", f"--screenshot={picture}"]
        command = [chromium, *FLAGS, *options, address]
        subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=120, check=True)
    with Image.open(picture) as taken:
        taken.convert("RGB").quantize(128).save(picture, optimize=True)
    if not 0 < picture.stat().st_size < LARGEST_BYTES:
        raise SystemExit(f"{picture} has {picture.stat().st_size} bytes; it may have {LARGEST_BYTES}.")


MAKERS = {"session": make_session, "report": make_report}

if __name__ == "__main__":
    IMAGES.mkdir(exist_ok=True)
    for name in sys.argv[1:] or MAKERS:
        MAKERS[name]()
