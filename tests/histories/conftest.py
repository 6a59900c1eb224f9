# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One sandbox inside of this process for all histories; time, threads and network are given back after them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.histories.history import History


@pytest.fixture(scope="package", autouse=True)
def sandbox() -> Iterator[None]:
    """Stop the sandbox that the first history has started."""
    yield
    History.close()
