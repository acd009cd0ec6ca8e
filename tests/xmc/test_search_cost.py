import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from larix import LinearMatcher, SearchParams
from larix.xmc.label_tree import LabelTree
from larix.xmc.search_cost import inner_products, widest_beam
from larix.xmc.sparse import check_csr
from tests.xmc.data import documents, random_tree


@pytest.fixture(scope="module")
def data():
    return documents(200, 40, 60, seed=4)


def matcher_of(data, fan_outs, n_copies=0, seed=2):
    tree = random_tree(60, fan_outs, seed=seed, n_copies=n_copies)
    return LinearMatcher(search=SearchParams(beam_size=3)).fit(*data, tree)


def counted(tree, kept):
    """Children of the kept nodes, one by one."""
    total = 0
    for row in range(kept[0].shape[0]):
        total += tree.n_nodes(0)
        for level, nodes in enumerate(kept, start=1):
            for node in nodes.indices[nodes.indptr[row] : nodes.indptr[row + 1]]:
                total += tree.offsets[level][node + 1] - tree.offsets[level][node]
    return total / kept[0].shape[0]


@pytest.mark.parametrize("fan_outs", [[5], [3, 9], [2, 5, 11]])
@pytest.mark.parametrize("n_copies", [0, 25])
@pytest.mark.parametrize("beam_size", [1, 4, 60])
def test_inner_products_are_those_of_all_children_of_what_is_kept(data, fan_outs, n_copies, beam_size):
    matcher = matcher_of(data, fan_outs, n_copies)
    kept = matcher.predict_levels(data[0], beam_size=beam_size)
    assert inner_products(matcher.tree_, kept) == pytest.approx(counted(matcher.tree_, kept))


@pytest.mark.parametrize("fan_outs", [[5], [3, 9], [2, 5, 11]])
def test_a_beam_that_keeps_everything_scores_every_node(data, fan_outs):
    matcher = matcher_of(data, fan_outs, n_copies=10)
    kept = matcher.predict_levels(data[0], beam_size=60)
    assert inner_products(matcher.tree_, kept) == sum(fan_outs) + matcher.tree_.n_slots


def test_a_small_search_is_counted_by_hand():
    tree = LabelTree(([0, 3], [0, 1, 3, 7]), range(7), 7)  # clusters of 1, 2 and 4 labels
    kept = check_csr(np.array([[0.5, 0, 0.25], [0, 0.75, 0]], np.float32))
    assert inner_products(tree, [kept]) == 3 + (1 + 4 + 2) / 2


def test_a_tree_of_one_cluster_scores_every_label():
    assert inner_products(LabelTree(([0, 7],), range(7), 7), []) == 7


def test_every_level_above_the_labels_must_be_given():
    tree = random_tree(60, [3, 9])
    with pytest.raises(ValueError, match="each of the 2 levels above the labels, but has 0"):
        inner_products(tree, [])


@given(seed=st.integers(0, 20), widest=st.integers(1, 12), share=st.floats(0.1, 1.2))
@settings(max_examples=40, deadline=None)
def test_the_widest_beam_costs_no_more_than_its_limit_and_the_next_one_does(data, seed, widest, share):
    matcher, X = matcher_of(data, [12], n_copies=20, seed=seed), data[0][:50]
    costs = {
        beam: inner_products(matcher.tree_, matcher.predict_levels(X, beam_size=beam))
        for beam in range(1, 13)
    }
    limit = share * costs[12]
    beam = widest_beam(matcher, matcher.tree_, X, widest=widest, limit=limit)
    assert 1 <= beam <= widest
    assert costs[beam] <= limit or beam == 1
    assert beam == widest or costs[beam + 1] > limit


def test_the_tree_may_have_other_slots_than_the_matchers(data):
    matcher = matcher_of(data, [12])
    crowded = random_tree(60, [12], seed=2, n_copies=60)
    limit = inner_products(matcher.tree_, matcher.predict_levels(data[0], beam_size=6))
    assert widest_beam(matcher, matcher.tree_, data[0], widest=12, limit=limit) == 6
    assert widest_beam(matcher, crowded, data[0], widest=12, limit=limit) < 6
