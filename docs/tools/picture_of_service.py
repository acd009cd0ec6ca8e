"""Take the picture of the service's page that the documentation shows, with a headless Chromium.

Run it in a project after a `kedro run`, where larix[serve] is installed:

    python docs/tools/picture_of_service.py docs/images/serving.png "bitten by a dog on the left forearm"
"""

import argparse
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_MILLISECONDS_TO_DRAW = 8000


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def wait_until_ready(address: str, seconds: float = 60) -> None:
    """Return when the service answers."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            urllib.request.urlopen(f"{address}/ready").close()
            return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.2)
    raise TimeoutError(f"{address} must be ready within {seconds} s, but is not")


def take_picture(url: str, file: Path, size: tuple[int, int], *, dark: bool) -> None:
    """Draw a page as a browser shows it."""
    browser = next((found for name in _BROWSERS if (found := shutil.which(name))), None)
    if browser is None:
        raise FileNotFoundError(f"no browser found; install one of {', '.join(_BROWSERS)}")
    with tempfile.TemporaryDirectory() as profile:
        options = [
            "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
            f"--user-data-dir={profile}",
            f"--window-size={size[0]},{size[1]}", f"--virtual-time-budget={_MILLISECONDS_TO_DRAW}",
            "--force-device-scale-factor=1", f"--screenshot={file.resolve()}",
            *(["--blink-settings=preferredColorScheme=0"] if dark else []),
        ]  # fmt: skip
        subprocess.run([browser, *options, url], check=True, capture_output=True)


def main() -> None:
    """Start the service, take the picture, stop the service."""
    parser = argparse.ArgumentParser(description="Take a picture of the service's page.")
    parser.add_argument("file", type=Path)
    parser.add_argument("text")
    parser.add_argument("--path", default="/")
    parser.add_argument("--size", type=int, nargs=2, default=(1000, 1250))
    parser.add_argument("--dark", action="store_true")
    arguments = parser.parse_args()
    port = free_port()
    service = subprocess.Popen(
        [Path(sys.executable).with_name("larix"), "serve", f"--port={port}", "--watch=0"]
    )
    try:
        address = f"http://127.0.0.1:{port}"
        wait_until_ready(address)
        url = f"{address}{arguments.path}#text={urllib.parse.quote(arguments.text)}"
        take_picture(url, arguments.file, tuple(arguments.size), dark=arguments.dark)
    finally:
        service.terminate()
        service.wait()


if __name__ == "__main__":
    main()
