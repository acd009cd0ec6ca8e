"""Intervals of differences against a slow reference that draws documents one by one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from larix.xmc.metrics import evaluate
from larix.xmc.paired_bootstrap import paired_bootstrap

KS, RECALL_KS = (1, 3), (4,)


def problem(seed: int, n_documents: int = 12, n_labels: int = 6) -> list[csr_array]:
    """Two systems, true labels (every document has one) and training labels."""
    rng = np.random.default_rng(seed)
    truth = rng.random((n_documents, n_labels)) < 0.3
    truth[np.arange(n_documents), rng.integers(n_labels, size=n_documents)] = True
    systems = [rng.random(truth.shape) * (rng.random(truth.shape) < 0.7) for _ in range(2)]
    training = rng.random((20, n_labels)) < 0.4
    return [csr_array(matrix.astype(np.float32)) for matrix in (*systems, truth, training)]


def reference(P_first, P_second, Y_true, Y_train, n_draws, confidence, seed):
    """Both systems evaluated anew on the documents of every draw."""
    rng, n_documents = np.random.default_rng(seed), Y_true.shape[0]
    differences = []
    for _ in range(n_draws):
        rows = rng.integers(n_documents, size=n_documents)
        first, second = (
            evaluate(P[rows], Y_true[rows], Y_train, KS, RECALL_KS).metrics for P in (P_first, P_second)
        )
        differences.append({name: second[name] - first[name] for name in first})
    tail = (1 - confidence) / 2
    return {
        name: np.quantile([drawn[name] for drawn in differences], [tail, 1 - tail])
        for name in differences[0]
        if not name.startswith("coverage")
    }


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), confidence=st.sampled_from([0.5, 0.95]))
def test_intervals_equal_the_slow_reference(seed, confidence):
    given_matrices = problem(seed)
    found = paired_bootstrap(
        *given_matrices, KS, RECALL_KS, n_draws=70, confidence=confidence, random_state=3
    )
    expected = reference(*given_matrices, n_draws=70, confidence=confidence, seed=3)
    assert set(found) == set(expected)
    for name, interval in expected.items():
        assert (found[name].low, found[name].high) == pytest.approx(tuple(interval), abs=1e-9), name


def test_the_metrics_are_those_of_an_evaluation():
    P_first, P_second, Y_true, Y_train = problem(1)
    found = paired_bootstrap(P_first, P_second, Y_true, Y_train, KS, RECALL_KS, n_draws=10)
    for name, compared in found.items():
        for value, P in ((compared.first, P_first), (compared.second, P_second)):
            assert value == pytest.approx(evaluate(P, Y_true, Y_train, KS, RECALL_KS).metrics[name])
        assert compared.difference == compared.second - compared.first


def test_a_system_does_not_differ_from_itself():
    P, _, Y_true, Y_train = problem(2)
    for compared in paired_bootstrap(P, P, Y_true, Y_train, n_draws=20).values():
        assert (compared.difference, compared.low, compared.high) == (0, 0, 0)
        assert not compared.beyond_chance


def test_in_the_other_order_the_interval_is_mirrored():
    P_first, P_second, Y_true, Y_train = problem(3)
    there = paired_bootstrap(P_first, P_second, Y_true, Y_train, n_draws=50)
    back = paired_bootstrap(P_second, P_first, Y_true, Y_train, n_draws=50)
    for name, compared in there.items():
        assert (compared.low, compared.high) == pytest.approx((-back[name].high, -back[name].low))


def test_a_clear_difference_is_beyond_chance_and_a_small_one_is_not():
    n_documents = 200
    Y = csr_array(np.eye(2, dtype=np.float32)[np.arange(n_documents) % 2])
    wrong = csr_array(1 - Y.toarray())
    assert paired_bootstrap(wrong, Y, Y, Y, ks=[1], recall_ks=[]).pop("P@1").low == 1
    almost = Y.toarray()
    almost[0] = 1 - almost[0]
    compared = paired_bootstrap(csr_array(almost), Y, Y, Y, ks=[1], recall_ks=[])["P@1"]
    assert compared.difference == pytest.approx(1 / n_documents)
    assert not compared.beyond_chance


def test_the_standard_error_is_that_of_the_mean():
    # For P@1, the mean of independent differences, the interval is +-1.96 standard errors.
    P_first, P_second, Y_true, Y_train = problem(4, n_documents=2000)
    compared = paired_bootstrap(P_first, P_second, Y_true, Y_train, ks=[1], n_draws=2000)["P@1"]
    truth = Y_true.toarray()
    right = [truth[np.arange(2000), P.toarray().argmax(axis=1)] for P in (P_first, P_second)]
    error = (right[1] - right[0]).std() / np.sqrt(2000)
    assert (compared.high - compared.low) / 2 == pytest.approx(1.96 * error, rel=0.1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_draws": 0}, "n_draws must be at least 1, but is 0"),
        ({"confidence": 95}, "confidence must lie between 0 and 1, but is 95"),
        ({"ks": [], "recall_ks": []}, "cut-offs must be given"),
        ({"ks": [0, 3]}, r"at least 1, but are \[0, 3, 10\]"),
    ],
)
def test_wrong_options_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        paired_bootstrap(*problem(0), **options)


def test_documents_must_be_the_same():
    P_first, P_second, Y_true, Y_train = problem(0)
    with pytest.raises(ValueError, match="P must have 12 rows"):
        paired_bootstrap(P_first, P_second[:5], Y_true, Y_train)
