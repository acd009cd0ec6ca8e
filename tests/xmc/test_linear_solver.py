from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

from larix import LinearRanker, XRLinear
from larix.xmc.label_tree import LabelTree
from larix.xmc.linear_solver import SolverParams, train_level
from larix.xmc.negative_sampling import asks_for, negatives_of_levels, sample_negatives
from larix.xmc.sparse import check_csr
from tests.xmc.data import documents, random_tree
from tests.xmc.reference import one_vs_rest_weights, train_tree

EXACT = SolverParams(eps=1e-5, max_iter=5000, threshold=0.0)


def all_instances(n):
    return check_csr(np.ones((n, 1)))


def train_flat(X, Y, params=EXACT, **kwargs):
    """All labels as children of one root."""
    offsets = np.array([0, Y.shape[1]])
    return train_level(X, Y, all_instances(X.shape[0]), offsets, params, **kwargs).to_csc().toarray()


@given(
    seed=st.integers(0, 10_000),
    Cp=st.sampled_from([0.25, 1.0, 4.0]),
    Cn=st.sampled_from([0.5, 1.0, 2.0]),
    bias=st.sampled_from([0.0, 1.0, 2.0]),
)
@settings(max_examples=20, deadline=None)
def test_weights_solve_the_problem_of_the_slow_reference(seed, Cp, Cn, bias):
    X, Y = documents(40, 15, 19, seed=seed)
    W = train_flat(X, Y, SolverParams(Cp=Cp, Cn=Cn, bias=bias, eps=1e-5, max_iter=5000, threshold=0.0))
    for label in (0, 7, 18):
        y = np.where(Y.toarray()[:, label] > 0, 1, -1)
        expected = one_vs_rest_weights(X.toarray(), y, np.where(y > 0, Cp, Cn), bias=bias)
        np.testing.assert_allclose(W[:, label], expected, atol=2e-4)


def test_weights_agree_with_liblinear():
    X, Y = documents(200, 40, 20, seed=3)
    W = train_flat(X, Y, SolverParams(Cp=2.0, Cn=0.5, eps=1e-5, max_iter=5000, threshold=0.0))
    for label in range(20):
        y = Y.toarray()[:, label] > 0
        theirs = LinearSVC(C=1.0, class_weight={True: 2.0, False: 0.5}, tol=1e-8, max_iter=100_000).fit(X, y)
        np.testing.assert_allclose(W[:-1, label], theirs.coef_[0], atol=2e-5)
        np.testing.assert_allclose(W[-1, label], theirs.intercept_[0], atol=2e-5)


@pytest.mark.parametrize(
    ("loss", "theirs", "atol"),
    [
        (
            "hinge",
            LinearSVC(loss="hinge", tol=1e-9, max_iter=1_000_000, class_weight={True: 2.0, False: 0.5}),
            2e-4,
        ),
        (
            "squared-hinge-primal",
            LinearSVC(tol=1e-9, max_iter=100_000, class_weight={True: 2.0, False: 0.5}),
            5e-5,
        ),
        (
            "logistic",
            LogisticRegression(
                solver="liblinear", tol=1e-9, max_iter=1_000, class_weight={True: 2.0, False: 0.5}
            ),
            1e-4,
        ),
    ],
)
def test_other_losses_agree_with_liblinear(loss, theirs, atol):
    X, Y = documents(200, 40, 20, seed=3)
    params = SolverParams(loss=loss, Cp=2.0, Cn=0.5, eps=1e-5, max_iter=3000, threshold=0.0)
    W = train_flat(X, Y, params)
    for label in range(20):
        fitted = theirs.fit(X, Y.toarray()[:, label] > 0)
        np.testing.assert_allclose(W[:-1, label], fitted.coef_[0], atol=atol)
        np.testing.assert_allclose(W[-1, label], fitted.intercept_[0], atol=atol)


@pytest.mark.parametrize("loss", ["squared-hinge", "hinge", "logistic", "squared-hinge-primal"])
def test_relevance_multiplies_the_cost_of_positives(loss):
    X, Y = documents(80, 20, 18, seed=6)
    params = {"loss": loss, "eps": 1e-5, "max_iter": 3000, "threshold": 0.0}
    twice = Y.copy()
    twice.data[:] = 2.0
    np.testing.assert_allclose(
        train_flat(X, twice, SolverParams(**params), weighted=True),
        train_flat(X, Y, SolverParams(Cp=2.0, **params)),
        atol=2e-4,
    )


def test_relevance_differs_from_row_to_row():
    X, Y = documents(60, 15, 5, seed=7)
    Y.data[:] = np.random.default_rng(7).uniform(0.2, 3, Y.nnz)
    W = train_flat(X, Y, weighted=True)
    for label in range(5):
        values = Y.toarray()[:, label]
        y = np.where(values > 0, 1, -1)
        expected = one_vs_rest_weights(X.toarray(), y, np.where(y > 0, values, 1.0))
        np.testing.assert_allclose(W[:, label], expected, atol=3e-4)


@pytest.mark.parametrize("loss", ["squared-hinge", "hinge", "logistic", "squared-hinge-primal"])
def test_bytes_of_every_loss_depend_on_no_threads(loss):
    X, Y = documents(200, 40, 300, seed=5)
    results = [train_flat(X, Y, SolverParams(loss=loss), n_threads=n) for n in (1, 2)]
    assert results[0].tobytes() == results[1].tobytes()


def test_at_most_so_many_weights_are_kept_and_they_are_the_largest():
    X, Y = documents(200, 40, 20, seed=3)
    everything = train_flat(X, Y)
    kept = train_flat(X, Y, SolverParams(eps=1e-5, max_iter=5000, threshold=0.0, max_nonzeros=5))
    for label in range(20):
        largest = np.sort(np.abs(everything[:, label]))[-5:]
        assert np.sort(np.abs(kept[:, label]))[-5:].tolist() == largest.tolist()
        assert np.count_nonzero(kept[:, label]) == 5


@given(seed=st.integers(0, 10_000))
@settings(max_examples=8, deadline=None)
def test_a_tree_of_levels_agrees_with_the_slow_reference(seed):
    X, Y = documents(50, 20, 23, seed=seed)
    tree = random_tree(23, [3, 5], seed=seed, n_copies=4)
    targets = tree.node_targets(Y)
    for level, expected in enumerate(train_tree(X, Y, tree)):
        instances = targets[level - 1] if level else all_instances(50)
        W = train_level(X, targets[level], instances, tree.offsets[level], EXACT).to_csc().toarray()
        np.testing.assert_allclose(W, expected, atol=3e-4)


def test_the_default_accuracy_is_close_to_the_exact_solution():
    X, Y = documents(300, 60, 40, seed=1)
    rough = train_flat(X, Y, SolverParams(threshold=0.0))
    exact = train_flat(X, Y)
    assert np.abs(rough - exact).sum() / np.abs(exact).sum() < 0.05


def test_instances_outside_the_matcher_count_only_as_positives():
    X, Y = documents(40, 15, 6, seed=2)
    reached = np.zeros((40, 1), np.float32)
    reached[:20] = 1
    W = train_level(X, Y, check_csr(reached), np.array([0, 6]), EXACT).to_csc().toarray()
    for label in range(6):
        positive = Y.toarray()[:, label] > 0
        rows = positive | (np.arange(40) < 20)
        y = np.where(positive, 1, -1)[rows]
        expected = one_vs_rest_weights(X.toarray()[rows], y, np.ones(rows.sum()))
        np.testing.assert_allclose(W[:, label], expected, atol=2e-4)


def test_families_of_more_than_a_chunk_are_split_without_a_trace():
    X, Y = documents(120, 30, 300, seed=4)
    together = train_flat(X, Y)
    for label in (0, 255, 256, 299):
        np.testing.assert_allclose(train_flat(X, Y[:, [label]])[:, 0], together[:, label], atol=1e-4)


def test_bytes_depend_on_the_seed_but_not_on_threads():
    X, Y = documents(300, 60, 400, seed=5)
    results = [train_flat(X, Y, SolverParams(), random_state=1, n_threads=n) for n in (1, 2, 3)]
    assert all(result.tobytes() == results[0].tobytes() for result in results)
    assert train_flat(X, Y, SolverParams(), random_state=2).tobytes() != results[0].tobytes()


def test_small_weights_are_dropped():
    X, Y = documents(200, 40, 20, seed=3)
    everything, kept = (
        train_flat(X, Y),
        train_flat(X, Y, SolverParams(eps=1e-5, max_iter=5000, threshold=0.3)),
    )
    np.testing.assert_array_equal(kept, np.where(np.abs(everything) >= 0.3, everything, 0))


def test_a_parent_without_instances_or_children_is_no_trouble():
    X, _ = documents(10, 8, 3)
    tree = LabelTree((np.array([0, 3]), np.array([0, 0, 3, 3])), np.array([0, 1, 2]), 3)
    none = sp.csr_array((10, 3), dtype=np.float32)
    W = train_level(X, sp.csr_array((10, 3), dtype=np.float32), none, tree.offsets[1], EXACT)
    assert W.to_csc().nnz == 0


def test_an_unknown_loss_lists_the_choices():
    with pytest.raises(
        ValueError, match=r"loss must be one of squared-hinge, hinge, logistic, .* but is 'hige'"
    ):
        SolverParams(loss="hige")


@pytest.mark.parametrize("name", ["Cp", "Cn", "eps", "max_iter"])
def test_costs_and_limits_must_be_positive(name):
    with pytest.raises(ValueError, match=f"{name} must be positive, but is 0"):
        SolverParams(**{name: 0})


def test_matcher_aware_negatives_need_a_matcher():
    with pytest.raises(ValueError, match="need the matcher's cluster scores"):
        sample_negatives("tfn+man", all_instances(3), None)


def test_supplied_negatives_count_at_their_level_and_above():
    tree = LabelTree((np.array([0, 2]), np.array([0, 2, 3])), np.array([0, 1, 2]), 3)  # clusters {0, 1}, {2}
    labels, clusters = check_csr([[0, 1, 0], [0, 0, 0]]), check_csr([[0, 0], [0, 1]])
    root, of_clusters = negatives_of_levels(tree, {0: labels, 1: clusters}, 2)
    assert root is None
    assert (of_clusters.toarray() > 0).tolist() == [[True, False], [False, True]]
    assert negatives_of_levels(tree, None, 2) == [None, None]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({2: np.ones((2, 1))}, r"keys in 0..1, but one is 2"),
        ({0: np.ones((2, 2))}, "must have 3 columns, but has 2"),
    ],
)
def test_supplied_negatives_must_fit_the_tree(given, message):
    tree = LabelTree((np.array([0, 2]), np.array([0, 2, 3])), np.array([0, 1, 2]), 3)
    with pytest.raises(ValueError, match=message):
        negatives_of_levels(tree, given, 2)


def test_supplied_negatives_take_part_in_learning():
    X, Y = documents(40, 15, 6, seed=2)
    tree = LabelTree((np.array([0, 2]), np.array([0, 3, 6])), np.arange(6), 6)
    everyone = {1: np.ones((40, 2))}
    W = LinearRanker(solver=EXACT, negatives="usn").fit(X, Y, tree, user_negatives=everyone).weights_
    np.testing.assert_allclose(W.to_csc().toarray(), train_flat(X, Y), atol=1e-4)
    with pytest.raises(ValueError, match="need user_negatives"):
        LinearRanker(negatives="tfn+usn").fit(X, Y, tree)
    model = XRLinear(solver=EXACT, matcher_negatives="tfn+usn", ranker_negatives="tfn+man+usn")
    assert model.fit(X, Y, tree, user_negatives=everyone).predict(X).shape == (40, 6)


def test_negatives_are_unions_of_patterns():
    true, beams = check_csr([[1, 0, 0], [0, 1, 0]]), check_csr([[0, 0.5, 0], [0, 0.1, 0.2]])
    assert sample_negatives("tfn", true, beams).toarray().tolist() == [[1, 0, 0], [0, 1, 0]]
    assert sample_negatives("man", true, beams).toarray().tolist() == [[0, 1, 0], [0, 1, 1]]
    assert sample_negatives("tfn+man", true, beams).toarray().tolist() == [[1, 1, 0], [0, 1, 1]]


@given(seed=st.integers(0, 10_000), Cn=st.sampled_from([0.5, 2.0]))
@settings(max_examples=10, deadline=None)
def test_weighted_negatives_cost_what_the_slow_reference_says(seed, Cn):
    X, Y = documents(40, 15, 19, seed=seed)
    weights = np.random.default_rng(seed).choice([0.0, 0.05, 0.3, 1.0], (40, 1)).astype(np.float32)
    W = train_level(X, Y, check_csr(weights), np.array([0, 19]), replace(EXACT, Cp=2.0, Cn=Cn))
    for label in (0, 7, 18):
        positive = Y.toarray()[:, label] > 0
        rows = positive | (weights[:, 0] > 0)
        costs = np.where(positive, 2.0, Cn * weights[:, 0])[rows]
        y = np.where(positive, 1, -1)[rows]
        expected = one_vs_rest_weights(X.toarray()[rows], y, costs)
        np.testing.assert_allclose(W.to_csc().toarray()[:, label], expected, atol=3e-4)


@pytest.mark.parametrize("loss", ["squared-hinge", "hinge", "logistic", "squared-hinge-primal"])
def test_a_weight_of_two_is_an_instance_twice(loss):
    X, Y = documents(40, 15, 6, seed=2)
    params = replace(EXACT, loss=loss)
    positive = Y.toarray()[:, 0] > 0
    twice = np.flatnonzero(~positive)[:10]
    weights = np.ones((40, 1), np.float32)
    weights[twice] = 2
    of_label = Y[:, [0]]
    W = train_level(X, of_label, check_csr(weights), np.array([0, 1]), params).to_csc().toarray()
    repeated = np.concatenate([np.arange(40), twice])
    expected = train_flat(X[repeated], of_label[repeated], params)
    np.testing.assert_allclose(W, expected, atol=1e-3)
    assert np.abs(W - train_flat(X, of_label, params)).max() > 0.01


@pytest.mark.parametrize(
    ("source", "schemes", "asked"),
    [
        ("man", "tfn+man+weighted", True),
        ("man", "tfn+usn", False),
        ("usn", "tfn+man", False),
        ("usn", ("tfn", "man+usn"), True),
        ("man", ["tfn", "usn"], False),
    ],
)
def test_schemes_tell_where_their_negatives_come_from(source, schemes, asked):
    assert asks_for(source, schemes) is asked


def test_weighted_negatives_are_the_scores_of_wrong_clusters():
    true, beams = check_csr([[1, 0, 0], [0, 1, 0]]), check_csr([[0, 0.5, 0], [0, 0.25, 1]])
    assert sample_negatives("tfn+man+weighted", true, beams).toarray().tolist() == [[1, 0.5, 0], [0, 1, 1]]
    assert sample_negatives("man+weighted", true, beams).toarray().tolist() == [[0, 0.5, 0], [0, 0.25, 1]]
    margins = check_csr([[0, -0.5, 0], [0, 0.1, 2]])
    with pytest.raises(ValueError, match=r"scores of clusters in 0..1, but the matcher's span -0.5..2;"):
        sample_negatives("tfn+man+weighted", true, margins)


def test_a_ranker_learns_from_weighted_negatives():
    X, Y = documents(60, 15, 6, seed=2)
    tree = LabelTree((np.array([0, 2]), np.array([0, 3, 6])), np.arange(6), 6)
    scores = np.random.default_rng(0).choice([0.1, 0.4, 1.0], (60, 2)).astype(np.float32)
    W = LinearRanker(solver=EXACT, negatives="tfn+man+weighted").fit(X, Y, tree, scores).weights_.to_csc()
    positive, true = Y.toarray() > 0, tree.node_targets(Y)[0].toarray() > 0
    for label in range(6):
        y = np.where(positive[:, label], 1, -1)
        weights = np.where(true, 1, scores)[:, label // 3]
        expected = one_vs_rest_weights(X.toarray(), y, np.where(y > 0, 1, weights))
        np.testing.assert_allclose(W.toarray()[:, label], expected, atol=3e-4)
    assert (
        abs(
            W - LinearRanker(solver=EXACT, negatives="tfn+man").fit(X, Y, tree, scores).weights_.to_csc()
        ).max()
        > 0.01
    )
    model = XRLinear(solver=EXACT, ranker_negatives="tfn+man+weighted").fit(X, Y, tree)
    assert model.predict(X).shape == (60, 6)
