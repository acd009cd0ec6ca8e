import numpy as np
import pytest

from larix.xmc import nearest_vectors as module
from larix.xmc.nearest_vectors import nearest_vectors


def vectors(n, seed, d=6):
    return np.random.default_rng(seed).normal(size=(n, d)).astype(np.float32)


@pytest.mark.parametrize("k", [1, 5, 50, 90])
def test_they_are_those_of_a_full_sort(k, monkeypatch):
    monkeypatch.setattr(module, "_QUERIES_PER_PIECE", 7)
    monkeypatch.setattr(module, "_VECTORS_PER_BLOCK", 16)
    Q, V = vectors(20, 0), vectors(50, 1)
    rows, products = nearest_vectors(Q, V, k)
    expected = np.argsort(-(Q @ V.T), axis=1)[:, :k]
    np.testing.assert_array_equal(rows, expected)
    np.testing.assert_allclose(products, np.take_along_axis(Q @ V.T, expected, axis=1), atol=1e-5)


def test_results_do_not_depend_on_the_number_of_threads(monkeypatch):
    monkeypatch.setattr(module, "_QUERIES_PER_PIECE", 3)
    Q, V = vectors(40, 0), vectors(60, 1)
    one, many = (nearest_vectors(Q, V, 4, n_threads=n) for n in (1, 3))
    assert one[0].tobytes() == many[0].tobytes()
    assert one[1].tobytes() == many[1].tobytes()


def test_ties_go_to_the_lower_row():
    V = np.array([[0, 1], [1, 0], [1, 0]], np.float32)
    assert nearest_vectors(np.array([[1, 0]], np.float32), V, 3)[0].tolist() == [[1, 2, 0]]


def test_there_may_be_nothing():
    rows, products = nearest_vectors(np.zeros((0, 3), np.float32), np.ones((2, 3), np.float32), 4)
    assert rows.shape == products.shape == (0, 2)
    assert nearest_vectors(np.ones((2, 3), np.float32), np.zeros((0, 3), np.float32), 4)[0].shape == (2, 0)


def test_what_cannot_be_searched_is_refused():
    with pytest.raises(ValueError, match="k must be at least 1, but is 0"):
        nearest_vectors(vectors(1, 0), vectors(1, 0), 0)
    with pytest.raises(ValueError, match=r"must have one length, but have shapes \(1, 6\), \(1, 5\)"):
        nearest_vectors(vectors(1, 0), vectors(1, 0, d=5), 1)
