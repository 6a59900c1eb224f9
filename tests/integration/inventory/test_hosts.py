# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which hosts the inventory has, and what they are given."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
import yaml
from ansible.constants import DEFAULT_VAULT_ID_MATCH
from ansible.parsing.vault import VaultLib, VaultSecret

from tests.integration.inventory.runner import BIN, PLUGIN, Inventory
from tests.integration.playbooks.leaks import seen_in
from tests.sandbox.client import Sandbox

ORGANIZATION = "606079873399"


def test_each_account_with_an_aws_account_is_a_host_with_what_is_constructed(inventory: Inventory, sandbox: Sandbox) -> None:
    sandbox.add_spot_accounts(
        [
            {"accountId": "act-0a0a0a0a", "name": "zero", "providerExternalId": 12345678901},
            {"accountId": "act-0b0b0b0b", "name": "azure", "providerExternalId": "5f3b2c1d", "cloudProvider": "AZURE"},
        ]
    )
    listing = inventory(
        "-v",
        strict=True,
        compose={"aws_role_arn": "'arn:aws:iam::' ~ aws_account ~ ':role/SpotEventBridge'", "called": "inventory_hostname"},
        groups={"production": "spot_account_name == 'production'", "zero": "aws_role_arn is search('::0123')"},
        keyed_groups=[{"key": "spot_organization", "prefix": "organization"}, {"key": "aws_account", "prefix": "", "separator": "aws_"}],
    )
    assert list(listing.hosts) == ["act-0a0a0a0a", "act-5a9d1c02", "act-b1e4f7a3", "act-d7320fba"]
    # Two Spot accounts on one AWS account are two hosts.
    for spot_account in ("act-d7320fba", "act-5a9d1c02"):
        assert listing.hosts[spot_account] == {
            "spot_account": spot_account,
            "spot_account_name": "production",
            "spot_organization": ORGANIZATION,
            "spot_cloud_provider": "AWS",
            "aws_account": "123456789012",
            "aws_role_arn": "arn:aws:iam::123456789012:role/SpotEventBridge",
            "called": spot_account,
        }
    assert listing.hosts["act-0a0a0a0a"]["aws_account"] == "012345678901"
    assert listing.groups["production"] == ["act-5a9d1c02", "act-d7320fba"]
    assert listing.groups["zero"] == ["act-0a0a0a0a"]
    assert listing.groups[f"organization_{ORGANIZATION}"] == list(listing.hosts)
    assert listing.groups["aws_210987654321"] == ["act-b1e4f7a3"]
    assert "6 accounts of the Spot organisation: 4 hosts, 2 without an AWS account, 0 left out by include and exclude." in listing.output
    assert (listing.requests, listing.warnings) == (1, "")
    (request,) = sandbox.received()
    assert (request["path"], request["query"]) == ("/setup/account", {})


def test_hosts_by_name_do_not_collide_and_no_name_is_a_template(inventory: Inventory, sandbox: Sandbox) -> None:
    hostile = "{{ lookup('ansible.builtin.pipe', 'echo pwned') }}"
    sandbox.add_spot_accounts([{"accountId": "act-0a0a0a0a", "name": hostile, "providerExternalId": "333333333333"}])
    listing = inventory(hostname="name", strict=True, compose={"label": "'<' ~ spot_account_name ~ '>'"})
    assert {name: variables["spot_account"] for name, variables in listing.hosts.items()} == {
        "lookup_ansible.builtin.pipe_echo_pwned": "act-0a0a0a0a",
        "production-act-5a9d1c02": "act-5a9d1c02",
        "production-act-d7320fba": "act-d7320fba",
        "staging": "act-b1e4f7a3",
    }
    assert listing.hosts["lookup_ansible.builtin.pipe_echo_pwned"]["label"] == f"<{hostile}>"
    assert listing.hosts["staging"]["label"] == "<staging>"


def test_filters_choose_and_a_token_and_an_address_may_be_templates(inventory: Inventory, sandbox: Sandbox) -> None:
    listing = inventory(
        "-v",
        "-e",
        f"spot={sandbox.spot_url} wanted=prod*",
        token="admin",
        spot_token="{{ lookup('ansible.builtin.env', 'SPOTINST_TOKEN') }}",
        spot_api_url="{{ spot }}",
        include=[{"name": ["{{ wanted }}"]}, {"aws_account": "210987654321"}],
        exclude=[{"spot_account": "act-5*", "cloud_provider": "aws"}],
    )
    assert list(listing.hosts) == ["act-b1e4f7a3", "act-d7320fba"]
    assert "4 accounts of the Spot organisation: 2 hosts, 1 without an AWS account, 1 left out" in listing.output


@pytest.mark.slow
def test_a_token_may_be_a_vaults(inventory: Inventory, sandbox: Sandbox) -> None:
    password = inventory.folder / "password"
    password.write_text("of the test")
    vault = VaultLib([(DEFAULT_VAULT_ID_MATCH, VaultSecret(b"of the test"))])
    encrypted = vault.encrypt(sandbox.tokens["other"].encode()).decode()
    path = inventory.file()
    path.write_text(path.read_text() + "spot_token: !vault |\n" + "".join(f"  {line}\n" for line in encrypted.splitlines()))
    listing = inventory.list(path, "--vault-password-file", str(password), token=None)
    assert [variables["aws_account"] for variables in listing.hosts.values()] == ["333333333333"]


def test_an_inventory_without_a_host_is_a_warning_with_the_counts(inventory: Inventory) -> None:
    listing = inventory(exclude=[{"name": "*"}])
    assert listing.hosts == {}
    assert (
        f"{PLUGIN}: no host. 4 accounts of the Spot organisation: 0 hosts, 1 without an AWS account, 3 left out by include and exclude. "
        "Check the filters, and whose token it is."
    ) in listing.warnings


def test_what_is_wrong_in_a_file_is_said_and_the_other_files_count(
    inventory: Inventory, sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory
) -> None:
    secret = "SECRETxSECRETxSECRETxSECRET"
    inventory.tokens.add(secret)
    wrong = {
        "option": ({"exlude": []}, "There is no option exlude. See ansible-doc -t inventory"),
        "filter": ({"include": [{"nmae": "x"}]}, "'include[0]' has nmae, which no account has. Use spot_account, name,"),
        "number": ({"exclude": [{"aws_account": 12345678901}]}, "'exclude[0].aws_account' must be text"),
        "address": ({"spot_api_url": "http://api.spotinst.io"}, "is not an https:// address"),
        "undefined": ({"spot_token": "{{ nowhere }}"}, "The option spot_token cannot be evaluated: 'nowhere' is undefined"),
        "colon": ({"spot_token": "{{ 'SECRETx' * 3 ~ 'SECRET' ~ ':' }}"}, "The Spot token contains a colon"),
        "list": ({"spot_token": ["{{ 'SECRETx' * 3 ~ 'SECRET' }}"]}, "The option spot_token is not a text."),
        "strict": (
            {"strict": True, "compose": {"x": "spot_account if aws_account[0] == '1' else nowhere"}},
            "Could not set x for host act-b1e4f7a3",
        ),
    }
    files = [inventory.file(f"{name}.spot_accounts.yml", **options) for name, (options, _) in wrong.items()]
    token = tmp_path_factory.mktemp("secrets") / "token"
    token.write_text(sandbox.tokens["other"])
    good = inventory.file("good.spot_accounts.yml", spot_token=f"{{{{ lookup('ansible.builtin.file', '{token}') }}}}")
    listing = inventory.list(*files, good, "-vvvv")
    for _, words in wrong.values():
        assert words in listing.warnings
    # Half of an inventory would look like a whole one.
    assert list(listing.hosts) == ["act-0f0f0f0f"]
    assert listing.requests == 2


def test_without_a_token_nothing_is_asked(inventory: Inventory) -> None:
    listing = inventory(token=None)
    assert "There is no Spot token: set SPOTINST_TOKEN" in listing.warnings
    assert (listing.hosts, listing.requests) == ({}, 0)


@pytest.mark.slow
def test_five_hundred_accounts_take_little_longer_than_five(inventory: Inventory, sandbox: Sandbox) -> None:
    constructed = {
        "compose": {"aws_role_arn": "'arn:aws:iam::' ~ aws_account ~ ':role/SpotEventBridge'"},
        "keyed_groups": [{"key": "spot_organization", "prefix": "organization"}],
        "hostname": "name",
    }
    inventory.warm = False
    few = inventory(**constructed).cpu
    sandbox.add_spot_accounts(
        [
            {"accountId": f"act-{number:08x}", "name": f"a{number // 2}", "providerExternalId": str(10**11 + number)}
            for number in range(2, 502)
        ]
    )
    many = inventory(**constructed)
    assert len(many.hosts) == 503
    assert many.requests == 1
    assert many.cpu < 4 * few


@pytest.mark.slow
def test_the_documentation_renders_and_its_examples_list_accounts(
    inventory: Inventory, sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory
) -> None:
    command = [str(BIN / "ansible-doc"), "-t", "inventory", "--json", PLUGIN]
    shown = subprocess.run(command, env=inventory.environment(None), capture_output=True, text=True, timeout=60, check=True)
    found = json.loads(shown.stdout)[PLUGIN]
    # One that takes all, one that chooses and constructs, one with a cache, one of another address.
    examples = found["examples"].split("\n---\n")
    assert len(examples) == 4
    assert set().union(*map(yaml.safe_load, examples)) <= set(found["doc"]["options"])

    sandbox.add_spot_accounts([{"accountId": "act-0a0a0a0a", "name": "prod-1", "providerExternalId": "444444444444"}])
    token = tmp_path_factory.mktemp("secrets") / "token"
    token.write_text(sandbox.tokens["admin"])
    files = []
    for number, text in enumerate(examples):
        path = inventory.folder / f"{number}.spot_accounts.yml"
        address = "" if "spot_api_url" in text else f"\nspot_api_url: {sandbox.spot_url}\n"
        path.write_text(text.replace("~/.secrets/spot", str(token)) + address)
        files.append(path)
    inventory.variables["SPOT_SANDBOX"] = sandbox.spot_url
    listing = inventory.list(*files)
    assert (listing.warnings, listing.requests) == ("", 4)
    assert {"act-0a0a0a0a", "act-d7320fba", "prod-1", "staging"} <= set(listing.hosts)
    assert listing.groups["production"] == ["act-0a0a0a0a"]
    assert listing.hosts["act-0a0a0a0a"]["aws_role_session_name"] == "spot-eventbridge-act-0a0a0a0a"
    assert listing.hosts["act-d7320fba"]["aws_external_id"] == ORGANIZATION
    assert listing.hosts["staging"]["aws_profile"] == "staging"


@pytest.mark.slow
def test_the_token_is_not_shown_by_the_dump_of_the_configuration(inventory: Inventory) -> None:
    command = [str(BIN / "ansible-config"), "dump", "-t", "inventory", PLUGIN]
    done = subprocess.run(command, env=inventory.environment("admin"), capture_output=True, text=True, timeout=60, check=True)
    assert "spot_api_url" in done.stdout
    assert seen_in((done.stdout + done.stderr).encode(), inventory.tokens) == []


def test_a_file_of_another_name_is_not_taken(inventory: Inventory) -> None:
    path: Path = inventory.file("fleet.yml")
    listing = inventory.list(path)
    assert (listing.hosts, listing.requests) == ({}, 0)
