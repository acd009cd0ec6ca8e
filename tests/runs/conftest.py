"""Records of runs that never ran, with artefacts that are files of a few bytes."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from larix.runs.ledger import RunLedger
from larix.runs.record import RunRecord

ARTEFACTS = ("metrics", "predictions", "classifier")


def version(day: int) -> str:
    return f"2026-05-{day:02}T10.00.00.000Z"


@pytest.fixture
def ledger(tmp_path: Path) -> RunLedger:
    return RunLedger(tmp_path)


@pytest.fixture
def add_run(ledger: RunLedger) -> Callable[..., RunRecord]:
    """Put a run of a day of May into the ledger, with versions of its artefacts on disk."""

    def add(day: int, *, environment: str = "local", **changes: Any) -> RunRecord:
        data = ledger.project / "data" / environment
        results = {name: data / name / version(day) / name for name in ARTEFACTS}
        for path in results.values():
            path.mkdir(parents=True)
            (path / "file").write_bytes(b"12345")
        corpus = data / "corpus"
        corpus.mkdir(exist_ok=True)
        record = RunRecord(
            version=version(day),
            environment=environment,
            pipelines=("__default__",),
            corpus={"name": "tiny", "n_train": 72, "n_test": 24, "n_labels": 20},
            test_set="abc",
            parameters={"random_state": 0},
            evaluation={"metrics": {"P@1": 0.5, "nDCG@5": 0.6, "R@10": 0.7}},
            seconds=2.5,
            cpu_seconds=4.5,
            counts={},
            peak_memory_mb=100.0,
            results={**results, "corpus": corpus},
        )
        record = replace(record, **changes)
        ledger.write(record)
        return record

    return add
