"""One entry of a search space."""

import math

import pytest

from larix.tuning.dimension import Dimension


def test_choices_may_be_plain_values_or_named_ones():
    plain = Dimension.of("ranking.solver.loss", {"kind": "categorical", "choices": ["hinge", "logistic"]})
    named = Dimension.of(
        "vectorization.char", {"kind": "categorical", "choices": {"none": None, "short": {"longest": 3}}}
    )
    assert plain.value("hinge") == "hinge"
    assert named.value("none") is None
    assert named.value("short") == {"longest": 3}
    assert named.drawn_for({"longest": 3}) == "short"


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"kind": "integer"}, "kind must be one of categorical, int, float, but is 'integer'"),
        ({}, "kind must be one of"),
        ({"kind": "int", "low": 1, "hihg": 3}, "int has no key 'hihg'; did you mean 'high'"),
        ({"kind": "categorical", "low": 1}, "categorical has no key 'low'"),
        ({"kind": "categorical", "choices": []}, "choices must be a list of values, but is"),
        ({"kind": "categorical", "choices": [[1]]}, r"needs a name: choices: \{NAME: \[1\]\}"),
        ({"kind": "int", "low": 3, "high": 3}, "low must be below high, but they are 3 and 3"),
        ({"kind": "int", "low": 0.5, "high": 3}, "must be of kind int, but are"),
        ({"kind": "float", "low": True, "high": 3}, "must be of kind float, but are"),
        ({"kind": "float", "low": 0, "high": 3, "log": True}, "low must be positive, but is 0"),
        ({"kind": "float", "low": 1, "high": 3, "log": True, "step": 1}, "log and step do not go together"),
        ({"kind": "int", "low": 1, "high": 3, "step": 0}, "step must be positive, but is 0"),
    ],
)
def test_a_wrong_entry_is_refused_with_its_path_and_what_is_allowed(entry, message):
    with pytest.raises(ValueError, match=message) as error:
        Dimension.of("search.beam_size", entry)
    assert "tuning.space: search.beam_size" in str(error.value)


@pytest.mark.parametrize(
    ("entry", "n"),
    [
        ({"kind": "categorical", "choices": [1, 2, 4]}, 3),
        ({"kind": "int", "low": 3, "high": 9, "step": 3}, 3),
        ({"kind": "float", "low": 0.0, "high": 1.0, "step": 0.25}, 5),
        ({"kind": "float", "low": 0.0, "high": 1.0}, math.inf),
    ],
)
def test_values_are_counted(entry, n):
    assert Dimension.of("x", entry).n_values == n


def test_what_is_drawn_for_a_value_is_the_value_itself_inside_the_range_only():
    steps = Dimension.of("x", {"kind": "int", "low": 2, "high": 8, "step": 2})
    assert steps.drawn_for(6) == 6
    for outside in (5, 10, None, "6", True):
        with pytest.raises(ValueError, match="lies outside"):
            steps.drawn_for(outside)


def test_truth_is_not_taken_for_a_number():
    choices = Dimension.of("x", {"kind": "categorical", "choices": [0, 1]})
    assert choices.drawn_for(1.0) == 1
    with pytest.raises(ValueError, match="lies outside"):
        choices.drawn_for(True)


def test_a_condition_holds_when_the_other_value_is_among_those_named():
    budget = Dimension.of("budget", {"kind": "float", "low": 1, "high": 2, "when": {"clusters": [2, 4]}})
    assert budget.counts({"clusters": 4})
    assert not budget.counts({"clusters": 1})
    assert not budget.counts({})
