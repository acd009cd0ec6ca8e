"""Clear what old runs left on disk.

A run that goes takes the versions of its artefacts with it, as far as no run that stays needs them. Versions
that belong to no run are left by runs that failed; they go too once they are a day old, since a younger one
may belong to a run that goes on.
"""

import shutil
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from larix.folder_size import folder_size
from larix.last_run import paths_of_last_runs
from larix.runs.ledger import RunLedger
from larix.runs.record import RunRecord, is_version, version_folder

_ABANDONED_AFTER_SECONDS = 24 * 3600.0


@dataclass(frozen=True)
class Pruning:
    """What is to go.

    Attributes
    ----------
    runs : tuple of RunRecord
        Newest first.
    folders : tuple of Path
        Folders that each hold one version of an artefact.
    left_over : tuple of Path
        Those among them that failed runs left.
    """

    runs: tuple[RunRecord, ...]
    folders: tuple[Path, ...]
    left_over: tuple[Path, ...]

    def size_bytes(self) -> int:
        """What clearing sets free."""
        return sum(folder_size(folder) for folder in self.folders)


def plan_pruning(
    ledger: RunLedger, *, keep: int | None = None, older_than: timedelta | None = None
) -> Pruning:
    """Decide which runs go.

    Parameters
    ----------
    ledger : RunLedger
    keep : int, optional
        The newest runs of every environment stay, as many as this.
    older_than : timedelta, optional
        Younger runs stay. With both, only runs go that neither rule keeps.

    Returns
    -------
    Pruning
        Never the last run of an environment, nor anything that a run needs that stays.

    Raises
    ------
    ValueError
        If a number is out of range, or no rule is given.
    """
    if keep is None and older_than is None:
        raise ValueError("keep or older_than must be given, but neither is")
    if keep is not None and keep < 1:
        raise ValueError(f"keep must be at least 1, but is {keep}; the last run stays")
    runs = ledger.runs()
    going = _going(runs, keep or 1, older_than)
    staying = [run for run in runs if run not in going]
    needed = set(_folders([*_paths(staying), *paths_of_last_runs(ledger.project)]))
    owned = set(_folders(_paths(runs)))
    artefacts = {folder.parent for folder in owned | needed if folder.parent.is_dir()}
    versions = {version for artefact in artefacts for version in _versions(artefact)}
    left_over = {folder for folder in versions - owned - needed if _is_old(folder)}
    folders = (owned - needed) | left_over
    return Pruning(
        tuple(going),
        tuple(sorted(folder for folder in folders if folder.is_dir())),
        tuple(sorted(left_over)),
    )


def prune(ledger: RunLedger, plan: Pruning) -> None:
    """Delete what was planned: first the records, so that no run is told whose results are gone."""
    for run in plan.runs:
        ledger.delete(run)
    for folder in plan.folders:
        shutil.rmtree(folder)


def _going(runs: Sequence[RunRecord], keep: int, older_than: timedelta | None) -> list[RunRecord]:
    seen: dict[str, int] = defaultdict(int)
    going = []
    for run in runs:  # newest first
        seen[run.environment] += 1
        is_young = older_than is not None and datetime.now(UTC) - started(run) < older_than
        if seen[run.environment] > keep and not is_young:
            going.append(run)
    return going


def started(run: RunRecord) -> datetime:
    """When a run began, as its version tells."""
    return datetime.strptime(run.version, "%Y-%m-%dT%H.%M.%S.%fZ").replace(tzinfo=UTC)


def _paths(runs: Iterable[RunRecord]) -> Iterator[Path]:
    for run in runs:
        yield from run.results.values()


def _folders(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        folder = version_folder(path)
        if folder is not None:
            yield folder


def _versions(artefact: Path) -> list[Path]:
    folders = (folder for folder in artefact.iterdir() if folder.is_dir() and not folder.is_symlink())
    return [folder for folder in folders if is_version(folder)]


def _is_old(folder: Path) -> bool:
    return time.time() - folder.stat().st_mtime > _ABANDONED_AFTER_SECONDS
