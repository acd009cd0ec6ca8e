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
calls, last = 0, int(sys.argv[1])
def dying(function):
    def wrapper(*arguments, **options):
        global calls
        calls += 1
        if calls == last:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*arguments, **options)
    return wrapper
for name in ("fsync", "rename", "replace"):
    setattr(os, name, dying(getattr(os, name)))
from kedro.framework.cli.cli import main
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.argv = ["kedro", "run", "--env=tiny"]
main()
"""
# What tells times, and so differs from run to run.
TIMES = ("stage_seconds.json", "stage_seconds.png", "report.html", "last_run.json")


def run_until_killed(project: Project, call: int) -> int:
    environment = {**os.environ, "LARIX_DATA": str(project.folder), "DO_NOT_TRACK": "1"}
    finished = subprocess.run(
        [sys.executable, "-c", DYING_RUN, str(call)],
        cwd=project.folder,
        env=environment,
        capture_output=True,
        timeout=300,
        check=False,
    )
    return finished.returncode


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
    code = run_until_killed(project, call)
    if code == 0:
        pytest.skip(f"a run does not flush or rename {call} times")
    assert code == -9
    project.run(only_missing_outputs=True)
    assert contents(project) == contents(finished_project)


def test_an_interrupt_is_no_error_of_the_program(project):
    code = DYING_RUN.replace("signal.SIGKILL", "signal.SIGINT")
    environment = {**os.environ, "LARIX_DATA": str(project.folder), "DO_NOT_TRACK": "1"}
    finished = subprocess.run(
        [sys.executable, "-c", code, "20"],
        cwd=project.folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert finished.returncode == 1
    assert "Aborted" in finished.stderr
    assert "Traceback" not in finished.stderr + finished.stdout
