"""A browser without a window, told what to do over a pipe: pictures and times of pages for the documentation.

Chromium speaks its DevTools protocol (https://chromedevtools.github.io/devtools-protocol/) over two pipes,
one message of JSON after the other, each ended by a zero byte. Nothing but the standard library is needed.
"""

import base64
import itertools
import json
import os
import select
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


def find_browser() -> str | None:
    """The command of the first browser there is."""
    return next(filter(None, map(shutil.which, NAMES)), None)


class BrowserError(RuntimeError):
    """The browser said no, said nothing, or isn't there."""


class Browser:
    """One page of a headless browser; use it in a `with`.

    Parameters
    ----------
    width, height : int
        Of the window.
    dark : bool
        Ask pages for their dark theme.
    seconds : float
        How long to wait for an answer, or for a page to be as one expects.
    """

    def __init__(
        self, width: int = 1400, height: int = 900, *, dark: bool = False, seconds: float = 60
    ) -> None:
        self.width, self.height, self.dark, self.seconds = width, height, dark, seconds
        self._numbers = itertools.count(1)
        self._unread = b""

    def __enter__(self) -> Self:
        command = find_browser()
        if command is None:
            raise BrowserError(f"no browser found; install one of {', '.join(NAMES)}")
        self._profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        orders_out, self._orders = os.pipe()
        self._answers, answers_in = os.pipe()
        # The browser reads from descriptor 3 and writes to 4, whatever these are called here.
        launch = f'exec "$@" 3<&{orders_out} 4>&{answers_in}'
        self._process = subprocess.Popen(
            ["/bin/sh", "-c", launch, "sh", command, "--headless", "--remote-debugging-pipe", "--no-sandbox",
             "--disable-gpu", "--no-first-run", "--hide-scrollbars", f"--user-data-dir={self._profile.name}",
             f"--window-size={self.width},{self.height}", "about:blank"],
            pass_fds=(orders_out, answers_in), stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(orders_out)
        os.close(answers_in)
        self._session: str | None = None
        pages = self._call("Target.getTargets")["targetInfos"]
        target = next(page["targetId"] for page in pages if page["type"] == "page")
        self._session = self._call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self._call("Page.enable")
        self._call("Performance.enable", timeDomain="threadTicks")
        size = {"width": self.width, "height": self.height, "deviceScaleFactor": 1, "mobile": False}
        self._call("Emulation.setDeviceMetricsOverride", **size)  # without a window's frame
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if self.dark else "light"}]
        self._call("Emulation.setEmulatedMedia", features=scheme)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.wait()
        os.close(self._orders)
        os.close(self._answers)
        self._profile.cleanup()

    def open(self, address: str) -> None:
        """Go to an address."""
        self._call("Page.navigate", url=address)
        self.wait_for("document.readyState === 'complete'")

    def evaluate(self, script: str) -> Any:
        """The value of an expression; promises are awaited."""
        found = self._call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in found:
            raise BrowserError(f"{script}: {found['exceptionDetails']}")
        return found["result"].get("value")

    def wait_for(self, condition: str) -> None:
        """Return once an expression is true."""
        give_up = time.monotonic() + self.seconds
        while not self.evaluate(f"Boolean({condition})"):
            if time.monotonic() > give_up:
                raise BrowserError(f"after {self.seconds:.0f} s still not true: {condition}")
            time.sleep(0.1)

    def main_thread_seconds(self) -> float:
        """Processor time that the page's main thread has spent on tasks so far."""
        metrics = self._call("Performance.getMetrics")["metrics"]
        return float(next(metric["value"] for metric in metrics if metric["name"] == "TaskDuration"))

    def text(self) -> str:
        """What a reader sees, spaces joined."""
        return " ".join(self.evaluate("document.body.innerText").split())

    def screenshot(self, file: Path) -> None:
        """Write a picture of the window."""
        data = self._call("Page.captureScreenshot", format="png")["data"]
        file.write_bytes(base64.b64decode(data))

    def _call(self, method: str, **params: Any) -> Any:
        number = next(self._numbers)
        order = {"id": number, "method": method, "params": params}
        if self._session:
            order["sessionId"] = self._session
        os.write(self._orders, json.dumps(order).encode() + b"\0")
        while (answer := self._next_message()).get("id") != number:
            pass  # events nobody asked for
        if "error" in answer:
            raise BrowserError(f"{method}: {answer['error']['message']}")
        return answer["result"]

    def _next_message(self) -> Any:
        while b"\0" not in self._unread:
            ready, _, _ = select.select([self._answers], [], [], self.seconds)
            received = os.read(self._answers, 1 << 20) if ready else b""
            if not received:
                raise BrowserError("the browser went away" if ready else f"no answer in {self.seconds:.0f} s")
            self._unread += received
        message, _, self._unread = self._unread.partition(b"\0")
        return json.loads(message)
