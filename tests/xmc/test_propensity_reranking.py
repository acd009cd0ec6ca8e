import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from larix import SearchParams, XRLinear, evaluate
from larix.xmc.label_frequency import LabelFrequencies
from larix.xmc.propensity_reranking import rerank_by_propensity, trade_off
from tests.xmc.data import documents

FREQUENCIES = LabelFrequencies(np.array([900, 30, 1]), 1000)


def test_scores_are_multiplied_by_powers_of_the_relative_inverse_propensity():
    q = FREQUENCIES.inverse_propensities()
    P = np.array([[0.9, 0.5, 0.2], [0, 0.3, 0]])
    for alpha in (0.3, 1.0):
        expected = P * (q / q.max()) ** alpha
        np.testing.assert_allclose(rerank_by_propensity(P, FREQUENCIES, alpha).toarray(), expected, rtol=1e-6)


def test_a_rare_label_overtakes_frequent_ones_as_alpha_rises():
    P = np.array([[0.6, 0.5, 0.2]])
    ranks = [rerank_by_propensity(P, FREQUENCIES, alpha).indices.tolist() for alpha in (0, 0.5, 2)]
    assert ranks[0] == [0, 1, 2]
    assert ranks[-1] == [2, 1, 0]
    assert ranks[1][0] != 0


@given(seed=st.integers(0, 10_000), alpha=st.floats(0, 3))
@settings(max_examples=30, deadline=None)
def test_logarithms_rank_like_scores(seed, alpha):
    rng = np.random.default_rng(seed)
    P = sp.csr_array((0.05 + rng.random((5, 3))).astype(np.float32))
    logs = sp.csr_array(np.log(P.toarray()))
    plain = rerank_by_propensity(P, FREQUENCIES, alpha)
    log = rerank_by_propensity(logs, FREQUENCIES, alpha, log_scores=True)
    np.testing.assert_allclose(np.exp(log.toarray()), plain.toarray(), rtol=1e-5)


def test_alpha_zero_leaves_predictions_and_top_k_cuts_them():
    X, Y = documents(300, 60, 40)
    P = XRLinear(search=SearchParams(top_k=20)).fit(X, Y).predict(X)
    frequencies = LabelFrequencies.of(Y)
    same = rerank_by_propensity(P, frequencies, 0)
    assert same.data.tobytes() == P.data.tobytes()
    assert np.array_equal(same.indices, P.indices)
    cut = rerank_by_propensity(P, frequencies, 0.5, top_k=5)
    assert np.all(np.diff(cut.indptr) == 5)


def test_with_true_probabilities_alpha_one_is_best_for_psp():
    rng = np.random.default_rng(0)
    n, n_labels = 3000, 40
    base = 1 / (1 + np.arange(n_labels))
    probabilities = np.clip(base * rng.gamma(1, 1, (n, n_labels)) * 0.5, 1e-4, 1)
    Y = sp.csr_array((rng.random((n, n_labels)) < probabilities).astype(np.float32))
    P = sp.csr_array(probabilities.astype(np.float32))
    curve = {point.alpha: point.metrics for point in trade_off(P, Y, LabelFrequencies.of(Y), (0, 0.5, 1, 2))}
    assert curve[0]["P@3"] > curve[0.5]["P@3"] > curve[1]["P@3"] > curve[2]["P@3"]
    assert max(curve, key=lambda alpha: curve[alpha]["PSP@3"]) == 1
    assert curve[0]["P@1"] == evaluate(P, Y, Y).metrics["P@1"]


def test_labels_unseen_in_training_and_empty_rows_are_fine():
    frequencies = LabelFrequencies(np.array([5, 0]), 10)
    P = rerank_by_propensity(sp.csr_array((3, 2)), frequencies, 1)
    assert P.nnz == 0
    assert np.isfinite(rerank_by_propensity([[0.5, 0.5]], frequencies, 1).data).all()


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match=r"scores must not be negative to be weighted, but one is -1\.0"):
        rerank_by_propensity([[-1.0, 0, 1]], FREQUENCIES, 1)
    with pytest.raises(ValueError, match=r"alpha must be at least 0 and finite, but is -0\.5"):
        rerank_by_propensity([[1.0, 0, 1]], FREQUENCIES, -0.5)
    with pytest.raises(ValueError, match="P must have 3 columns, but has 2"):
        rerank_by_propensity([[1.0, 0]], FREQUENCIES, 1)
