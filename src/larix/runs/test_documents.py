"""The test documents of runs: whether they are the same, where they are, and how they were measured."""

import hashlib
import json
from pathlib import Path

import numpy as np

from larix.corpora import Corpus
from larix.runs.record import RunRecord
from larix.xmc.label_frequency import PropensityParams
from larix.xmc.persistence import ModelFolderError
from larix.xmc.sparse import CSR


def digest_of_test_set(Y: CSR) -> str:
    """SHA-256 of which labels which test documents have: equal for runs whose predictions can be compared."""
    digest = hashlib.sha256(json.dumps([int(size) for size in Y.shape]).encode())
    for part in (Y.indptr, Y.indices):
        digest.update(np.ascontiguousarray(part, "<i8").tobytes())
    return digest.hexdigest()


def check_same_documents(*runs: RunRecord) -> None:
    """Refuse runs with other test documents than the first.

    Raises
    ------
    ValueError
        The message names two that differ.
    """
    for other in runs[1:]:
        if other.test_set != runs[0].test_set:
            told = [
                f"{run.corpus['name']} ({run.corpus['n_test']:,} documents, run {run.version})"
                for run in (runs[0], other)
            ]
            raise ValueError(
                f"runs must have the same test documents to be compared, but those of {told[0]} and "
                f"{told[1]} have other labels; choose runs of one corpus, split alike (larix runs)"
            )


def find_corpus(*runs: RunRecord) -> Corpus:
    """The corpus of runs with the same test documents.

    Raises
    ------
    FileNotFoundError
        If none of the places where they had it still holds it.
    """
    places = dict.fromkeys(run.results["corpus"] for run in runs)
    for place in places:
        corpus = _load_corpus(place)
        if corpus is not None and digest_of_test_set(corpus.test.labels) == runs[0].test_set:
            return corpus
    raise FileNotFoundError(
        f"the corpus of the runs must be in {' or '.join(map(str, places))}, but another one is there now; "
        "run the ingestion of one of the runs again, with its --env and --params"
    )


def _load_corpus(place: Path) -> Corpus | None:
    try:
        return Corpus.load(place)
    except (ModelFolderError, OSError):
        return None


def shared_cutoffs(*runs: RunRecord) -> tuple[list[int], list[int]]:
    """Cut-offs of precision and of recall that all runs were measured at."""
    shared = set.intersection(*(set(run.metrics) for run in runs))
    precision, recall = (
        sorted(int(name[2:]) for name in shared if name.startswith(kind)) for kind in ("P@", "R@")
    )
    return precision, recall


def propensity(run: RunRecord) -> PropensityParams | None:
    """Constants of the propensity model that a run was measured with."""
    constants = run.parameters.get("evaluation", {}).get("propensity")
    return PropensityParams(**constants) if constants else None
