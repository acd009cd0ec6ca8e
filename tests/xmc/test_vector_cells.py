import numpy as np
import pytest

from larix.xmc import vector_cells as module
from larix.xmc.matrix import unit_rows
from larix.xmc.vector_cells import VectorCells, import_faiss


@pytest.fixture(scope="module")
def V():
    """Vectors of unit length around thirty directions."""
    pytest.importorskip("faiss", reason="the extra search is not installed")
    rng = np.random.default_rng(0)
    centers = np.repeat(rng.normal(size=(30, 8)), 20, axis=0)
    return unit_rows((centers + rng.normal(size=centers.shape) / 5).astype(np.float32))


def test_nearest_vectors_are_found_with_their_products(V):
    rows, products = VectorCells.of(V, n_threads=1).search(V).nearest(V, 5, n_threads=1)
    true = np.argsort(-(V @ V.T), axis=1)[:, :5]
    np.testing.assert_array_equal(rows[:, 0], np.arange(len(V)))
    assert np.mean([len(np.intersect1d(a, b)) for a, b in zip(rows, true, strict=True)]) > 4.5
    np.testing.assert_allclose(products, np.take_along_axis(V @ V.T, rows, axis=1), atol=1e-5)


def test_all_are_found_if_all_cells_are_searched(V, monkeypatch):
    monkeypatch.setattr(module, "_SHARE_SEARCHED", 1.0)
    rows, _ = VectorCells.of(V).search(V).nearest(V[:40], 7)
    np.testing.assert_array_equal(rows, np.argsort(-(V[:40] @ V.T), axis=1)[:, :7])


def test_what_lies_in_no_searched_cell_is_missing(V):
    rows, products = VectorCells.of(V).search(V).nearest(V[:2], len(V))
    assert (rows[:, -1] == -1).all()
    assert np.isneginf(products[rows == -1]).all()


def test_cells_do_not_depend_on_the_number_of_threads(V):
    one, two = (VectorCells.of(V, random_state=3, n_threads=n) for n in (1, 2))
    assert one.centroids.tobytes() == two.centroids.tobytes()
    assert one.cells.tobytes() == two.cells.tobytes()
    assert VectorCells.of(V, random_state=4).centroids.tobytes() != one.centroids.tobytes()


def test_further_vectors_take_the_nearest_cell(V):
    cells = VectorCells.of(V[:500])
    grown = cells.append(V[500:])
    np.testing.assert_array_equal(grown.cells, (V @ cells.centroids.T).argmax(axis=1))


def test_fewer_vectors_than_cells_are_no_trouble(V):
    assert VectorCells.of(V[:1]).search(V[:1]).nearest(V[:1], 3)[0].tolist() == [[0, -1, -1]]


def test_damaged_cells_are_refused_before_the_library_sees_them():
    centroids = np.ones((2, 3), np.float32)
    with pytest.raises(ValueError, match=r"cells must lie in 0\.\.1, the centroids, but lie in 0\.\.2"):
        VectorCells(centroids, np.array([0, 2], np.int32))
    with pytest.raises(ValueError, match="the cells are of 2 x 3 vectors, but these are 5 x 3"):
        VectorCells(centroids, np.array([0, 1], np.int32)).search(np.ones((5, 3), np.float32))


def test_a_missing_library_is_named_with_its_command(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "faiss", None)
    with pytest.raises(ModuleNotFoundError, match=r"needs faiss, .* run: pip install 'larix\[search\]'"):
        import_faiss()
