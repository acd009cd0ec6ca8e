"""Search spaces: groups, conditions, and parameters by their paths."""

import math

import pytest

from larix.tuning.space import SearchSpace, changed_at

GIVEN = {
    "tree": {
        "kind_of_tree": {"kind": "categorical", "choices": ["flat", "deep"]},
        "depth": {"kind": "int", "low": 2, "high": 5, "when": {"tree.kind_of_tree": "deep"}},
    },
    "cost": {"kind": "float", "low": 1.0, "high": 4.0, "log": True, "also": "matcher.cost"},
    "search": {"beam": {"kind": "int", "low": 1, "high": 9, "step": 2}},
}


class FixedTrial:
    """Draws what it was given."""

    def __init__(self, **values):
        self.values = {name.replace("__", "."): value for name, value in values.items()}

    def suggest_categorical(self, name, choices):
        assert self.values[name] in choices
        return self.values[name]

    def suggest_int(self, name, low, high, *, step, **_):
        assert low <= self.values[name] <= high
        assert (self.values[name] - low) % step == 0
        return self.values[name]

    def suggest_float(self, name, low, high, **_):
        assert low <= self.values[name] <= high
        return self.values[name]


def space(given=GIVEN):
    return SearchSpace.of(given, lambda path: path.startswith("search."))


def test_entries_are_found_in_groups_and_told_apart_by_what_they_change():
    assert [dimension.path for dimension in space().training] == ["tree.kind_of_tree", "tree.depth", "cost"]
    assert [dimension.path for dimension in space().prediction] == ["search.beam"]


def test_an_entry_whose_condition_does_not_hold_is_not_drawn():
    drawn = space().draw(FixedTrial(tree__kind_of_tree="flat", cost=2.0, search__beam=3))
    assert drawn == {"tree.kind_of_tree": "flat", "cost": 2.0, "search.beam": 3}
    deep = space().draw(FixedTrial(tree__kind_of_tree="deep", tree__depth=3, cost=2.0, search__beam=3))
    assert deep["tree.depth"] == 3


def test_changes_reach_all_parameters_that_share_a_value():
    assert space().changes({"cost": 2.0, "search.beam": 3}) == {
        "cost": 2.0, "matcher.cost": 2.0, "search.beam": 3,
    }  # fmt: skip


def test_the_part_of_training_is_told_from_that_of_prediction():
    drawn = {"tree.kind_of_tree": "flat", "cost": 2.0, "search.beam": 3}
    assert space().of_training(drawn) == {"tree.kind_of_tree": "flat", "cost": 2.0}
    assert space().of_prediction(drawn) == {"search.beam": 3}
    assert space().n_predictions == 5


def test_continuous_uses_of_a_model_are_without_number():
    given = {"search": {"weight": {"kind": "float", "low": 0.0, "high": 1.0}}}
    assert space(given).n_predictions == math.inf


def test_what_would_have_to_be_drawn_for_parameters_as_they_are():
    parameters = {
        "tree": {"kind_of_tree": "flat"}, "cost": 2.0, "matcher": {"cost": 2.0}, "search": {"beam": 5},
    }  # fmt: skip
    assert space().drawn_for(parameters) == {"tree.kind_of_tree": "flat", "cost": 2.0, "search.beam": 5}
    with pytest.raises(ValueError, match=r"cost and matcher\.cost differ"):
        space().drawn_for(changed_at(parameters, {"matcher.cost": 3.0}))
    with pytest.raises(ValueError, match=r"search\.beam is 4, which lies outside"):
        space().drawn_for(changed_at(parameters, {"search.beam": 4}))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"tree": None, "cost": None, "search": None}, "must have an entry, but has none"),
        ({"search": {"beam": 5}}, r"search\.beam must be a group or an entry with a kind"),
        (
            {"matcher": {"cost": {"kind": "int", "low": 1, "high": 2}}},
            r"matcher\.cost stands in more than one",
        ),
        (
            {"late": {"kind": "int", "low": 1, "high": 2, "when": {"tree.kindof_tree": "deep"}}},
            r"when must name an entry before it.*did you mean 'tree\.kind_of_tree'",
        ),
        (
            {"late": {"kind": "int", "low": 1, "high": 2, "when": {"tree.kind_of_tree": "high"}}},
            "is 'high', which it never is; it has flat, deep",
        ),
        (
            {"late": {"kind": "int", "low": 1, "high": 2, "when": {"cost": 9}}},
            "which it never is; it has 1.0 to 4.0",
        ),
        (
            {"late": {"kind": "int", "low": 1, "high": 2, "when": {"search.beam": 3}}},
            "those of training come first",
        ),
        (
            {"late": {"kind": "int", "low": 1, "high": 2, "also": "search.width"}},
            "parameters of training and of prediction cannot share a value",
        ),
    ],
)
def test_a_wrong_space_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        space({**GIVEN, **changes})


def test_every_end_of_a_range_is_tried_before_anything_runs():
    def build(parameters):
        if parameters["cost"] > 3:
            raise ValueError("cost must not exceed 3")

    with pytest.raises(ValueError, match=r"tuning\.space: cost = 4\.0: cost must not exceed 3"):
        space().check({"tree": {}, "cost": 1.0, "search": {}}, build)


def test_a_mapping_changes_its_own_keys_only_and_nothing_in_place():
    before = {"char": {"shortest": 3, "longest": 5}}
    assert changed_at(before, {"char": {"longest": 4}}) == {"char": {"shortest": 3, "longest": 4}}
    assert changed_at(before, {"char": None}) == {"char": None}
    assert before == {"char": {"shortest": 3, "longest": 5}}


def test_a_path_through_something_without_keys_is_refused():
    with pytest.raises(KeyError, match=r"char is None, so it has no 'longest'; leave the entry out by null"):
        changed_at({"char": None}, {"char.longest": 4})
