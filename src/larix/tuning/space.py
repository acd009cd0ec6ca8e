"""A search space: parameters by their dotted paths, some of which count under a condition only.

Some parameters change what is trained, others only how a trained model is asked. The study draws values for
the first, trains, and then draws several for the second.
"""

import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from larix.corpora.nearest import nearest_hint
from larix.tuning.dimension import Dimension

Drawn = dict[str, Any]
"""Drawn values by path; of a categorical dimension, the choice."""


class Trial(Protocol):
    """What draws values: an Optuna trial."""

    def suggest_categorical(self, name: str, choices: Any) -> Any: ...

    def suggest_int(self, name: str, low: int, high: int, *, step: int, log: bool) -> int: ...

    def suggest_float(
        self, name: str, low: float, high: float, *, step: float | None, log: bool
    ) -> float: ...


@dataclass(frozen=True)
class SearchSpace:
    """The dimensions of a study; those of training come first.

    Parameters
    ----------
    training, prediction : tuple of Dimension
        What changes the model, and what changes its use alone. A condition names a dimension before it.
    """

    training: tuple[Dimension, ...]
    prediction: tuple[Dimension, ...]

    @classmethod
    def of(cls, given: Mapping[str, Any], is_prediction: Callable[[str], bool]) -> "SearchSpace":
        """Read the space as it stands in YAML: groups as in parameter files, entries with a `kind`.

        Raises
        ------
        ValueError
            If there is no entry, one is wrong, or a condition names what it cannot.
        """
        dimensions = [Dimension.of(path, entry) for path, entry in _entries(given)]
        if not dimensions:
            raise ValueError("tuning.space must have an entry, but has none")
        of_prediction = {
            dimension.path: {is_prediction(path) for path in dimension.paths} for dimension in dimensions
        }
        for path, sides in of_prediction.items():
            if len(sides) > 1:
                raise ValueError(
                    f"tuning.space: {path}: parameters of training and of prediction cannot share a value"
                )
        space = cls(
            tuple(dimension for dimension in dimensions if of_prediction[dimension.path] == {False}),
            tuple(dimension for dimension in dimensions if of_prediction[dimension.path] == {True}),
        )
        space._check_paths()
        space._check_conditions()
        return space

    @property
    def dimensions(self) -> tuple[Dimension, ...]:
        """All, in the order in which they are drawn."""
        return self.training + self.prediction

    @property
    def n_predictions(self) -> float:
        """How many different uses of a trained model there are at most."""
        n = 1.0
        for dimension in self.prediction:
            n *= dimension.n_values
        return n

    def draw(self, trial: Trial) -> Drawn:
        """Values of all dimensions that count."""
        drawn: Drawn = {}
        for dimension in self.dimensions:
            if dimension.counts(drawn):
                drawn[dimension.path] = _suggest(trial, dimension)
        return drawn

    def of_training(self, drawn: Mapping[str, Any]) -> Drawn:
        """The part of drawn values that changes the model."""
        return {
            dimension.path: drawn[dimension.path] for dimension in self.training if dimension.path in drawn
        }

    def of_prediction(self, drawn: Mapping[str, Any]) -> Drawn:
        """The part of drawn values that leaves the model as it is."""
        return {path: value for path, value in drawn.items() if path not in self.of_training(drawn)}

    def drawn_for(self, parameters: Mapping[str, Any]) -> Drawn:
        """What would have to be drawn for these parameters.

        Raises
        ------
        ValueError
            If one of them lies outside of the space.
        """
        drawn: Drawn = {}
        for dimension in self.dimensions:
            if dimension.counts(drawn):
                values = [value_at(parameters, path) for path in dimension.paths]
                if any(value != values[0] for value in values):
                    raise ValueError(f"{' and '.join(dimension.paths)} differ")
                drawn[dimension.path] = dimension.drawn_for(values[0])
        return drawn

    def changes(self, drawn: Mapping[str, Any]) -> dict[str, Any]:
        """Parameter values by path."""
        values: dict[str, Any] = {}
        for dimension in self.dimensions:
            if dimension.path in drawn:
                values |= dict.fromkeys(dimension.paths, dimension.value(drawn[dimension.path]))
        return values

    def check(self, parameters: Mapping[str, Any], build: Callable[[dict[str, Any]], Any]) -> None:
        """Refuse a path that no stage has, or a range that it does not take.

        Parameters
        ----------
        parameters : mapping
            As they are.
        build : callable
            Makes parameter objects of changed parameters; what it raises is what is wrong.

        Raises
        ------
        ValueError
            With the path, the value and what `build` said.
        """
        for dimension in self.dimensions:
            for value in dimension.extremes:
                try:
                    build(changed_at(parameters, dict.fromkeys(dimension.paths, value)))
                except (ValueError, TypeError, KeyError) as error:
                    told = error.args[0] if error.args else error
                    raise ValueError(f"tuning.space: {dimension.path} = {value!r}: {told}") from None

    def _check_paths(self) -> None:
        paths = [path for dimension in self.dimensions for path in dimension.paths]
        for path in paths:
            if paths.count(path) > 1:
                raise ValueError(f"tuning.space: {path} stands in more than one entry")

    def _check_conditions(self) -> None:
        before: dict[str, Dimension] = {}
        for dimension in self.dimensions:
            for other, wanted in dimension.when.items():
                if other not in before:
                    raise ValueError(
                        f"tuning.space: {dimension.path}: when must name an entry before it "
                        f"(those of training come first), but names {other!r}; {nearest_hint(other, before)}"
                    )
                _check_values(dimension.path, before[other], wanted)
            before[dimension.path] = dimension


def _check_values(path: str, other: Dimension, wanted: tuple[Any, ...]) -> None:
    for value in wanted:
        inside = value in other.choices if other.kind == "categorical" else other.low <= value <= other.high
        if not inside:
            allowed = (
                ", ".join(map(str, other.choices))
                if other.kind == "categorical"
                else f"{other.low} to {other.high}"
            )
            raise ValueError(
                f"tuning.space: {path}: when {other.path} is {value!r}, which it never is; it has {allowed}"
            )


def _entries(given: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    for key, value in given.items():
        here = f"{path}{key}"
        if value is None:  # an entry or a group that is left out
            continue
        if not isinstance(value, Mapping):
            raise ValueError(
                f"tuning.space: {here} must be a group or an entry with a kind, such as "
                f"{{kind: categorical, choices: [...]}}, but is {value!r}"
            )
        if "kind" in value:
            yield here, value
        else:
            yield from _entries(value, f"{here}.")


def _suggest(trial: Trial, dimension: Dimension) -> Any:
    if dimension.kind == "categorical":
        return trial.suggest_categorical(dimension.path, list(dimension.choices))
    scale = {"log": dimension.log}
    if dimension.kind == "int":
        low, high = int(dimension.low), int(dimension.high)
        return trial.suggest_int(dimension.path, low, high, step=int(dimension.step or 1), **scale)
    return trial.suggest_float(
        dimension.path, float(dimension.low), float(dimension.high), step=dimension.step, **scale
    )


def value_at(parameters: Mapping[str, Any], path: str) -> Any:
    """The value at a dotted path; None where there is none."""
    value: Any = parameters
    for key in path.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def changed_at(parameters: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters with other values at some dotted paths.

    A mapping as a value changes the keys that it has and leaves others, as an environment does.

    Raises
    ------
    KeyError
        If a path leads through something that has no keys.
    """
    changed = copy.deepcopy(dict(parameters))
    for path, value in changes.items():
        *groups, last = path.split(".")
        place = changed
        for depth, group in enumerate(groups, start=1):
            place = place.setdefault(group, {})
            if not isinstance(place, dict):
                raise KeyError(
                    f"{'.'.join(groups[:depth])} is {place!r}, so it has no {path.split('.')[depth]!r}; "
                    "leave the entry out by null"
                )
        before: Any = place.get(last)
        merges = isinstance(value, Mapping) and isinstance(before, Mapping)
        place[last] = changed_at(before, value) if merges else copy.deepcopy(value)
    return changed
