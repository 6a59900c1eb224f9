# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A module that does what modules do, and what they should not do."""

from __future__ import annotations

import os
import signal
import sys
import time

from ansible.module_utils.basic import AnsibleModule

# What an earlier run of the same process would have left.
_SEEN = []


def main():
    module = AnsibleModule(
        argument_spec={
            "what": {"type": "str", "required": True},
            "secret": {"type": "str", "no_log": True},
            "size": {"type": "int", "default": 1},
        },
        supports_check_mode=True,
    )
    what, secret = module.params["what"], module.params["secret"]
    if what == "warn":
        module.warn(f"a warning about {secret}")
        module.deprecate(f"a deprecation about {secret}", version="9.0.0", collection_name="spot.eventbridge")
    if what == "raise":
        raise ValueError("nobody caught this")
    if what == "fail":
        module.fail_json(msg=f"failed with {secret}", regions={"eu-west-1": secret})
    if what == "print":
        print("something before the result")
        os.system("echo a child of it")
        sys.stderr.write("something on standard error\n")
    if what == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if what == "leave":
        os._exit(3)
    if what == "hang":
        time.sleep(60)
    if what == "change":
        os.environ["PROBE"] = "changed"
        os.chdir("/")
    _SEEN.append(what)
    module.exit_json(
        changed=not module.check_mode,
        secret=secret,
        seen=_SEEN,
        environment=os.environ.get("PROBE"),
        folder=os.getcwd(),
        big="x" * module.params["size"],
        diff={"before": f"{secret} before\n", "after": "after\n"},
    )


if __name__ == "__main__":
    main()
