"""A headless Chromium, driven by the W3C WebDriver protocol of chromedriver."""

import base64
import contextlib
import json
import re
import shutil
import subprocess
import urllib.request

import pytest

KEYS = {"Enter": "\ue007", "Escape": "\ue00c", "Tab": "\ue004", "ArrowLeft": "\ue012",
        "ArrowUp": "\ue013", "ArrowRight": "\ue014", "ArrowDown": "\ue015"}  # fmt: skip
_ELEMENT = "element-6066-11e4-a52e-4f735466cecf"


class Browser:
    """One window.

    Parameters
    ----------
    server : str
        Address of chromedriver.
    options : list of str
        Arguments of Chromium.
    """

    def __init__(self, server, options):
        self._address = f"{server}/session"
        wanted = {
            "browserName": "chrome",
            "goog:chromeOptions": {
                "args": options,
                "binary": chromium(),
            },
            "goog:loggingPrefs": {"browser": "ALL"},
        }
        found = self._post("", {"capabilities": {"alwaysMatch": wanted}})
        self._address += f"/{found['sessionId']}"

    def _post(self, command, content=None, method="POST"):
        body = None if method != "POST" else json.dumps(content or {}).encode()
        request = urllib.request.Request(
            self._address + command,
            body,
            {"Content-Type": "application/json"},
            method=method,
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)["value"]

    def open(self, path, width=1280, height=900, scheme="light"):
        """Open a file and wait until its scripts are ready."""
        self.devtools(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=1, mobile=width < 600,
        )  # fmt: skip
        self.devtools(
            "Emulation.setEmulatedMedia",
            features=[{"name": "prefers-color-scheme", "value": scheme}],
        )
        self._post("/url", {"url": path.resolve().as_uri()})
        return self.run(
            """const wait = (done) => document.documentElement.dataset.ready
                 ? done(document.documentElement.dataset.ready)
                 : setTimeout(wait, 20, done);
               return new Promise(wait);"""
        )

    def devtools(self, command, **settings):
        """Send a command of the DevTools protocol."""
        return self._post("/goog/cdp/execute", {"cmd": command, "params": settings})

    def run(self, script, *arguments):
        """Run JavaScript and get what it returns."""
        content = {"script": script, "args": list(arguments)}
        return self._post("/execute/sync", content)

    def click(self, selector):
        """Click on the first element."""
        found = self._post("/element", {"using": "css selector", "value": selector})
        self._post(f"/element/{found[_ELEMENT]}/click")

    def press(self, *keys):
        """Press keys, one after the other, on what has the focus."""
        actions = [
            {"type": kind, "value": KEYS.get(key, key)}
            for key in keys
            for kind in ("keyDown", "keyUp")
        ]
        keyboard = {"type": "key", "id": "keyboard", "actions": actions}
        self._post("/actions", {"actions": [keyboard]})

    def messages(self):
        """Messages on the console since the last call, and errors of the scripts."""
        found = [
            entry["message"] for entry in self._post("/se/log", {"type": "browser"})
        ]
        errors = self.run("return document.documentElement.dataset.errors || ''")
        return found + errors.splitlines()

    def picture(self, path, whole=False):
        """Save a picture of the window, or of the whole page."""
        found = self.devtools("Page.captureScreenshot", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(found["data"]))

    def pdf(self, **settings):
        """Print the page."""
        return base64.b64decode(self.devtools("Page.printToPDF", **settings)["data"])

    def close(self):
        """End the session."""
        self._post("", method="DELETE")


def chromium():
    """Path of Chromium, or None."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


@contextlib.contextmanager
def open_browser():
    """Start chromedriver and a browser; skip the test where they are not installed."""
    driver = shutil.which("chromedriver")
    if driver is None or chromium() is None:
        pytest.skip("needs chromium and chromedriver (Debian: chromium-driver)")
    with subprocess.Popen(
        [driver, "--port=0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            lines = iter(process.stdout.readline, "")
            ports = (re.search(r"successfully on port (\d+)", line) for line in lines)
            port = next(found[1] for found in ports if found)
            browser = Browser(
                f"http://127.0.0.1:{port}",
                ["--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
                 "--disable-dev-shm-usage"],
            )  # fmt: skip
            yield browser
            browser.close()
        finally:
            process.terminate()
