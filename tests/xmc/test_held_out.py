import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from larix import XRLinear, evaluate
from larix.xmc.held_out import hold_out, out_of_fold
from tests.xmc.data import documents


@given(seed=st.integers(0, 10_000), share=st.floats(0.05, 0.95))
@settings(max_examples=40, deadline=None)
def test_every_label_keeps_a_training_document(seed, share):
    Y = sp.csr_array((np.random.default_rng(seed).random((30, 12)) < 0.15).astype(np.float32))
    held = hold_out(Y, share, random_state=seed)
    assert held.sum() <= round(share * 30)
    seen = (Y.sum(axis=0) > 0).ravel()
    assert np.array_equal((Y[~held].sum(axis=0) > 0).ravel(), seen)


def test_the_share_is_met_where_labels_are_frequent():
    Y = np.ones((50, 2))
    assert hold_out(Y, 0.2).sum() == 10
    assert np.array_equal(hold_out(Y, 0.2, random_state=3), hold_out(Y, 0.2, random_state=3))
    assert not np.array_equal(hold_out(Y, 0.2, random_state=3), hold_out(Y, 0.2, random_state=4))


def test_labels_of_one_document_are_never_held_out():
    assert hold_out(np.eye(4), 0.5).sum() == 0
    assert hold_out(np.zeros((4, 2)), 0.5).sum() == 2


class _Rows:
    """Remembers which rows it was trained on, by their only feature."""

    def __init__(self, X):
        self.seen = set(X.indices.tolist())

    def predict(self, X):
        assert not self.seen & set(X.indices.tolist())
        return sp.csr_array(X)


def test_every_document_is_predicted_once_by_a_model_that_never_saw_it():
    X = sp.csr_array(np.diag(np.arange(1, 24, dtype=np.float32)))
    P = out_of_fold(lambda rows: _Rows(X[rows]), X, n_folds=4)
    assert np.array_equal(P.toarray(), X.toarray())


def test_out_of_fold_scores_are_those_of_new_documents():
    X, Y = documents(600, 80, 60, seed=0)
    P = out_of_fold(lambda rows: XRLinear().fit(X[rows], Y[rows]), X[:500], n_folds=3)
    model = XRLinear().fit(X[:500], Y[:500])
    held, new, trained = (
        evaluate(scores, truth, Y).metrics["P@3"]
        for scores, truth in (
            (P, Y[:500]),
            (model.predict(X[500:]), Y[500:]),
            (model.predict(X[:500]), Y[:500]),
        )
    )
    assert abs(held - new) < 0.03
    assert trained > max(held, new)


def test_bad_shares_and_folds_are_refused():
    with pytest.raises(ValueError, match="share must lie between 0 and 1, but is 1"):
        hold_out(np.eye(3), 1)
    with pytest.raises(ValueError, match=r"n_folds must lie in 2\.\.3, the number of documents, but is 4"):
        out_of_fold(lambda rows: _Rows(rows), np.eye(3), n_folds=4)
