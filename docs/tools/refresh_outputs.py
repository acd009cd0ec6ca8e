"""Run the commands that the documentation shows, and put what they print into its pages.

A comment before a fenced block names the command whose output the block holds:

    <!-- output: larix metrics -->          run by this script
    <!-- quick output: larix --help -->     run by this script, and compared by the tests
    <!-- output: COMMAND => WORDS -->       WORDS are shown in place of COMMAND

Run it in a checkout that may be written to, after a `kedro run`:

    python docs/tools/refresh_outputs.py                  every page
    python docs/tools/refresh_outputs.py README.md        one page
    python docs/tools/refresh_outputs.py --only metrics   commands with this word
"""

import argparse
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
SHOWN_FOLDER = "/home/you/larix"
_BLOCK = re.compile(
    r"(?P<head>^(?P<indent> *)<!-- (?P<quick>quick )?output: (?P<command>.+?)(?: => (?P<shown>.+?))? -->\n"
    r"+(?P=indent)```\w*\n)(?P<body>.*?)(?P<tail>^(?P=indent)```$)",
    re.MULTILINE | re.DOTALL,
)
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class Output:
    """A block of a page that shows what a command prints."""

    command: str
    shown: str
    quick: bool
    body: str


def pages() -> list[Path]:
    """The pages that may show outputs; first those that make the models which others show."""
    first = [REPOSITORY / name for name in ("README.md", "docs/quick-start.md", "docs/own-data.md")]
    return [*first, *sorted(set((REPOSITORY / "docs").rglob("*.md")) - set(first))]


def outputs(text: str) -> list[Output]:
    """The blocks of a page."""
    return [_output(match) for match in _BLOCK.finditer(text)]


def _output(match: re.Match[str]) -> Output:
    body = re.sub(rf"^{match['indent']}", "", match["body"], flags=re.MULTILINE)
    return Output(match["command"], match["shown"] or match["command"], bool(match["quick"]), body)


def run(output: Output, folder: Path) -> str:
    """What the block should hold: the command and what it prints in `folder`."""
    variables = {**os.environ, "DO_NOT_TRACK": "1", "NO_COLOR": "1"}
    variables.pop("COLUMNS", None)
    variables["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{variables['PATH']}"
    if output.command.startswith("larix "):
        variables["COLUMNS"] = "82"  # the width that click's test runner has
    done = subprocess.run(
        ["bash", "-c", output.command],
        cwd=folder,
        env=variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return as_shown(output, done.stdout, folder)


def as_shown(output: Output, printed: str, folder: Path) -> str:
    """A block's content: the command, and what it printed without colours, trailing blanks and own paths."""
    printed = _COLOUR.sub("", printed).replace(str(folder.resolve()), SHOWN_FOLDER)
    lines = [line.rstrip() for line in f"$ {output.shown}\n{printed}".rstrip().splitlines()]
    return "\n".join(lines) + "\n"


def refreshed(text: str, folder: Path, only: str = "") -> str:
    """A page with the outputs of its commands, or of those that contain `only`."""

    def replace(match: re.Match[str]) -> str:
        output = _output(match)
        if only not in output.command:
            return match[0]
        indented = re.sub(r"^(?=.)", match["indent"], run(output, folder), flags=re.MULTILINE)
        return f"{match['head']}{indented}{match['tail']}"

    return _BLOCK.sub(replace, text)


def main() -> None:
    """Rewrite pages in place."""
    parser = argparse.ArgumentParser(description="Refresh the outputs that the documentation shows.")
    parser.add_argument("pages", nargs="*", type=Path, help="pages [default: all]")
    parser.add_argument("--only", default="", help="only commands that contain these words")
    parser.add_argument("--folder", type=Path, default=Path.cwd(), help="where to run [default: here]")
    arguments = parser.parse_args()
    for page in arguments.pages or pages():
        text = page.read_text(encoding="utf-8")
        page.write_text(refreshed(text, arguments.folder, arguments.only), encoding="utf-8")


if __name__ == "__main__":
    main()
