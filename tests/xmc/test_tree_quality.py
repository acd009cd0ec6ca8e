"""Tree quality: by hand, against all pairs, and what a search keeps."""

import itertools

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from larix.xmc.beam_search import SearchParams
from larix.xmc.clustering import ClusteringParams, cluster_labels
from larix.xmc.label_representation import represent_labels
from larix.xmc.label_tree import LabelTree
from larix.xmc.linear_stages import LinearMatcher
from larix.xmc.sparse import check_csr
from larix.xmc.tree_quality import LevelQuality, describe_paths, path_recall, tree_quality
from tests.xmc.data import documents, random_tree

TREE = LabelTree(
    (np.array([0, 2]), np.array([0, 2, 3]), np.array([0, 2, 3, 6])), np.array([0, 1, 2, 3, 4, 0]), 5
)
"""Two nodes; three clusters {0, 1}, {2}, {3, 4, 0}."""


def test_balance_by_hand():
    quality = tree_quality(TREE, np.eye(5))
    assert quality.n_labels == 5
    assert quality.levels == (
        LevelQuality(0, 2, 1, 2, 3, 3.0, 3, 0.0),
        LevelQuality(1, 3, 1, 3, 1, 2.0, 3, pytest.approx(np.sqrt(2 / 3) / 2)),
    )


def test_similarity_by_hand():
    Z = np.array([[1, 0], [1, 1], [0, 3], [0, 1], [0, 0]])
    # in clusters: 0 with 1 .7 for both; 3 with 0 is 0 for both; 2 is alone, of 4 nothing is known
    quality = tree_quality(TREE, Z)
    assert quality.similarity == pytest.approx((np.sqrt(0.5) * 2) / 4)
    assert any("cosine 0.354" in line for line in quality.lines())
    assert "3 clusters of 1 to 3 labels (variation 0.41); cosine 0.354 within" in quality.summary()


@given(seed=st.integers(0, 1000), n_copies=st.integers(0, 5), dense=st.booleans())
@settings(max_examples=25, deadline=None)
def test_similarity_is_the_mean_over_pairs(seed, n_copies, dense):
    tree = random_tree(20, [2, 5], seed=seed, n_copies=n_copies)
    Z = sp.random_array((20, 8), density=0.3, rng=seed).toarray()
    norms = np.linalg.norm(Z, axis=1, keepdims=True)
    unit = Z / np.where(norms > 0, norms, 1)
    known = [[s for s in tree.labels_of_cluster(c) if norms[s] > 0] for c in range(tree.n_clusters)]
    each = [
        np.mean([unit[i] @ unit[j] for j in group if j != i])
        for group in known
        if len(group) > 1
        for i in group
    ]
    everyone = list(itertools.chain(*known))
    pairs = [unit[a] @ unit[b] for a, b in itertools.combinations(everyone, 2)]
    quality = tree_quality(tree, Z if dense else check_csr(Z))
    assert quality.similarity == (pytest.approx(np.mean(each), abs=1e-6) if each else None)
    if each:
        assert quality.random_similarity == pytest.approx(np.mean(pairs), abs=1e-6)


def test_clusters_are_more_alike_than_labels_at_random():
    X, Y = documents(400, 60, 64)
    Z = represent_labels(X, Y)
    tree = cluster_labels(Z, ClusteringParams(branching=4, max_leaf_size=8))
    quality = tree_quality(tree, Z)
    assert quality.similarity > 1.3 * quality.random_similarity
    shuffled = LabelTree(tree.offsets, np.random.default_rng(0).permutation(64), 64)
    assert tree_quality(shuffled, Z).similarity == pytest.approx(quality.random_similarity, abs=0.03)


def test_a_flat_tree_has_nothing_to_say():
    quality = tree_quality(LabelTree((np.array([0, 1]),), np.array([0]), 2), np.eye(2))
    assert quality.to_dict() == {"n_labels": 1, "levels": (), "similarity": None, "random_similarity": None}
    assert quality.lines() == ["a flat tree"]
    assert quality.summary() == "1 labels in a flat tree"


def test_recall_of_paths_by_hand():
    Y = check_csr(np.array([[1, 0, 0, 1, 0], [0, 1, 0, 0, 0], [0, 0, 1, 0, 0]]))
    first = np.array([[1, 0], [0, 1], [1, 1]])
    clusters = np.array([[0, 0, 1], [0, 1, 0], [1, 1, 1]])
    # level 1: 0 under both nodes and 3 under the second of document 0: only 0 found; 1 isn't, 2 is
    # level 2: 0 has a second slot in the last cluster
    assert path_recall(TREE, Y, [first, clusters]) == [0.5, 0.75]


def test_labels_without_a_place_are_not_found():
    tree = LabelTree((np.array([0, 1]), np.array([0, 1])), np.array([0]), 2)
    assert path_recall(tree, np.array([[1, 1]]), [np.array([[1]])]) == [0.5]
    assert np.isnan(path_recall(tree, np.zeros((1, 2)), [np.array([[1]])])[0])


def test_beams_must_fit_the_tree():
    with pytest.raises(ValueError, match="one for each of 2 levels, but are 1"):
        path_recall(TREE, np.zeros((1, 5)), [np.ones((1, 2))])
    with pytest.raises(ValueError, match=r"beams\[1\] must have 3 columns, but has 2"):
        path_recall(TREE, np.zeros((1, 5)), [np.ones((1, 2))] * 2)


def test_a_wider_beam_finds_more_and_the_widest_all():
    X, Y = documents(400, 60, 64)
    tree = cluster_labels(represent_labels(X, Y), ClusteringParams(branching=4, max_leaf_size=4))
    matcher = LinearMatcher(search=SearchParams(beam_size=2)).fit(X, Y, tree)
    recalls = [path_recall(tree, Y, matcher.predict_levels(X, beam_size=b)) for b in (1, 2, 64)]
    assert all(a <= b for a, b in itertools.pairwise(np.array(recalls).sum(1)))
    assert recalls[-1] == [1.0] * (tree.depth - 1)
    narrow = matcher.predict_levels(X)
    assert narrow[-1].data.tobytes() == matcher.predict(X).data.tobytes()


def test_recalls_are_told_in_percent():
    assert describe_paths([1.0, 0.875], 5).startswith("beams of 5 keep 100.0, 87.5 % of true labels")
    assert describe_paths([], 5) == "a flat tree has no paths to keep"
