# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import typing as t
from dataclasses import asdict, dataclass

PASS = "pass"
WARN = "warn"
FAIL = "fail"
SKIP = "skip"
UNKNOWN = "unknown"
# Worst first: the order in which people should read them.
OUTCOMES = (FAIL, UNKNOWN, WARN, SKIP, PASS)


@dataclass(frozen=True)
class Finding:
    """One check and its result.

    :ivar check: the name of the check, as documented
    :ivar outcome: `pass`, `warn`, `fail`; `skip` where it was not checked, `unknown` where it could not be read
    :ivar message: one line: the existing and, if it differs, the expected state
    :ivar remedy: the recommended action; empty for a pass
    """

    check: str
    outcome: str
    message: str
    remedy: str = ""

    def as_dict(self) -> dict[str, t.Any]:
        """Return the entry in results and reports."""
        return asdict(self)
