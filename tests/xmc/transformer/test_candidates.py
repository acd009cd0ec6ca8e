import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from larix.xmc.negative_sampling import sample_negatives
from larix.xmc.sparse import binarize, check_csr
from larix.xmc.transformer.candidates import CandidateSampler
from tests.xmc.data import documents, random_tree

N, L = 60, 40
TREE = random_tree(L, [4, 9], seed=2, n_copies=5)


def level_of(level, *, limit=10_000, beams=True):
    _, Y = documents(N, 30, L, seed=3)
    relevance = TREE.node_relevance(TREE.slots_of_labels(Y))
    if level == 0:
        parents = check_csr(np.ones((N, 1)))
    else:
        found = sp.random_array((N, TREE.n_nodes(level - 1)), density=0.3, rng=np.random.default_rng(1))
        scheme = "tfn+man" if beams else "tfn"
        parents = sample_negatives(scheme, binarize(relevance[level - 1]), check_csr(found))
    return CandidateSampler(TREE, level, parents, relevance[level], limit)


@pytest.mark.parametrize("level", [0, 1, 2])
def test_candidates_are_children_of_parents_that_take_part_and_all_positives(level):
    sampler, batch = level_of(level), np.array([5, 3, 59, 0])
    drawn = sampler.draw(batch, np.random.default_rng(0))
    found = {}
    for row, node, relevance in zip(drawn.rows, drawn.nodes, drawn.relevance, strict=True):
        found.setdefault(int(row), {})[int(node)] = float(relevance)
    offsets, parents, positives = TREE.offsets[level], sampler.parents.toarray(), sampler.relevance.toarray()
    for row, i in enumerate(batch):
        expected = {
            node: positives[i, node]
            for parent in np.flatnonzero(parents[i])
            for node in range(offsets[parent], offsets[parent + 1])
        } | {node: positives[i, node] for node in np.flatnonzero(positives[i])}
        assert found[row] == expected


def test_all_nodes_of_the_first_level_are_candidates():
    drawn = level_of(0).draw(np.arange(3), np.random.default_rng(0))
    assert drawn.nodes.tolist() == [0, 1, 2, 3] * 3


def test_a_positive_that_no_parent_leads_to_takes_part():
    sampler = level_of(2)
    nothing = CandidateSampler(TREE, 2, check_csr(np.zeros((N, 9))), sampler.relevance, 99)
    drawn = nothing.draw(np.arange(N), np.random.default_rng(0))
    assert np.all(drawn.relevance > 0)
    assert len(drawn.nodes) == sampler.relevance.nnz


@pytest.mark.parametrize("size", [1, 2, 3, 9])
def test_shares_of_several_workers_are_together_the_candidates_of_the_batch(size):
    drawn = level_of(2, limit=5).draw(np.arange(10, 17), np.random.default_rng(0))
    pairs = []
    for rank in range(size):
        share = drawn.share(rank, size)
        assert share.n_rows == len(range(rank, 7, size))
        rows = share.rows * size + rank
        pairs += zip(rows.tolist(), share.nodes.tolist(), share.relevance.tolist(), strict=True)
    expected = zip(drawn.rows.tolist(), drawn.nodes.tolist(), drawn.relevance.tolist(), strict=True)
    assert sorted(pairs) == list(expected)


@given(st.integers(1, 12), st.integers(0, 99))
def test_the_limit_is_honoured_positives_first_without_replacement(limit, seed):
    sampler, rng = level_of(2, limit=limit), np.random.default_rng(seed)
    drawn, everything = sampler.draw(np.arange(N), rng), level_of(2).draw(np.arange(N), rng)
    pairs = drawn.rows * sampler.n_nodes + drawn.nodes
    assert np.all(np.diff(pairs) > 0)
    assert np.isin(pairs, everything.rows * sampler.n_nodes + everything.nodes).all()
    counts, there = (np.bincount(c.rows, minlength=N) for c in (drawn, everything))
    np.testing.assert_array_equal(counts, np.minimum(there, limit))
    positives, all_positives = (
        np.bincount(c.rows[c.relevance > 0], minlength=N) for c in (drawn, everything)
    )
    np.testing.assert_array_equal(positives, np.minimum(all_positives, limit))


def test_other_negatives_are_drawn_every_time():
    sampler, rng = level_of(2, limit=5), np.random.default_rng(0)
    first, second = (sampler.draw(np.arange(N), rng).nodes.tolist() for _ in range(2))
    assert first != second
    assert sampler.draw(np.arange(N), np.random.default_rng(0)).nodes.tolist() == first


def test_matrices_must_fit_the_level():
    sampler = level_of(2)
    with pytest.raises(ValueError, match="level 1 has 4 parents and 9 nodes, but the matrices"):
        CandidateSampler(TREE, 1, sampler.parents, sampler.relevance, 3)
    with pytest.raises(ValueError, match="limit must be at least 1, but is 0"):
        CandidateSampler(TREE, 2, sampler.parents, sampler.relevance, 0)
