import numpy as np
import pytest
import scipy.sparse as sp

from larix import DocumentMemory, XRLinear
from larix.xmc import embedding_index as module
from larix.xmc.embedding_index import EmbeddingIndex
from larix.xmc.explanation import explain
from larix.xmc.matrix import join_columns, unit_rows
from larix.xmc.vector_cells import VectorCells
from tests.xmc.data import documents

D, d = 40, 6
A = np.random.default_rng(5).normal(size=(d, d)).astype(np.float32)


@pytest.fixture(scope="module")
def data():
    """Rows of 40 text features and 6 columns of an embedding, with labels."""
    X, Y = documents(300, D, 20, seed=0)
    E = np.random.default_rng(0).normal(size=(300, d)).astype(np.float32)
    rows = unit_rows(join_columns([X, E]))
    return rows[:250], Y[:250], rows[250:]


def cosines(X, others, projection):
    """By the definition: cos(A q, A v)."""
    q, v = (unit_rows(rows[:, D:].toarray() @ projection.T) for rows in (X, others))
    return q @ v.T


@pytest.mark.parametrize("projection", [None, A])
def test_similarities_are_cosines_of_mapped_embeddings_alone(data, projection):
    X, _, queries = data
    index = EmbeddingIndex.of(X, d, projection)
    expected = cosines(queries, X, np.eye(d) if projection is None else projection)
    np.testing.assert_allclose(index.similarities(queries), expected, atol=1e-5)
    found = index.neighbours(queries, 5)
    best = np.argsort(-expected, axis=1)[:, :5]
    assert found.shape == (50, 250)
    np.testing.assert_array_equal(found.indices.reshape(50, 5), best)
    np.testing.assert_allclose(found.data.reshape(50, 5), np.take_along_axis(expected, best, 1), atol=1e-5)


def test_opposite_rows_are_no_neighbours(data):
    X, _, _ = data
    opposite = X[[0]].copy()
    opposite.data[:] *= -1
    index = EmbeddingIndex.of(X[:1], d)
    assert index.neighbours(opposite, 3).nnz == 0
    assert index.neighbours(sp.csr_array((2, D + d), dtype=np.float32), 3).shape == (2, 1)


def test_rows_come_back_and_are_appended(data):
    X, _, queries = data
    index = EmbeddingIndex.of(X, d, A)
    np.testing.assert_array_equal(index.rows().toarray(), X.toarray())
    grown = index.append(queries)
    whole = EmbeddingIndex.of(sp.vstack([X, queries]), d, A)
    np.testing.assert_array_equal(grown.rows().toarray(), whole.rows().toarray())
    np.testing.assert_allclose(grown.similarities(X), whole.similarities(X), atol=1e-6)
    assert (grown.n_rows, grown.n_features, grown.dimension) == (300, D + d, d)


def test_a_memory_of_embeddings_votes_explains_and_learns(data, tmp_path):
    X, Y, queries = data
    memory = DocumentMemory().fit(X, Y, index=EmbeddingIndex.of(X, d, A))
    assert memory.n_features_in_ == D + d
    memory.save(tmp_path / "memory")
    loaded = DocumentMemory.load(tmp_path / "memory")
    assert loaded.predict(queries).data.tobytes() == memory.predict(queries).data.tobytes()
    assert loaded.size_bytes() == memory.size_bytes() > 2 * 250 * d * 4
    grown = loaded.append(queries[[0]], Y[[0]])
    assert grown.neighbours(queries[[0]], 1).indices.tolist() == [250]
    told = explain(XRLinear().fit(X, Y), queries[[0]], int(Y.indices[0]), memory=memory)
    assert told.nearest


def test_an_index_of_other_rows_is_refused(data):
    X, Y, _ = data
    with pytest.raises(ValueError, match="must be of the 250 x 46 documents, but is of 249 x 46"):
        DocumentMemory().fit(X, Y, index=EmbeddingIndex.of(X[:249], d))
    with pytest.raises(ValueError, match=r"dimension must lie in 1\.\.46, the columns, but is 47"):
        EmbeddingIndex.of(X, 47)
    with pytest.raises(ValueError, match="250 x 6 vectors need a map of 6 x 6"):
        EmbeddingIndex.of(X, d, A[:5])


def test_approximate_search_finds_most_and_learns(data, tmp_path):
    pytest.importorskip("faiss", reason="the extra search is not installed")
    X, _, queries = data
    exact, found = EmbeddingIndex.of(X, d, A), EmbeddingIndex.of(X, d, A, search="approximate", n_threads=1)
    true, near = exact.neighbours(queries, 5), found.neighbours(queries, 5)
    assert near.shape == true.shape
    same = np.isin(near.indices + 1000 * np.repeat(np.arange(50), np.diff(near.indptr)),
                   true.indices + 1000 * np.repeat(np.arange(50), 5))  # fmt: skip
    assert same.sum() > 0.7 * true.nnz
    rows = np.repeat(np.arange(50), np.diff(near.indptr))
    np.testing.assert_allclose(near.data, exact.similarities(queries)[rows, near.indices], atol=1e-5)
    found.save(tmp_path / "index")
    loaded = EmbeddingIndex.load(tmp_path / "index")
    assert loaded.neighbours(queries, 5).data.tobytes() == near.data.tobytes()
    assert loaded.append(queries).neighbours(queries, 1).indices.tolist() == list(range(250, 300))


def test_search_is_exact_without_the_library(data, monkeypatch, caplog):
    X, _, queries = data
    monkeypatch.setattr(module, "has_faiss", lambda: False)
    monkeypatch.setattr(module, "MANY_ROWS", 100)
    exact = EmbeddingIndex.of(X, d, A)
    auto = EmbeddingIndex.of(X, d, A, search="auto")
    assert "pip install 'larix[search]'" in caplog.text
    one_cell = VectorCells(np.ones((1, d), np.float32), np.zeros(250, np.int32))
    made_elsewhere = EmbeddingIndex(exact.vectors, exact.others, A, one_cell)
    for index in (auto, made_elsewhere):
        assert index.neighbours(queries, 5).data.tobytes() == exact.neighbours(queries, 5).data.tobytes()


def test_few_rows_are_searched_exactly(data, monkeypatch):
    X, _, _ = data
    monkeypatch.setattr(module, "has_faiss", lambda: True)
    assert EmbeddingIndex.of(X, d, A, search="auto").cells is None
    with pytest.raises(ValueError, match="search must be"):
        EmbeddingIndex.of(X, d, A, search="fast")
