import numpy as np
import pytest
import scipy.sparse as sp
from threadpoolctl import threadpool_limits

from larix.xmc.graph_spectrum import graph_spectrum
from larix.xmc.sparse import check_csr
from tests.xmc.data import documents


def communities(sizes, seed=0):
    """Instances and labels in groups of falling density, with some edges across: values with gaps."""
    rng = np.random.default_rng(seed)
    group = np.repeat(np.arange(len(sizes)), sizes)
    chance = np.where(group[:, None] == group, 0.8 - 0.15 * group[:, None], 0.03)
    Y = np.repeat(rng.random(chance.shape) < chance, 4, axis=0) | (
        rng.random((4 * len(group), len(group))) < 0.02
    )
    return check_csr(Y.astype(np.float32))


def test_rows_are_those_of_the_exact_singular_vectors():
    Y = communities([9, 8, 7, 6])
    A = Y.toarray().astype(np.float64)
    A = A[A.any(1)]
    rows, columns = A.sum(1), A.sum(0)
    _, _, V = np.linalg.svd(A / np.sqrt(rows)[:, None] / np.sqrt(columns))
    exact = V[1:4].T / np.sqrt(columns)[:, None]
    expected = exact / np.linalg.norm(exact, axis=1, keepdims=True)
    Z = graph_spectrum(Y, 3)
    np.testing.assert_allclose(Z * np.sign((Z * expected).sum(0)), expected, atol=1e-3)


def test_labels_of_two_weakly_joined_parts_lie_apart():
    blocks = np.kron(np.eye(2), np.ones((6, 4)))
    blocks[0, 4] = 1  # one document bridges them
    Z = graph_spectrum(check_csr(blocks), 1)
    assert Z.shape == (8, 1)
    assert set(np.sign(Z[:4, 0])) != set(np.sign(Z[4:, 0]))
    assert len(set(np.sign(Z[:4, 0]))) == 1


def test_a_label_without_instances_has_a_zero_row():
    _, Y = documents(60, 20, 10)
    wider = sp.hstack([Y, sp.csr_array((60, 2), dtype=np.float32)], format="csr")
    Z = graph_spectrum(wider, 3)
    assert not Z[10:].any()
    np.testing.assert_allclose(np.linalg.norm(Z[:10], axis=1), 1, atol=1e-5)


def test_there_are_no_more_dimensions_than_the_graph_has():
    assert graph_spectrum(check_csr(np.ones((5, 3))), 24).shape == (3, 2)
    with pytest.raises(ValueError, match=r"two instances and two labels, but Y is \(5, 1\)"):
        graph_spectrum(check_csr(np.ones((5, 1))))


def test_bytes_depend_on_the_seed_but_not_on_threads():
    _, Y = documents(300, 30, 80)
    results = []
    for n in (1, 2):
        with threadpool_limits(n):
            results.append(graph_spectrum(Y, 8, random_state=3))
    assert results[0].tobytes() == results[1].tobytes()
    assert graph_spectrum(Y, 8, random_state=4).tobytes() != results[0].tobytes()
