import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from larix import ConformalThreshold
from larix.xmc.sparse import csr_from_parts
from tests.xmc.test_calibration import predictions


def losses(shown, Y, guarantee):
    """Share of labels not shown, or of wrong ones shown; slow and plain."""
    found = []
    for row, truth in zip(shown.toarray() > 0, Y.toarray() > 0, strict=True):
        part, whole = (truth & ~row, truth) if guarantee == "recall" else (row & ~truth, row)
        found.append(part.sum() / max(whole.sum(), 1))
    return np.array(found)


def best_threshold_by_hand(P, Y, guarantee, level):
    """Try every score; the precision loss is the largest over stricter thresholds."""
    n, worst, best = P.shape[0], np.zeros(P.shape[0]), None
    for t in sorted(set(P.data.tolist()), reverse=True):
        shown = sp.csr_array(np.where(P.toarray() >= t, P.toarray(), 0))
        loss = losses(shown, Y, guarantee)
        worst = np.maximum(worst, loss) if guarantee == "precision" else loss
        if (worst.sum() + 1) / (n + 1) <= 1 - level + 1e-9:
            best = t
            if guarantee == "recall":
                return best
    return float("inf") if best is None and guarantee == "precision" else best


@given(
    seed=st.integers(0, 10_000),
    guarantee=st.sampled_from(["recall", "precision"]),
    level=st.sampled_from([0.3, 0.5, 0.6, 0.7, 0.8, 0.9]),
    n=st.integers(10, 40),
    ties=st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_thresholds_are_those_found_by_trying_all(seed, guarantee, level, n, ties):
    P, Y = predictions(n, n_labels=8, k=5, seed=seed, power=1.0)
    P.data = np.round(P.data, 1 if ties else 3) + np.float32(0.25)
    expected = best_threshold_by_hand(P, Y, guarantee, level)
    conformal = ConformalThreshold(guarantee=guarantee, level=level)
    if expected is None:
        with pytest.raises(ValueError, match="can't be guaranteed"):
            conformal.fit(P, Y)
    else:
        assert conformal.fit(P, Y).threshold_ == pytest.approx(expected)


@pytest.mark.parametrize(("guarantee", "level"), [("recall", 0.8), ("recall", 0.5), ("precision", 0.6)])
@pytest.mark.parametrize("n", [12, 60])
def test_the_guarantee_holds_on_average_over_draws(guarantee, level, n):
    found = []
    for draw in range(400):
        P, Y = predictions(n + 20, n_labels=12, k=8, seed=draw, power=1.0)
        conformal = ConformalThreshold(guarantee=guarantee, level=level).fit(P[:n], Y[:n])
        found.append(losses(conformal.transform(P[n:]), Y[n:], guarantee).mean())
    error = np.std(found) / np.sqrt(len(found))
    assert np.mean(found) <= 1 - level + 3 * error
    if guarantee == "recall":  # exact up to the correction and the step between thresholds
        assert np.mean(found) >= 1 - level - 2 / (n + 1) - 3 * error - 0.02


def test_without_the_correction_few_documents_would_break_the_guarantee():
    P, Y = predictions(4000, n_labels=12, k=8, seed=1, power=1.0)
    few = [ConformalThreshold(level=0.8).fit(P[a : a + 8], Y[a : a + 8]).threshold_ for a in range(0, 800, 8)]
    many = ConformalThreshold(level=0.8).fit(P, Y).threshold_
    assert np.mean(few) < many


def test_documents_without_labels_lose_no_recall():
    P = np.tile([[0.9, 0.1]], (30, 1))
    Y = np.zeros((30, 2))
    assert ConformalThreshold(level=0.9).fit(P, Y).threshold_ == pytest.approx(0.9)
    Y[:, 1] = 1
    assert ConformalThreshold(level=0.9).fit(P, Y).threshold_ == pytest.approx(0.1)


def test_a_precision_out_of_reach_shows_nothing():
    P, Y = np.full((50, 2), 0.5), np.zeros((50, 2))
    conformal = ConformalThreshold(guarantee="precision", level=0.9).fit(P, Y)
    assert conformal.threshold_ == float("inf")
    assert conformal.transform(P).nnz == 0


def test_scores_at_the_threshold_are_kept_in_order():
    conformal = ConformalThreshold(level=0.9)
    conformal.fit(np.tile([[0.9, 0.4, 0.1]], (50, 1)), np.tile([[1, 1, 0]], (50, 1)))
    kept = conformal.transform(np.array([[0.4, 0.2, 0.9], [0.3, 0.0, 0.0], [0.5, 0.6, 0.7]], np.float32))
    assert kept.indptr.tolist() == [0, 2, 2, 5]
    assert kept.indices.tolist() == [2, 0, 2, 1, 0]


@pytest.mark.parametrize("guarantee", ["recall", "precision"])
def test_a_saved_threshold_keeps_the_same(guarantee, tmp_path):
    P, Y = predictions(100, n_labels=12, k=8)
    conformal = ConformalThreshold(guarantee=guarantee, level=0.6).fit(P, Y)
    conformal.save(tmp_path / "threshold")
    loaded = ConformalThreshold.load(tmp_path / "threshold")
    assert loaded.get_params() == conformal.get_params()
    assert (loaded.threshold_, loaded.n_documents_) == (conformal.threshold_, 100)
    assert np.array_equal(loaded.transform(P).indices, conformal.transform(P).indices)


def test_what_cannot_be_guaranteed_says_what_would_help():
    P = csr_from_parts(np.array([0.5], np.float32), np.array([0]), np.array([0, 1]), (1, 2))
    with pytest.raises(
        ValueError, match=r"precision of 0\.9 needs at least 9 held-out documents, but there are 1"
    ):
        ConformalThreshold(guarantee="precision", level=0.9).fit(P, P)
    with pytest.raises(
        ValueError, match=r"recall of 0\.9 can't be guaranteed: all predictions .* reach 0\.5000"
    ):
        ConformalThreshold(level=0.9).fit(P, P)
    with pytest.raises(ValueError, match="level must lie between 0 and 1, but is 1"):
        ConformalThreshold(level=1).fit(P, P)
    with pytest.raises(ValueError, match="guarantee must be one of recall, precision, but is 'F1'"):
        ConformalThreshold(guarantee="F1").fit(P, P)
    with pytest.raises(Exception, match="not fitted yet"):
        ConformalThreshold().transform(P)
