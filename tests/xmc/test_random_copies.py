import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from larix.xmc.label_tree import LabelTree
from larix.xmc.random_copies import random_copies
from tests.xmc.data import random_tree


@st.composite
def pairs_of_trees(draw):
    """Draw a plain tree and one with the same clusters and copies of labels."""
    n_labels, seed = draw(st.integers(1, 20)), draw(st.integers(0, 10_000))
    fan_outs = draw(st.sampled_from([[1], [3], [2, 5]]))
    n_copies = draw(st.integers(0, n_labels))
    return random_tree(n_labels, fan_outs, seed), random_tree(n_labels, fan_outs, seed, n_copies)


def pairs(tree: LabelTree) -> set[tuple[int, int]]:
    return set(zip(tree.slot_cluster().tolist(), tree.slot_label.tolist(), strict=True))


@given(pairs_of_trees(), st.integers(0, 99))
def test_labels_keep_their_slots_and_get_as_many_as_in_the_other_tree(trees, seed):
    plain, like = trees
    made = random_copies(plain, like, random_state=seed)
    assert pairs(plain) <= pairs(made)
    assert np.bincount(made.slot_label).tolist() == np.bincount(like.slot_label).tolist()
    assert [level.tolist() for level in made.offsets[:-1]] == [level.tolist() for level in plain.offsets[:-1]]


@given(pairs_of_trees())
def test_a_seed_gives_one_tree(trees):
    first, second = (random_copies(*trees, random_state=7) for _ in range(2))
    assert first.slot_label.tolist() == second.slot_label.tolist()
    assert first.offsets[-1].tolist() == second.offsets[-1].tolist()


def test_without_copies_the_tree_stays_as_it_is():
    tree = random_tree(30, [2, 5])
    made = random_copies(tree, tree)
    assert made.slot_label.tolist() == tree.slot_label.tolist()
    assert made.offsets[-1].tolist() == tree.offsets[-1].tolist()


def test_copies_go_anywhere():
    plain = LabelTree(([0, 4], [0, 1, 1, 1, 1]), [0], 1)
    like = LabelTree(([0, 4], [0, 1, 2, 2, 2]), [0, 0], 1)
    clusters = {tuple(sorted(pairs(random_copies(plain, like, random_state=seed)))) for seed in range(30)}
    assert clusters == {((0, 0), (cluster, 0)) for cluster in (1, 2, 3)}


def test_trees_must_be_alike():
    tree, fewer = random_tree(6, [4]), LabelTree(([0, 4], [0, 1, 2, 3, 4]), [0, 1, 2, 3], 6)
    with pytest.raises(ValueError, match="one n_clusters, but have 4 and 3"):
        random_copies(tree, random_tree(6, [3]))
    with pytest.raises(ValueError, match="one n_labels, but have 6 and 5"):
        random_copies(tree, random_tree(5, [4]))
    with pytest.raises(ValueError, match="label 4 has 0 instead of 1"):
        random_copies(tree, fewer)
