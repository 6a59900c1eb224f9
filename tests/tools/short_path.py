# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Short paths of temporary folders.

The path of a Unix socket has at most 107 bytes on Linux. Since 2.20, each run of ansible-core opens one,
`TMPDIR/pymp-xxxxxxxx/listener-xxxxxxxx`, so that TMPDIR must not be longer than 75; otherwise the run fails after five seconds with
"Local RPC server did not start".
"""

from __future__ import annotations

import atexit
import functools
import itertools
import shutil
import tempfile
from pathlib import Path

_number = itertools.count()


def short_path(folder: Path) -> Path:
    """Return a link to a folder, for TMPDIR. The files are where they were without it; it is removed when this process ends."""
    link = _links() / str(next(_number))
    link.symlink_to(folder, target_is_directory=True)
    return link


@functools.cache
def _links() -> Path:
    # Not in the temporary folder of the user, which may have a long path itself.
    folder = Path(tempfile.mkdtemp(prefix="", dir="/tmp"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
