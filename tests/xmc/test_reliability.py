import numpy as np
import pytest

from larix.xmc.reliability import ReliabilityBin, reliability

P = np.array([[0.95, 0.15], [0.91, 0.0], [0.11, 0.5]])
Y = np.array([[1, 0], [0, 0], [1, 1]])


def test_bins_and_gaps_by_hand():
    found = reliability(P, Y, n_bins=2)
    assert [(b.low, b.high, b.n) for b in found.bins] == [(0, 0.5, 2), (0.5, 1, 3)]
    low, high = found.bins
    assert low.mean_score == pytest.approx(0.13)
    assert low.share_right == 0.5
    assert high.mean_score == pytest.approx((0.95 + 0.91 + 0.5) / 3)
    assert high.share_right == pytest.approx(2 / 3)
    gaps = [0.37, (0.95 + 0.91 + 0.5 - 2) / 3]
    assert found.ece == pytest.approx((2 * gaps[0] + 3 * gaps[1]) / 5)
    assert found.worst_gap == pytest.approx(0.37)
    assert found.brier == pytest.approx((0.05**2 + 0.91**2 + 0.5**2 + 0.15**2 + 0.89**2) / 5)
    assert found.n == 5


def test_only_the_first_predictions_count_with_k():
    found = reliability(P, Y, k=1, n_bins=10)
    assert found.n == 3
    assert found.bins[0] == ReliabilityBin(0.5, 0.6, 1, 0.5, 1.0)


def test_a_score_of_one_falls_into_the_last_bin():
    assert reliability([[1.0]], [[1]]).bins == [ReliabilityBin(0.9, 1.0, 1, 1.0, 1.0)]


def test_plain_values_hold_everything():
    plain = reliability(P, Y).to_dict()
    assert set(plain) == {"ece", "worst_gap", "brier", "n", "bins"}
    assert sum(b["n"] for b in plain["bins"]) == plain["n"] == 5


def test_scores_that_are_no_probabilities_are_refused():
    with pytest.raises(ValueError, match=r"scores must lie in 0\.\.1 .* calibrate them first"):
        reliability([[1.5]], [[1]])
    with pytest.raises(ValueError, match="P is empty"):
        reliability([[0.0]], [[1]])
    with pytest.raises(ValueError, match="n_bins must be at least 1"):
        reliability(P, Y, n_bins=0)
