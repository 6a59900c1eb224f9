# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Imports the published tarball as Galaxy does, with galaxy-importer; every warning of it is a failure.

It has an environment of its own, as it pins what others need newer. What it would run besides, ansible-lint and sanity tests, are
checks of their own.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.tools.environments import environment
from tests.tools.interpreters import interpreters
from tests.tools.published import AMAZON, published

PACKAGES = ["galaxy-importer>=0.4.44,<0.5"]
FINISHED = "Importer processing completed successfully"


def importing() -> Path:
    """The folder of the importer's virtual environment; it is made if it is not there yet."""
    return environment("galaxy-importer", list(interpreters().values())[-1], PACKAGES)


def main() -> int:
    """Runs it."""
    folder = importing()
    (site_packages,) = folder.glob("lib/python*/site-packages")
    # The importer reads documentation on a path of its own; what our documentation takes from amazon.aws is found here.
    amazon = site_packages / "ansible_collections" / "amazon"
    amazon.parent.mkdir(exist_ok=True)
    amazon.unlink(missing_ok=True)
    amazon.symlink_to(AMAZON)
    with published() as (tarball, _):
        done = subprocess.run(
            [str(folder / "bin" / "python"), "-m", "galaxy_importer.main", str(tarball)],
            cwd=tarball.parent,
            env={
                **{name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")},
                "HOME": str(tarball.parent),
                "PATH": os.pathsep.join([str(folder / "bin"), "/usr/bin", "/bin"]),
                "GALAXY_IMPORTER_CHECK_REQUIRED_TAGS": "True",
                "GALAXY_IMPORTER_RUN_ANSIBLE_LINT": "False",
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
    complaints = [line for line in done.stdout.splitlines() if line.startswith(("WARNING", "ERROR"))]
    if done.returncode == 0 and FINISHED in done.stdout and not complaints:
        print(FINISHED)
        return 0
    print("\n".join(complaints) or done.stdout)
    return 1


if __name__ == "__main__":
    sys.exit(main())
