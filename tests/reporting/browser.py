"""Pages in a real browser, without a window and without a network."""

import json
import re
import shutil
import subprocess
from collections.abc import Mapping
from html import unescape
from pathlib import Path

import pytest

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_TOUR = """<script type="module">
const pause = () => new Promise((next) => setTimeout(next, 20)), seen = {};
while (!("ready" in document.documentElement.dataset)) await pause();
for (const [stop, action] of [ACTIONS]) {
  action();
  await pause();
  seen[stop] = document.body.innerText;
}
const told = document.createElement("pre");
told.textContent = JSON.stringify(seen);
document.body.replaceChildren(told);
</script>"""


def tour(page: str, folder: Path, actions: Mapping[str, str]) -> dict[str, str]:
    """What a reader sees after each of some actions, one after the other.

    Parameters
    ----------
    page : str
        A page whose script sets `data-ready` on the document when it is done.
    folder : Path
        For the page and for the browser's profile.
    actions : mapping of str to str
        Names, and scripts to run.

    Returns
    -------
    dict of str to str
        The visible text after each action, spaces joined. Without a browser the test is skipped.
    """
    browser = next(filter(None, map(shutil.which, _NAMES)), None)
    if browser is None:
        pytest.skip(f"no browser found; install one of {', '.join(_NAMES)}")
    functions = (f"[{json.dumps(stop)}, () => {{ {action} }}]" for stop, action in actions.items())
    script = _TOUR.replace("ACTIONS", ", ".join(functions))
    file = folder / "page.html"
    file.write_text(page.replace("</body>", f"{script}</body>"), encoding="utf-8")
    command = [
        browser, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--window-size=1400,900",
        f"--user-data-dir={folder / 'profile'}", "--host-resolver-rules=MAP * ~NOTFOUND",
        "--virtual-time-budget=60000", "--dump-dom", file.as_uri(),
    ]  # fmt: skip
    shown = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout
    found = re.search(r"<pre>(.*?)</pre></body>", shown, re.DOTALL)
    assert found, f"the page never became ready: {shown[-2000:]}"
    return {stop: " ".join(text.split()) for stop, text in json.loads(unescape(found[1])).items()}
