import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.neighbors import NearestNeighbors

from larix.xmc import inverted_index
from larix.xmc.inverted_index import InvertedIndex


def sparse_rows(n, n_features, seed, density=0.2):
    rng = np.random.default_rng(seed)
    X = (rng.random((n, n_features)) < density) * rng.random((n, n_features))
    return sp.csr_array(X.astype(np.float32))


@pytest.fixture(scope="module")
def rows():
    return sparse_rows(300, 40, seed=0)


def test_neighbours_are_those_of_a_brute_force_search(rows):
    queries = sparse_rows(50, 40, seed=1)
    found = InvertedIndex.of(rows).neighbours(queries, 5)
    brute = NearestNeighbors(n_neighbors=5, metric="cosine", algorithm="brute").fit(rows)
    distances, indices = brute.kneighbors(queries)
    assert np.array_equal(found.indices.reshape(50, 5), indices)
    np.testing.assert_allclose(found.data.reshape(50, 5), 1 - distances, atol=1e-6)


def test_cosines_by_hand():
    index = InvertedIndex.of([[3.0, 4, 0], [0, 0, 2], [1, 0, 0]])
    found = index.neighbours([[2.0, 0, 0], [0, 0, 0]], 3)
    assert found.indptr.tolist() == [0, 2, 2]
    assert found.indices.tolist() == [2, 0]
    np.testing.assert_allclose(found.data, [1, 0.6], rtol=1e-6)


@given(seed=st.integers(0, 10_000), n=st.integers(1, 40), k=st.integers(1, 45), cut=st.integers(0, 40))
@settings(max_examples=40, deadline=None)
def test_appending_equals_indexing_at_once(seed, n, k, cut):
    X, queries = sparse_rows(n, 12, seed), sparse_rows(6, 12, seed + 1)
    cut = min(cut, n)
    whole, grown = InvertedIndex.of(X), InvertedIndex.of(X[:cut]).append(X[cut:])
    a, b = whole.neighbours(queries, k), grown.neighbours(queries, k)
    assert np.array_equal(a.indptr, b.indptr)
    assert np.array_equal(a.indices, b.indices)
    assert a.data.tobytes() == b.data.tobytes()


def test_many_blocks_answer_like_one(rows, monkeypatch):
    queries = sparse_rows(30, 40, seed=2)
    one = InvertedIndex.of(rows).neighbours(queries, 7)
    monkeypatch.setattr(inverted_index, "BLOCK", 64)
    monkeypatch.setattr(inverted_index, "_OPEN", 16)
    index = InvertedIndex.of(rows[:200]).append(rows[200:250]).append(rows[250:])
    assert np.diff(index.block_begins).tolist() == [64, 64, 64, 58, 50]
    many = index.neighbours(queries, 7)
    assert np.array_equal(many.indices, one.indices)
    assert many.data.tobytes() == one.data.tobytes()
    np.testing.assert_allclose(index.rows().toarray(), InvertedIndex.of(rows).rows().toarray())


def test_equal_rows_come_in_their_order():
    index = InvertedIndex.of(np.ones((9, 2)))
    assert index.neighbours([[1.0, 1]], 4).indices.tolist() == [0, 1, 2, 3]


def test_common_features_are_left_out_of_rows_and_queries(monkeypatch):
    monkeypatch.setattr(inverted_index, "_FEW", 1)
    index = InvertedIndex.of([[1.0, 1, 0], [1, 0, 1], [1, 0, 0]], max_df=0.5)
    assert index.used.tolist() == [False, True, True]
    found = index.neighbours([[5.0, 1, 0]], 3)
    assert found.indices.tolist() == [0]
    np.testing.assert_allclose(found.data, [1])


def test_few_rows_keep_common_features():
    assert InvertedIndex.of(np.ones((50, 2)), max_df=0.1).used.all()


def test_batches_threads_and_single_rows_agree_to_the_byte(rows):
    index, queries = InvertedIndex.of(rows), sparse_rows(200, 40, seed=3)
    batch = index.neighbours(queries, 5, n_threads=1)
    assert index.neighbours(queries, 5, n_threads=2).data.tobytes() == batch.data.tobytes()
    for i in (0, 63, 64, 199):
        row = index.neighbours(queries[[i]], 5)
        assert row.data.tobytes() == batch.data[batch.indptr[i] : batch.indptr[i + 1]].tobytes()


def test_similarities_with_all_rows(rows):
    X = rows.toarray()
    cosines = X @ X[3] / np.linalg.norm(X, axis=1) / np.linalg.norm(X[3])
    np.testing.assert_allclose(InvertedIndex.of(rows).similarities(rows[[3]])[0], cosines, atol=1e-6)


def test_an_empty_index_has_no_neighbours():
    index = InvertedIndex.of(sp.csr_array((0, 3)))
    assert index.n_rows == 0
    assert index.neighbours(np.ones((2, 3)), 4).shape == (2, 0)
    assert index.append([[0.0, 1, 0]]).neighbours(np.ones((1, 3)), 4).indices.tolist() == [0]


def test_saved_index_answers_the_same(rows, tmp_path):
    index = InvertedIndex.of(rows, max_df=0.9)
    index.save(tmp_path / "index")
    loaded = InvertedIndex.load(tmp_path / "index")
    queries = sparse_rows(20, 40, seed=4)
    assert loaded.neighbours(queries, 5).data.tobytes() == index.neighbours(queries, 5).data.tobytes()
    assert loaded.size_bytes == index.size_bytes


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"block_begins": [1, 300]}, "block_begins must rise from 0"),
        ({"posting_rows": "beyond"}, "a posting of block 0 names a row beyond it"),
        ({"first_posting": "falling"}, "first_posting must rise from 0"),
        ({"used": [True]}, "first_posting must be 1 x 2"),
        ({"posting_values": [0.5]}, "values as many as rows"),
    ],
)
def test_damaged_arrays_are_refused(rows, change, message):
    index = InvertedIndex.of(rows)
    arrays = {name: np.array(getattr(index, name)) for name in inverted_index._DTYPES}
    if "posting_rows" in change:
        arrays["posting_rows"][5] = 300
    elif "first_posting" in change:
        arrays["first_posting"][0, 7] = arrays["first_posting"][0, 9] + 1
    else:
        arrays |= change
    with pytest.raises(ValueError, match=message):
        InvertedIndex(**arrays)


@pytest.mark.parametrize("max_df", [0, 1.5, -1])
def test_bad_shares_are_refused(max_df):
    with pytest.raises(ValueError, match=f"max_df must be above 0 and at most 1, but is {max_df}"):
        InvertedIndex.of(np.eye(2), max_df=max_df)


def test_bad_queries_are_refused(rows):
    index = InvertedIndex.of(rows)
    with pytest.raises(ValueError, match="k must be at least 1, but is 0"):
        index.neighbours(rows, 0)
    with pytest.raises(ValueError, match="X must have 40 columns, but has 39"):
        index.neighbours(rows[:, :39], 1)
