"""The finished runs of a project, `data/runs/VERSION.json`, its paths relative to the project."""

import json
import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from larix.atomic_file import write_atomically
from larix.last_run import NoRunError
from larix.project_paths import folders_up, relative_paths
from larix.runs.record import MODELS, RunRecord

logger = logging.getLogger(__name__)

_FOLDER = Path("data/runs")
_MOST_TOLD = 4


class RunLedger:
    """Reads and writes the records of a project.

    Parameters
    ----------
    project : Path
        The project's folder.
    """

    def __init__(self, project: Path) -> None:
        self.project = project

    @property
    def _folder(self) -> Path:
        return self.project / _FOLDER

    def write(self, record: RunRecord) -> None:
        """Keep a record, in the place of an earlier one of the same run."""
        relative = replace(record, results=relative_paths(record.results, self.project))
        content = json.dumps(relative.to_dict(), indent=2, ensure_ascii=False)
        write_atomically(self._path(record), (content + "\n").encode())

    def delete(self, record: RunRecord) -> None:
        """Forget a run; what it made stays."""
        self._path(record).unlink(missing_ok=True)

    def _path(self, record: RunRecord) -> Path:
        return self._folder / f"{record.version}.json"

    def runs(self) -> list[RunRecord]:
        """All runs, newest first; a file that cannot be read is passed over with a warning."""
        found = (self._read(path) for path in sorted(self._folder.glob("*.json"), reverse=True))
        return [record for record in found if record is not None]

    def _read(self, path: Path) -> RunRecord | None:
        try:
            record = RunRecord.from_dict(json.loads(path.read_bytes()))
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            logger.warning("%s holds no run that this version can read: %s", path, error)
            return None
        return replace(record, results={name: self.project / path for name, path in record.results.items()})


def find_ledger(start: Path | None = None) -> RunLedger:
    """The ledger of the project around `start` (by default the current folder).

    Raises
    ------
    NoRunError
        If no run was ever finished there.
    """
    folders = folders_up(start)
    for folder in folders:
        if (folder / _FOLDER).is_dir():
            return RunLedger(folder)
    raise NoRunError(f"no finished run was found in {folders[0]} or above it; run: kedro run")


def newest_models(runs: Sequence[RunRecord], test_set: str) -> dict[str, RunRecord]:
    """The newest run of every kind of model on the same test documents, in the order of `MODELS`."""
    newest = {run.model: run for run in reversed(runs) if run.test_set == test_set}
    return {model: newest[model] for model in MODELS.values() if model in newest}


def find_run(runs: Sequence[RunRecord], name: str) -> RunRecord:
    """The run that a user means.

    Parameters
    ----------
    runs : sequence of RunRecord
        Newest first.
    name : str
        `last`; `previous`, the one before it on the same test documents; a kind of model, a pipeline or an
        environment, for the newest run of it; or any part of a version that no other run has.

    Raises
    ------
    NoRunError
        If there is no such run, or more than one.
    """
    if not runs:
        raise NoRunError("there is no finished run; run: kedro run")
    if name == "last":
        return runs[0]
    if name == "previous":
        return _previous(runs)
    named = [run for run in runs if name in (run.model, run.environment, *run.pipelines)]
    if named:
        return named[0]
    partly = [run for run in runs if name in run.version]
    if len(partly) == 1:
        return partly[0]
    if partly:
        raise NoRunError(
            f"{name!r} must name one run, but stands in {_told(partly)}; give more of the version"
        )
    raise NoRunError(f"no run is called {name!r}; there are last, previous, {_told(runs)} (larix runs)")


def _previous(runs: Sequence[RunRecord]) -> RunRecord:
    last = runs[0]
    for run in runs[1:]:
        if run.test_set == last.test_set:
            return run
    raise NoRunError(f"no run before {last.version} has its test documents; run again with other parameters")


def _told(runs: Sequence[RunRecord]) -> str:
    versions = ", ".join(run.version for run in runs[:_MOST_TOLD])
    return versions if len(runs) <= _MOST_TOLD else f"{versions} and {len(runs) - _MOST_TOLD} more"
