import numpy as np
import pytest

from larix.xmc.label_tree import LabelTree
from larix.xmc.tree_keywords import tree_keywords

TREE = LabelTree((np.array([0, 2]), np.array([0, 2, 3]), np.array([0, 1, 2, 4])), np.array([0, 1, 2, 3]), 4)
"""Two nodes; three clusters {0}, {1}, {2, 3}."""
NAMES = ["heart", "valve", "lung", "disease"]
Z = np.array([[2, 1, 0, 1], [2, 0, 0, 1], [0, 0, 3, 1], [0, 0, 3, 1]])


def test_keywords_tell_a_node_from_its_siblings():
    first, clusters = tree_keywords(TREE, Z, NAMES)
    assert first[0][0] == "heart"
    assert first[1][0] == "lung"
    assert clusters[0] == ["valve"]  # what else it has, its sibling has more
    assert "valve" not in clusters[1]
    assert clusters[2] == []  # an only child is like its parent


def test_features_without_a_name_are_passed_over():
    first, _ = tree_keywords(TREE, Z, ["", "valve", "lung", "disease"], 1)
    assert first == [["valve"], ["lung"]]


def test_labels_of_which_nothing_is_known_give_no_keywords():
    assert tree_keywords(TREE, np.zeros((4, 2)), ["a", "b"]) == [[[], []], [[], [], []]]


def test_names_must_fit_the_features():
    with pytest.raises(ValueError, match="Z must have 2 columns, but has 4"):
        tree_keywords(TREE, Z, ["a", "b"])
