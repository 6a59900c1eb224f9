# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations

import json
import os
import tempfile
import typing as t
from dataclasses import dataclass

from ansible_collections.spot.eventbridge.plugins.module_utils._core.validation import ArgumentError
from ansible_collections.spot.eventbridge.plugins.module_utils._notify.message import ChannelError, Delivery, Message


def argument_spec() -> dict[str, t.Any]:
    """Return the options of this channel."""
    return {"folder": {"type": "path", "required": True}}


@dataclass(frozen=True)
class FileChannel:
    """A Markdown and a JSON file, for users who forward them themselves.

    :ivar folder: where; it is made if it is not there
    """

    folder: str

    name: t.ClassVar[str] = "file"

    @classmethod
    def from_parameters(cls, params: t.Mapping[str, t.Any]) -> FileChannel:
        """
        :raises ArgumentError: there is no folder.
        """
        if not params["folder"]:
            raise ArgumentError("file.folder is empty: give the folder for the notification's files.")
        return cls(params["folder"])

    def send(self, notification: Message) -> Delivery:
        """See `message.Channel`. The same notification goes into the same files."""
        stem = os.path.join(self.folder, f"notification-{notification.spot_account}-{notification.id[:8]}")
        try:
            os.makedirs(self.folder, exist_ok=True)
            _write(f"{stem}.md", notification.markdown())
            _write(f"{stem}.json", json.dumps(notification.document(), indent=2) + "\n")
        except OSError as error:
            raise ChannelError(f"{self.folder} cannot be written to: {error.strerror or error}") from None
        return Delivery()


def _write(path: str, text: str) -> None:
    """Write a file as a whole or not at all."""
    descriptor, temporary = tempfile.mkstemp(dir=os.path.dirname(path), prefix=".notification-")
    try:
        with open(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
