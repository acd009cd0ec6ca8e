import numpy as np
import pytest

from larix.xmc.transformer.head_search import search_level
from tests.xmc.data import random_tree

TREE, N, d = random_tree(30, [3, 8], seed=4), 300, 5


@pytest.fixture
def heads():
    rng = np.random.default_rng(0)
    sizes = [TREE.n_nodes(level) for level in range(3)]
    return [
        {name: rng.normal(size=size).astype(np.float32) for name, size in (("weight", (K, d)), ("bias", K))}
        for K in sizes
    ]


def test_values_are_products_down_the_path(heads):
    E, found, values = np.random.default_rng(1).normal(size=(N, d)).astype(np.float32), None, np.ones((N, 1))
    for level, head in enumerate(heads):
        factors = np.exp(-(np.maximum(1 - (E @ head["weight"].T + head["bias"]), 0) ** 3))
        values = factors * values[:, TREE.parent_of(level)]
        found = search_level(E, head, TREE, level, found, 1000)
        np.testing.assert_allclose(found.toarray(), values, rtol=1e-3, atol=1e-9)


def test_a_beam_keeps_the_best_children_of_what_was_found(heads):
    E = np.random.default_rng(1).normal(size=(N, d)).astype(np.float32)
    first = search_level(E, heads[0], TREE, 0, None, 1)
    assert np.diff(first.indptr).tolist() == [1] * N
    whole = search_level(E, heads[0], TREE, 0, None, 3).toarray()
    np.testing.assert_array_equal(first.indices, whole.argmax(axis=1))
    second = search_level(E, heads[1], TREE, 1, first, 2)
    assert np.diff(second.indptr).max() <= 2
    rows = np.repeat(np.arange(N), np.diff(second.indptr))
    np.testing.assert_array_equal(TREE.parent_of(1)[second.indices], first.indices[rows])
