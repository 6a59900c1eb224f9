# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The program that Ansible takes for the interpreter: it hands its input and output to the server, and ends as the fork ends."""

# Only what an interpreter has in it: everything else takes as long as all of this.
import _socket
import marshal
import os
import sys


def main() -> None:
    arguments = sys.argv[1:]
    if arguments and arguments[0] != "-m" and not os.path.basename(arguments[0]).startswith("AnsiballZ_"):
        os.execv(sys.executable, [sys.executable, *arguments])
    server = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    server.connect(os.path.join(os.path.dirname(__file__), "socket"))
    request = marshal.dumps((arguments, dict(os.environ), os.getcwd()))
    files = b"".join(number.to_bytes(4, sys.byteorder) for number in (0, 1, 2))
    server.sendmsg([len(request).to_bytes(8, "big")], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, files)])
    server.sendall(request)
    status = int.from_bytes(server.recv(8), "big", signed=True)
    if status < 0:
        os.kill(os.getpid(), -status)
    os._exit(status)


main()
