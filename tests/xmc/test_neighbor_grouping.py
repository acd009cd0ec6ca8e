"""Trees from the bottom: partitions within the limits, groups that are there, merges by hand."""

import itertools

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from larix.xmc import neighbor_graph as graph_module
from larix.xmc.clustering import ClusteringParams, cluster_labels
from larix.xmc.label_representation import represent_labels
from larix.xmc.matrix import unit_rows
from larix.xmc.neighbor_graph import neighbor_graph
from larix.xmc.neighbor_grouping import _nearest_that_fit, group_rows, merge_groups
from larix.xmc.sparse import check_csr
from larix.xmc.tree_quality import tree_quality
from tests.xmc.data import documents


@given(
    n_labels=st.integers(1, 150),
    max_leaf_size=st.integers(2, 40),
    branching=st.integers(2, 20),
    n_neighbors=st.integers(1, 8),
    seed=st.integers(0, 99),
    dense=st.booleans(),
)
@settings(max_examples=40, deadline=None)
def test_trees_are_partitions_within_the_limits(n_labels, max_leaf_size, branching, n_neighbors, seed, dense):
    Z = sp.random_array((n_labels, 12), density=0.2, rng=seed)  # some rows are zero
    params = ClusteringParams(
        family="neighbors", branching=branching, max_leaf_size=max_leaf_size, n_neighbors=n_neighbors
    )
    tree = cluster_labels(Z.toarray() if dense else check_csr(Z), params, random_state=seed)
    assert sorted(tree.slot_label.tolist()) == list(range(n_labels))
    assert 1 <= tree.cluster_sizes().min() <= tree.cluster_sizes().max() <= max_leaf_size
    for level in tree.offsets[:-1]:
        assert 1 <= np.diff(level).min() <= np.diff(level).max() <= branching


@pytest.mark.parametrize("dense", [False, True])
def test_groups_of_unequal_size_are_found(dense):
    groups = np.repeat(np.arange(5), [3, 10, 6, 1, 8])
    Z = np.eye(5)[groups] + 0.01 * np.random.default_rng(0).random((28, 5))
    shuffled = np.random.default_rng(1).permutation(28)
    Z = unit_rows(np.float32(Z[shuffled]))
    found = group_rows(Z if dense else check_csr(Z), 10, n_neighbors=4)
    parts = {frozenset(np.flatnonzero(found == g).tolist()) for g in set(found)}
    wanted = [set(np.flatnonzero(groups[shuffled] == g).tolist()) for g in range(5)]
    assert all(any(group <= part for part in parts) for group in wanted)


def test_the_most_alike_are_joined_first_as_long_as_they_fit():
    graph = np.zeros((5, 5))
    for a, b, similarity in [(0, 1, 0.9), (1, 2, 0.8), (2, 3, 0.5), (3, 4, 0.1)]:
        graph[a, b] = graph[b, a] = similarity
    ones = np.ones(5, np.int64)
    assert merge_groups(check_csr(graph), ones, 2).tolist() == [0, 0, 1, 1, 2]
    assert merge_groups(check_csr(graph), ones, 3).tolist() == [0, 0, 0, 1, 1]
    assert merge_groups(check_csr(graph), np.array([3, 1, 1, 1, 1]), 3).tolist() == [0, 1, 1, 1, 2]
    assert len(set(merge_groups(check_csr(graph), ones, 5).tolist())) == 1


def test_groups_are_as_alike_as_their_average_pair():
    graph = np.array([[0, 0.5, 0], [0.5, 0, 0.3], [0, 0.3, 0]])
    sizes = np.ones(3, np.int64)

    def named(n_nodes):
        pairs = _nearest_that_fit(check_csr(graph), np.array(n_nodes), sizes, 2)
        return dict(zip(*(pair.tolist() for pair in pairs), strict=True))

    assert named([1, 1, 1])[1] == 0
    assert named([2, 1, 1])[1] == 2  # of two pairs with group 0 one is an edge: 0.25 on average


@given(seed=st.integers(0, 500))
@settings(max_examples=20, deadline=None)
def test_no_two_groups_that_are_joined_by_an_edge_would_fit(seed):
    A = sp.random_array((40, 40), density=0.08, rng=seed).toarray()
    A = np.maximum(A, A.T)
    np.fill_diagonal(A, 0)
    group = merge_groups(check_csr(A), np.ones(40, np.int64), 6)
    sizes = np.bincount(group)
    assert sizes.max() <= 6
    for a, b in itertools.combinations(range(len(sizes)), 2):
        if A[np.ix_(group == a, group == b)].any():
            assert sizes[a] + sizes[b] > 6


def test_labels_of_a_cluster_are_more_alike_than_after_halving():
    X, Y = documents(2000, 300, 400, labels_per_document=1)
    Z = represent_labels(X, Y)
    params = {"branching": 8, "max_leaf_size": 10}
    grown = cluster_labels(Z, ClusteringParams(family="neighbors", **params))
    halved = cluster_labels(Z, ClusteringParams(**params))
    assert tree_quality(grown, Z).similarity > tree_quality(halved, Z).similarity


@pytest.mark.parametrize("dense", [False, True])
def test_bytes_do_not_depend_on_threads(dense, monkeypatch):
    monkeypatch.setattr(graph_module, "_LEAF_SIZE", 20)
    X, Y = documents(300, 60, 120)
    Z = represent_labels(X, Y)
    Z = Z.toarray() if dense else Z
    params = ClusteringParams(family="neighbors", branching=4, max_leaf_size=8)
    trees = [cluster_labels(Z, params, n_threads=n) for n in (1, 2, 5)]
    assert len({tree.slot_label.tobytes() for tree in trees}) == 1


@pytest.mark.parametrize("dense", [False, True])
def test_the_graph_holds_the_nearest_rows(dense, monkeypatch):
    monkeypatch.setattr(graph_module, "_LEAF_SIZE", 50)
    rng = np.random.default_rng(0)
    Z = unit_rows(np.float32(np.repeat(rng.random((60, 30)), 5, axis=0) + 0.05 * rng.random((300, 30))))
    graph = neighbor_graph(Z if dense else check_csr(Z), 4).toarray()
    cosines = Z @ Z.T
    np.fill_diagonal(cosines, -1)
    exact = np.argsort(-cosines, axis=1)[:, :4]
    found = np.take_along_axis(graph, exact, axis=1) > 0
    assert found.mean() > (0.95 if dense else 0.999)
    np.testing.assert_array_equal(graph, graph.T)
    np.testing.assert_allclose(graph[graph > 0], cosines[graph > 0], atol=1e-5)
    assert not graph.diagonal().any()


def test_only_wanted_labels_are_grouped():
    params = ClusteringParams(family="neighbors", max_leaf_size=2)
    tree = cluster_labels(check_csr(np.eye(6)), params, labels=np.array([5, 1, 4]))
    assert sorted(tree.slot_label.tolist()) == [1, 4, 5]
    assert tree.n_labels == 6
    with pytest.raises(ValueError, match="no label to cluster"):
        cluster_labels(np.eye(2), params, labels=np.array([], int))
