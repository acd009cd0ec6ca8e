import numpy as np
import pytest
import scipy.sparse as sp

from larix.xmc import strongest_features as module
from larix.xmc.chunked_weights import ChunkedWeights
from larix.xmc.strongest_features import strongest_features


def weights_of(W, offsets):
    """Nodes in columns, the bias last."""
    return ChunkedWeights.from_csc(sp.csc_array(W), np.array(offsets), bias=1.0)


W = np.array([[0.5, -1.0, 0.0], [2.0, 0.3, 0.0], [1.0, 0.9, -0.1], [9.0, 9.0, 9.0]])


def rows(found):
    return [found.indices[a:b].tolist() for a, b in zip(found.indptr, found.indptr[1:], strict=False)]


def test_the_largest_positive_weights_come_first_and_the_bias_not_at_all():
    found = strongest_features(weights_of(W, [0, 2, 3]), 2)
    assert rows(found) == [[1, 2], [2, 1], []]
    assert found.shape == (3, 3)


def test_features_without_names_are_passed_over():
    assert rows(strongest_features(weights_of(W, [0, 2, 3]), 2, n_leading=2)) == [[1, 0], [1], []]


def test_documents_weigh_features_by_how_much_they_have_of_them():
    X = np.array([[4.0, 1.0, 0.0], [0.0, 0.0, 5.0], [0.0, 7.0, 0.0]])
    positives = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1]])
    found = strongest_features(weights_of(W, [0, 2, 3]), 3, X=X, positives=positives)
    assert rows(found) == [[0, 1], [2], []]  # node 0: 4 * 0.5 and 1 * 2 tie, the lower feature wins
    assert found[[1]].data == pytest.approx([4.5])


def test_blocks_of_families_do_not_change_the_result(monkeypatch):
    rng = np.random.default_rng(0)
    dense, offsets = rng.normal(size=(8, 20)), [0, 3, 3, 4, 9, 20]
    weights, X, positives = weights_of(dense, offsets), rng.random((5, 7)), rng.random((5, 20)) < 0.5
    whole = strongest_features(weights, 3, X=X, positives=positives)
    for size in (1, 4, 7):
        monkeypatch.setattr(module, "_NODES_AT_ONCE", size)
        cut = strongest_features(weights, 3, X=X, positives=positives)
        assert rows(cut) == rows(whole)


def test_documents_and_their_nodes_go_together():
    with pytest.raises(ValueError, match="go together"):
        strongest_features(weights_of(W, [0, 2, 3]), 2, X=np.ones((1, 3)))
