# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The process that is forked for each run, see __init__.py.

Usage: python server.py FOLDER IMPORT,…   It ends with its standard input, and removes the folder.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import marshal
import os
import random
import runpy
import selectors
import shutil
import signal
import socket
import sys
import tempfile
import threading
import traceback
import warnings
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

SERVICES = ("cloudformation", "cloudwatch", "ec2", "events", "fis", "iam", "organizations", "secretsmanager", "sqs", "sts")
SESSION = "ansible_collections.spot.eventbridge.plugins.module_utils._aws.session"
COLLECTIONS = ("ansible.builtin", "amazon.aws", "spot.eventbridge")


def main() -> None:
    folder, imports = sys.argv[1:]
    del sys.path[0]  # this folder
    _warm(imports.split(","))
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(os.path.join(folder, "socket"))
        listening.listen(128)
        print("ready", flush=True)
        _serve(listening)
    shutil.rmtree(folder, ignore_errors=True)


def _warm(imports: Sequence[str]) -> None:
    for name in imports:
        importlib.import_module(name)
    if SESSION in sys.modules:
        sys.modules[SESSION].preload(SERVICES)
    if "ansible.cli" in sys.modules:
        _share_plugins()
        _share_templates()
    gc.freeze()  # or every fork walks through all of it
    gc.set_threshold(50_000)  # they do not live long enough to have use of more


def _share_plugins() -> None:
    """Let runs of Ansible find loaded, and their documentation read, what they load of plugins and collections."""
    from ansible.plugins import loader

    loader.init_plugin_loader()
    warnings.filterwarnings("ignore", "AnsibleCollectionFinder has already been configured")
    for kind in ("action", "become", "cache", "callback", "connection", "inventory", "lookup", "shell", "strategy", "vars"):
        list(getattr(loader, f"{kind}_loader").all(class_only=True))
    for kind in ("filter", "test"):
        list(getattr(loader, f"{kind}_loader").all())
    for collection in COLLECTIONS:
        package = importlib.import_module(f"ansible_collections.{collection}")
        for kind, plugins in (("filter", loader.filter_loader), ("action", loader.action_loader)):
            for plugin in (file for folder in package.__path__ for file in Path(folder).glob(f"plugins/{kind}/[!_]*.py")):
                plugins.get(f"{collection}.{plugin.stem}", class_only=True)


def _share_templates() -> None:
    """Let runs of Ansible find compiled what an earlier one has compiled of templates: half of what a worker computes, otherwise."""
    from ansible._internal._templating import _jinja_bits
    from jinja2.bccache import FileSystemBytecodeCache

    environment = _jinja_bits.AnsibleEnvironment
    compile_template, cache = environment.compile, FileSystemBytecodeCache(sys.argv[1])

    def compile_once(self: Any, source: Any, name: str | None = None, filename: str | None = None, **options: Any) -> Any:
        if not isinstance(source, str) or self.overlayed or name or options:  # a condition, or what is seldom
            return compile_template(self, source, name, filename, **options)
        how = repr(_jinja_bits._TemplateCompileContext.current(optional=True))
        bucket = cache.get_bucket(self, how + source, filename, source)
        if bucket.code is None:
            bucket.code = compile_template(self, source, name, filename)
            cache.set_bucket(bucket)
        return bucket.code

    environment.compile = compile_once


def _serve(listening: socket.socket) -> None:
    """Fork for each client. A client that is gone takes its fork with it."""
    waiting = selectors.DefaultSelector()
    for source in (listening, sys.stdin):
        waiting.register(source, selectors.EVENT_READ)
    running: dict[int, socket.socket] = {}
    while True:
        for key, _ in waiting.select():
            if key.fileobj is sys.stdin:
                for pid in running:
                    os.kill(pid, signal.SIGKILL)
                return
            if key.fileobj is listening:
                client = listening.accept()[0]
                pid = _fork(client)
                if pid:
                    running[pid] = client
                    waiting.register(client, selectors.EVENT_READ, pid)
                    waiting.register(os.pidfd_open(pid), selectors.EVENT_READ, pid)
            elif key.data not in running:  # it ended while its client did
                continue
            elif key.fileobj is running[key.data]:
                waiting.unregister(key.fileobj)
                os.kill(key.data, signal.SIGKILL)
            else:
                waiting.unregister(key.fileobj)
                os.close(key.fd)
                status = os.waitstatus_to_exitcode(os.waitpid(key.data, 0)[1])
                with running.pop(key.data) as client, suppress(KeyError, OSError):
                    waiting.unregister(client)
                    client.sendall(status.to_bytes(8, "big", signed=True))


def _fork(client: socket.socket) -> int:
    """Begin a run.

    Returns:
        its process id, 0 for a client that is gone again.
    """
    head, files, _, _ = socket.recv_fds(client, 8, 3)
    size, request = int.from_bytes(head, "big"), b""
    while len(request) < size and (part := client.recv(size - len(request))):
        request += part
    pid = 0
    if files and len(request) == size:
        pid = os.fork()
        if pid == 0:
            _become(*marshal.loads(request), files)
    for file in files:
        os.close(file)
    return pid


def _become(arguments: list[str], environment: dict[str, str], folder: str, files: Sequence[int]) -> NoReturn:
    """Run a program as the interpreter would that the client pretends to be."""
    status: Any = 1
    try:
        for number, file in enumerate(files):
            os.dup2(file, number)
        os.closerange(3, 1024)  # of other clients
        sys.stdin, sys.stdout, sys.stderr = os.fdopen(0), os.fdopen(1, "w"), os.fdopen(2, "w")
        os.environ.clear()
        os.environ.update(environment)
        if run := environment.get("TEST_RUN"):
            # What /proc shows as its environment is that of the server. What it forks has the same name.
            Path("/proc/self/comm").write_text(run, encoding="ascii")
        os.chdir(folder)
        tempfile.tempdir = None
        random.seed()
        _run(arguments)
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
    # The interpreter's end, without taking apart all that was imported.
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError):
            stream.flush()
    os._exit(status)


def _run(arguments: list[str]) -> None:
    if arguments and arguments[0] == "-m":
        sys.argv = arguments[1:]
        runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
        return
    sys.argv = arguments or ["-"]
    name = arguments[0] if arguments else "<stdin>"
    source = Path(name).read_text(encoding="utf-8") if arguments else sys.stdin.read()
    exec(compile(source, name, "exec"), {"__name__": "__main__", "__builtins__": __builtins__, "__file__": name})


if __name__ == "__main__":
    main()
