import math

import numpy as np
import pytest
from scipy.sparse import csr_array

from larix.xmc.label_quality import FrequencyBin, LabelQuality, label_quality, quality_by_frequency
from larix.xmc.metrics import evaluate


def test_counts_of_every_label_by_hand():
    P = csr_array([[3.0, 2, 1, 0], [0, 2, 3, 1], [1, 0, 0, 0]])
    Y = csr_array([[1, 0, 1, 0], [0, 1, 0, 0], [0, 0, 0, 1]])
    Y_train = csr_array([[1, 1, 1, 0], [1, 0, 0, 0]])
    quality = label_quality(P, Y, Y_train, k=2)
    assert quality.n_training.tolist() == [2, 1, 1, 0]
    assert quality.n_true.tolist() == [1, 1, 1, 1]
    assert quality.n_predicted.tolist() == [2, 2, 1, 0]
    assert quality.n_correct.tolist() == [1, 1, 0, 0]
    assert quality.recall.tolist() == [1, 1, 0, 0]
    np.testing.assert_array_equal(quality.precision, [0.5, 0.5, 0, math.nan])


def test_counts_agree_with_the_averaged_metrics():
    rng = np.random.default_rng(0)
    P, Y, Y_train = (csr_array(rng.random((40, 12)) * (rng.random((40, 12)) < 0.4)) for _ in range(3))
    quality, metrics = label_quality(P, Y, Y_train, k=3), evaluate(P, Y, Y_train).metrics
    assert quality.n_correct.sum() / (40 * 3) == pytest.approx(metrics["P@3"])
    assert (quality.n_correct > 0).sum() / (quality.n_true > 0).sum() == pytest.approx(metrics["coverage@3"])


def test_worst_labels_miss_most_then_have_the_lower_recall():
    quality = LabelQuality(
        k=5,
        n_training=np.zeros(5, int),
        n_true=np.array([3, 9, 5, 9, 2]),
        n_predicted=np.zeros(5, int),
        n_correct=np.array([3, 5, 1, 2, 0]),
    )
    assert quality.worst(10).tolist() == [3, 2, 1, 4]
    assert quality.worst(1).tolist() == [3]


def test_frequency_bins_double():
    counts = np.array([0, 1, 1, 2, 3, 4, 7, 8, 100])
    quality = LabelQuality(5, counts, np.full(9, 4), np.full(9, 2), np.arange(9) % 3)
    bins = quality_by_frequency(quality)
    assert [(b.low, b.high, b.n_labels) for b in bins] == [
        (0, 0, 1), (1, 1, 2), (2, 3, 2), (4, 7, 2), (8, 15, 1), (64, 127, 1)
    ]  # fmt: skip
    assert bins[1] == FrequencyBin(1, 1, n_labels=2, n_true=8, n_predicted=4, n_correct=3)
    assert bins[1].recall == 3 / 8
    assert bins[1].precision == 3 / 4


def test_bins_without_truth_or_predictions_have_no_quality():
    empty = FrequencyBin(0, 0, n_labels=1, n_true=0, n_predicted=0, n_correct=0)
    assert math.isnan(empty.recall)
    assert math.isnan(empty.precision)
