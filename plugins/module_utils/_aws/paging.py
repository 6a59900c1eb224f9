# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import typing as t


def pages(client: t.Any, operation: str, **arguments: t.Any) -> t.Iterator[dict[str, t.Any]]:
    """Yield every page of a list, by boto3's paginator where it has one.

    boto3 has none for ListApiDestinations of EventBridge, for instance (botocore 1.34).

    :param operation: the client's method, such as `list_rules`
    """
    if client.can_paginate(operation):
        yield from client.get_paginator(operation).paginate(**arguments)
        return
    more: dict[str, str] = {}
    while True:
        page = getattr(client, operation)(**arguments, **more)
        yield page
        # The services differ in the first letter.
        more = {name: page[name] for name in ("NextToken", "nextToken") if page.get(name)}
        if not more:
            return


def items(client: t.Any, operation: str, key: str, **arguments: t.Any) -> t.Iterator[t.Any]:
    """Yield every item of a list, page by page.

    :param key: the name of the list in a response, such as `Rules`
    """
    for page in pages(client, operation, **arguments):
        yield from page.get(key, [])
