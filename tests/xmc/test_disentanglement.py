from dataclasses import replace
from typing import get_args

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from larix.xmc.disentanglement import (
    DisentanglementParams,
    Method,
    own_clusters,
    reassign_labels,
    slots_of_positives,
)
from larix.xmc.label_tree import LabelTree
from larix.xmc.sparse import check_csr
from tests.xmc.data import random_tree

FREE = DisentanglementParams(budget=None)
THREE_CLUSTERS = LabelTree(([0, 3], [0, 1, 2, 3]), [0, 1, 2], 3)
"""Label l is alone in cluster l."""


def csr(rows):
    return check_csr(np.array(rows, np.float32))


def pairs(tree):
    return set(zip(tree.slot_label.tolist(), tree.slot_cluster().tolist(), strict=True))


def gains_of(reassigned):
    tree = reassigned.tree
    keys = zip(tree.slot_label.tolist(), tree.slot_cluster().tolist(), strict=True)
    return dict(zip(keys, reassigned.gain.tolist(), strict=True))


def draw_problem(seed, n_labels=12, n_rows=30, fan_outs=(3, 6)):
    """A plain tree (label 0 without a slot), labels, beams of scores in eighths."""
    rng = np.random.default_rng(seed)
    cluster = rng.integers(0, fan_outs[-1], n_labels)
    labels = np.arange(1, n_labels)
    labels = labels[np.argsort(cluster[labels], kind="stable")]
    ends = np.cumsum([0, *np.bincount(cluster[labels], minlength=fan_outs[-1])])
    tree = LabelTree((*random_tree(3, fan_outs, seed).offsets[:-1], ends), labels, n_labels)
    Y = check_csr((rng.random((n_rows, n_labels)) < 0.25).astype(np.float32))
    kept = rng.random((n_rows, fan_outs[-1])) < 0.5
    return tree, Y, check_csr((kept * rng.integers(1, 9, kept.shape) / 8).astype(np.float32))


problems = st.builds(draw_problem, st.integers(0, 10_000))
parameters = st.builds(
    DisentanglementParams,
    method=st.sampled_from(get_args(Method)),
    max_clusters_per_label=st.integers(1, 6),
    keep_own=st.booleans(),
    budget=st.sampled_from([None, 1.0, 1.3, 2.0, 5.0]),
    min_gain=st.sampled_from([0.0, 0.1, 0.5]),
)


def slow_choice(tree, Y, beams, params):
    """Every label's clusters in order and their gains, from the formulas: {label: [(cluster, gain), ...]}."""
    Y, P, own = Y.toarray(), beams.toarray().astype(float), own_clusters(tree)
    chosen = {}
    for label in range(tree.n_labels):
        held = P[Y[:, label] > 0]
        if params.method == "counts":
            worth = (held > 0).astype(float)
        elif params.method == "tied-counts":
            worth = (held > 0) * (1 + held / (len(held) + 1))
        else:
            worth = held
        best = np.zeros(len(held))
        order = []
        for place in range(params.max_clusters_per_label):
            gain = np.maximum(worth - best[:, None], 0).sum(axis=0)
            gain[[c for c, _ in order]] = -1
            first = place == 0 and params.keep_own and own[label] >= 0
            cluster = own[label] if first else int(gain.argmax())
            if gain[cluster] <= 0 and not first:
                break
            order.append((int(cluster), gain[cluster]))
            if params.method == "coverage":
                best = np.maximum(best, worth[:, cluster])
        chosen[label] = order
    return chosen


def slow_reassignment(tree, Y, beams, params):
    """The pairs that the budget lets in, labels' first clusters included; without a cap."""
    own, hits = own_clusters(tree), (beams.toarray() > 0).sum(axis=0)
    chosen = slow_choice(tree, Y, beams, params)
    n_positives = (Y.toarray() > 0).sum(axis=0)
    kept, waiting = set(), []
    for label in range(tree.n_labels):
        if own[label] < 0:
            continue
        first = chosen[label][0][0] if chosen[label] else int(own[label])
        kept.add((label, first))
        waiting += [
            (gain / hits[c], label, c)
            for c, gain in chosen[label]
            if c != first and gain >= params.min_gain * n_positives[label]
        ]
    left = np.inf
    if params.budget is not None:
        left = params.budget * (hits @ tree.cluster_sizes()) - sum(hits[c] for _, c in kept)
    levels = sorted({worth for worth, _, _ in waiting}, reverse=True)
    for worth in levels:  # all pairs of one worth, or none
        group = [(label, c) for w, label, c in waiting if w == worth]
        left -= sum(hits[c] for _, c in group)
        if left < 0:
            break
        kept.update(group)
    return kept


@given(problems, parameters)
@settings(deadline=None)
def test_reassignment_agrees_with_the_slow_reference(problem, params):
    tree, Y, beams = problem
    assert pairs(reassign_labels(tree, Y, beams, params).tree) == slow_reassignment(tree, Y, beams, params)


@given(problems, parameters)
@settings(deadline=None)
def test_gains_are_those_of_the_slow_reference(problem, params):
    tree, Y, beams = problem
    chosen = slow_choice(tree, Y, beams, params)
    for (label, cluster), gain in gains_of(reassign_labels(tree, Y, beams, params)).items():
        assert gain == pytest.approx(dict(chosen[label]).get(cluster, 0.0), rel=1e-5)


@given(problems, parameters, st.none() | st.integers(6, 12))
@settings(deadline=None)
def test_labels_keep_a_slot_and_limits_hold(problem, params, cap):
    tree, Y, beams = problem
    assume(cap is None or not params.keep_own or tree.cluster_sizes().max() <= cap)
    made = reassign_labels(tree, Y, beams, replace(params, max_cluster_size=cap)).tree
    n_slots = np.bincount(made.slot_label, minlength=made.n_labels)
    assert n_slots[0] == 0
    assert n_slots[1:].min() >= 1
    assert n_slots.max() <= params.max_clusters_per_label
    assert cap is None or made.cluster_sizes().max() <= cap
    assert not params.keep_own or pairs(tree) <= pairs(made)
    assert [level.tolist() for level in made.offsets[:-1]] == [level.tolist() for level in tree.offsets[:-1]]


@given(problems, parameters, st.none() | st.integers(9, 12))
@settings(deadline=None)
def test_labels_below_the_beams_stay_within_the_budget(problem, params, cap):
    tree, Y, beams = problem
    assume(params.budget is not None and (cap is None or tree.cluster_sizes().max() <= cap))
    made = reassign_labels(tree, Y, beams, replace(params, keep_own=True, max_cluster_size=cap)).tree
    hits = (beams.toarray() > 0).sum(axis=0)
    assert hits @ made.cluster_sizes() <= params.budget * (hits @ tree.cluster_sizes())


@given(problems, parameters, st.none() | st.integers(6, 12))
@settings(deadline=None)
def test_one_and_two_threads_give_the_same_bytes(problem, params, cap):
    tree, Y, beams = problem
    assume(cap is None or not params.keep_own or tree.cluster_sizes().max() <= cap)
    one, two = (
        reassign_labels(tree, Y, beams, replace(params, max_cluster_size=cap), n_threads=n) for n in (1, 2)
    )
    assert one.tree.slot_label.tobytes() == two.tree.slot_label.tobytes()
    assert one.tree.offsets[-1].tobytes() == two.tree.offsets[-1].tobytes()
    assert one.gain.tobytes() == two.gain.tobytes()


def test_many_labels_are_ranked_in_several_tasks(monkeypatch):
    tree, Y, beams = draw_problem(5, n_labels=40)
    whole = reassign_labels(tree, Y, beams)
    monkeypatch.setattr("larix.xmc.disentanglement._LABELS_A_TASK", 7)
    parts = reassign_labels(tree, Y, beams, n_threads=2)
    assert pairs(parts.tree) == pairs(whole.tree)
    assert parts.gain.tolist() == whole.gain.tolist()


@given(problems, parameters, st.integers(0, 99))
@settings(deadline=None)
def test_other_numbers_of_labels_give_the_same_clusters(problem, params, seed):
    tree, Y, beams = problem
    new_number = np.random.default_rng(seed).permutation(tree.n_labels)
    renamed = LabelTree(tree.offsets, new_number[tree.slot_label], tree.n_labels)
    Y_renamed = check_csr(Y[:, np.argsort(new_number)])
    expected = {
        (int(new_number[label]), c) for label, c in pairs(reassign_labels(tree, Y, beams, params).tree)
    }
    assert pairs(reassign_labels(renamed, Y_renamed, beams, params).tree) == expected


@given(problems, parameters, st.integers(0, 99))
@settings(deadline=None)
def test_the_order_of_documents_does_not_matter(problem, params, seed):
    tree, Y, beams = problem  # scores in eighths: sums are exact in any order
    rows = np.random.default_rng(seed).permutation(Y.shape[0])
    params = replace(params, method="coverage" if params.method == "tied-counts" else params.method)
    shuffled = reassign_labels(tree, check_csr(Y[rows]), check_csr(beams[rows]), params)
    assert pairs(shuffled.tree) == pairs(reassign_labels(tree, Y, beams, params).tree)


@given(problems)
def test_one_cluster_a_label_leaves_the_bytes_of_the_tree(problem):
    tree, Y, beams = problem
    made = reassign_labels(tree, Y, beams, DisentanglementParams(max_clusters_per_label=1)).tree
    assert made.slot_label.tobytes() == tree.slot_label.tobytes()
    assert [level.tobytes() for level in made.offsets] == [level.tobytes() for level in tree.offsets]


def test_what_a_positive_reaches_already_does_not_count_again():
    # Label 0 has four positives. Cluster 1 reaches what cluster 0 reaches, cluster 2 the others.
    Y = csr([[1, 0, 0]] * 4)
    beams = csr([[0.5, 0.75, 0], [0.5, 0.75, 0], [0, 0, 0.25], [0, 0, 0.25]])
    covered = gains_of(reassign_labels(THREE_CLUSTERS, Y, beams, FREE))
    assert {c: gain for (label, c), gain in covered.items() if label == 0} == {0: 1.0, 1: 0.5, 2: 0.5}
    summed = gains_of(reassign_labels(THREE_CLUSTERS, Y, beams, replace(FREE, method="scores")))
    assert {c: gain for (label, c), gain in summed.items() if label == 0} == {0: 1.0, 1: 1.5, 2: 0.5}


def test_counts_are_the_papers_product_of_labels_and_beams():
    tree, Y, beams = draw_problem(3)
    params = replace(FREE, method="counts", max_clusters_per_label=6, keep_own=False)
    G = Y.toarray().T @ (beams.toarray() > 0)
    found = gains_of(reassign_labels(tree, Y, beams, params))
    wanted = {(label, c): G[label, c] for label, c in zip(*np.nonzero(G), strict=True) if label}
    assert {pair: gain for pair, gain in found.items() if gain} == wanted


def test_equal_counts_are_told_apart_by_scores_and_unequal_ones_are_not():
    Y = csr([[1, 0, 0], [1, 0, 0]])
    two = replace(FREE, max_clusters_per_label=2)
    tie = csr([[0.5, 0.25, 0.75], [0.5, 0.25, 0.75]])
    assert (0, 1) in pairs(reassign_labels(THREE_CLUSTERS, Y, tie, replace(two, method="counts")).tree)
    assert (0, 2) in pairs(reassign_labels(THREE_CLUSTERS, Y, tie, replace(two, method="tied-counts")).tree)
    fewer = csr([[0.5, 0.125, 1.0], [0.5, 0.125, 0]])
    assert (0, 1) in pairs(reassign_labels(THREE_CLUSTERS, Y, fewer, replace(two, method="tied-counts")).tree)


def test_the_gain_that_is_asked_for_is_one_for_each_positive():
    Y = csr([[1, 0, 0], [1, 0, 0]])
    beams = csr([[0.5, 1.0, 0], [0.5, 0.5, 0]])  # cluster 1 gains a half in all, a quarter a positive
    for min_gain, found in ((0.25, True), (0.26, False)):
        made = reassign_labels(THREE_CLUSTERS, Y, beams, replace(FREE, min_gain=min_gain)).tree
        assert ((0, 1) in pairs(made)) == found


def test_the_budget_goes_to_what_gains_most_for_each_beam_that_holds_the_cluster():
    # Cluster 1 gains label 0 a half and is in one beam; cluster 2 gains label 1 one and is in four.
    Y = csr([[1, 0, 0], [0, 1, 0], [0, 1, 0], [0, 0, 1], [0, 0, 1]])
    beams = csr([[0, 0.5, 0], [0, 0, 0.5], [0, 0, 0.5], [0.5, 0, 0.5], [0.5, 0, 0.5]])
    # Plain: two beams hold cluster 0, one cluster 1, four cluster 2: 7 labels; a budget of 8 / 7 buys one.
    made = {
        b: pairs(reassign_labels(THREE_CLUSTERS, Y, beams, replace(FREE, budget=b)).tree)
        for b in (1, 8 / 7, 2)
    }
    plain = {(0, 0), (1, 1), (2, 2)}
    assert made[1] == plain
    assert made[8 / 7] == plain | {(0, 1)}
    assert made[2] >= plain | {(0, 1), (1, 2)}


def test_labels_without_room_in_their_best_cluster_go_to_the_next():
    # Without their own clusters kept, all three labels want cluster 2, label 1 the most.
    Y = csr([[1, 0, 0], [0, 1, 0], [0, 0, 1]])
    beams = csr([[0.25, 0, 0.75], [0.5, 0, 1.0], [0, 0, 0.5]])
    params = replace(FREE, max_clusters_per_label=2, keep_own=False, max_cluster_size=1)
    assert pairs(reassign_labels(THREE_CLUSTERS, Y, beams, params).tree) == {(1, 2), (0, 0), (2, 1)}


def test_labels_without_a_beam_stay_where_they_are():
    Y, beams = csr([[1, 0, 0]]), csr([[0, 0, 1.0]])
    made = reassign_labels(THREE_CLUSTERS, Y, beams, replace(FREE, keep_own=False)).tree
    assert pairs(made) == {(0, 2), (1, 1), (2, 2)}


OVERLAP = LabelTree(([0, 3], [0, 2, 3, 4]), [0, 1, 1, 2], 3)
"""Label 0 in cluster 0, label 1 in clusters 0 and 1, label 2 in cluster 2."""


def test_positives_of_a_slot_are_those_whose_beam_holds_its_cluster():
    Y = csr([[1, 1, 0], [0, 1, 0], [0, 1, 1]])
    beams = csr([[0, 0.5, 0], [0.75, 0, 0], [0, 0.25, 0]])
    own = np.array([0, 0, 2])
    # Slots: label 0 in 0, label 1 in 0 (its own: all), label 1 in 1 (documents 0 and 2), label 2 in 2 (own).
    held = slots_of_positives(OVERLAP, own, Y, beams, "beam")
    assert held.toarray().tolist() == [[1, 1, 1, 0], [0, 1, 0, 0], [0, 1, 1, 1]]
    weighted = slots_of_positives(OVERLAP, own, Y, beams, "weighted")
    assert weighted.toarray().tolist() == [[1, 1, 0.5, 0], [0, 1, 0, 0], [0, 1, 0.25, 1]]
    assert slots_of_positives(OVERLAP, own, Y, beams, "all") is None


@given(problems)
def test_positives_of_slots_are_some_of_the_labels_and_of_own_slots_all(problem):
    tree, Y, beams = problem
    made, own = reassign_labels(tree, Y, beams, FREE).tree, own_clusters(tree)
    everything = made.slots_of_labels(Y).toarray() > 0
    held = slots_of_positives(made, own, Y, beams, "beam").toarray() > 0
    is_own = made.slot_cluster() == own[made.slot_label]
    assert not (held & ~everything).any()
    assert (held[:, is_own] == everything[:, is_own]).all()
    in_beam = beams.toarray()[:, made.slot_cluster()] > 0
    assert (held == (everything & (in_beam | is_own))).all()


def test_own_clusters_are_those_of_the_slots():
    assert own_clusters(LabelTree(([0, 2], [0, 1, 3]), [2, 0, 3], 4)).tolist() == [1, -1, 0, 1]


def test_trees_and_beams_must_fit():
    Y, beams = csr([[1, 1, 0]]), csr([[0.5, 0, 1.0]])
    with pytest.raises(ValueError, match="in a plain tree, but this one has labels in several clusters"):
        reassign_labels(OVERLAP, Y, beams)
    for value, told in ((1.5, "0 to 1.5"), (-0.5, "-0.5 to 1")):
        bad = csr([[value, 0, 1.0]])
        with pytest.raises(ValueError, match=f"between 0 and 1 for the method 'coverage', but has {told}"):
            reassign_labels(THREE_CLUSTERS, Y, bad)
        reassign_labels(THREE_CLUSTERS, Y, bad, replace(FREE, method="counts"))
    with pytest.raises(ValueError, match="Y"):
        reassign_labels(THREE_CLUSTERS, csr([[1, 0]]), beams)
    with pytest.raises(ValueError, match="beams"):
        reassign_labels(THREE_CLUSTERS, Y, sp.vstack([beams, beams]))


def test_clusters_must_have_room_for_the_labels():
    crowded = LabelTree(([0, 2], [0, 3, 3]), [0, 1, 2], 3)
    Y, beams = csr([[1, 1, 1]]), csr([[0.5, 0.5]])
    with pytest.raises(ValueError, match="at least 3, the size of cluster 0, as labels keep their own"):
        reassign_labels(crowded, Y, beams, replace(FREE, max_cluster_size=2))
    with pytest.raises(ValueError, match="at least 2 to hold 3 labels in 2 clusters, but is 1"):
        reassign_labels(crowded, Y, beams, replace(FREE, max_cluster_size=1, keep_own=False))
    made = reassign_labels(crowded, Y, beams, replace(FREE, max_cluster_size=2, keep_own=False)).tree
    assert made.cluster_sizes().max() == 2


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"method": "count"}, "did you mean 'counts'"),
        ({"positives": "some"}, "positives must be one of all, beam, weighted"),
        ({"negatives": "man"}, "negatives must be one of beam, tfn"),
        ({"max_clusters_per_label": 0}, "max_clusters_per_label must be at least 1, but is 0"),
        ({"n_folds": 0}, "n_folds must be at least 1, but is 0"),
        ({"beam_size": 0}, "beam_size must be at least 1, but is 0"),
        ({"max_cluster_size": 0}, "max_cluster_size must be at least 1 or None, but is 0"),
        ({"budget": 0.9}, r"budget must be at least 1 or None, but is 0\.9"),
        ({"budget": float("nan")}, "budget must be at least 1 or None, but is nan"),
        ({"min_gain": -0.1}, "min_gain must not be negative"),
    ],
)
def test_bad_parameters_are_refused(params, message):
    with pytest.raises(ValueError, match=message):
        DisentanglementParams(**params)
