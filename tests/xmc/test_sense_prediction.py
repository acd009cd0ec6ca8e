import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from larix.xmc.label_tree import LabelTree
from larix.xmc.sense_prediction import predict_senses, senses_of_slots
from tests.xmc.data import random_tree

# Label 0 lives in both clusters, label 1 in the second.
TREE = LabelTree(([0, 2], [0, 1, 3]), [0, 0, 1], 2)
SENSE_LABELS = [0, 0, 1]


def slow_slot(tree, beam, label):
    """The label's slot whose cluster has the highest score, the first of equals or if there is none."""
    slots = np.flatnonzero(tree.slot_label == label)
    return slots[np.argmax(beam[tree.slot_cluster()[slots]])]


def slow_senses_of_slots(tree, beams, senses, sense_labels):
    votes = np.zeros((tree.n_slots, len(sense_labels)))
    for row, sense in zip(*np.nonzero(senses), strict=True):
        slots = np.flatnonzero(tree.slot_label == sense_labels[sense])
        scores = beams[row, tree.slot_cluster()[slots]]
        if scores.any():
            best = scores == scores.max()
            votes[slots[best], sense] += 1 / best.sum()
    found = []
    for slot, label in enumerate(tree.slot_label):
        own = [s for s in np.flatnonzero(sense_labels == label) if senses[:, s].any()]
        found.append(max(own, key=lambda s: (round(votes[slot, s], 6), senses[:, s].sum(), -s), default=-1))
    return found


def test_a_slot_stands_for_the_sense_of_most_documents_that_go_to_it():
    beams = [[0.9, 0.1], [0.8, 0.0], [0.2, 0.7], [0.6, 0.5], [0.0, 0.4]]
    senses = [[1, 0, 0], [1, 0, 0], [0, 1, 0], [0, 1, 0], [0, 0, 1]]
    # The first slot gets two documents of sense 0 and one of sense 1, the second one of sense 1.
    assert senses_of_slots(TREE, beams, senses, SENSE_LABELS).tolist() == [0, 1, 2]


def test_a_slot_without_documents_stands_for_the_most_frequent_sense():
    beams = [[0.9, 0.0], [0.8, 0.0], [0.8, 0.0]]
    assert senses_of_slots(TREE, beams, [[1, 0, 0], [0, 1, 0], [0, 1, 0]], SENSE_LABELS).tolist() == [
        1,
        1,
        -1,
    ]


def test_a_prediction_goes_to_the_slot_of_the_best_cluster():
    beams = [[0.9, 0.1], [0.1, 0.9], [0.0, 0.0]]
    P = [[0.5, 0.25], [0.5, 0.0], [0.75, 0.0]]
    found = predict_senses(P, TREE, beams, np.array([0, 1, 2]), 3)
    assert found.toarray().tolist() == [[0.5, 0, 0.25], [0, 0.5, 0], [0.75, 0, 0]]


def test_labels_without_a_sense_are_left_out():
    found = predict_senses([[0.5, 0.25]], TREE, [[1.0, 0]], np.array([0, 1, -1]), 3)
    assert found.toarray().tolist() == [[0.5, 0, 0]]


@given(st.integers(0, 10_000))
def test_it_agrees_with_the_definitions(seed):
    rng = np.random.default_rng(seed)
    n_labels, n_clusters = int(rng.integers(1, 6)), int(rng.integers(1, 5))
    tree = random_tree(n_labels, [n_clusters], seed, n_copies=int(rng.integers(n_labels + 1)))
    beams = rng.integers(0, 4, (8, n_clusters)).astype(float)
    sense_labels = rng.integers(0, n_labels, 9)
    senses = rng.random((8, 9)) < 0.4
    slots = senses_of_slots(tree, beams, senses, sense_labels)
    assert slots.tolist() == slow_senses_of_slots(tree, beams, senses, sense_labels)
    P = (rng.random((8, n_labels)) < 0.5) * rng.integers(1, 5, (8, n_labels)) / 4
    expected = np.zeros((8, 9))
    for row, label in zip(*np.nonzero(P), strict=True):
        sense = slots[slow_slot(tree, beams[row], label)]
        if sense >= 0:
            expected[row, sense] = P[row, label]
    assert predict_senses(P, tree, beams, slots, 9).toarray().tolist() == expected.tolist()


def test_shapes_must_agree():
    with pytest.raises(ValueError, match="beams must have 2 columns"):
        predict_senses([[0.5, 1]], TREE, [[1.0]], np.array([0, 1, 2]), 3)
    with pytest.raises(ValueError, match="P must have 2 columns"):
        predict_senses([[0.5]], TREE, [[1.0, 0]], np.array([0, 1, 2]), 3)
    with pytest.raises(ValueError, match="senses must have 1 rows"):
        senses_of_slots(TREE, [[1.0, 0]], [[1, 0, 0]] * 2, SENSE_LABELS)
