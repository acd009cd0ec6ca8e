import numpy as np
import pytest
import scipy.sparse as sp

from larix import SearchParams, XRLinear, evaluate, explain
from larix.xmc.level_calibration import LevelCalibrator
from larix.xmc.reliability import reliability
from tests.xmc.data import documents, random_tree


@pytest.fixture(scope="module")
def data():
    X, Y = documents(1500, 80, 60, seed=0)
    return [(X[a:b], Y[a:b]) for a, b in ((0, 500), (500, 1100), (1100, 1500))]


def fitted(data, fan_outs=(4, 12), n_copies=0):
    tree = random_tree(60, list(fan_outs), seed=1, n_copies=n_copies)
    return XRLinear(search=SearchParams(top_k=20)).fit(*data[0], tree)


@pytest.fixture(scope="module")
def model(data):
    return fitted(data)


@pytest.fixture(scope="module")
def calibrator(data, model):
    return LevelCalibrator().fit(model, *data[1], model.predict(data[1][0]))


def test_products_of_levels_are_probabilities_and_rank_no_worse(data, model, calibrator):
    X, Y = data[2]
    P = model.predict(X)
    calibrated = calibrator.transform(model, X, P)
    assert reliability(calibrated, Y, k=5).ece < min(0.05, reliability(P, Y, k=5).ece)
    before, after = (evaluate(scores, Y, Y).metrics["nDCG@5"] for scores in (P, calibrated))
    assert after > before - 0.02


def test_a_probability_is_the_product_of_its_steps(data, model, calibrator):
    x = data[2][0][[3]]
    calibrated = calibrator.transform(model, x, model.predict(x)).toarray().ravel()
    for label in model.predict(x).indices[:8]:
        (path,) = explain(model, x, int(label)).paths
        chances = [
            np.interp(step.margin, *function)
            for step, function in zip(path.steps, calibrator.functions_, strict=True)
        ]
        assert calibrated[label] == pytest.approx(np.prod(chances), rel=1e-4)


def test_functions_are_learnt_where_the_parent_is_right(data, model, calibrator):
    X, Y = data[1]
    P = model.predict(X)
    for margins, chances in calibrator.functions_:
        assert np.all(np.diff(margins) > 0)
        assert 0 <= chances[0] <= chances[-1] <= 1
    again = LevelCalibrator().fit(model, X[::-1], Y[::-1], P[::-1])
    for (a, b), (c, d) in zip(calibrator.functions_, again.functions_, strict=True):
        assert np.array_equal(a, c)
        np.testing.assert_allclose(b, d)


@pytest.mark.parametrize(("fan_outs", "n_copies"), [((), 0), ((6,), 0), ((4, 12), 20)])
def test_every_shape_of_tree_is_calibrated(data, fan_outs, n_copies):
    model = fitted(data, fan_outs, n_copies)
    X, Y = data[1]
    P = model.predict(X)
    calibrated = LevelCalibrator().fit(model, X, Y, P).transform(model, X, P)
    assert all(np.all(np.diff(row) <= 0) for row in np.split(calibrated.data, calibrated.indptr[1:-1]))
    assert np.array_equal((calibrated > 0).toarray(), (P > 0).toarray())
    assert 0 < calibrated.data.min() <= calibrated.data.max() < 1


def test_a_saved_calibrator_gives_the_same_bytes(data, model, calibrator, tmp_path):
    X = data[2][0]
    P = model.predict(X)
    calibrator.save(tmp_path / "calibrator")
    loaded = LevelCalibrator.load(tmp_path / "calibrator")
    assert loaded.transform(model, X, P).data.tobytes() == calibrator.transform(model, X, P).data.tobytes()


def test_bad_input_is_refused(data, model, calibrator):
    X, Y = data[1]
    with pytest.raises(ValueError, match="calibration needs predictions, but P is empty"):
        LevelCalibrator().fit(model, X, Y, sp.csr_array(Y.shape))
    with pytest.raises(ValueError, match="must have the 3 levels that were calibrated, but has 2"):
        calibrator.transform(fitted(data, (6,)), X, model.predict(X))
    with pytest.raises(ValueError, match="P must have 60 columns, but has 59"):
        LevelCalibrator().fit(model, X, Y, Y[:, :59])
