# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs modules, each in a process of its own, without paying for the start of Python and boto3 each time.

This process imports what every module imports and nothing of this collection, then forks for each request. A request is a
line of JSON on standard input (module, environment, folder, arguments), its result a line on standard output.
"""

from __future__ import annotations

import functools
import gc
import json
import os
import random
import runpy
import signal
import sys
import tempfile
from typing import IO, Any, NoReturn

import boto3
from botocore.loaders import JSONFileLoader

MODULES = "ansible_collections.spot.eventbridge.plugins.modules"
SECONDS = 120


def main() -> None:
    _warm()
    for line in sys.stdin:
        print(json.dumps(_run(json.loads(line))), flush=True)


def _warm() -> None:
    """Read botocore's descriptions of services once for all."""
    JSONFileLoader._load_file = functools.cache(JSONFileLoader._load_file)  # type: ignore[method-assign]
    for service in ("cloudformation", "events", "secretsmanager", "sqs", "sts"):
        boto3.Session().client(service, region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    gc.freeze()  # or every child walks through all of it


def _run(request: dict[str, Any]) -> dict[str, Any]:
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        given.write(json.dumps(request["arguments"]).encode())
        given.seek(0)
        child = os.fork()
        if child == 0:
            _become(request, (given, output, errors))
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        texts = []
        for file in (output, errors):
            file.seek(0)
            texts.append(file.read().decode())
    return {"status": status, "output": texts[0], "errors": texts[1]}


def _become(request: dict[str, Any], files: tuple[IO[bytes], ...]) -> NoReturn:
    signal.alarm(SECONDS)
    for number, file in enumerate(files):
        os.dup2(file.fileno(), number)
    sys.stdin, sys.stdout, sys.stderr = os.fdopen(0), os.fdopen(1, "w"), os.fdopen(2, "w")
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(request["folder"])
    tempfile.tempdir = None
    random.seed()
    sys.argv = [request["module"]]
    runpy.run_module(f"{MODULES}.{request['module']}", run_name="__main__", alter_sys=True)
    sys.exit(0)


if __name__ == "__main__":
    main()
