import numpy as np
import pytest

from larix.xmc.transformer.candidate_head import CandidateHead
from larix.xmc.transformer.candidates import Candidates
from tests.xmc.data import random_tree

torch = pytest.importorskip("torch", reason="the extra transformer is not installed")

K, d = 12, 5


@pytest.fixture
def head():
    rng = np.random.default_rng(0)
    return CandidateHead.of(*(rng.normal(size=size).astype(np.float32) for size in ((K, d), (K,))))


def test_margins_are_products_with_the_candidates_own_weights(head):
    vectors = np.random.default_rng(1).normal(size=(3, d)).astype(np.float32)
    rows, nodes = np.array([0, 0, 2, 2]), np.array([3, 7, 3, 11])
    found = head.margins(torch.from_numpy(vectors), Candidates(rows, nodes, np.zeros(4, np.float32), 3))
    arrays = head.to_arrays()
    dense = vectors @ arrays["weight"].T + arrays["bias"]
    np.testing.assert_allclose(found.detach(), dense[rows, nodes], rtol=1e-5)


def test_margins_and_gradients_of_all_nodes_are_those_of_some(head):
    vectors = torch.from_numpy(np.random.default_rng(1).normal(size=(2, d)).astype(np.float32))
    rows, nodes = np.repeat(np.arange(2), K), np.tile(np.arange(K), 2)
    all_nodes = Candidates(rows, nodes, np.zeros(2 * K, np.float32), 2)
    margins, gradients = [], []
    for asked in (all_nodes, Candidates(rows[1:], nodes[1:], np.zeros(2 * K - 1, np.float32), 2)):
        for tensor in head.parameters:
            tensor.grad = None
        found = head.margins(vectors, asked)[-2 * K + 1 :]
        (found**2).sum().backward()
        margins.append(found.detach())
        gradients.append([tensor.grad.to_dense() for tensor in head.parameters])
        assert all(tensor.grad.is_sparse for tensor in head.parameters)
    torch.testing.assert_close(*margins)
    torch.testing.assert_close(*gradients)


def test_only_candidates_are_changed(head):
    candidates = Candidates(np.array([0]), np.array([4]), np.ones(1, np.float32), 1)
    head.margins(torch.ones(1, d), candidates).sum().backward()
    for tensor in head.parameters:
        assert tensor.grad.is_sparse
        assert tensor.grad.coalesce().indices().tolist() == [[4]]


def test_children_inherit_from_their_parents():
    tree = random_tree(30, [4, 9], seed=1)
    above = CandidateHead.fresh(4, d, np.random.default_rng(0))
    arrays, below = above.to_arrays(), above.inherited(tree, 1).to_arrays()
    assert below["weight"].shape == (9, d)
    np.testing.assert_array_equal(below["weight"], arrays["weight"][tree.parent_of(1)])
    np.testing.assert_array_equal(below["bias"], arrays["bias"][tree.parent_of(1)])


def test_a_seed_gives_the_same_fresh_head():
    one, two = (CandidateHead.fresh(K, d, np.random.default_rng(3)).to_arrays() for _ in range(2))
    np.testing.assert_array_equal(one["weight"], two["weight"])
    assert 0 < np.abs(one["weight"]).max() < 0.2
    assert not one["bias"].any()
