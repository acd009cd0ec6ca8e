import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from larix.xmc import bisection, two_means
from larix.xmc.bisection import fan_outs
from larix.xmc.clustering import ClusteringParams, SamplingParams, cluster_labels
from larix.xmc.label_representation import represent_labels
from larix.xmc.sparse import check_csr
from tests.xmc.data import documents

GROUPS = np.repeat(np.arange(4), 8)


def grouped_rows():
    """32 rows around four directions."""
    return (np.eye(4)[GROUPS] + 0.01 * np.random.default_rng(0).random((32, 4))).astype(np.float32)


def random_rows(n_labels, seed, dense):
    Z = check_csr(sp.random_array((n_labels, 12), density=0.3, rng=seed))
    return Z.toarray() if dense else Z


def halved_by_hand(Z, members, spherical, start):
    """One balanced 2-means, written from the formulas."""
    unit = (lambda v: v / np.linalg.norm(v)) if spherical else (lambda v: v)
    direction = unit(Z[start[1]]) - unit(Z[start[0]])
    left = None
    while True:
        order = members[np.argsort(Z[members] @ direction, kind="stable")]
        new = set(order[: len(members) // 2].tolist())
        if new == left:
            return left
        left = new
        a, b = Z[sorted(left)], Z[sorted(set(members.tolist()) - left)]
        direction = unit(b.sum(0)) - unit(a.sum(0)) if spherical else b.mean(0) - a.mean(0)


@given(
    n_labels=st.integers(1, 200),
    max_leaf_size=st.integers(2, 40),
    branching=st.integers(2, 32),
    seed=st.integers(0, 99),
    spherical=st.booleans(),
    dense=st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_trees_are_balanced_partitions_within_the_limits(
    n_labels, max_leaf_size, branching, seed, spherical, dense
):
    params = ClusteringParams(branching=branching, max_leaf_size=max_leaf_size, spherical=spherical)
    tree = cluster_labels(random_rows(n_labels, seed, dense), params, random_state=seed)
    assert sorted(tree.slot_label.tolist()) == list(range(n_labels))
    sizes = tree.cluster_sizes()
    assert sizes.max() - sizes.min() <= 1
    assert sizes.max() <= max_leaf_size
    for level in tree.offsets[:-1]:
        assert 2 <= np.diff(level).min() <= np.diff(level).max() <= branching


@given(
    n_labels=st.integers(2, 300),
    max_leaf_size=st.integers(2, 40),
    branching=st.integers(2, 32),
    slack=st.floats(0.05, 5),
    dense=st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_slack_bounds_the_sizes_of_clusters(n_labels, max_leaf_size, branching, slack, dense):
    params = ClusteringParams(branching=branching, max_leaf_size=max_leaf_size, size_slack=slack)
    tree = cluster_labels(random_rows(n_labels, 0, dense), params)
    assert sorted(tree.slot_label.tolist()) == list(range(n_labels))
    average = n_labels / tree.n_clusters
    assert max(1, np.floor(average / (1 + slack))) <= tree.cluster_sizes().min()
    assert (
        tree.cluster_sizes().max() <= np.ceil(average * (1 + slack)) <= np.ceil(max_leaf_size * (1 + slack))
    )


@pytest.mark.parametrize("spherical", [True, False])
def test_slack_lets_groups_of_unequal_size_stay_whole(spherical):
    Z = check_csr(np.eye(2)[[0] * 10 + [1] * 30] + 0.01 * np.random.default_rng(0).random((40, 2)))

    def smallest(slack):
        params = ClusteringParams(max_leaf_size=20, spherical=spherical, size_slack=slack)
        return min(cluster_labels(Z, params).cluster_sizes())

    assert smallest(0) == 20
    assert smallest(0.25) == 16  # 20 / 1.25
    assert smallest(1) == 10


@pytest.mark.parametrize("dense", [False, True])
@pytest.mark.parametrize("spherical", [True, False])
def test_well_separated_groups_are_found(spherical, dense):
    Z = grouped_rows() if dense else check_csr(grouped_rows())
    tree = cluster_labels(Z, ClusteringParams(branching=2, max_leaf_size=8, spherical=spherical))
    for cluster in range(tree.n_clusters):
        assert len(set(GROUPS[tree.labels_of_cluster(cluster)])) == 1


@pytest.mark.parametrize("dense", [False, True])
@pytest.mark.parametrize("spherical", [True, False])
def test_a_split_is_where_the_formulas_lead(spherical, dense):
    rng = np.random.default_rng(3)
    Z = (rng.random((61, 20)) * (rng.random((61, 20)) < 0.4)).astype(np.float32) + np.float32(0.01)
    params = ClusteringParams(max_leaf_size=31, spherical=spherical, tolerance=0, max_iter=100)
    tree = cluster_labels(Z if dense else check_csr(Z), params, random_state=4)
    ours = {frozenset(tree.labels_of_cluster(c).tolist()) for c in (0, 1)}
    members = np.arange(61)
    pairs = [(a, b) for a in range(61) for b in range(61) if a != b]
    possible = [frozenset(halved_by_hand(Z, members, spherical, pair)) for pair in pairs]
    assert any(left in ours for left in possible)
    again = halved_by_hand(Z, members, spherical, pairs[0])
    assert len(set(possible)) > 1, again  # so that the test means something


@pytest.mark.parametrize("dense", [False, True])
@pytest.mark.parametrize("sampling", [None, SamplingParams()])
@pytest.mark.parametrize("slack", [0.0, 0.5])
def test_the_result_depends_on_the_seed_but_not_on_threads(monkeypatch, dense, sampling, slack):
    monkeypatch.setattr(bisection, "_WORTH_SHARING", 500)  # threads share the passes over small nodes, too
    monkeypatch.setattr(two_means, "_ROWS_PER_BLOCK", 16)
    monkeypatch.setattr(two_means, "_FIRST_SAMPLE", 20)
    X, Y = documents(300, 60, 90)
    Z = represent_labels(X, Y)
    Z = Z.toarray() if dense else Z
    params = ClusteringParams(branching=2, max_leaf_size=8, sampling=sampling, size_slack=slack)
    trees = [cluster_labels(Z, params, random_state=5, n_threads=n) for n in (1, 2, 3, 8)]
    for tree in trees:
        assert np.array_equal(tree.slot_label, trees[0].slot_label)
        assert np.array_equal(tree.offsets[-1], trees[0].offsets[-1])
    other = cluster_labels(Z, params, random_state=6)
    assert not np.array_equal(other.slot_label, trees[0].slot_label)


@pytest.mark.parametrize("dense", [False, True])
@pytest.mark.parametrize("branching", [2, 3])
def test_copies_of_small_nodes_give_the_same_clusters(monkeypatch, dense, branching):
    X, Y = documents(300, 60, 90)
    Z = represent_labels(X, Y)
    Z = Z.toarray() if dense else Z
    params = ClusteringParams(branching=branching, max_leaf_size=4, size_slack=0.3)
    monkeypatch.setattr(bisection, "_WORTH_COPYING", ())
    expected = cluster_labels(Z, params)
    entries = Z.size if dense else Z.nnz
    monkeypatch.setattr(bisection, "_WORTH_COPYING", (entries / 2, entries / 8))
    monkeypatch.setattr(bisection, "_FEWEST_COPIES", 2)
    for n_threads in (1, 2):
        tree = cluster_labels(Z, params, n_threads=n_threads)
        assert np.array_equal(tree.slot_label, expected.slot_label)
        assert np.array_equal(tree.offsets[-1], expected.offsets[-1])


def test_dense_and_sparse_rows_give_the_same_clusters():
    Z = grouped_rows()
    params = ClusteringParams(branching=2, max_leaf_size=8)
    sparse, dense = cluster_labels(check_csr(Z), params), cluster_labels(Z, params)
    assert np.array_equal(sparse.slot_label, dense.slot_label)


def test_rows_that_are_no_canonical_matrix_are_brought_to_form():
    Z = grouped_rows()
    params = ClusteringParams(branching=2, max_leaf_size=8)
    expected = cluster_labels(Z, params).slot_label
    for given_rows in (Z.astype(np.float64), np.asfortranarray(Z), sp.csc_array(Z), Z.tolist()):
        assert np.array_equal(cluster_labels(given_rows, params).slot_label, expected)
    with pytest.raises(ValueError, match=r"Z.*finite"):
        cluster_labels(np.full((3, 2), np.nan))


def test_labels_of_which_nothing_is_known_are_spread_in_order():
    tree = cluster_labels(np.zeros((8, 3), np.float32), ClusteringParams(branching=2, max_leaf_size=2))
    assert tree.slot_label.tolist() == list(range(8))


def test_a_tree_can_hold_some_of_the_labels():
    Z = check_csr(np.eye(6))
    tree = cluster_labels(Z, ClusteringParams(max_leaf_size=2), labels=np.array([5, 1, 4]))
    assert sorted(tree.slot_label.tolist()) == [1, 4, 5]
    assert tree.n_labels == 6


@pytest.mark.parametrize(
    ("n_labels", "params", "expected"),
    [
        (7, {"max_leaf_size": 7}, []),
        (64, {"branching": 4, "max_leaf_size": 2}, [2, 4, 4]),
        (46881, {}, [2, 16, 16]),  # as the reference
        (46881, {"branching": 32}, [16, 32]),
        (46881, {"branching": 10}, [5, 10, 10]),
        (46881, {"branching": 3}, [2, 3, 3, 3, 3, 3]),
        (46881, {"root_branching": 32}, [32, 16]),
        (300, {"max_leaf_size": 100}, [4]),
        (300, {"max_leaf_size": 100, "branching": 3}, [3]),
        (101, {"max_leaf_size": 100, "branching": 31}, [2]),
    ],
)
def test_fan_outs_are_full_below_the_root(n_labels, params, expected):
    assert fan_outs(n_labels, ClusteringParams(**params)) == expected


def test_branching_collapses_binary_levels():
    tree = cluster_labels(check_csr(np.eye(64)), ClusteringParams(branching=4, max_leaf_size=2))
    assert [tree.n_nodes(level) for level in range(tree.depth)] == [2, 8, 32, 64]


def test_a_coarser_tree_is_a_finer_one_with_levels_left_out():
    X, Y = documents(300, 60, 128)
    Z = represent_labels(X, Y)
    trees = [cluster_labels(Z, ClusteringParams(branching=B, max_leaf_size=2)) for B in (2, 8)]
    assert np.array_equal(trees[0].slot_label, trees[1].slot_label)


def test_a_sample_leads_to_the_groups_too():
    params = ClusteringParams(
        branching=2, max_leaf_size=8, sampling=SamplingParams(min_rate=0.5, max_rate=0.5)
    )
    tree = cluster_labels(grouped_rows(), params)
    assert all(len(set(GROUPS[tree.labels_of_cluster(c)])) == 1 for c in range(4))


def test_sample_rates_rise_after_the_warm_up():
    rates = [SamplingParams(min_rate=0.1, max_rate=0.9, warmup=0.4).rate(level, 10) for level in range(10)]
    assert rates[:4] == [0.1] * 4
    assert np.allclose(np.diff(rates[3:]), 0.8 / 6)
    assert rates[-1] == pytest.approx(0.9)


def test_sampling_may_be_given_as_a_mapping():
    assert ClusteringParams(sampling={"warmup": 0.2}).sampling == SamplingParams(warmup=0.2)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"branching": 1}, "branching must be at least 2, but is 1"),
        ({"max_iter": 0}, "max_iter must be at least 1"),
        ({"root_branching": 1}, "root_branching must be at least 2 or None, but is 1"),
        ({"tolerance": 1.0}, "tolerance is a share from 0 to below 1, but is 1.0"),
        ({"size_slack": -0.1}, "size_slack must be finite and not negative, but is -0.1"),
        ({"family": "kmean"}, "family must be one of kmeans, neighbors, but is 'kmean'"),
        ({"sampling": {"min_rate": 0.0}}, "sample rates must be above 0"),
        ({"sampling": {"min_rate": 0.5, "max_rate": 0.2}}, "min_rate 0.5 and max_rate 0.2"),
        ({"sampling": {"warmup": 2}}, "warmup is a share of levels from 0 to 1, but is 2"),
    ],
)
def test_bad_parameters_are_refused(params, message):
    with pytest.raises(ValueError, match=message):
        ClusteringParams(**params)


def test_nothing_to_cluster_is_an_error():
    with pytest.raises(ValueError, match="no label to cluster"):
        cluster_labels(check_csr(np.eye(3)), labels=np.array([], int))
