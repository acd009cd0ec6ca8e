"""What changed between two sets of predictions, on matrices small enough to count by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from larix.reporting import LabelChange, Occurrences
from larix.reporting.changes import count_occurrences, pick_changed_examples, pick_label_changes
from larix.xmc.label_quality import label_quality

FIRST = csr_array([[0.9, 0.5, 0.0], [0.0, 0.2, 0.7], [0.5, 0.0, 0.0], [0.0, 0.0, 0.9]])
SECOND = csr_array([[0.9, 0.0, 0.5], [0.0, 0.7, 0.2], [0.0, 0.5, 0.0], [0.0, 0.0, 0.8]])
Y = csr_array([[1, 0, 1], [0, 1, 0], [1, 0, 0], [0, 0, 1]])
TRAIN = csr_array([[1, 1, 0], [1, 0, 1]])
TEXTS = ["zero", "one", "two", "three"]
IDS, NAMES = ["a", "b", "c"], ["ant", "bee", "cow"]


def test_occurrences_are_told_by_who_has_them():
    assert count_occurrences(FIRST, SECOND, Y, TRAIN, k=2) == Occurrences(
        both=3, first=1, second=1, neither=0
    )
    assert count_occurrences(FIRST, SECOND, Y, TRAIN, k=1) == Occurrences(
        both=2, first=1, second=1, neither=1
    )


def label_changes(n=20):
    quality = [label_quality(P, Y, TRAIN, k=1) for P in (FIRST, SECOND)]
    return pick_label_changes(*quality, IDS, NAMES, n)


def test_labels_won_and_lost():
    won, lost, n_won, n_lost = label_changes()
    assert won == [LabelChange("b", "bee", n_training=1, n_true=1, first=0, second=1)]
    assert lost == [LabelChange("a", "ant", n_training=2, n_true=2, first=2, second=1)]
    assert (n_won, n_lost) == (1, 1)
    assert label_changes(n=0) == ([], [], 1, 1)


def test_documents_that_got_better_and_worse():
    better, worse, n_better, n_worse = pick_changed_examples(FIRST, SECOND, Y, TEXTS, IDS, NAMES, top_k=2)
    assert [example.text for example in better] in (["zero", "one"], ["one", "zero"])
    assert [example.text for example in worse] == ["two"]
    assert (n_better, n_worse) == (2, 1)
    assert worse[0].labels == (("a", "ant"),)
    assert [s.label for s in worse[0].first.suggestions] == ["a"]
    assert [s.label for s in worse[0].second.suggestions] == ["b"]
    assert worse[0].second.missed == (("a", "ant"),)


def test_the_seed_decides_among_documents_that_changed_alike():
    n = 50
    truth = csr_array(np.eye(2, dtype=np.float32)[np.zeros(n, int)])
    wrong = csr_array(np.eye(2, dtype=np.float32)[np.ones(n, int)])
    texts = [f"document {i}" for i in range(n)]

    def drawn(seed):
        better, *_ = pick_changed_examples(
            wrong, truth, truth, texts, ["a", "b"], ["a", "b"], n=5, random_state=seed
        )
        return [example.text for example in better]

    assert drawn(0) == drawn(0) != drawn(1)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), k=st.integers(1, 5))
def test_counts_agree_with_each_other(seed, k):
    rng = np.random.default_rng(seed)
    first, second = (csr_array(rng.random((9, 5)) * (rng.random((9, 5)) < 0.6)) for _ in range(2))
    truth = csr_array((rng.random((9, 5)) < 0.4).astype(np.float32))
    found = count_occurrences(first, second, truth, truth, k)
    quality = [label_quality(P, truth, truth, k) for P in (first, second)]
    assert found.both + found.first == quality[0].n_correct.sum()
    assert found.both + found.second == quality[1].n_correct.sum()
    assert found.both + found.first + found.second + found.neither == truth.nnz
    won, lost, *_ = pick_label_changes(*quality, list("abcde"), list("abcde"))
    assert sum(c.second - c.first for c in (*won, *lost)) == pytest.approx(found.second - found.first)


def test_documents_without_texts_are_numbered():
    better, *_ = pick_changed_examples(FIRST, SECOND, Y, None, IDS, NAMES, n=1)
    assert better[0].text.startswith("document ")
