import numpy as np
import pytest
import scipy.sparse as sp

from larix import ClusteringParams, Ensemble, XRLinear, combine_predictions, evaluate
from tests.xmc.data import documents

FIRST = sp.csr_array(np.array([[0.9, 0.5, 0, 0], [0, 0, 0, 0]], np.float32))
SECOND = sp.csr_array(np.array([[0, 0.8, 0.1, 0], [0, 0, 0.3, 0]], np.float32))


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("average", [[0.45, 0.65, 0.05, 0], [0, 0, 0.15, 0]]),
        ("rank_average", [[0.5, 0.75, 0.25, 0], [0, 0, 0.5, 0]]),
        ("sigmoid_average", [[0.355475, 0.656217, 0.26249, 0], [0, 0, 0.287221, 0]]),
        ("softmax_average", [[0.299344, 0.534750, 0.165906, 0], [0, 0, 0.5, 0]]),
        ("round_robin", [[1, 1 / 2, 1 / 4, 0], [0, 0, 1 / 2, 0]]),
    ],
)
def test_rules_by_hand(rule, expected):
    np.testing.assert_allclose(combine_predictions([FIRST, SECOND], rule).toarray(), expected, atol=1e-5)


def test_the_best_come_first_and_only_so_many():
    joined = combine_predictions([FIRST, SECOND], top_k=2)
    assert joined.indices.tolist() == [1, 0, 2]


def test_an_ensemble_of_trees_beats_its_average_member_and_survives_saving(tmp_path):
    X, Y = documents(900, 80, 60, seed=0)
    members = [
        XRLinear(clustering=ClusteringParams(branching=branching, max_leaf_size=6), random_state=seed)
        for seed, branching in enumerate((2, 4, 8))
    ]
    ensemble = Ensemble(members).fit(X[:400], Y[:400])

    def quality(model):
        return evaluate(model.predict(X[400:]), Y[400:], Y[:400]).metrics["nDCG@5"]

    assert quality(ensemble) > np.mean([quality(model) for model in ensemble.models_])
    ensemble.save(tmp_path / "model")
    loaded = Ensemble.load(tmp_path / "model")
    assert loaded.predict(X[400:]).data.tobytes() == ensemble.predict(X[400:]).data.tobytes()
    assert loaded.size_bytes() == sum(model.size_bytes() for model in ensemble.models_)


def test_trained_models_join_as_they_are():
    X, Y = documents(200, 40, 20, seed=0)
    models = [XRLinear(random_state=seed).fit(X, Y) for seed in range(2)]
    ensemble = Ensemble.of(models, "rank_average")
    assert ensemble.models_ == models
    assert ensemble.n_features_in_ == 40
    assert (ensemble.tree_, ensemble.search) == (models[0].tree_, models[0].search)
    expected = combine_predictions([model.predict(X) for model in models], "rank_average", top_k=10)
    assert ensemble.predict(X).data.tobytes() == expected.data.tobytes()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: combine_predictions([]), "at least one prediction"),
        (lambda: combine_predictions([FIRST], "mean"), "rule must be one of average, rank_average"),
        (lambda: combine_predictions([FIRST, FIRST[:1]]), r"one shape, but have \(2, 4\), \(1, 4\)"),
        (lambda: Ensemble.of([], "mean"), "rule must be one of average"),
        (lambda: Ensemble([]).fit(FIRST, FIRST), "at least one model"),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
