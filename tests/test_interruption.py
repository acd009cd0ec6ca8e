"""A run that dies at any instant leaves nothing that later counts as done."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import Project

# Kills its process at the n-th time that something is flushed to the disk or renamed. In the background of a
# shell interrupts are ignored, unless a program says otherwise.
DYING_RUN = """
import os, signal, sys
calls, last, name = 0, int(sys.argv[1]), sys.argv[2]
def dying(function):
    def wrapper(*arguments, **options):
        global calls
        calls += 1
        if calls == last:
            os.kill(os.getpid(), signal.Signals[name])
        return function(*arguments, **options)
    return wrapper
for function in ("fsync", "rename", "replace"):
    setattr(os, function, dying(getattr(os, function)))
from kedro.framework.cli.cli import main
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.argv = ["kedro", "run", "--env=tiny"]
main()
"""
# What tells times, and so differs from run to run.
TIMES = ("stage_seconds.json", "stage_seconds.png", "report.html", "last_run.json")


def run_until_signalled(project: Project, call: int, name: str) -> "subprocess.CompletedProcess[str]":
    own = {"LARIX_DATA": str(project.folder), "DO_NOT_TRACK": "1", "FORCE_COLOR": "1", "TERM": "xterm"}
    return subprocess.run(
        [sys.executable, "-c", DYING_RUN, str(call), name],
        cwd=project.folder,
        env={**os.environ, **own},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def contents(project: Project) -> dict[str, str]:
    """Digest of every artefact's file, by its path without versions; of versions, the newest."""
    digests = {}
    for file in sorted(project.path("").rglob("*")):
        if file.is_file() and not any(left_out in str(file) for left_out in (*TIMES, ".tmp")):
            parts = [part for part in file.relative_to(project.folder).parts if not part.endswith("Z")]
            digests[str(Path(*parts))] = hashlib.sha256(file.read_bytes()).hexdigest()
    return digests


@pytest.mark.parametrize(
    "call", [2, 25, 60, *(pytest.param(n, marks=pytest.mark.slow) for n in range(5, 180, 12))]
)
def test_after_a_kill_the_rest_is_made_and_equals_an_undisturbed_run(project, finished_project, call):
    code = run_until_signalled(project, call, "SIGKILL").returncode
    if code == 0:
        pytest.skip(f"a run does not flush or rename {call} times")
    assert code == -9
    project.run(only_missing_outputs=True)
    assert contents(project) == contents(finished_project)


def test_an_interrupted_run_says_how_to_go_on_and_shows_the_cursor_again(project):
    done = run_until_signalled(project, 20, "SIGINT")
    assert done.returncode == 130
    message = "interrupted; what is done is kept, and --only-missing-outputs goes on from there"
    assert done.stderr.strip() == message
    assert done.stdout.count("\x1b[?25l") == done.stdout.count("\x1b[?25h") > 0
