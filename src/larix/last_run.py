"""Where the results of the last run lie, for commands that name no folder.

`data/last_run.json` below the project holds the paths of the last run's metrics, classifier, report and
times, relative to the project, and the same for the last run of every environment.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from larix.atomic_file import write_atomically
from larix.project_paths import folders_up, relative_paths

RESULTS = (
    "metrics", "predictions", "corpus_summary", "disentanglement", "stage_seconds", "classifier", "report",
)  # fmt: skip
_FILE = Path("data/last_run.json")


class NoRunError(FileNotFoundError):
    """There is no finished run where one is needed."""


@dataclass(frozen=True)
class LastRun:
    """The results of a run.

    Parameters
    ----------
    environment : str
        The Kedro environment it ran in.
    results : mapping of str to Path
        Existing results, keyed as in `RESULTS`.
    """

    environment: str
    results: Mapping[str, Path]

    def path(self, name: str) -> Path:
        """Path of one result.

        Raises
        ------
        NoRunError
            If the run left none.
        """
        path = self.results.get(name)
        if path is None or not path.exists():
            found = f"{path} is gone" if path else "it left none"
            raise NoRunError(f"the last run must have a {name}, but {found}; run: {self.command}")
        return path

    @property
    def command(self) -> str:
        """The command that runs it again."""
        return "kedro run" if self.environment == "local" else f"kedro run --env={self.environment}"

    def read_json(self, name: str) -> Any:
        """Content of a result that is a JSON file; see `path`."""
        path = self.path(name)
        try:
            return json.loads(path.read_bytes())
        except ValueError as error:
            raise NoRunError(f"{path} must be JSON, but: {error}; run: {self.command}") from None


def record_run(project: Path, environment: str, results: Mapping[str, Path]) -> None:
    """Make this the last run of the project, and of its environment."""
    relative = {name: str(path) for name, path in relative_paths(results, project).items()}
    known = _read(project / _FILE)
    content = {"environment": environment, "runs": {**known.get("runs", {}), environment: relative}}
    write_atomically(project / _FILE, (json.dumps(content, indent=2) + "\n").encode())


def find_last_run(environment: str | None = None, start: Path | None = None) -> LastRun:
    """The last run of the project around `start` (by default the current folder).

    Parameters
    ----------
    environment : str, optional
        The last run of this environment, instead of the last of all.
    start : Path, optional

    Raises
    ------
    NoRunError
        If there was none.
    """
    folders = folders_up(start)
    for folder in folders:
        content = _read(folder / _FILE)
        name = environment or content.get("environment")
        if name in content.get("runs", {}):
            results = {key: folder / path for key, path in content["runs"][name].items()}
            return LastRun(name, results)
    where = f" of the environment {environment!r}" if environment else ""
    command = f"kedro run --env={environment}" if environment else "kedro run"
    raise NoRunError(f"no finished run{where} was found in {folders[0]} or above it; run: {command}")


def paths_of_last_runs(project: Path) -> list[Path]:
    """Every path that the last run of some environment needs."""
    runs = _read(project / _FILE).get("runs", {})
    return [project / path for results in runs.values() for path in results.values()]


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
