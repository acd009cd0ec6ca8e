import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from larix.xmc.label_tree import LabelTree
from larix.xmc.sense_separation import sense_separation
from tests.xmc.data import random_tree

TWO_CLUSTERS = LabelTree(([0, 2], [0, 1, 2]), [0, 0], 1)
THREE_CLUSTERS = LabelTree(([0, 3], [0, 1, 2, 3]), [0, 0, 0], 1)
HALVES = [[1, 0], [1, 0], [1, 0], [0, 1], [0, 1], [0, 1]]
"""Three documents of each of two senses."""


def measures(tree: LabelTree, beams, senses=HALVES, sense_labels=(0, 0)) -> tuple[list[bool], list[bool]]:
    result = sense_separation(tree, beams, senses, sense_labels)
    return result.strict.tolist(), result.routed.tolist()


def slow_separation(tree, beams, senses, sense_labels):
    """{label: (strict, routed)} from the definitions, label by label and document by document."""
    cluster = tree.slot_cluster()
    found = {}
    for label in range(tree.n_labels):
        own = [s for s in np.flatnonzero(sense_labels == label) if senses[:, s].any()]
        own = sorted(own, key=lambda s: -senses[:, s].sum())[:2]
        if len(own) < 2:
            continue
        both = senses[:, own].all(axis=1)
        halves = [np.flatnonzero(senses[:, s] & ~both) for s in own]
        if not all(map(len, halves)):
            continue
        slots = np.flatnonzero(tree.slot_label == label)
        kept = [[(~np.isnan(beams[half, cluster[s]])).mean() for s in slots] for half in halves]
        strict = any(a > 0.5 > b for a, b in zip(*kept, strict=True)) and any(
            b > 0.5 > a for a, b in zip(*kept, strict=True)
        )
        goals = [slow_goal(beams[half][:, cluster[slots]]) for half in halves]
        found[label] = strict, None not in goals and goals[0] != goals[1]
    return found


def slow_goal(scores):
    """The place that most rows go to, each to where its score is highest; None if several, or nowhere."""
    sums = np.zeros(scores.shape[1] + 1)
    for row in scores:
        if np.isnan(row).all():
            sums[-1] += 1
        else:
            best = row == np.nanmax(row)
            sums[:-1][best] += 1 / best.sum()
    goal = np.flatnonzero(np.isclose(sums, sums.max()))
    return goal[0] if len(goal) == 1 and goal[0] < scores.shape[1] else None


@st.composite
def problems(draw):
    """Draw a tree with copies, beams with ties (NaN where not kept), senses and their labels."""
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    n_labels, n_clusters, n = int(rng.integers(1, 6)), int(rng.integers(1, 5)), int(rng.integers(1, 12))
    tree = random_tree(
        n_labels, [n_clusters], int(rng.integers(99)), n_copies=int(rng.integers(n_labels + 1))
    )
    beams = np.where(rng.random((n, n_clusters)) < 0.6, rng.integers(1, 4, (n, n_clusters)), np.nan)
    sense_labels = np.sort(rng.integers(0, n_labels, int(rng.integers(1, 12))))
    return tree, beams, rng.random((n, len(sense_labels))) < 0.4, sense_labels


def sparse(beams):
    kept = sp.csr_array(np.nan_to_num(beams))
    assert kept.nnz == (~np.isnan(beams)).sum()
    return kept


@given(problems())
def test_it_agrees_with_the_definitions(problem):
    tree, beams, senses, sense_labels = problem
    result = sense_separation(tree, sparse(beams), senses, sense_labels)
    found = zip(result.labels.tolist(), zip(result.strict, result.routed, strict=True), strict=True)
    assert dict(found) == slow_separation(tree, beams, senses, sense_labels)


@given(problems(), st.randoms(use_true_random=False))
def test_the_order_of_labels_slots_and_clusters_does_not_matter(problem, random):
    tree, beams, senses, sense_labels = problem
    labels = np.array(random.sample(range(tree.n_labels), tree.n_labels))
    clusters = np.array(random.sample(range(tree.n_clusters), tree.n_clusters))  # new number of each
    pairs = np.stack([clusters[tree.slot_cluster()], labels[tree.slot_label]])
    pairs = pairs[:, np.argsort(pairs[0], kind="stable")]
    bounds = np.searchsorted(pairs[0], np.arange(tree.n_clusters + 1))
    other = LabelTree((tree.offsets[0], bounds), pairs[1], tree.n_labels)
    moved = np.empty_like(beams)
    moved[:, clusters] = beams
    first = sense_separation(tree, sparse(beams), senses, sense_labels)
    second = sense_separation(other, sparse(moved), senses, labels[sense_labels])
    order = np.argsort(labels[first.labels])
    assert second.labels.tolist() == labels[first.labels][order].tolist()
    for name in ("n_slots", "strict", "routed"):
        assert getattr(second, name).tolist() == getattr(first, name)[order].tolist()


def test_two_thirds_of_a_half_are_enough_to_separate():
    beams = [[0.9, 0], [0.9, 0.1], [0, 0.9], [0, 0.9], [0.9, 0], [0.1, 0.9]]
    # Of A two hold the first cluster and two the second; of B it is the same.
    assert measures(TWO_CLUSTERS, beams) == ([False], [True])
    beams = [[0.9, 0], [0.9, 0], [0, 0.9], [0, 0.9], [0.9, 0], [0, 0.9]]
    assert measures(TWO_CLUSTERS, beams) == ([True], [True])


def test_a_half_that_keeps_both_clusters_is_not_strictly_separated():
    beams = [[0.9, 0.2], [0.9, 0.2], [0.9, 0.2], [0, 0.9], [0, 0.9], [0, 0.9]]
    assert measures(TWO_CLUSTERS, beams) == ([False], [True])


def test_just_half_is_no_majority():
    senses = [[1, 0], [1, 0], [0, 1], [0, 1]]
    beams = [[0.9, 0], [0, 0.9], [0, 0.9], [0, 0.9]]
    assert measures(TWO_CLUSTERS, beams, senses) == ([False], [False])


def test_equal_scores_share_a_document():
    beams = [[1, 1, 0], [1, 1, 0], [1, 1, 0], [0, 0, 1], [0, 0, 1], [0, 0, 1]]
    # Each of the first two slots gets half of A, so none gets more than the other; both are in all its beams.
    assert measures(THREE_CLUSTERS, beams) == ([True], [False])


def test_documents_that_keep_none_of_the_clusters_go_nowhere():
    beams = [[0.9, 0, 0], [0.9, 0, 0], [0, 0, 0], [0, 0, 0], [0, 0, 0], [0, 0, 0]]
    assert measures(THREE_CLUSTERS, beams) == ([False], [False])
    # More of each half goes to its slot than nowhere.
    beams[1], beams[3], beams[4] = [0.9, 0, 0], [0, 0.9, 0], [0, 0.9, 0]
    assert measures(THREE_CLUSTERS, beams)[1] == [True]


def test_halves_that_mostly_go_to_one_slot_are_not_routed():
    beams = [[0.9, 0], [0.9, 0], [0, 0.9], [0.9, 0], [0.9, 0.1], [0, 0.9]]
    assert measures(TWO_CLUSTERS, beams) == ([False], [False])


def test_documents_of_both_halves_count_for_neither():
    senses = [[1, 0], [0, 1], [1, 1], [1, 1], [1, 1]]
    beams = [[0.9, 0], [0, 0.9], [0.9, 0], [0.9, 0], [0.9, 0]]
    assert measures(TWO_CLUSTERS, beams, senses) == ([True], [True])
    assert measures(TWO_CLUSTERS, beams, [[1, 0], [1, 1], [1, 1], [1, 1], [1, 1]]) == ([], [])


def test_the_two_senses_with_the_most_documents_are_compared():
    senses = np.zeros((6, 3), bool)
    senses[[0, 1], 2] = senses[[2, 3], 0] = senses[4, 1] = True
    beams = [[0.9, 0], [0.9, 0], [0, 0.9], [0, 0.9], [0.9, 0], [0, 0]]
    assert measures(TWO_CLUSTERS, beams, senses, [0, 0, 0]) == ([True], [True])


def test_labels_of_one_slot_take_part_and_are_not_separated():
    tree = LabelTree(([0, 1], [0, 1]), [0], 1)
    result = sense_separation(tree, [[0.5], [0.5]], [[1, 0], [0, 1]], [0, 0])
    assert result.to_dict() == {"labels": 1, "labels_of_several_slots": 0, "strict": 0.0, "routed": 0.0}


def test_without_labels_of_two_senses_there_is_no_share():
    result = sense_separation(TWO_CLUSTERS, [[0.5, 0]], [[1]], [0])
    assert result.to_dict() == {"labels": 0, "labels_of_several_slots": 0, "strict": None, "routed": None}


def test_shapes_must_agree():
    with pytest.raises(ValueError, match="beams must have 2 columns"):
        sense_separation(TWO_CLUSTERS, [[0.5]], [[1]], [0])
    with pytest.raises(ValueError, match="sense_labels must name one of 1 labels"):
        sense_separation(TWO_CLUSTERS, [[0.5, 1]], [[1]], [1])
    with pytest.raises(ValueError, match="senses must have 1 rows"):
        sense_separation(TWO_CLUSTERS, [[0.5, 1]], [[1], [0]], [0])
