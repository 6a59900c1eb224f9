# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Starts a sandbox: python tests/sandbox --state-file PATH"""

from __future__ import annotations

import sys
from importlib import import_module
from os.path import abspath, dirname

if __name__ == "__main__":
    # Started as a directory, Python puts the directory itself on the path; the package is found from the one above.
    sys.path[0] = dirname(dirname(abspath(__file__)))
    import_module("sandbox.process").main()
