import json
from functools import cache
from typing import get_args

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from larix import DocumentMemory, SearchParams, XRLinear, explain
from larix.xmc.beam_search import PostProcessor, SearchPlan
from tests.xmc.data import documents, random_tree


@pytest.fixture(scope="module")
def data():
    return documents(400, 60, 50, seed=7)


def fitted(data, fan_outs=(4, 12), n_copies=0, **search):
    tree = random_tree(50, list(fan_outs), seed=3, n_copies=n_copies)
    return XRLinear(search=SearchParams(**search)).fit(*data, tree)


@pytest.fixture(scope="module")
def model(data):
    return fitted(data, n_copies=15, beam_size=3)


@cache
def overlapping():
    """A model and its instances, for a test that draws many settings of the search."""
    data = documents(400, 60, 50, seed=7)
    return fitted(data, n_copies=15), data[0]


def margins_of_search(model, x):
    """Margins of every node as the compiled search computes them, level by level."""
    depth, margins = model.tree_.depth, []
    for level in range(depth):
        n_parents = sum(model.tree_.n_nodes(t) for t in range(level)) + (level < depth)
        weights = model.weights_.of_parents(0, n_parents if level else 1)
        n = model.tree_.n_nodes(level)
        plan = SearchPlan(weights, 1, ("l3-hinge",) * level + ("noop",), np.arange(n), n)
        margins.append(plan.run(x, 10**6, n).toarray().ravel())
    return margins


@pytest.mark.parametrize("fan_outs", [(), (6,), (4, 12)])
def test_contributions_add_up_to_the_margins_of_the_search(data, fan_outs):
    model = fitted(data, fan_outs)
    for row in range(0, 400, 40):
        x = data[0][[row]]
        margins = margins_of_search(model, x)
        for label in range(0, 50, 7):
            for path in explain(model, x, label).paths:
                for step in path.steps:
                    total = step.bias + sum(c.amount for c in step.contributions)
                    assert total == pytest.approx(step.margin, abs=1e-9)
                    assert step.margin == pytest.approx(margins[step.level][step.node], abs=1e-5)


def test_contributions_are_products_of_values_and_weights_by_falling_amount(data, model):
    x = data[0][[0]]
    W = model.weights_.to_csc().toarray()
    first = model.tree_.first_of_level()
    values = x.toarray().ravel()
    for path in explain(model, x, int(data[1].indices[0])).paths:
        for step in path.steps:
            w = W[:, first[step.level] + step.node]
            assert step.bias == pytest.approx(w[-1] * model.weights_.bias)
            shared = np.flatnonzero((w[:-1] != 0) & (values != 0))
            assert sorted(c.feature for c in step.contributions) == shared.tolist()
            assert all(
                c.amount == pytest.approx(w[c.feature] * values[c.feature]) for c in step.contributions
            )
            amounts = [abs(c.amount) for c in step.contributions]
            assert amounts == sorted(amounts, reverse=True)


@given(
    seed=st.integers(0, 399),
    post_processor=st.sampled_from([*get_args(PostProcessor), ("l3-hinge", "sigmoid", "noop")]),
    merge=st.sampled_from(["max", "mean", "sum"]),
    beam_size=st.integers(1, 12),
)
@settings(max_examples=60, deadline=None)
def test_scores_and_ranks_are_those_of_the_search(seed, post_processor, merge, beam_size):
    check_explanations(*overlapping(), seed, SearchParams(beam_size, 50, post_processor, merge))


@given(
    seed=st.integers(0, 399),
    post_processor=st.sampled_from(["noop", "log-sigmoid", "log-l3-hinge", ("l3-hinge", "sigmoid", "noop")]),
    beam_size=st.integers(1, 12),
)
@settings(max_examples=20, deadline=None)
def test_scores_joined_by_logsumexp_are_those_of_the_search(seed, post_processor, beam_size):
    check_explanations(*overlapping(), seed, SearchParams(beam_size, 50, post_processor, "logsumexp"))


def check_explanations(model, X, seed, search):
    model.set_params(search=search)
    x = X[[seed]]
    P = model.predict(x)
    for place, (label, score) in enumerate(zip(P.indices, P.data, strict=True), start=1):
        told = explain(model, x, int(label))
        assert told.score == pytest.approx(float(score), rel=2e-3, abs=1e-6)
        ties = np.isclose(P.data, score, rtol=2e-3, atol=1e-6).sum()
        assert abs(told.rank - place) < ties or told.rank == place
    for label in np.setdiff1d(np.arange(50), P.indices)[:5]:
        missed = explain(model, x, int(label))
        assert (missed.score, missed.rank) == (None, None)
        assert not any(path.found for path in missed.paths)


def test_a_path_lost_tells_where(data, model):
    x = data[0][[1]]
    reached = set(model.predict(x, top_k=50).indices.tolist())
    lost = next(
        label for label in range(50) if label not in reached and (model.tree_.slot_label == label).any()
    )
    steps = explain(model, x, lost).paths[0].steps
    stopped = next(i for i, step in enumerate(steps) if not step.kept)
    assert all(step.kept for step in steps[:stopped])
    assert steps[stopped].rank is None or steps[stopped].rank > 3
    assert all(step.rank is None and not step.kept for step in steps[stopped + 1 :])
    wide = explain(model, x, lost, beam_size=100)
    assert all(step.kept for step in wide.paths[0].steps)
    assert wide.score == pytest.approx(float(model.predict(x, beam_size=100, top_k=50)[0, lost]), rel=1e-3)


def test_every_slot_has_its_path_and_the_best_one_wins(data, model):
    label = int(np.flatnonzero(np.bincount(model.tree_.slot_label) == 2)[0])
    for row in range(20):
        told = explain(model, data[0][[row]], label, beam_size=100)
        assert len(told.paths) == 2
        assert [path.wins for path in told.paths] == [True, False]
        assert told.paths[0].score >= told.paths[1].score
        assert told.score == told.paths[0].score
        assert {path.cluster for path in told.paths} == set(
            model.tree_.slot_cluster()[model.tree_.slot_label == label].tolist()
        )
        assert all(path.steps[-2].node == path.cluster for path in told.paths)


def test_factors_multiply_to_the_score(data, model):
    for path in explain(model, data[0][[0]], 3).paths:
        assert path.score == pytest.approx(np.prod([step.factor for step in path.steps]))
        assert all(0 < step.factor <= 1 for step in path.steps)


def test_steps_name_the_labels_below_them(data, model):
    x = data[0][[0]]
    for path in explain(model, x, 3).paths:
        cluster, slot = path.steps[-2:]
        below = model.tree_.labels_of_cluster(path.cluster).tolist()
        assert cluster.n_labels == len(below)
        assert set(cluster.labels) <= set(below)
        assert (slot.n_labels, slot.labels) == (1, (3,))


def test_the_nearest_documents_of_the_label_are_told(data, model):
    X, Y = data
    memory = DocumentMemory().fit(X, Y)
    label = int(Y.indices[0])
    told = explain(model, X[[0]], label, memory=memory, n_nearest=2)
    assert told.nearest[0] == (0, pytest.approx(1, abs=1e-6))
    assert told.nearest == tuple(memory.nearest_of_label(X[[0]], label, 2))


def test_plain_values_keep_the_sums(data, model):
    told = explain(model, data[0][[0]], 3)
    plain = told.to_dict(
        n_features=1, feature_names=[f"f{i}" for i in range(60)], label_names=list("ab" * 25)
    )
    assert json.loads(json.dumps(plain)) == plain
    assert plain["label"] == "b"
    for path in plain["paths"]:
        for step in path["steps"]:
            told_features = sum(f["amount"] for f in step["features"])
            assert len(step["features"]) <= 1
            total = step["bias"] + told_features + step["other_features"]["amount"]
            assert total == pytest.approx(step["margin"], abs=1e-9)
            assert all(f["feature"].startswith("f") for f in step["features"])
    assert told.to_dict()["label"] == 3


def test_features_of_one_name_are_told_as_their_sum(data, model):
    told = explain(model, data[0][[0]], 3)
    names, seen = ["low"] * 50 + [f"f{i}" for i in range(50, 60)], []
    plain = told.to_dict(n_features=99, feature_names=names)
    steps = [step for path in told.paths for step in path.steps]
    for step, plain_step in zip(steps, (s for p in plain["paths"] for s in p["steps"]), strict=True):
        amounts = {entry["feature"]: entry["amount"] for entry in plain_step["features"]}
        low = [c.amount for c in step.contributions if c.feature < 50]
        seen.append(len(low))
        assert amounts.pop("low", 0) == pytest.approx(sum(low))
        assert amounts == {f"f{c.feature}": c.amount for c in step.contributions if c.feature >= 50}
        sizes = [abs(entry["amount"]) for entry in plain_step["features"]]
        assert sizes == sorted(sizes, reverse=True)
    assert max(seen) > 1


def test_a_label_without_a_slot_has_no_path(data):
    X, Y = data
    wider = sp.hstack([Y, sp.csr_array((400, 1), dtype=np.float32)], format="csr")
    told = explain(XRLinear().fit(X, wider), X[[0]], 50)
    assert (told.paths, told.score, told.rank) == ((), None, None)


def test_an_empty_document_is_explained_by_biases(model):
    told = explain(model, sp.csr_array((1, 60)), 3)
    assert all(step.contributions == () and step.margin == step.bias for step in told.paths[0].steps)


def test_bad_questions_are_refused(data, model):
    with pytest.raises(ValueError, match="x must have 1 rows, but has 2"):
        explain(model, data[0][:2], 0)
    with pytest.raises(ValueError, match=r"label must lie in 0\.\.49, but is 50"):
        explain(model, data[0][[0]], 50)


def test_steps_name_the_labels_that_fit_best_first(data):
    model = fitted(data, beam_size=3)
    x = data[0][[0]]
    best = model.predict(x, top_k=50).indices.tolist()
    (path,) = explain(model, x, best[0]).paths
    assert all(step.labels[0] == best[0] for step in path.steps)
    below = model.tree_.labels_of_cluster(path.cluster)
    assert path.steps[-2].labels == tuple(label for label in best if label in below)[:3]
