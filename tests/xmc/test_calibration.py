import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.isotonic import IsotonicRegression

from larix import IsotonicCalibrator, evaluate
from larix.xmc.persistence import ModelFolderError
from larix.xmc.reliability import reliability
from larix.xmc.sparse import csr_from_parts


def predictions(n, n_labels=30, k=6, seed=0, power=2.0):
    """Ranked scores s that are right with probability s ** power."""
    rng = np.random.default_rng(seed)
    labels = np.argsort(rng.random((n, n_labels)), axis=1)[:, :k]
    scores = -np.sort(-rng.random((n, k)).astype(np.float32), axis=1)
    right = rng.random((n, k)) < scores**power
    Y = np.zeros((n, n_labels), np.float32)
    np.put_along_axis(Y, labels, right, axis=1)
    return csr_from_parts(scores.ravel(), labels.ravel(), np.arange(n + 1) * k, (n, n_labels)), sp.csr_array(
        Y
    )


@pytest.mark.parametrize("by", ["rank", "pooled"])
def test_calibrated_scores_are_probabilities_of_new_documents(by):
    calibrator = IsotonicCalibrator(by=by, max_rank=3).fit(*predictions(4000, seed=1))
    P, Y = predictions(4000, seed=2)
    assert reliability(P, Y).ece > 0.15
    calibrated = calibrator.transform(P)
    assert reliability(calibrated, Y).ece < 0.02
    assert np.abs(calibrated.data - P.data**2).mean() < 0.02


def test_pooled_probabilities_are_those_of_isotonic_regression():
    P, Y = predictions(500, seed=3)
    hits = np.asarray(Y[np.repeat(np.arange(500), 6), P.indices])
    regression = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip").fit(
        np.concatenate([[P.data.max()], P.data, [P.data.min()]]), np.concatenate([[0], hits, [1]])
    )
    calibrated = IsotonicCalibrator(by="pooled").fit(P, Y).transform(P)
    np.testing.assert_allclose(calibrated.data, regression.predict(P.data), rtol=1e-5)


def test_probabilities_by_hand():
    # Two of three at 0.8 and the added miss make 2/4; one of two at 0.1 and the added hit 2/3: pooled, 4/7.
    P = np.array([[0.8, 0], [0.8, 0], [0.8, 0], [0, 0.1], [0, 0.1]])
    Y = np.array([[1, 0], [1, 0], [0, 0], [0, 1], [0, 0]])
    assert IsotonicCalibrator().fit(P, Y).transform(P[:1]).data.tolist() == pytest.approx([4 / 7])
    Y[3, 1] = 0
    calibrator = IsotonicCalibrator().fit(P, Y)
    probabilities = calibrator.transform(P[[0, 3]]).data.tolist()
    assert probabilities == pytest.approx([1 / 2, 1 / 3])


def test_every_rank_has_its_own_function():
    rng = np.random.default_rng(0)
    n = 3000
    P = np.column_stack([np.full(n, 0.6), np.full(n, 0.5), np.full(n, 0.4)])
    Y = rng.random((n, 3)) < [0.9, 0.5, 0.1]
    by_rank = IsotonicCalibrator(max_rank=2).fit(P, Y)
    assert len(by_rank.functions_) == 3
    np.testing.assert_allclose(by_rank.transform(P[:1]).data, [0.9, 0.5, 0.1], atol=0.03)
    # a row with one label has rank 1, whatever its score
    assert by_rank.transform([[0, 0, 0.4]]).data[0] == pytest.approx(0.9, abs=0.03)


@given(seed=st.integers(0, 10_000), by=st.sampled_from(["rank", "pooled"]), n=st.integers(1, 30))
@settings(max_examples=40, deadline=None)
def test_order_stays_and_probabilities_fall_strictly(seed, by, n):
    P, Y = predictions(n, seed=seed)
    P.data = np.round(P.data, 1)  # ties
    calibrator = IsotonicCalibrator(by=by, max_rank=2).fit(P, Y)
    other, truth = predictions(20, seed=seed + 1)
    calibrated = calibrator.transform(other)
    assert np.array_equal(calibrated.indices, other.indices)
    assert np.all(np.diff(calibrated.data.reshape(20, 6), axis=1) < 0)
    assert 0 < calibrated.data.min() <= calibrated.data.max() < 1
    assert evaluate(calibrated, truth, truth).metrics == evaluate(other, truth, truth).metrics


def test_rows_may_be_shorter_or_longer_than_in_fitting():
    calibrator = IsotonicCalibrator(max_rank=5).fit([[0.9, 0.2], [0.7, 0.1]], [[1, 0], [0, 1]])
    assert len(calibrator.functions_) == 2
    assert calibrator.transform([[0.9, 0.3, 0.2, 0.1], [0, 0, 0, 0]]).shape == (2, 4)


def test_negative_scores_are_calibrated_too():
    P, Y = predictions(2000, seed=4)
    P.data = np.log(P.data)
    calibrated = IsotonicCalibrator().fit(P, Y).transform(P)
    assert reliability(calibrated, Y).ece < 0.01


def test_a_saved_calibrator_gives_the_same_bytes(tmp_path):
    P, Y = predictions(300)
    calibrator = IsotonicCalibrator(max_rank=2).fit(P, Y)
    calibrator.save(tmp_path / "calibrator")
    loaded = IsotonicCalibrator.load(tmp_path / "calibrator")
    assert loaded.get_params() == calibrator.get_params()
    assert loaded.transform(P).data.tobytes() == calibrator.transform(P).data.tobytes()


def test_functions_that_fall_are_refused(tmp_path):
    calibrator = IsotonicCalibrator(by="pooled").fit(*predictions(50))
    scores, probabilities = calibrator.functions_[0]
    calibrator.functions_ = [(scores, probabilities[::-1])]
    calibrator.save(tmp_path / "calibrator")
    with pytest.raises(ValueError, match="must rise with rising scores"):
        IsotonicCalibrator.load(tmp_path / "calibrator")
    with pytest.raises(ModelFolderError):
        IsotonicCalibrator.load(tmp_path / "nowhere")


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match="by must be one of rank, pooled, but is 'label'"):
        IsotonicCalibrator(by="label").fit([[1.0]], [[1]])
    with pytest.raises(ValueError, match="max_rank must be at least 1, but is 0"):
        IsotonicCalibrator(max_rank=0).fit([[1.0]], [[1]])
    with pytest.raises(ValueError, match="calibration needs predictions, but P is empty"):
        IsotonicCalibrator().fit([[0.0]], [[1]])
    with pytest.raises(Exception, match="not fitted yet"):
        IsotonicCalibrator().transform([[1.0]])
