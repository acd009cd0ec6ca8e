import numpy as np
import pytest

from larix import ConformalThreshold, DocumentMemory, IsotonicCalibrator, XRLinear, evaluate
from larix.xmc.document_memory import MemoryParams
from larix.xmc.label_frequency import LabelFrequencies
from larix.xmc.propensity_reranking import rerank_by_propensity
from larix.xmc.refinement import Refinement
from larix.xmc.reliability import reliability
from larix.xmc.sparse import top_k_per_row
from larix.xmc.voting import blend
from tests.xmc.data import documents


@pytest.fixture(scope="module")
def data():
    X, Y = documents(900, 80, 60, seed=0)
    return (X[:400], Y[:400]), (X[400:700], Y[400:700]), (X[700:], Y[700:])


@pytest.fixture(scope="module")
def model(data):
    return XRLinear().fit(*data[0])


@pytest.fixture(scope="module")
def parts(data):
    memory = DocumentMemory(MemoryParams(weight=0.3)).fit(*data[0])
    return {"memory": memory, "alpha": 0.2, "frequencies": LabelFrequencies.of(data[0][1])}


def test_without_parts_predictions_are_the_models_own(data, model):
    X = data[2][0]
    refined, own = (
        Refinement().predict(model, X, top_k=7, beam_size=3),
        model.predict(X, top_k=7, beam_size=3),
    )
    assert refined.data.tobytes() == own.data.tobytes()
    assert Refinement().shown(refined) is refined


def test_parts_act_in_their_order(data, model, parts):
    X, refinement = data[2][0], Refinement(**parts)
    P = blend(model.predict(X, top_k=20), parts["memory"].predict(X), 0.3)
    expected = top_k_per_row(rerank_by_propensity(P, parts["frequencies"], 0.2), 5)
    ranked = refinement.rank(model, X, top_k=5)
    np.testing.assert_allclose(ranked.toarray(), expected.toarray(), rtol=1e-5)
    ranked = refinement.rank(model, X, top_k=5)  # scipy sorted the labels of the last one by number
    learnt = refinement.learn(
        refinement.rank(model, data[1][0], top_k=20), data[1][1],
        calibrator=IsotonicCalibrator(), threshold=ConformalThreshold(guarantee="precision", level=0.8),
    )  # fmt: skip
    P = learnt.predict(model, X, top_k=5)
    assert P.data.tobytes() == learnt.calibrator.transform(ranked).data.tobytes()
    assert np.array_equal(learnt.shown(P).indices, P.indices[P.data >= learnt.threshold.threshold_])


def test_refined_scores_are_probabilities_with_the_guarantee(data, model, parts):
    (X_held, Y_held), (X_test, Y_test) = data[1:]
    refinement = Refinement(memory=parts["memory"])
    held = refinement.rank(model, X_held, top_k=20)
    threshold = ConformalThreshold(guarantee="precision", level=0.8)
    learnt = refinement.learn(held, Y_held, calibrator=IsotonicCalibrator(), threshold=threshold)
    P = learnt.predict(model, X_test, top_k=20)
    raw, calibrated = (reliability(scores, Y_test, k=5).ece for scores in (model.predict(X_test), P))
    assert calibrated < min(raw, 0.06)
    shown = learnt.shown(P)
    hits = np.asarray(Y_test[np.repeat(np.arange(200), np.diff(shown.indptr)), shown.indices]) > 0
    assert hits.mean() > 0.8
    assert learnt.threshold.n_documents_ == 150


def test_calibration_alone_changes_no_ranking(data, model):
    (X_held, Y_held), (X_test, Y_test) = data[1:]
    learnt = Refinement().learn(model.predict(X_held), Y_held, calibrator=IsotonicCalibrator())
    P = learnt.predict(model, X_test, top_k=10)
    assert np.array_equal(P.indices, model.predict(X_test, top_k=10).indices)
    assert evaluate(P, Y_test, Y_test).metrics == evaluate(model.predict(X_test), Y_test, Y_test).metrics


def test_a_saved_refinement_refines_the_same(data, model, parts, tmp_path):
    refinement = Refinement(**parts).learn(
        Refinement(**parts).rank(model, data[1][0], top_k=20), data[1][1],
        calibrator=IsotonicCalibrator(), threshold=ConformalThreshold(level=0.5),
    )  # fmt: skip
    for number, some in enumerate((refinement, Refinement(), Refinement(memory=parts["memory"]))):
        some.save(tmp_path / str(number))
        loaded = Refinement.load(tmp_path / str(number))
        before, after = (r.shown(r.predict(model, data[2][0], top_k=5)) for r in (some, loaded))
        assert before.data.tobytes() == after.data.tobytes()
        assert np.array_equal(before.indices, after.indices)


def test_parts_that_lack_something_are_refused():
    with pytest.raises(ValueError, match=r"alpha = 0\.5 needs the labels' training frequencies"):
        Refinement(alpha=0.5)
    with pytest.raises(ValueError, match="alpha must be at least 0 and finite, but is -1"):
        Refinement(alpha=-1)
    with pytest.raises(ValueError, match="n_candidates must be at least 1, but is 0"):
        Refinement(n_candidates=0)
