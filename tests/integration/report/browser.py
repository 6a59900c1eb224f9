# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A headless Chromium that shows pages out of a folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

# In CSS pixels.
DESK = (1440, 900)
TELEPHONE = (390, 844)

FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


class Browser:
    """One Chromium, driven by chromedriver.

    Args:
        chromium: its path.
        driver: the path of its chromedriver. With both given, selenium looks for nothing on the network.
        folder: where the pages are, and where it puts its profile.
    """

    def __init__(self, chromium: str, driver: str, folder: Path) -> None:
        from selenium import webdriver
        from selenium.webdriver.chrome.service import Service

        options = webdriver.ChromeOptions()
        options.binary_location = chromium
        for flag in (*FLAGS, f"--user-data-dir={folder / 'profile'}"):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.folder = folder
        self.driver = webdriver.Chrome(options=options, service=Service(driver))

    def quit(self) -> None:
        self.driver.quit()

    def reset(self) -> None:
        """A desk in daylight, and nothing in the logs."""
        self.driver.get("about:blank")
        self.scripts(True)
        self.emulate()
        self.size(DESK)
        self.log()
        self.requests()

    def open(self, page: str, fragment: str = "") -> None:
        """Loads a page anew, and waits until a panel that its address asks for is there."""
        self.driver.get("about:blank")
        self.driver.get(f"{(self.folder / page).as_uri()}.html{fragment}")
        if fragment:
            self.wait("return document.querySelector('#panel[open] h2')")

    def size(self, size: tuple[int, int]) -> None:
        width, height = size
        self.cdp("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=size == TELEPHONE)

    def emulate(self, scheme: str = "light", media: str = "screen") -> None:
        self.cdp("Emulation.setEmulatedMedia", media=media, features=[{"name": "prefers-color-scheme", "value": scheme}])

    def scripts(self, enabled: bool) -> None:
        self.cdp("Emulation.setScriptExecutionDisabled", value=not enabled)

    def cdp(self, command: str, **arguments: Any) -> Any:
        return self.driver.execute_cdp_cmd(command, arguments)

    def js(self, script: str, *arguments: Any) -> Any:
        return self.driver.execute_script(script, *arguments)

    def wait(self, script: str, *arguments: Any) -> Any:
        """Waits until a script returns something true, and returns that."""
        from selenium.webdriver.support.wait import WebDriverWait

        return WebDriverWait(self.driver, 10, 0.02).until(lambda driver: driver.execute_script(script, *arguments))

    def find(self, selector: str) -> Any:
        return self.driver.find_element("css selector", selector)

    def all(self, selector: str) -> list[Any]:
        return self.driver.find_elements("css selector", selector)

    def cell(self, name: str) -> Any:
        """A cell by the beginning of its label, such as `act-d7320fba us-east-1`."""
        return self.find(f'#matrix td[aria-label^="{name}:"]')

    def panel(self, title: str) -> Any:
        """The panel, once it shows what has this title."""
        self.wait("return document.querySelector('#panel[open] h2')?.textContent === arguments[0]", title)
        return self.find("#panel")

    def keys(self, *keys: str) -> None:
        """Presses keys one after the other, wherever the focus is."""
        from selenium.webdriver.common.action_chains import ActionChains

        for key in keys:
            ActionChains(self.driver).send_keys(key).perform()

    def focus(self) -> str:
        """What a screen reader would call what has the focus."""
        return self.js("const at = document.activeElement; return at.getAttribute('aria-label') ?? at.textContent.trim()")

    def log(self) -> list[str]:
        """What the console has said since it was last asked."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def requests(self) -> list[str]:
        """The addresses of all requests since it was last asked."""
        messages = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        return [message["params"]["request"]["url"] for message in messages if message["method"] == "Network.requestWillBeSent"]
