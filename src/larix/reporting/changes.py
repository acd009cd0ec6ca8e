"""Find what changed between two sets of predictions: occurrences, labels, documents."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from larix.reporting.comparison import ChangedExample, LabelChange, Occurrences
from larix.reporting.selection import example_of, row_of
from larix.xmc.document_metrics import document_metrics
from larix.xmc.hits import Hits, rank
from larix.xmc.label_frequency import LabelFrequencies
from larix.xmc.label_quality import LabelQuality
from larix.xmc.sparse import binarize, check_csr, top_k_per_row


def count_occurrences(first: Any, second: Any, Y_true: Any, Y_train: Any, k: int) -> Occurrences:
    """True occurrences among the first `k` suggestions of both runs, of one, or of neither.

    Parameters
    ----------
    first, second : sparse matrix, shape (N, L)
        Scores of both runs.
    Y_true, Y_train, k
        As in `larix.xmc.hits.rank`.
    """
    found = [_found(rank(P, Y_true, Y_train, k)) for P in (first, second)]
    n_both = len(np.intersect1d(*found, assume_unique=True))
    n_first, n_second = (len(pairs) - n_both for pairs in found)
    n_true = binarize(check_csr(Y_true)).nnz
    return Occurrences(n_both, n_first, n_second, n_true - n_both - n_first - n_second)


def _found(hits: Hits) -> NDArray[np.int64]:
    """Numbers of the (document, label) pairs that are rightly suggested."""
    rows, ranks = np.nonzero(hits.correct)
    pairs: NDArray[np.int64] = rows * hits.frequencies.n_labels + hits.labels[rows, ranks]
    return pairs


def pick_label_changes(
    first: LabelQuality,
    second: LabelQuality,
    label_ids: Sequence[str],
    label_names: Sequence[str],
    n: int = 20,
) -> tuple[list[LabelChange], list[LabelChange], int, int]:
    """The labels that the second run found more often than the first, and those it found less often.

    Parameters
    ----------
    first, second : LabelQuality
        Counts of every label in both runs.
    label_ids, label_names : sequence of str
    n : int, default 20
        How many at most of each kind; largest change first, then fewest true occurrences.

    Returns
    -------
    won, lost : list of LabelChange
    n_won, n_lost : int
        How many there are in all.
    """
    change = second.n_correct - first.n_correct

    def largest(sign: int) -> list[LabelChange]:
        order = np.lexsort((np.arange(len(change)), first.n_true, -sign * change))[:n]
        return [
            LabelChange(
                label=label_ids[j],
                name=label_names[j],
                n_training=int(first.n_training[j]),
                n_true=int(first.n_true[j]),
                first=int(first.n_correct[j]),
                second=int(second.n_correct[j]),
            )
            for j in order
            if sign * change[j] > 0
        ]

    return largest(1), largest(-1), int((change > 0).sum()), int((change < 0).sum())


def pick_changed_examples(
    first: Any,
    second: Any,
    Y_true: Any,
    texts: Sequence[str] | None,
    label_ids: Sequence[str],
    label_names: Sequence[str],
    *,
    n: int = 5,
    top_k: int = 5,
    max_characters: int = 600,
    random_state: int = 0,
) -> tuple[list[ChangedExample], list[ChangedExample], int, int]:
    """The documents whose suggestions got better and worse by most, in nDCG at `top_k`.

    Parameters
    ----------
    first, second : sparse matrix, shape (N, L)
        Scores of both runs.
    Y_true : sparse matrix, shape (N, L)
    texts, label_ids, label_names, top_k, max_characters
        As in `larix.reporting.selection.pick_examples`.
    n : int, default 5
        How many at most of each kind.
    random_state : int, default 0
        Seed that decides among documents that changed alike.

    Returns
    -------
    better, worse : list of ChangedExample
    n_better, n_worse : int
        How many there are in all.
    """
    truth = binarize(check_csr(Y_true, name="Y_true"))
    change = _ndcg(second, truth, top_k) - _ndcg(first, truth, top_k)
    tops = [top_k_per_row(check_csr(P), top_k) for P in (first, second)]
    drawn = np.random.default_rng(random_state).permutation(len(change))

    def largest(sign: int) -> list[ChangedExample]:
        order = np.lexsort((drawn, -sign * change))[:n]
        return [changed(int(i)) for i in order if sign * change[i] > 0]

    def changed(i: int) -> ChangedExample:
        labels = tuple((label_ids[j], label_names[j]) for j in row_of(truth, i))
        before, after = (
            example_of(top, truth, i, texts, label_ids, label_names, max_characters) for top in tops
        )
        return ChangedExample(labels, before, after)

    return largest(1), largest(-1), int((change > 0).sum()), int((change < 0).sum())


def _ndcg(P: Any, truth: Any, k: int) -> NDArray[np.float64]:
    frequencies = LabelFrequencies.of(truth)  # nDCG knows no training
    hits = rank(P, truth, frequencies, k)
    return document_metrics(hits, np.ones(truth.shape[1]), [k], [])[f"nDCG@{k}"].gained
