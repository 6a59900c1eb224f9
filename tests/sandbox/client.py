# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Starts a sandbox and talks to its control. Imports nothing of the sandbox itself, and boto3 only when asked to."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import ProxyHandler, Request, build_opener

Json = dict[str, Any]
_open = build_opener(ProxyHandler({})).open  # the control is on loopback: no proxy, whatever the environment says
NOTIFICATION = "/aws/ec2/instance/interruptionNotification"
# The User-Agent of the requests that the collection makes itself.
COLLECTION = "ansible-collection/spot.eventbridge"


class Sandbox:
    """A sandbox process, started and stopped, or attached to.

    with Sandbox() as sandbox:
        sandbox.boto3("events", "eu-west-1").list_rules()

    Attributes, once started: pid, aws_url, spot_url, control_url, and tokens (name to value: admin, editor, viewer,
    limited, other).

    Args:
        max_seconds: the process ends itself after this time.
        token: the value of the token `admin`, random by default.
        settings: settings that are in force from the start, and again after each reset().
    """

    pid: int
    aws_url: str
    spot_url: str
    control_url: str
    tokens: dict[str, str]

    def __init__(self, max_seconds: float = 3600, token: str | None = None, settings: Json | None = None) -> None:
        self._max_seconds = max_seconds
        self._settings = settings or {}
        self._token = token
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self, timeout: float = 120) -> Self:
        """Start the process and wait until it is ready; a RuntimeError if it ends or takes longer than `timeout` s."""
        with tempfile.TemporaryDirectory(prefix="sandbox-") as directory:
            state_file = Path(directory) / "state.json"
            command = [sys.executable, str(Path(__file__).parent), "--state-file", str(state_file)]
            command += ["--max-seconds", str(self._max_seconds), "--parent-pid", str(os.getpid())]
            command += ["--token", self._token] if self._token else []
            # boto3, inside of moto, would look up a profile that the user has chosen for real work.
            environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
            self._process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
            end = time.monotonic() + timeout
            while not state_file.exists():
                if self._process.poll() is not None or time.monotonic() > end:
                    self.stop()
                    raise RuntimeError(f"the sandbox did not start: exit code {self._process.returncode}")
                time.sleep(0.02)
            self._read(state_file)
        self.settings(**self._settings)
        return self

    def stop(self) -> None:
        """Stop the process that start() started; kill it if it is not gone in 5 s."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    @classmethod
    def attach(cls, state_file: str | Path) -> Sandbox:
        """Return a client of a sandbox that somebody else has started; stop() does nothing to it."""
        sandbox = cls()
        sandbox._read(Path(state_file))
        return sandbox

    def _read(self, state_file: Path) -> None:
        self._know(json.loads(state_file.read_text(encoding="utf-8")))

    def _know(self, state: Json) -> None:
        """Take over the process id, the tokens and the addresses of a sandbox."""
        self.pid, self.tokens = state["pid"], state["tokens"]
        self.aws_url, self.spot_url, self.control_url = state["aws_url"], state["spot_url"], state["control_url"]

    def env(self, token: str | None = "admin") -> dict[str, str]:
        """Return this process's environment, changed so that a child program meets AWS and Spot here.

        Args:
            token: the name of the Spot token for SPOTINST_TOKEN; None leaves the variable out.
        """
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("AWS_", "SPOTINST_")) and name.lower() not in ("http_proxy", "https_proxy", "all_proxy")
        }
        return {
            **kept,
            "AWS_ENDPOINT_URL": self.aws_url,
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            # Roles are known to EventBridge at once here, unless the setting role_spread_seconds says otherwise.
            "SPOT_EVENTBRIDGE_ROLE_SETTLE_TIME": "0",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            **({"SPOTINST_TOKEN": self.tokens[token]} if token else {}),
        }

    def boto3(self, service: str, region: str = "us-east-1", access_key: str = "testing", **options: Any) -> Any:
        """Return a boto3 client of a service here; `options` go to boto3, such as config or aws_session_token."""
        import boto3

        make_client: Any = boto3.client  # typed for every service's own client otherwise
        return make_client(
            service,
            region_name=region,
            endpoint_url=self.aws_url,
            aws_access_key_id=access_key,
            **{"aws_secret_access_key": "testing", **options},
        )

    # The control

    def call(self, method: str, path: str, body: Json | None = None, /, timeout: float = 60, **query: Any) -> Any:
        """Make a call of the control and return its JSON; a ValueError with the control's words if it refuses."""
        wanted = {name: value for name, value in query.items() if value is not None}
        url = f"{self.control_url}{path}{'?' + urlencode(wanted) if wanted else ''}"
        data = None if body is None else json.dumps(body).encode()
        request = Request(url, data, {"Content-Type": "application/json"}, method=method)
        try:
            with _open(request, timeout=timeout) as response:
                return json.load(response)
        except HTTPError as error:
            raise ValueError(json.load(error)["error"]) from None

    def reset(self) -> None:
        """Everything back to the start; the tokens keep their values."""
        self.call("POST", "/reset")
        self.settings(**self._settings)

    def interrupt(self, region: str, account: str = "123456789012", instance_id: str | None = None, action: str = "terminate") -> Json:
        """Let EC2 emit a spot interruption warning: {"event_id", "instance_id", "rules_matched", "rules"}."""
        body = {"region": region, "account": account, "instance_id": instance_id, "action": action}
        return self.call("POST", "/interruption", body)

    def calls(self, writes: bool = False, service: str | None = None, **wanted: Any) -> list[Json]:
        """Return the AWS calls so far; `wanted` are further equal values, such as region or operation."""
        return self.call("GET", "/calls", writes=1 if writes else None, service=service, **wanted)

    def clear_calls(self) -> None:
        """Forget the AWS calls so far."""
        self.call("DELETE", "/calls")

    def received(self, path: str | None = None) -> list[Json]:
        """Return the requests that Spot has received so far, those of one path if given."""
        return self.call("GET", "/received", path=path)

    def notifications(self) -> list[Json]:
        """Return the interruption notifications of AWS that Spot has received so far, refused ones included."""
        return [note for note in self.received(NOTIFICATION) if note["headers"].get("User-Agent") != COLLECTION]

    def proofs(self) -> list[Json]:
        """Return the notifications with which the collection proved a token, refused ones included."""
        return [note for note in self.received(NOTIFICATION) if note["headers"].get("User-Agent") == COLLECTION]

    def clear_received(self) -> None:
        """Forget what Spot has received so far."""
        self.call("DELETE", "/received")

    def faults(self) -> list[Json]:
        """Return the fault rules in force, with their counts."""
        return self.call("GET", "/faults")

    def add_fault(self, do: Json, match: Json | None = None, **frequency: float) -> Json:
        """Add a fault rule: see README.md for `do` and `match`; `frequency` is every, rate, seed, times, after."""
        return self.call("POST", "/faults", {"match": match or {}, "do": do, **frequency})

    def clear_faults(self, fault_id: int | None = None) -> None:
        """Remove one fault rule, or all."""
        self.call("DELETE", "/faults", id=fault_id)

    def settings(self, **values: Any) -> Json:
        """Turn the given knobs and return all of them."""
        return self.call("POST", "/settings", values)

    def deny_regions(self, regions: Sequence[str], kind: str = "service control policy", actions: Sequence[str] = ()) -> None:
        """Have the organisation deny regions, with the exemptions of AWS's example (Deny access to AWS based on the requested Region).

        Args:
            kind: what the policy is, as refusals name it.
            actions: only these are denied, instead of all that are not of global services.
        """
        denied: Json = {"Action": list(actions)} if actions else {"NotAction": ["iam:*", "sts:*", "organizations:*", "support:*"]}
        statement = {"Effect": "Deny", **denied, "Resource": "*", "Condition": {"StringEquals": {"aws:RequestedRegion": list(regions)}}}
        self.settings(control_policy={"Version": "2012-10-17", "Statement": [statement]}, control_policy_kind=kind)

    def permit(self, access_key: str, allow: Sequence[str | Json]) -> None:
        """Restrict an access key, or all the others with "*", to IAM actions such as events:Describe*, and to what policies allow."""
        self.call("POST", "/permissions", {"access_key": access_key, "allow": list(allow)})

    def permissions_used(self, access_key: str) -> set[str]:
        """Return the actions that were allowed to a restricted access key."""
        return set(self.call("GET", "/permissions").get(access_key, []))

    def clear_permissions(self) -> None:
        """Let every access key do everything again."""
        self.call("DELETE", "/permissions")

    def add_organization_account(self, account: str, management: str = "123456789012", name: str = "", parent: str | None = None) -> Json:
        """Make an AWS account a member of the organization of `management`, in the root or an organizational unit (`parent`)."""
        body = {"account": account, "management": management, "name": name, "parent": parent}
        return self.call("POST", "/organization/accounts", body)

    def spot_accounts(self) -> list[Json]:
        """Return Spot's accounts of all organisations."""
        return self.call("GET", "/spot/accounts")

    def add_spot_accounts(self, accounts: list[Json]) -> None:
        """Add Spot accounts: accountId, and by choice name, providerExternalId, organizationId and others."""
        self.call("POST", "/spot/accounts", {"accounts": accounts})

    def spot_tokens(self) -> list[Json]:
        """Return Spot's valid tokens."""
        return self.call("GET", "/spot/tokens")

    def add_token(self, name: str, role: str = "editor", accounts: list[str] | None = None, **more: str) -> str:
        """Add a token and return its value; `more` is organization and value."""
        value = self.call("POST", "/spot/tokens", {"name": name, "role": role, "accounts": accounts, **more})["value"]
        self.tokens[name] = value
        return value

    def change_role(self, name: str, role: str) -> None:
        """Give the user of a token another role; the token stays valid."""
        (token,) = [token for token in self.spot_tokens() if token["name"] == name]
        self.call("POST", "/spot/tokens", {**token, "role": role})

    def revoke_token(self, name: str) -> None:
        """Make a token invalid: Spot answers it with 401 from now on."""
        self.call("DELETE", "/spot/tokens", name=name)

    def start_outage(self, status: int = 401) -> None:
        """Let Spot's user service fail: every authenticated call is answered with `status`."""
        self.call("POST", "/spot/outage", {"status": status})

    def end_outage(self) -> None:
        """Let Spot's user service work again."""
        self.call("DELETE", "/spot/outage")

    def deliveries(self, **wanted: Any) -> list[Json]:
        """Return the delivery attempts so far; `wanted` are equal values, such as event_id, region or outcome."""
        return self.call("GET", "/deliveries", **wanted)

    def settled(self, timeout: float = 10) -> bool:
        """Wait until no delivery is under way; False if that takes longer than `timeout` seconds."""
        return self.call("GET", f"/deliveries/settled?timeout={timeout}", timeout=timeout + 5)["settled"]
