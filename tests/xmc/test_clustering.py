import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from larix.xmc.clustering import ClusteringParams, cluster_labels
from larix.xmc.label_representation import represent_labels
from larix.xmc.sparse import check_csr
from tests.xmc.data import documents


@given(
    n_labels=st.integers(1, 200),
    max_leaf_size=st.integers(2, 40),
    branching=st.integers(2, 20),
    seed=st.integers(0, 99),
    spherical=st.booleans(),
)
@settings(max_examples=40, deadline=None)
def test_trees_are_balanced_partitions_within_the_limits(n_labels, max_leaf_size, branching, seed, spherical):
    Z = check_csr(sp.random_array((n_labels, 12), density=0.3, rng=seed))
    params = ClusteringParams(branching=branching, max_leaf_size=max_leaf_size, spherical=spherical)
    tree = cluster_labels(Z, params, random_state=seed)
    assert sorted(tree.slot_label.tolist()) == list(range(n_labels))
    sizes = tree.cluster_sizes()
    assert sizes.max() - sizes.min() <= 1
    assert sizes.max() <= max_leaf_size
    for level in tree.offsets[:-1]:
        assert np.diff(level).max() <= branching


@pytest.mark.parametrize("spherical", [True, False])
def test_well_separated_groups_are_found(spherical):
    groups = np.repeat(np.arange(4), 8)
    Z = check_csr(sp.csr_array(np.eye(4)[groups] + 0.01 * np.random.default_rng(0).random((32, 4))))
    tree = cluster_labels(Z, ClusteringParams(branching=2, max_leaf_size=8, spherical=spherical))
    for cluster in range(tree.n_clusters):
        assert len(set(groups[tree.labels_of_cluster(cluster)])) == 1


def test_the_result_depends_on_the_seed_but_not_on_threads():
    X, Y = documents(300, 60, 90)
    Z = represent_labels(X, Y)
    params = ClusteringParams(branching=2, max_leaf_size=8)
    trees = [cluster_labels(Z, params, random_state=5, n_threads=n) for n in (1, 2, 3)]
    assert all(np.array_equal(tree.slot_label, trees[0].slot_label) for tree in trees)
    other = cluster_labels(Z, params, random_state=6)
    assert not np.array_equal(other.slot_label, trees[0].slot_label)


def test_a_tree_can_hold_some_of_the_labels():
    Z = check_csr(np.eye(6))
    tree = cluster_labels(Z, ClusteringParams(max_leaf_size=2), labels=np.array([1, 4, 5]))
    assert sorted(tree.slot_label.tolist()) == [1, 4, 5]
    assert tree.n_labels == 6


def test_branching_collapses_binary_levels():
    tree = cluster_labels(check_csr(np.eye(64)), ClusteringParams(branching=4, max_leaf_size=2))
    assert [tree.n_nodes(level) for level in range(tree.depth)] == [2, 8, 32, 64]


def test_a_leaf_as_large_as_the_labels_gives_one_flat_level():
    assert cluster_labels(check_csr(np.eye(7)), ClusteringParams(max_leaf_size=7)).depth == 1


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"branching": 1}, "branching must be at least 2, but is 1"),
        ({"max_iter": 0}, "max_iter must be at least 1"),
    ],
)
def test_bad_parameters_are_refused(params, message):
    with pytest.raises(ValueError, match=message):
        ClusteringParams(**params)


def test_nothing_to_cluster_is_an_error():
    with pytest.raises(ValueError, match="no label to cluster"):
        cluster_labels(check_csr(np.eye(3)), labels=np.array([], int))


def test_representations_of_an_unknown_name_list_the_choices():
    X, Y = documents(10, 8, 4)
    with pytest.raises(ValueError, match="must be one of pifa, pii, but is 'pifi'"):
        represent_labels(X, Y, "pifi")


def test_pifa_by_hand():
    X = check_csr(np.array([[1, 0], [0, 1]]))
    Y = check_csr(np.array([[1, 1, 0], [0, 1, 0]]))
    # rows of Y normalised: (.7, .7), (0, 1); label 1 = .7 x_0 + 1 x_1, normalised
    expected = [[1, 0], [np.sqrt(1 / 3), np.sqrt(2 / 3)], [0, 0]]
    np.testing.assert_allclose(represent_labels(X, Y).toarray(), expected, atol=1e-6)
