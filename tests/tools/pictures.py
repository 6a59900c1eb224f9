# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make the picture of the report in the guide *Onboard for real*, with headless Chromium.

It shows verify on twelve accounts of the sandbox with various faults.

Usage: python pictures.py
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from PIL import Image

from tests.integration.fleet.fleet import Fleet
from tests.integration.report.browser import FLAGS
from tests.sandbox.client import Sandbox
from tests.tools.addresses import CHECKOUT
from tests.tools.guides import commands, files

PICTURE = CHECKOUT / "docs" / "images" / "report.png"
ONBOARD, VERIFY, _ = (line for line in commands("guide_fleet") if line.startswith("ansible-playbook "))
WIDTH, HEIGHT, LARGEST_BYTES = 1280, 600, 150_000
# The account and region that the page's panel shows.
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


def make() -> None:
    """Writes the picture."""
    with Sandbox(max_seconds=900) as sandbox, tempfile.TemporaryDirectory(prefix="pictures-") as temporary:
        fleet = Fleet(sandbox, Path(temporary) / "home", accounts=dict(ACCOUNTS), regions=["all"])
        # Without the accounts that the sandbox has from the beginning.
        included = "".join(f"\n  - {{spot_account: {spot}, aws_account: '{aws}'}}" for spot, aws in fleet.accounts.items())
        fleet.inventory = Path(temporary) / "spot_accounts.yml"
        fleet.inventory.write_text(f"{files('guide_fleet')['spot_accounts.yml']}spot_api_url: {sandbox.spot_url}\ninclude:{included}\n")
        onboarded = fleet.typed(ONBOARD)
        if onboarded.rc:
            raise SystemExit(onboarded.output)
        trouble(sandbox, fleet)
        fleet.typed(VERIFY)
        account, region = SHOWN
        photograph(f"{(Path(temporary) / 'report' / 'report.html').as_uri()}#act-{account}/{region}", PICTURE)


def trouble(sandbox: Sandbox, fleet: Fleet) -> None:
    """Causes lost authorisations, a disabled rule, a missing target, and a region that returns errors."""
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
    """Writes a page as a browser shows it, in 128 colours."""
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


if __name__ == "__main__":
    make()
