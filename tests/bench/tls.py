# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What TLS costs, which AWS has and the sandbox has not: the sandbox behind a relay that takes TLS connections."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
import threading
from pathlib import Path
from urllib.parse import urlsplit

from botocore.httpsession import get_cert_path

from tests.bench.account import empty, playbook, script
from tests.bench.measure import REGIONS, measure
from tests.fakes import certificate
from tests.sandbox.client import Sandbox


class Relay:
    """Passes what comes by TLS to an address, and counts the connections.

    Attributes:
        bundle: the certificates that botocore trusts, and that of the relay.
    """

    def __init__(self, folder: Path, url: str) -> None:
        made = certificate.make(folder)
        self.connections = 0
        self.bundle = folder / "bundle.pem"
        self.bundle.write_bytes(Path(get_cert_path(True)).read_bytes() + made.authority.read_bytes())
        self._to = urlsplit(url)
        self._loop = asyncio.new_event_loop()
        listening = asyncio.start_server(self._relay, "127.0.0.1", 0, ssl=made.context(), backlog=200)
        self._server = self._loop.run_until_complete(listening)
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    def __enter__(self) -> Relay:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._server.close()

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        from_sandbox, to_sandbox = await asyncio.open_connection(self._to.hostname, self._to.port)
        await asyncio.gather(self._pass(reader, to_sandbox), self._pass(from_sandbox, writer))

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        writer.close()


def bench(sandbox: Sandbox, latency: float, number: int) -> None:
    """Prints a line for each program and kind of run, without and with TLS."""
    columns = f"{'connections':>11}  {'CPU s':>6}  {'wall s':>7}   without it: CPU, wall"
    print(f"\nwith TLS\n{'regions':>7}  {'run':9}  {'program':10}  {columns}")
    with tempfile.TemporaryDirectory() as folder, Relay(Path(folder), sandbox.aws_url) as relay:
        encrypted = ["env", f"AWS_ENDPOINT_URL={relay.url}", f"AWS_CA_BUNDLE={relay.bundle}"]
        for name, make in (("script", script), ("collection", playbook)):
            found = {}
            for way, prefix in (("plain", []), ("encrypted", encrypted)):
                empty(sandbox, latency)
                for run in ("first", "unchanged"):
                    relay.connections = 0
                    one = measure(sandbox, [*prefix, *make(sandbox, REGIONS[:number], run)])
                    found[way, run] = one, relay.connections
            for run in ("first", "unchanged"):
                (plain, _none), (one, connections) = found["plain", run], found["encrypted", run]
                figures = f"{connections:11}  {one.cpu:6.2f}  {one.wall:7.2f}   {plain.cpu:6.2f}  {plain.wall:7.2f}"
                print(f"{number:7}  {run:9}  {name:10}  {figures}", flush=True)
