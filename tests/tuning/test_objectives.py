"""What a study is after."""

import pytest

from larix.tuning.objectives import Objective, check_objectives


def test_qualities_are_raised_and_costs_lowered():
    quality, cost = check_objectives(("nDCG@5", "size_mb"))
    assert (quality.is_cost, cost.is_cost) == (False, True)
    assert quality.loss(0.6) < quality.loss(0.5)
    assert cost.loss(5) < cost.loss(6)
    assert quality.cutoff == 5
    assert (quality.shown(0.6123), cost.shown(1234.5), cost.shown(0.25), cost.shown(None)) == (
        "61.23", "1,234", "0.250", "–",
    )  # fmt: skip


@pytest.mark.parametrize("name", ["ndcg@5", "P@0", "P", "F1@3", "seconds", "coverage@5"])
def test_an_unknown_objective_is_refused_with_a_list(name):
    with pytest.raises(ValueError, match=r"P, R, nDCG, PSP or PSnDCG.*milliseconds, inner_products, size_mb"):
        Objective(name)


@pytest.mark.parametrize("names", [(), ("milliseconds", "P@1")])
def test_a_quality_comes_first(names):
    with pytest.raises(ValueError, match="the first of objectives must be a quality"):
        check_objectives(names)


def test_objectives_differ():
    with pytest.raises(ValueError, match="objectives must differ"):
        check_objectives(("P@1", "P@1"))
