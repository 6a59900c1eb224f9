# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The execution environment: what ansible-builder makes of its definition, and what it learns of the collection."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import yaml

CHECKOUT = Path(__file__).parents[2]
BUILDER = Path(sys.executable).parent / "ansible-builder"
COLLECTIONS = Path(sys.prefix) / "collections"
# What each amazon.aws needs, as the README says. The modules of this collection work with the oldest.
FLOORS = {
    10: {"boto3>=1.34.0", "botocore>=1.34.0"},
    11: {"boto3>=1.35.0", "botocore>=1.35.0", "aiobotocore>=2.14.0"},
}


def test_build_context_has_both_collections(tmp_path: Path) -> None:
    command = [BUILDER, "create", "-f", CHECKOUT / "execution-environment.yml", "-c", tmp_path, "--output-filename", "Containerfile"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "outdated" not in done.stdout + done.stderr
    collections = yaml.safe_load((tmp_path / "_build" / "requirements.yml").read_text(encoding="utf-8"))["collections"]
    assert {collection["name"] for collection in collections} == {"amazon.aws", "spot.eventbridge"}
    assert "ansible-galaxy collection install" in (tmp_path / "Containerfile").read_text(encoding="utf-8")


def test_introspection_finds_the_requirements_of_amazon_aws() -> None:
    done = subprocess.run([BUILDER, "introspect", COLLECTIONS], capture_output=True, text=True, check=True, timeout=60)
    needed = yaml.safe_load(done.stdout)["python"]
    ours = {line.split()[0] for line in needed if "spot.eventbridge" in line}
    theirs = {line.split()[0] for line in needed if "amazon.aws" in line}
    assert ours == FLOORS[10]
    assert theirs == FLOORS[_major_of_amazon_aws()]


def _major_of_amazon_aws() -> int:
    manifest = json.loads((COLLECTIONS / "ansible_collections" / "amazon" / "aws" / "MANIFEST.json").read_text(encoding="utf-8"))
    return int(manifest["collection_info"]["version"].partition(".")[0])
