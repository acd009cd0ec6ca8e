"""Virtual environments of the competitors, made when they are first needed, outside the repository."""

import os
import subprocess
import sys
from pathlib import Path

from benchmarks.competitors import Competitor

CACHE_VARIABLE = "LARIX_BENCH_CACHE"
_INSTALL_SECONDS = 900
_VERSION = "import importlib.metadata as m, sys; print(m.version(sys.argv[1]))"


class CannotTakePart(Exception):
    """A competitor or corpus is not to be had here; the message says why."""


def cache_folder() -> Path:
    """Where environments and matrices are kept: what LARIX_BENCH_CACHE names, or ~/.cache/larix-bench."""
    return Path(os.environ.get(CACHE_VARIABLE) or "~/.cache/larix-bench").expanduser()


def python_of(competitor: Competitor) -> Path:
    """The interpreter that runs a competitor, its environment made if there is none.

    Raises
    ------
    CannotTakePart
        If pip cannot install it: no network, or no build for this platform.
    """
    if not competitor.installs:
        return Path(sys.executable)
    folder = cache_folder() / "environments" / competitor.name
    python = folder / "bin" / "python"
    if installed_version(python, competitor.distribution) == competitor.version:
        return python
    print(f"installing {competitor.title} into {folder}", flush=True)
    _call([sys.executable, "-m", "venv", str(folder)], competitor)
    for arguments in competitor.installs:
        _call(
            [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *arguments],
            competitor,
        )
    return python


def installed_version(python: Path, distribution: str) -> str | None:
    """Version of a distribution in an interpreter's environment; None if there is none."""
    if not python.exists():
        return None
    done = subprocess.run([python, "-c", _VERSION, distribution], capture_output=True, text=True, check=False)
    return done.stdout.strip() or None


def _call(command: list[str], competitor: Competitor) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_INSTALL_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise CannotTakePart(f"installing it took longer than {_INSTALL_SECONDS} s") from None
    if done.returncode:
        said = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()]
        raise CannotTakePart(f"{competitor.title} can't be installed: {said[-1] if said else 'pip failed'}")
