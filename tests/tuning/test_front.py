"""The Pareto front, and the trial that is taken."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from larix.tuning.front import ChoiceParams, choose, dominates, pareto_front
from larix.tuning.objectives import check_objectives

OBJECTIVES = check_objectives(("P@1", "milliseconds"))


def rows(*pairs):
    return [{"trial": n, "P@1": quality, "milliseconds": cost} for n, (quality, cost) in enumerate(pairs)]


FIVE = rows((0.50, 1.0), (0.58, 1.2), (0.60, 4.0), (0.55, 3.0), (0.50, 1.0))


def test_the_front_holds_what_no_other_beats_best_first_and_equals_once():
    assert [row["trial"] for row in pareto_front(FIVE, OBJECTIVES)] == [2, 1, 0]


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=12))
def test_every_trial_is_on_the_front_or_beaten_or_equalled_by_one_of_it(pairs):
    all_rows = rows(*pairs)
    front = pareto_front(all_rows, OBJECTIVES)
    assert front
    for row in all_rows:
        beaten = [other for other in front if dominates(other, row, OBJECTIVES)]
        equal = [other for other in front if {**other, "trial": 0} == {**row, "trial": 0}]
        assert bool(beaten) != bool(equal)


@pytest.mark.parametrize(
    ("params", "trial"),
    [
        (ChoiceParams(), 2),
        (ChoiceParams(limits={"milliseconds": 2.0}), 1),
        (ChoiceParams(limits={"milliseconds": 1.1}), 0),
        (ChoiceParams("knee"), 1),
        (ChoiceParams("knee", {"P@1": 0.59}), 2),
    ],
)
def test_a_rule_takes_one_trial(params, trial):
    assert choose(FIVE, OBJECTIVES, params)["trial"] == trial


@pytest.mark.parametrize(
    ("params", "words"),
    [
        (ChoiceParams(), "the best by P@1"),
        (ChoiceParams("knee"), "the nearest to the ideal point"),
        (
            ChoiceParams(limits={"milliseconds": 0.5, "R@10": 0.7}),
            "the best by P@1 with 0.500 ms a document at most and R@10 70.00 % at least",
        ),
    ],
)
def test_a_rule_is_told_in_words(params, words):
    assert params.told(OBJECTIVES) == words


def test_limits_that_no_trial_keeps_are_told_with_the_best_there_is():
    with pytest.raises(ValueError, match=r"the best milliseconds is 1, and 0\.5 is asked"):
        choose(FIVE, OBJECTIVES, ChoiceParams(limits={"milliseconds": 0.5}))


def test_a_limit_on_what_was_not_measured_is_refused():
    with pytest.raises(ValueError, match="no trial has a 'P@7'; did you mean 'P@1'"):
        choose(FIVE, OBJECTIVES, ChoiceParams(limits={"P@7": 0.5}))


def test_a_choice_needs_a_trial_and_a_known_rule():
    with pytest.raises(ValueError, match="no trial is finished"):
        choose([], OBJECTIVES, ChoiceParams())
    with pytest.raises(ValueError, match="rule must be one of best, knee"):
        ChoiceParams("elbow")
