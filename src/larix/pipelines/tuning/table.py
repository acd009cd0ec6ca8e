"""Trials as rows of a table, and back."""

from collections.abc import Mapping
from typing import Any, Protocol

from larix.tuning.space import SearchSpace


class FinishedTrial(Protocol):
    """What is read of a trial."""

    number: int
    params: dict[str, Any]
    user_attrs: dict[str, Any]


def row_of(trial: FinishedTrial, space: SearchSpace) -> dict[str, Any]:
    """One row: number, qualities and costs, what was trained, and drawn values by path."""
    found = trial.user_attrs
    return {
        "trial": trial.number,
        "as_it_was": found["as_it_was"],
        **found["values"],
        "trained": ", ".join(found["trained"]),
        "seconds": found["seconds"],
        **{dimension.path: trial.params.get(dimension.path) for dimension in space.dimensions},
    }


def settings_of(row: Mapping[str, Any], space: SearchSpace) -> dict[str, Any]:
    """The parameters that the trial of a row had, by path; those that did not count are left out."""
    drawn: dict[str, Any] = {}
    for dimension in space.dimensions:
        if dimension.counts(drawn):
            drawn[dimension.path] = row[dimension.path]
    return space.changes(drawn)
