"""Synthetic corpora: the same matrices for the same parameters, of the promised character."""

import numpy as np
import pytest

from benchmarks.synthetic import SyntheticParams, generate

SMALL = SyntheticParams(n_train=400, n_test=100, n_labels=80, n_words=3_000, words=40, seed=3)


def test_same_parameters_give_the_same_matrices():
    one, other = generate(SMALL), generate(SMALL)
    for name in ("X_train", "Y_train", "X_test", "Y_test"):
        a, b = getattr(one, name), getattr(other, name)
        assert a.shape == b.shape
        assert np.array_equal(a.indptr, b.indptr)
        assert np.array_equal(a.indices, b.indices)
        assert np.array_equal(a.data, b.data)


def test_another_seed_gives_other_matrices():
    other = generate(SyntheticParams(n_train=400, n_test=100, n_labels=80, n_words=3_000, words=40, seed=4))
    assert not np.array_equal(generate(SMALL).X_train.indices, other.X_train.indices)


def test_rows_have_unit_length_and_are_float32():
    X = generate(SMALL).X_train
    assert X.dtype == np.float32
    assert np.sqrt(X.multiply(X).sum(axis=1)) == pytest.approx(1, abs=1e-5)


def test_every_label_and_document_is_of_use():
    made = generate(SyntheticParams(n_train=60, n_test=40, n_labels=300, n_words=3_000, words=40))
    assert made.Y_train.shape[1] == made.Y_test.shape[1] < 300
    assert made.Y_train.sum(axis=0).min() >= 1
    assert np.diff(made.Y_train.indptr).min() >= 1
    assert np.diff(made.Y_test.indptr).min() >= 1


def test_documents_of_a_label_share_more_words_than_others():
    made = generate(SyntheticParams(n_train=400, n_test=1, n_labels=640, n_words=3_000, words=40))
    together = (made.Y_train @ made.Y_train.T).toarray() > 0
    alike = (made.X_train @ made.X_train.T).toarray()
    np.fill_diagonal(together, False)
    apart = ~together & ~np.eye(len(together), dtype=bool)
    assert alike[together].mean() > 1.5 * alike[apart].mean()


def test_some_labels_are_much_more_frequent_than_most():
    frequency = np.sort(np.asarray(generate(SMALL).Y_train.sum(axis=0)).ravel())
    assert frequency[-1] > 4 * np.median(frequency)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"n_train": 0}, "n_train must be at least 1, but is 0"),
        ({"words": 0.5}, "must be at least 1, but are 0.5"),
        ({"uniform": 2.0}, "share from 0 to 1, but is 2.0"),
    ],
)
def test_impossible_parameters_are_refused(changed, told):
    with pytest.raises(ValueError, match=told):
        SyntheticParams(**{"n_train": 1, "n_test": 1, "n_labels": 1, "n_words": 1, **changed})
