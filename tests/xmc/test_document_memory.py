import numpy as np
import pytest
import scipy.sparse as sp

from larix import DocumentMemory, XRLinear, evaluate
from larix.xmc.document_memory import MemoryParams, compare_blends
from larix.xmc.persistence import ModelFolderError
from larix.xmc.sparse import check_csr, top_k_per_row
from larix.xmc.voting import blend
from tests.xmc.data import documents


@pytest.fixture(scope="module")
def data():
    X, Y = documents(600, 80, 60, seed=0)
    return X[:500], Y[:500], X[500:], Y[500:]


@pytest.fixture(scope="module")
def memory(data):
    return DocumentMemory().fit(*data[:2])


def test_a_low_temperature_listens_to_the_nearest_document_alone(data):
    X, Y, X_test, _ = data
    memory = DocumentMemory(MemoryParams(temperature=1e-5)).fit(X, Y)
    nearest = memory.neighbours(X_test, 1)
    expected = check_csr(nearest @ Y)
    assert np.array_equal(memory.predict(X_test).toarray() > 1e-3, expected.toarray() > 0)


def test_it_predicts_top_k_shares_by_descending_share(data, memory):
    _, Y, X_test, Y_test = data
    P = memory.predict(X_test, top_k=4)
    assert np.diff(P.indptr).max() <= 4
    assert all(np.all(np.diff(P.data[a:b]) <= 0) for a, b in zip(P.indptr[:-1], P.indptr[1:], strict=True))
    assert evaluate(P, Y_test, Y).metrics["P@1"] > 0.7


def test_relevance_values_and_explicit_zeros_do_not_count(data, memory):
    X, Y, X_test, _ = data
    weighted = Y.copy()
    weighted.data[:] = 7
    assert (
        DocumentMemory().fit(X, weighted).predict(X_test).data.tobytes()
        == memory.predict(X_test).data.tobytes()
    )
    weighted.data[:] = 0
    assert DocumentMemory().fit(X, weighted).predict(X_test).nnz == 0


def test_an_appended_document_is_found_at_once(data):
    X, Y, X_test, _ = data
    wider = sp.csr_array(([1.0], ([0], [61])), shape=(1, 62))
    grown = DocumentMemory().fit(X, Y).append(X_test[[0]], wider)
    assert grown.Y_.shape == (501, 62)
    assert grown.neighbours(X_test[[0]], 1).indices.tolist() == [500]
    assert 61 in grown.predict(X_test[[0]]).indices
    whole = DocumentMemory().fit(sp.vstack([X, X_test]), sp.vstack([Y, data[3]]))
    parts = DocumentMemory().fit(X, Y).append(X_test, data[3])
    assert whole.predict(X).data.tobytes() == parts.predict(X).data.tobytes()


def test_weights_at_the_ends_rank_like_tree_and_votes_alone(data, memory):
    X, Y, X_test, Y_test = data
    P, votes = XRLinear().fit(X, Y).predict(X_test), memory.predict(X_test)
    for weight, alone in ((0, P), (1, votes)):
        metrics = evaluate(blend(P, votes, weight, top_k=10), Y_test, Y).metrics
        assert metrics["P@5"] == evaluate(alone, Y_test, Y).metrics["P@5"]


def test_the_method_blends_with_its_own_weight(data, memory):
    P = XRLinear().fit(*data[:2]).predict(data[2])
    expected = blend(P, memory.predict(data[2]), MemoryParams().weight, top_k=5)
    for blended in (memory.blend(P, data[2], top_k=5), top_k_per_row(memory.blend(P, data[2]), 5)):
        np.testing.assert_allclose(blended.toarray(), expected.toarray(), rtol=1e-5)


def test_the_best_blend_comes_first(data):
    X, Y, X_test, Y_test = data
    memory = DocumentMemory().fit(X[:250], Y[:250])
    P = XRLinear().fit(X[:250], Y[:250]).predict(X_test)
    tried = compare_blends(memory, P, X_test, Y_test, ks=[5, 10], temperatures=[0.1], weights=[0, 0.2, 1])
    assert len(tried) == 6
    assert [t.quality for t in tried] == sorted((t.quality for t in tried), reverse=True)
    best = tried[0].params
    chosen = DocumentMemory(best).fit(X[:250], Y[:250]).blend(P, X_test)
    assert evaluate(chosen, Y_test, Y, [10]).metrics["nDCG@10"] == pytest.approx(tried[0].quality)
    alone = [t.quality for t in tried if t.params.weight == 0]
    assert evaluate(P, Y_test, Y, [10]).metrics["nDCG@10"] == pytest.approx(alone[0])


def test_nearest_documents_of_a_label(data, memory):
    X, Y, X_test, _ = data
    label = int(Y.indices[0])
    found = memory.nearest_of_label(X_test[[0]], label, n=2)
    of_label = np.flatnonzero(Y[:, [label]].toarray())
    cosines = (X[of_label] @ X_test[[0]].T).toarray().ravel()
    best = np.argsort(-cosines)[:2]
    assert [document for document, _ in found] == of_label[best].tolist()
    np.testing.assert_allclose([cosine for _, cosine in found], cosines[best], atol=1e-6)
    assert memory.nearest_of_label(sp.csr_array((1, 80)), label) == []


def test_a_saved_memory_predicts_the_same_bytes_and_learns_on(data, memory, tmp_path):
    X, Y, X_test, Y_test = data
    memory.save(tmp_path / "memory")
    loaded = DocumentMemory.load(tmp_path / "memory")
    assert loaded.params == MemoryParams()
    assert loaded.size_bytes() == memory.size_bytes()
    assert loaded.predict(X_test).data.tobytes() == memory.predict(X_test).data.tobytes()
    grown = DocumentMemory().fit(X, Y).append(X_test, Y_test)
    assert loaded.append(X_test, Y_test).predict(X).data.tobytes() == grown.predict(X).data.tobytes()


def test_documents_keep_their_names(data, tmp_path):
    X, Y, X_test, Y_test = data
    named = DocumentMemory().fit(X[:2], Y[:2], ["first", "zweites"]).append(X_test[:1], Y_test[:1])
    named.append(X_test[1:2], Y_test[1:2], ["fourth"]).save(tmp_path / "memory")
    names = DocumentMemory.load(tmp_path / "memory").names_
    assert [names[i] for i in range(4)] == ["first", "zweites", "2", "fourth"]
    with pytest.raises(ValueError, match="names must name all 2 documents, but names 1"):
        DocumentMemory().fit(X[:2], Y[:2], ["alone"])


def test_a_folder_of_another_class_is_refused(memory, tmp_path):
    memory.index_.save(tmp_path / "index")
    with pytest.raises(ModelFolderError, match="DocumentMemory"):
        DocumentMemory.load(tmp_path / "index")


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"k": 0}, "k must be at least 1, but is 0"),
        ({"temperature": 0}, "temperature must be positive, but is 0"),
        ({"weight": 1.5}, r"weight must lie in 0\.\.1, but is 1.5"),
        ({"max_df": 0}, "max_df must be above 0 and at most 1, but is 0"),
    ],
)
def test_bad_parameters_are_refused(params, message):
    with pytest.raises(ValueError, match=message):
        MemoryParams(**params)


def test_what_cannot_be_remembered_is_refused(data):
    X, Y, X_test, Y_test = data
    with pytest.raises(ValueError, match="Y must have 500 rows, but has 499"):
        DocumentMemory().fit(X, Y[:499])
    with pytest.raises(ValueError, match="at least the 60 columns of the labels known, but has 59"):
        DocumentMemory().fit(X, Y).append(X_test, Y_test[:, :59])
    with pytest.raises(Exception, match="not fitted yet"):
        DocumentMemory().predict(X_test)
