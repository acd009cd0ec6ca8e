from typing import get_args

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from larix.xmc.beam_search import PostProcessor, SearchParams, SearchPlan
from larix.xmc.chunked_weights import ChunkedWeights
from tests.xmc.data import random_tree
from tests.xmc.reference import combine, search, transform


def plan_and_weights(tree, post_processor, seed, merge=None, n_features=10):
    """A search over random weights; quarters, so that float32 and float64 agree on ties."""
    rng = np.random.default_rng(seed)
    weights = []
    for level in range(tree.depth):
        shape = (n_features + 1, tree.n_nodes(level))
        weights.append(np.where(rng.random(shape) < 0.6, rng.integers(-8, 9, shape) / 4, 0))
    levels = [
        ChunkedWeights.from_csc(sp.csc_array(W), tree.offsets[t], bias=1.0) for t, W in enumerate(weights)
    ]
    post_processors = (post_processor,) * tree.depth
    weights_of_all = ChunkedWeights.concatenate(levels)
    return SearchPlan(weights_of_all, 1, post_processors, tree.slot_label, tree.n_labels, merge), weights


def queries(n, seed, n_features=10):
    rng = np.random.default_rng(seed)
    return sp.csr_array(
        ((rng.random((n, n_features)) < 0.5) * rng.choice([0.5, 1.0], (n, n_features))).astype(np.float32)
    )


def check_rows(P, expected):
    for i, row in enumerate(expected):
        labels = P.indices[P.indptr[i] : P.indptr[i + 1]].tolist()
        scores = P.data[P.indptr[i] : P.indptr[i + 1]]
        assert labels == [label for label, _ in row]
        np.testing.assert_allclose(scores, [score for _, score in row], rtol=2e-4, atol=1e-6)


@given(
    seed=st.integers(0, 10_000),
    post_processor=st.sampled_from(["noop", "log-l1-hinge", "log-l2-hinge", "log-l3-hinge", "log-l4-hinge"]),
    beam_size=st.integers(1, 12),
    fan_outs=st.lists(st.integers(2, 6), max_size=3),
)
@settings(max_examples=60, deadline=None)
def test_search_agrees_with_the_slow_reference(seed, post_processor, beam_size, fan_outs):
    tree = random_tree(25, fan_outs, seed=seed)
    plan, weights = plan_and_weights(tree, post_processor, seed)
    X = queries(4, seed)
    P = plan.run(X, beam_size, 5)
    check_rows(P, [search(x, weights, tree, post_processor, beam_size, 5) for x in X.toarray()])


@pytest.mark.parametrize("post_processor", get_args(PostProcessor))
def test_a_beam_as_wide_as_the_tree_equals_brute_force(post_processor):
    tree = random_tree(40, [3, 7], seed=1)
    plan, weights = plan_and_weights(tree, post_processor, 1)
    X = queries(20, 2)
    P = plan.run(X, 40, 40).toarray()
    for x, row in zip(X.toarray(), P, strict=True):
        expected = dict(search(x, weights, tree, post_processor, 10**6, 40))
        np.testing.assert_allclose(row[list(expected)], list(expected.values()), rtol=2e-4, atol=1e-6)


@pytest.mark.parametrize(
    ("merge", "reference"),
    [("max", max), ("sum", sum), ("mean", np.mean), ("logsumexp", lambda v: np.log(np.sum(np.exp(v))))],
)
def test_slots_of_a_label_are_merged(merge, reference):
    tree = random_tree(20, [4], seed=3, n_copies=12)
    plan, weights = plan_and_weights(tree, "log-l1-hinge", 3, merge)
    X = queries(10, 3)
    expected = [search(x, weights, tree, "log-l1-hinge", 3, 6, reference) for x in X.toarray()]
    check_rows(plan.run(X, 3, 6), expected)


def test_batches_threads_and_single_rows_agree_to_the_byte():
    tree = random_tree(60, [4, 9], seed=4, n_copies=5)
    plan, _ = plan_and_weights(tree, "l3-hinge", 4, "max")
    X = queries(700, 4)
    batch = plan.run(X, 5, 10, n_threads=1)
    threaded = plan.run(X, 5, 10, n_threads=2)
    assert batch.data.tobytes() == threaded.data.tobytes()
    assert batch.indices.tobytes() == threaded.indices.tobytes()
    for i in (0, 255, 256, 699):
        row = plan.run(X[[i]], 5, 10)
        assert row.data.tobytes() == batch.data[batch.indptr[i] : batch.indptr[i + 1]].tobytes()


def test_an_empty_document_is_scored_by_the_biases():
    tree = random_tree(12, [3], seed=5)
    plan, weights = plan_and_weights(tree, "noop", 5)
    P = plan.run(sp.csr_array((1, 10), dtype=np.float32), 3, 12)
    np.testing.assert_allclose(P.toarray()[0, tree.slot_label], weights[-1][-1], rtol=1e-6)


def test_a_ranker_scores_only_the_clusters_it_is_given():
    tree = random_tree(12, [3], seed=6)
    W = np.random.default_rng(6).normal(size=(11, 12))
    ranker = SearchPlan(
        ChunkedWeights.from_csc(sp.csc_array(W), tree.offsets[1], bias=1.0),
        3,
        ("l3-hinge",),
        tree.slot_label,
        12,
    )
    start = sp.csr_array(np.array([[0, 0.5, 0]], np.float32))
    P = ranker.run(queries(1, 6), 1, 12, start=start)
    assert sorted(P.indices.tolist()) == sorted(tree.labels_of_cluster(1).tolist())
    assert P.data.max() <= 0.5


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"beam_size": 0}, "beam_size must be at least 1, but is 0"),
        ({"post_processor": "l5-hinge"}, "post_processor must be one of noop, sigmoid, .* but is 'l5-hinge'"),
        ({"merge": "min"}, "merge must be one of max, mean, sum, logsumexp, but is 'min'"),
        ({"merge": "logsumexp"}, "those of the post-processor 'l3-hinge' are products; use 'log-l3-hinge'"),
        ({"merge": "logsumexp", "post_processor": ("l3-hinge", "sigmoid")}, "use 'log-sigmoid'"),
    ],
)
def test_bad_parameters_are_refused(params, message):
    with pytest.raises(ValueError, match=message):
        SearchParams(**params)


@pytest.mark.parametrize("post_processor", ["noop", "log-l3-hinge", ("l3-hinge", "noop")])
def test_logarithms_and_margins_may_be_joined_by_logsumexp(post_processor):
    assert SearchParams(post_processor=post_processor, merge="logsumexp").merge == "logsumexp"


@pytest.mark.parametrize(
    "path", [("noop", "l3-hinge"), ("l3-hinge", "log-l3-hinge"), ("sigmoid", "noop", "sigmoid")]
)
def test_post_processors_without_a_common_meaning_are_refused(path):
    with pytest.raises(
        ValueError, match="must all be products or all be logarithms, with noop only at the end"
    ):
        SearchParams(post_processor=path)


@pytest.mark.parametrize(
    "path", [("l3-hinge", "sigmoid", "noop"), ("log-l1-hinge", "log-sigmoid"), ("noop", "noop")]
)
def test_post_processors_may_differ_from_level_to_level(path):
    tree = random_tree(30, [4] * (len(path) - 1), seed=8)
    plan, weights = plan_and_weights(tree, "noop", 8)
    plan = SearchPlan(plan.weights, 1, path, tree.slot_label, tree.n_labels)
    X = queries(10, 8)
    P = plan.run(X, 50, 30).toarray()
    for x, row in zip(X.toarray(), P, strict=True):
        values = brute_force(x, weights, tree, path)
        np.testing.assert_allclose(row[tree.slot_label], values, rtol=2e-4, atol=1e-6)


def brute_force(x, weights, tree, path):
    """Value of every slot, each level with its own post-processor."""
    values = [0.0 if path[0].startswith("log-") else 1.0]
    for level, (W, post_processor) in enumerate(zip(weights, path, strict=True)):
        parent = tree.parent_of(level)
        values = [
            combine(
                transform(np.append(x, 1.0) @ W[:, node], post_processor),
                values[parent[node]],
                post_processor,
            )
            for node in range(W.shape[1])
        ]
    return values
