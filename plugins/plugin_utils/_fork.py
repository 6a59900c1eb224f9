# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import atexit
import os
import selectors
import signal
import sys
import threading
import traceback
import typing as t

from ansible.module_utils import basic

try:
    from ansible.module_utils import _internal
    from ansible.module_utils._internal import _traceback
    from ansible.module_utils._internal._ansiballz import _loader
except ImportError:  # before ansible-core 2.19
    _loader = None


def run_module(main: t.Callable[[], None], arguments: bytes, profile: str, folder: str) -> tuple[int, str, str]:
    """Run a module in a fork of this process, and wait for its end.

    :param main: of the module
    :param arguments: as AnsiballZ hands them to a module
    :param profile: how it is to write its result; without a meaning before ansible-core 2.19
    :param folder: where it runs
    :returns: exit status, standard output and standard error, as a shell has them
    """
    out, err = os.pipe(), os.pipe()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    pid = os.fork()
    if pid == 0:
        os.chdir(folder)
        _become(out[1], err[1])
        _end(lambda: _main(main, arguments, profile))
    for _dummy, end in (out, err):
        os.close(end)
    status = None
    try:
        said, complained = _read((out[0], err[0]))
        status = os.waitpid(pid, 0)[1]
    finally:
        for end, _dummy in (out, err):
            os.close(end)
        if status is None:  # the time of the task is over, or the run is ended
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
    code = os.waitstatus_to_exitcode(status)
    return (code, said, complained) if code >= 0 else (128 - code, said, f"{complained}{signal.strsignal(-code)}\n")


def _read(files: tuple[int, int]) -> tuple[str, str]:
    """Return all that is written to two pipes until their other ends are closed."""
    parts: dict[int, list[bytes]] = {file: [] for file in files}
    with selectors.DefaultSelector() as selector:
        for file in files:
            selector.register(file, selectors.EVENT_READ)
        while selector.get_map():
            for key, _dummy in selector.select():
                part = os.read(key.fd, 65536)
                if part:
                    parts[key.fd].append(part)
                else:
                    selector.unregister(key.fd)
    first, second = (b"".join(parts[file]).decode("utf-8", "surrogateescape") for file in files)
    return first, second


def _become(out: int, err: int) -> None:
    """Give this process the standard files of a module, and take from it what belongs to Ansible."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    for number, file in enumerate((nothing, out, err)):
        os.dup2(file, number)
    sys.stdin, sys.stdout, sys.stderr = os.fdopen(0), os.fdopen(1, "w", encoding="utf-8"), os.fdopen(2, "w", encoding="utf-8")
    # Ansible's exit handlers, such as the removal of its temporary folder.
    atexit._clear()
    for number in (signal.SIGTERM, signal.SIGALRM):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _main(main: t.Callable[[], None], arguments: bytes, profile: str) -> None:
    """Run `main` of a module as AnsiballZ does on the host that a module is for."""
    basic._ANSIBLE_ARGS = arguments
    if _loader is None:
        return main()
    basic._ANSIBLE_PROFILE = profile
    _forget_controller()
    try:
        main()
    except Exception as error:
        _loader._handle_exception(error, profile)


def _forget_controller() -> None:
    """Let ansible-core's code for modules do what it does away from a controller.

    From 2.19 on, it shows the warnings of a module on the controller's display if there is one, and does not return them.
    """
    _internal.is_controller = False
    _internal.get_controller_serialize_map = dict
    _internal.import_controller_module = lambda _module_name: None
    _traceback._is_traceback_enabled = _traceback._is_module_traceback_enabled


def _end(main: t.Callable[[], None]) -> t.NoReturn:
    """Run `main`, and end this process as an interpreter does."""
    status = 0
    try:
        main()
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
        status = 1
    try:
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(status)
