"""Taking a model apart again; its stages' own contract is tested with the whole."""

import numpy as np
import pytest

from larix import ClusteringParams, SearchParams, SolverParams, XRLinear
from tests.xmc.data import documents, random_tree


@pytest.fixture(scope="module")
def data():
    return documents(300, 60, 40, seed=5)


@pytest.mark.parametrize("fan_outs", [[], [6], [3, 9]])
def test_a_model_taken_apart_and_joined_again_is_the_same(data, fan_outs):
    X, Y = data
    model = XRLinear(ranker_negatives="tfn+man").fit(X, Y, random_tree(40, fan_outs, seed=1, n_copies=5))
    matcher, ranker = model.to_stages()
    joined = XRLinear.from_stages(matcher, ranker)
    assert all(np.array_equal(a, b) for a, b in zip(
        joined.weights_.arrays().values(), model.weights_.arrays().values(), strict=True
    ))  # fmt: skip
    assert joined.predict(X).data.tobytes() == model.predict(X).data.tobytes()
    staged = ranker.predict(X, matcher.predict(X))
    np.testing.assert_allclose(staged.toarray(), model.predict(X).toarray(), rtol=1e-5, atol=1e-7)


def test_stages_keep_the_settings_of_their_levels(data):
    solvers = (SolverParams(Cp=2.0), SolverParams(Cp=3.0), SolverParams(Cp=4.0))
    model = XRLinear(
        clustering=ClusteringParams(branching=4, max_leaf_size=5),
        solver=solvers,
        search=SearchParams(beam_size=3, post_processor=("sigmoid", "l2-hinge", "noop")),
        matcher_negatives=("tfn", "man"),
    ).fit(*data)
    matcher, ranker = model.to_stages()
    assert matcher.solver == solvers[:2]
    assert ranker.solver == solvers[2]
    assert matcher.search.post_processor == ("sigmoid", "l2-hinge")
    assert ranker.search.post_processor == "noop"
    assert matcher.negatives == ("tfn", "man")
    joined = XRLinear.from_stages(matcher, ranker)
    assert joined.predict(data[0]).data.tobytes() == model.predict(data[0]).data.tobytes()
