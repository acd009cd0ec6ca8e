"""The pictures of pages in docs/images, taken by a browser without a window.

After `kedro run`, in the folder of the project:

    python docs/tools/screenshots.py tree          the page of the label tree
    python docs/tools/screenshots.py viz           Kedro-Viz, which must be installed: pip install -e ".[viz]"

Look at what was made before you keep it.
"""

import argparse
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from browser import Browser

IMAGES = Path(__file__).parents[1] / "images"
_PORT = 4747
_WITHOUT_HINTS = """document.head.append(Object.assign(document.createElement("style"), {
  textContent: "[class^=feature-hints], [class^=update-reminder] { display: none !important; }"}))"""


def picture_tree(data: Path, label: str, query: str) -> None:
    """A label in its clusters, beside a search."""
    page = max(data.glob("08_reporting/tree.html/*/tree.html"))
    with Browser(1280, 1000) as browser:
        browser.open(f"{page.resolve().as_uri()}#label={label}&q={query}")
        browser.wait_for("document.documentElement.dataset.ready")
        browser.screenshot(IMAGES / "tree.png")


def picture_viz() -> None:
    """The stages collapsed, a figure of the last run, and how that run went."""
    with _kedro_viz() as address, Browser(1500, 900, seconds=240) as browser:
        browser.open(address)
        browser.evaluate("localStorage.setItem('KedroViz', JSON.stringify({theme: 'light'}))")
        for name, path in (
            ("pipeline", ""),
            ("figure", "?pid=__default__&sn=frequency_figure"),
            ("run", "workflow"),
        ):
            browser.open(f"{address}/{path}")
            browser.wait_for("document.querySelector('.pipeline-node')")
            browser.evaluate(_WITHOUT_HINTS)
            time.sleep(5)  # the drawing moves into place
            browser.screenshot(IMAGES / f"viz-{name}.png")


@contextmanager
def _kedro_viz() -> Iterator[str]:
    command = [sys.executable, "-m", "kedro", "viz", "run", "--no-browser", f"--port={_PORT}"]
    environment = {**os.environ, "DO_NOT_TRACK": "1"}
    viz = subprocess.Popen(command, env=environment, start_new_session=True)
    try:
        _wait_for(_PORT, viz)
        yield f"http://127.0.0.1:{_PORT}"
    finally:
        os.killpg(viz.pid, signal.SIGTERM)  # the server is a process of its own
        viz.wait()


def _wait_for(port: int, process: "subprocess.Popen[bytes]", seconds: float = 180) -> None:
    give_up = time.monotonic() + seconds
    while process.poll() is None and time.monotonic() < give_up:
        with socket.socket() as connection:
            if connection.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.5)
    raise RuntimeError("Kedro-Viz does not answer; run `kedro viz run` to see why")


def main() -> None:
    """Take the pictures asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("subject", choices=("tree", "viz"))
    parser.add_argument("--data", type=Path, default=Path("data"), help="The data folder of the run.")
    parser.add_argument("--label", default="T21")
    parser.add_argument("--query", default="burn trunk")
    asked = parser.parse_args()
    if asked.subject == "tree":
        picture_tree(asked.data, asked.label, asked.query)
    else:
        picture_viz()


if __name__ == "__main__":
    main()
