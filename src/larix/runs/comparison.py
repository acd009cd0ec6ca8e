"""Two runs on the same test documents, side by side."""

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any

from larix.reporting import ComparedRun, RunComparison
from larix.reporting.changes import count_occurrences, pick_changed_examples, pick_label_changes
from larix.reporting.content import dotted
from larix.runs.record import RunRecord
from larix.runs.test_documents import check_same_documents, find_corpus, propensity, shared_cutoffs
from larix.xmc.label_frequency import LabelFrequencies
from larix.xmc.label_quality import label_quality, quality_by_frequency
from larix.xmc.matrix_folder import load_csr
from larix.xmc.paired_bootstrap import paired_bootstrap

_MISSING = "(none)"


def compare_runs(
    first: RunRecord,
    second: RunRecord,
    *,
    k: int = 5,
    n_labels: int = 15,
    n_examples: int = 8,
    n_draws: int = 1000,
    random_state: int = 0,
) -> RunComparison:
    """Compare the predictions of two runs.

    Parameters
    ----------
    first, second : RunRecord
        Differences are those of the second from the first.
    k : int, default 5
        How many suggestions count for labels and documents.
    n_labels, n_examples : int
        How many to show at most of each kind.
    n_draws : int, default 1000
        Draws of the bootstrap.
    random_state : int, default 0
        Seed of the draws.

    Returns
    -------
    RunComparison

    Raises
    ------
    ValueError
        If the runs have other test documents, or no cut-off of a metric in common.
    NoRunError, FileNotFoundError
        If predictions are gone, or the corpus is no longer that of the runs.
    """
    check_same_documents(first, second)
    corpus = find_corpus(first, second)
    Y_true, frequencies = corpus.test.labels, LabelFrequencies.of(corpus.train.labels)
    pair = tuple(load_csr(run.path("predictions")) for run in (first, second))
    ids, names = corpus.label_ids, corpus.label_names
    quality = tuple(label_quality(P, Y_true, frequencies, k) for P in pair)
    won, lost, n_won, n_lost = pick_label_changes(*quality, ids, names, n_labels)
    better, worse, n_better, n_worse = pick_changed_examples(
        *pair, Y_true, corpus.test.texts, ids, names, n=n_examples, top_k=k, random_state=random_state
    )
    metrics = paired_bootstrap(
        *pair, Y_true, frequencies, *shared_cutoffs(first, second), propensity=propensity(second),
        n_draws=n_draws, random_state=random_state,
    )  # fmt: skip
    return RunComparison(
        title=corpus.name,
        n_documents=Y_true.shape[0],
        first=_told(first),
        second=_told(second),
        metrics=metrics,
        k=k,
        occurrences=count_occurrences(*pair, Y_true, frequencies, k),
        frequency_bins=(quality_by_frequency(quality[0]), quality_by_frequency(quality[1])),
        won=won,
        lost=lost,
        n_won=n_won,
        n_lost=n_lost,
        better=better,
        worse=worse,
        n_better=n_better,
        n_worse=n_worse,
        parameters=list(_differing(first.parameters, second.parameters)),
    )


def _told(run: RunRecord) -> ComparedRun:
    return ComparedRun(
        version=run.version,
        environment=run.environment,
        model=run.model,
        seconds=run.seconds,
        cpu_seconds=run.cpu_seconds,
        size_mb=run.size_bytes() / 1e6,
    )


def _differing(first: Mapping[str, Any], second: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Dotted names and both values of parameters in which two runs differ."""
    flat = [dict(dotted(parameters)) for parameters in (first, second)]
    for name in dict.fromkeys(chain(*flat)):
        values = [parameters.get(name, _MISSING) for parameters in flat]
        if values[0] != values[1]:
            yield name, *values
