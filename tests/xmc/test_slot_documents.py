import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from larix.xmc.label_tree import LabelTree
from larix.xmc.slot_documents import documents_of_slots

TREE = LabelTree((np.array([0, 3]), np.array([0, 2, 3, 5])), np.array([0, 1, 2, 0, 3]), 4)


def test_documents_by_hand():
    Y = np.array([[1, 0, 0, 0], [1, 1, 0, 0], [1, 0, 0, 1]])
    scores = np.array([[0.2, 0.0, 0.9], [0.7, 0.5, 0.0], [0.4, 0.0, 0.1]])
    found = documents_of_slots(TREE, Y, scores, 2)
    # label 0 has slots 0 and 3; in its first cluster document 1 leads, document 2 follows, 0 comes too late
    assert found.count.tolist() == [3, 1, 0, 2, 1]
    assert found.best[[0]].indices.tolist() == [1, 2]
    assert found.best[[3]].indices.tolist() == [0, 2]
    assert found.best[[2]].nnz == 0


@given(st.integers(0, 2**32 - 1))
def test_counts_are_those_of_a_loop(seed):
    rng = np.random.default_rng(seed)
    Y, scores = rng.random((6, 4)) < 0.4, rng.random((6, 3)) * (rng.random((6, 3)) < 0.5)
    found = documents_of_slots(TREE, Y, scores, 6)
    for slot, (label, cluster) in enumerate(zip(TREE.slot_label, TREE.slot_cluster(), strict=True)):
        rows = [i for i in range(6) if Y[i, label] and scores[i, cluster]]
        assert found.count[slot] == len(rows)
        own = found.best.indices[found.best.indptr[slot] : found.best.indptr[slot + 1]]
        assert own.tolist() == sorted(rows, key=lambda i: -np.float32(scores[i, cluster]))


def test_a_matcher_that_keeps_nothing_finds_nothing():
    found = documents_of_slots(TREE, np.ones((2, 4)), np.zeros((2, 3)), 1)
    assert found.count.tolist() == [0] * 5
    assert found.best.nnz == 0
