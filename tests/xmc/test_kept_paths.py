import numpy as np
import pytest

from larix.xmc.kept_paths import kept_paths
from larix.xmc.label_tree import LabelTree

# Two nodes with one and two clusters; label 0 lives in the first cluster and in the last.
TREE = LabelTree(
    (np.array([0, 2]), np.array([0, 1, 3]), np.array([0, 2, 3, 5])), np.array([0, 1, 2, 0, 3]), 5
)
Y = np.array([[1, 0, 0, 1, 0], [1, 1, 0, 0, 0], [0, 0, 1, 0, 1]])
BEAMS = [np.array([[0, 1], [1, 1], [1, 0]]), np.array([[0, 1, 0], [1, 0, 1], [1, 0, 0]])]


def test_counts_of_slots_and_labels_by_hand():
    kept = kept_paths(TREE, Y, BEAMS)
    assert kept.n_true.tolist() == [2, 1, 1, 1, 1]
    # slots are labels 0, 1, 2, 0, 3; document 2's label 2 lies below the node that was lost
    assert kept.of_slots.tolist() == [[1, 1, 0, 2, 1], [1, 1, 0, 1, 0]]
    # label 0 counts once for document 1, whose search kept both of its clusters
    assert kept.of_labels.tolist() == [[2, 1, 0, 1, 0], [1, 1, 0, 0, 0]]
    assert kept.recall() == pytest.approx([4 / 6, 2 / 6])


def test_without_true_labels_nothing_is_known():
    kept = kept_paths(TREE, np.zeros((3, 5)), BEAMS)
    assert np.isnan(kept.recall()).all()


def test_a_flat_tree_has_no_levels():
    kept = kept_paths(LabelTree((np.array([0, 2]),), np.array([1, 0]), 2), np.eye(2), [])
    assert kept.of_slots.shape == (0, 2)
    assert kept.recall() == []
