import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from larix.xmc.label_tree import LabelTree
from tests.xmc.data import random_tree

trees = st.builds(
    random_tree,
    n_labels=st.integers(1, 30),
    fan_outs=st.lists(st.integers(2, 6), max_size=3),
    seed=st.integers(0, 10_000),
)


@given(trees)
@settings(max_examples=60)
def test_a_chain_of_matrices_and_back_gives_the_same_tree(tree):
    again = LabelTree.from_chain(tree.to_chain())
    assert [level.tolist() for level in again.offsets] == [level.tolist() for level in tree.offsets]
    assert again.slot_label.tolist() == tree.slot_label.tolist()


def test_any_numbering_of_nodes_becomes_contiguous_siblings():
    C0 = sp.csr_array(np.ones((2, 1)))
    C1 = sp.csr_array(np.array([[0, 1], [1, 0], [0, 1], [1, 0]]))  # nodes 1 and 3 under the first
    tree = LabelTree.from_chain([C0, C1])
    assert tree.slot_label.tolist() == [1, 3, 0, 2]
    assert tree.labels_of_cluster(1).tolist() == [0, 2]


def test_a_label_with_two_clusters_owns_two_slots():
    tree = LabelTree.from_chain([np.ones((2, 1)), np.array([[1, 1], [0, 1]])])
    assert tree.has_overlap
    assert tree.slot_label.tolist() == [0, 0, 1]
    assert tree.slot_cluster().tolist() == [0, 1, 1]


def test_targets_of_a_level_are_the_union_of_its_descendants():
    tree = LabelTree((np.array([0, 2]), np.array([0, 2, 3])), np.array([2, 0, 1]), 3)
    clusters, slots = tree.node_targets(sp.csr_array(np.array([[1, 0, 0], [0, 1, 0], [1, 0, 1], [0, 0, 0]])))
    assert clusters.toarray().tolist() == [[1, 0], [0, 1], [1, 0], [0, 0]]
    assert slots.toarray().tolist() == [[0, 1, 0], [0, 0, 1], [1, 1, 0], [0, 0, 0]]


@given(trees)
@settings(max_examples=15)
def test_saving_and_loading_gives_the_same_tree(tmp_path_factory, tree):
    path = tmp_path_factory.mktemp("trees") / "tree"
    tree.save(path)
    again = LabelTree.load(path)
    assert [level.tolist() for level in again.offsets] == [level.tolist() for level in tree.offsets]
    assert again.slot_label.tolist() == tree.slot_label.tolist()
    assert again.n_labels == tree.n_labels


def test_arrays_of_a_tree_cannot_be_changed():
    tree = random_tree(5, [2])
    with pytest.raises(ValueError, match="read-only"):
        tree.slot_label[0] = 1


@pytest.mark.parametrize(
    ("offsets", "slots", "n_labels", "message"),
    [
        ((), [], 0, "at least one level"),
        (([0, 2], [0, 1]), [0], 1, r"offsets\[1\] must rise from 0 over 3 entries"),
        (([0, 2], [0, 2, 1]), [0], 1, r"offsets\[1\] must rise"),
        (([1, 2],), [0, 1], 2, r"offsets\[0\] must rise from 0"),
        (([0, 2],), [0], 2, "must name 2 slots, but names 1"),
        (([0, 2],), [0, 2], 2, r"must lie in 0..1, but spans 0..2"),
        (([0, 2],), [1, 1], 2, "at most one slot in a cluster"),
    ],
)
def test_arrays_that_are_no_tree_are_refused(offsets, slots, n_labels, message):
    with pytest.raises(ValueError, match=message):
        LabelTree(tuple(np.array(level) for level in offsets), np.array(slots), n_labels)


def test_a_chain_with_an_orphan_node_is_refused():
    with pytest.raises(ValueError, match=r"chain\[1\]: .*node 2 has 0"):
        LabelTree.from_chain([np.ones((2, 1)), np.array([[1, 0], [0, 1], [0, 0]]), np.ones((4, 3))])


def test_different_labels_below_a_node_are_counted_once():
    offsets = (np.array([0, 2]), np.array([0, 2, 3]), np.array([0, 2, 4, 5]))
    tree = LabelTree(offsets, np.array([0, 1, 1, 2, 1]), 4)
    assert tree.label_counts(-1).tolist() == [3]
    assert tree.label_counts(0).tolist() == [3, 1]
    assert tree.label_counts(1).tolist() == [2, 2, 1]
