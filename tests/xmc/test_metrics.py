"""Metrics against hand-computed values and a slow reference that follows the definitions word by word."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array, csr_matrix, vstack

from larix.xmc.label_frequency import BANDS, LabelFrequencies, PropensityParams
from larix.xmc.metrics import curves, evaluate

KS, RECALL_KS = (1, 2, 3, 5), (1, 4, 10)


def reference(P, Y_true, inverse_propensity, relevant):
    """The same metrics with plain loops over documents; `relevant` are the labels that count."""
    n_documents = P.shape[0]
    ranked, truth = [], []
    for i in range(n_documents):
        scores = {int(j): P[i, j] for j in P.indices[P.indptr[i] : P.indptr[i + 1]]}
        ranked.append(sorted(scores, key=lambda j: (-scores[j], j)))
        truth.append({j for j in range(P.shape[1]) if Y_true[i, j] and j in relevant})
    labelled = [i for i in range(n_documents) if truth[i]]

    def discount(place):
        return 1 / math.log2(place + 2)

    def gain(order, i, k, weight):
        return sum(
            weight(place) * inverse_propensity[j] for place, j in enumerate(order[:k]) if j in truth[i]
        )

    def propensity_scored(k, weight):
        best = [sorted(truth[i], key=lambda j: -inverse_propensity[j]) for i in range(n_documents)]
        reached = sum(gain(ranked[i], i, k, weight) for i in range(n_documents))
        reachable = sum(gain(best[i], i, k, weight) for i in range(n_documents))
        return reached / reachable if reachable else math.nan

    def mean(values):
        return sum(values) / len(values) if values else math.nan

    metrics = {}
    for k in KS:
        right = [truth[i].intersection(ranked[i][:k]) for i in range(n_documents)]
        dcg = [sum(discount(p) for p, j in enumerate(ranked[i][:k]) if j in truth[i]) for i in labelled]
        ideal = [sum(discount(p) for p in range(min(k, len(truth[i])))) for i in labelled]
        metrics[f"P@{k}"] = mean([len(found) / k for found in right])
        metrics[f"nDCG@{k}"] = mean([a / b for a, b in zip(dcg, ideal, strict=True)])
        metrics[f"PSP@{k}"] = propensity_scored(k, lambda _: 1.0)
        metrics[f"PSnDCG@{k}"] = propensity_scored(k, discount)
        true_labels = set().union(*truth)
        metrics[f"coverage@{k}"] = len(set().union(*right)) / len(true_labels) if true_labels else math.nan
    for k in RECALL_KS:
        metrics[f"R@{k}"] = mean(
            [len(truth[i].intersection(ranked[i][:k])) / len(truth[i]) for i in labelled]
        )
    return metrics


@st.composite
def problems(draw):
    n_labels = draw(st.integers(1, 7))
    n_documents, n_training = draw(st.integers(1, 6)), draw(st.integers(1, 30))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    density = draw(st.sampled_from([0.0, 0.2, 0.6, 1.0]))

    def matrix(n_rows, values):
        return csr_array(values(n_rows) * (rng.random((n_rows, n_labels)) < density))

    P = matrix(n_documents, lambda n: rng.integers(-2, 3, (n, n_labels)) + 0.5)  # few values, so many ties
    Y_true = matrix(n_documents, lambda n: rng.integers(0, 2, (n, n_labels)))
    Y_train = matrix(n_training, lambda n: rng.integers(0, 2, (n, n_labels)))
    return P, Y_true, Y_train


@settings(max_examples=200, deadline=None)
@given(problem=problems())
def test_all_metrics_equal_the_slow_reference(problem):
    P, Y_true, Y_train = problem
    evaluation = evaluate(P, Y_true, Y_train, KS, RECALL_KS)
    frequencies = LabelFrequencies.of(Y_train)
    inverse = frequencies.inverse_propensities()
    everything = set(range(P.shape[1]))
    assert evaluation.metrics == pytest.approx(reference(P, Y_true, inverse, everything), nan_ok=True)
    for name, band in frequencies.bands().items():
        expected = reference(P, Y_true, inverse, set(np.flatnonzero(band)))
        assert evaluation.by_frequency[name] == pytest.approx(expected, nan_ok=True)


@settings(max_examples=100, deadline=None)
@given(problem=problems())
def test_precision_of_the_bands_adds_up(problem):
    evaluation = evaluate(*problem, KS, RECALL_KS)
    for k in KS:
        parts = sum(evaluation.by_frequency[band][f"P@{k}"] for band in BANDS)
        assert parts == pytest.approx(evaluation.metrics[f"P@{k}"])


@settings(max_examples=100, deadline=None)
@given(problem=problems())
def test_metrics_lie_between_0_and_1(problem):
    evaluation = evaluate(*problem, KS, RECALL_KS)
    for metrics in (evaluation.metrics, *evaluation.by_frequency.values()):
        assert all(math.isnan(value) or -1e-12 <= value <= 1 + 1e-12 for value in metrics.values())


@settings(max_examples=100, deadline=None)
@given(problem=problems())
def test_the_truth_itself_scores_1(problem):
    _, Y_true, Y_train = problem
    evaluation = evaluate(Y_true, Y_true, Y_train, (1, 2), (7,))
    if Y_true.sum():
        for name in ("nDCG@1", "nDCG@2", "R@7"):
            assert evaluation.metrics[name] == pytest.approx(1)


def test_values_computed_by_hand():
    P = csr_array([[0.9, 0.8, 0.7, 0.0], [0.0, 0.3, 0.2, 0.1], [0.5, 0.5, 0.0, 0.0]])
    Y = csr_array([[1, 0, 1, 0], [1, 0, 0, 1], [0, 1, 0, 0]])
    Y_train = csr_array(np.ones((20, 4)))
    metrics = evaluate(P, Y, Y_train, ks=(1, 3), recall_ks=(2,)).metrics
    log3 = 1 / math.log2(3)
    # Document 0 ranks 0, 1, 2 (right, wrong, right); 1 ranks 1, 2, 3 (only 3 right); 2 ranks 0, 1 (a tie).
    assert metrics == pytest.approx(
        {
            "P@1": 1 / 3,
            "P@3": (2 + 1 + 1) / 9,
            "R@2": (1 / 2 + 0 + 1) / 3,
            "nDCG@1": 1 / 3,
            "nDCG@3": ((1 + 0.5) / (1 + log3) + 0.5 / (1 + log3) + log3) / 3,
            "PSP@1": 1 / 3,
            "PSP@3": 4 / 5,
            "PSnDCG@1": 1 / 3,
            "PSnDCG@3": (1.5 + 0.5 + log3) / (2 * (1 + log3) + 1),
            "coverage@1": 1 / 4,
            "coverage@3": 4 / 4,
        }
    )


def test_propensity_weights_rare_labels_by_hand():
    Y_train = csr_array(np.repeat([[1, 0], [1, 1]], [9, 1], axis=0))
    C = (math.log(10) - 1) * 2.5**0.55
    frequent, rare = 1 + C * 11.5**-0.55, 1 + C * 2.5**-0.55
    P, Y = csr_array([[2.0, 1.0], [2.0, 1.0]]), csr_array([[1, 0], [1, 1]])
    metrics = evaluate(P, Y, Y_train, ks=(1,)).metrics
    assert metrics["PSP@1"] == pytest.approx((frequent + frequent) / (frequent + rare))
    params = PropensityParams(A=0.6, B=2.6)
    C = (math.log(10) - 1) * 3.6**0.6
    frequent, rare = 1 + C * 12.6**-0.6, 1 + C * 3.6**-0.6
    metrics = evaluate(P, Y, Y_train, ks=(1,), propensity=params).metrics
    assert metrics["PSP@1"] == pytest.approx((frequent + frequent) / (frequent + rare))


def test_ties_go_to_the_lower_label_whatever_the_order_of_storage():
    P = csr_matrix((np.array([1.0, 1.0, 1.0]), np.array([2, 0, 1]), np.array([0, 3])), shape=(1, 3))
    for label in range(3):
        Y = csr_array((np.ones(1), ([0], [label])), shape=(1, 3))
        assert evaluate(P, Y, Y, ks=(1,), recall_ks=(label + 1,)).metrics[f"R@{label + 1}"] == 1
    assert evaluate(P, csr_array([[1, 0, 0]]), csr_array([[1, 0, 0]]), ks=(1,)).metrics["P@1"] == 1


def test_negative_and_zero_scores_that_are_stored_are_ranked():
    P = csr_array((np.array([-3.0, 0.0]), ([0, 0], [0, 1])), shape=(1, 3))
    metrics = evaluate(P, csr_array([[1, 0, 0]]), csr_array([[1, 0, 0]]), ks=(1, 2), recall_ks=(2,)).metrics
    assert (metrics["P@1"], metrics["P@2"], metrics["R@2"]) == (0, 0.5, 1)


def test_stored_zeros_of_the_truth_are_no_labels():
    Y = csr_array((np.array([0.0, 1.0]), ([0, 0], [0, 1])), shape=(1, 2))
    metrics = evaluate(csr_array([[2.0, 1.0]]), Y, Y, ks=(1,), recall_ks=(1, 2)).metrics
    assert (metrics["P@1"], metrics["R@1"], metrics["R@2"]) == (0, 0, 1)


def test_labels_unseen_in_training_are_counted_and_missed():
    Y_train = csr_array([[1, 1, 0, 0]])
    Y = csr_array([[1, 0, 1, 0], [0, 0, 1, 0], [0, 0, 0, 0]])
    P = csr_array([[0.9, 0.2, 0, 0], [0.9, 0, 0, 0], [0, 0, 0, 0]])
    evaluation = evaluate(P, Y, Y_train, recall_ks=(3,))
    assert evaluation.metrics["R@3"] == pytest.approx((1 / 2 + 0) / 2)
    assert evaluation.counts == {
        "documents": 3,
        "documents_without_labels": 1,
        "documents_without_predictions": 1,
        "labels": 4,
        "labels_unseen_in_training": 2,
        "true_labels": 2,
        "true_labels_unseen_in_training": 1,
        "true_occurrences": 3,
        "true_occurrences_unseen_in_training": 2,
        "head_labels": 1,
        "head_true_occurrences": 1,
        "torso_labels": 1,
        "torso_true_occurrences": 0,
        "tail_labels": 2,
        "tail_true_occurrences": 2,
    }


def test_what_is_undefined_is_nan_and_null_in_json():
    nothing = csr_array((2, 3), dtype=np.float32)
    evaluation = evaluate(csr_array(np.eye(2, 3)), nothing, nothing, ks=(1,))
    assert evaluation.metrics["P@1"] == 0
    assert math.isnan(evaluation.metrics["R@10"])
    content = evaluation.to_dict()
    assert content["metrics"] == {
        "P@1": 0.0, "nDCG@1": None, "PSP@1": None, "PSnDCG@1": None, "coverage@1": None, "R@10": None
    }  # fmt: skip
    assert content["by_frequency"].keys() == set(BANDS)
    assert content["counts"]["documents"] == 2


def test_training_frequencies_stand_in_for_the_training_matrix():
    rng = np.random.default_rng(0)
    P, Y, Y_train = (csr_array(rng.random((9, 5)) * (rng.random((9, 5)) < 0.5)) for _ in range(3))
    assert evaluate(P, Y, LabelFrequencies.of(Y_train)) == evaluate(P, Y, Y_train)


def test_more_documents_of_the_same_kind_change_nothing():
    rng = np.random.default_rng(1)
    P, Y, Y_train = (csr_array(rng.random((9, 5)) * (rng.random((9, 5)) < 0.5)) for _ in range(3))
    once, twice = evaluate(P, Y, Y_train), evaluate(vstack([P, P]), vstack([Y, Y]), Y_train)
    assert twice.metrics == pytest.approx(once.metrics)


def test_curves_hold_the_metrics_of_every_cutoff():
    rng = np.random.default_rng(2)
    P, Y, Y_train = (csr_array(rng.random((20, 8)) * (rng.random((20, 8)) < 0.5)) for _ in range(3))
    result = curves(P, Y, Y_train, max_k=6)
    metrics = evaluate(P, Y, Y_train, range(1, 7), range(1, 7)).metrics
    assert result.pop("k") == [1, 2, 3, 4, 5, 6]
    for name, values in result.items():
        assert values == [metrics[f"{name}@{k}"] for k in range(1, 7)]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"P": csr_array((2, 4))}, "P must have 3 columns"),
        ({"P": csr_array((1, 3))}, "P must have 2 rows"),
        ({"Y_train": csr_array((2, 4))}, "Y_train must have 3 labels like Y_true, but has 4"),
        ({"P": csr_array((0, 3)), "Y_true": csr_array((0, 3))}, "at least one document"),
        ({"ks": (0, 1)}, "cut-offs must be given and at least 1"),
        ({"ks": (), "recall_ks": ()}, "cut-offs must be given and at least 1"),
        ({"P": csr_array([[math.nan, 0, 0], [0, 0, 0]])}, "P: values must be finite"),
    ],
)
def test_input_that_makes_no_sense_is_refused(change, message):
    arguments = {"P": csr_array((2, 3)), "Y_true": csr_array((2, 3)), "Y_train": csr_array((5, 3)), **change}
    with pytest.raises(ValueError, match=message):
        evaluate(**arguments)
