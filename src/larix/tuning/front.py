"""The trials that no other trial beats, and the one among them that is taken.

A trial dominates another if it is no worse in every objective and better in one. Those that none dominates
are the Pareto front.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from larix.corpora.nearest import nearest_hint
from larix.tuning.objectives import Objective
from larix.xmc.choice import check_choice

Rule = Literal["best", "knee"]
_RULES = {"best": "the best by {}", "knee": "the nearest to the ideal point"}
Row = Mapping[str, Any]
"""A trial with a value for every objective, by name."""


@dataclass(frozen=True)
class ChoiceParams:
    """Which trial of the front is taken.

    Parameters
    ----------
    rule : {"best", "knee"}
        The best by the first objective; or the one nearest to the ideal point, where every objective is
        scaled so that the front spans 0 to 1.
    limits : mapping of str to float
        Most that a cost may be, and least that a quality may be, as in `{milliseconds: 1.0}`.
    """

    rule: Rule = "best"
    limits: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_choice("rule", self.rule, get_args(Rule))
        for name in self.limits:
            Objective(name)

    def told(self, objectives: Sequence[Objective]) -> str:
        """The rule and the limits in words."""
        rule = _RULES[self.rule].format(objectives[0].name)
        limits = " and ".join(_told_limit(Objective(name), limit) for name, limit in self.limits.items())
        return f"{rule} with {limits}" if limits else rule


def dominates(one: Row, other: Row, objectives: Sequence[Objective]) -> bool:
    """Whether `one` is no worse in every objective and better in one."""
    losses = [(o.loss(one[o.name]), o.loss(other[o.name])) for o in objectives]
    return all(a <= b for a, b in losses) and any(a < b for a, b in losses)


def pareto_front(rows: Sequence[Row], objectives: Sequence[Objective]) -> list[Row]:
    """Trials that no other dominates, the best by the first objective first; of equal ones, the first."""
    front: list[Row] = []
    for row in rows:
        beaten = any(dominates(other, row, objectives) for other in rows)
        if not beaten and not any(_equal(other, row, objectives) for other in front):
            front.append(row)
    first = objectives[0]
    return sorted(front, key=lambda row: first.loss(row[first.name]))


def choose(rows: Sequence[Row], objectives: Sequence[Objective], params: ChoiceParams) -> Row:
    """The trial that is taken.

    Parameters
    ----------
    rows : sequence of mapping
        All trials, with values for the objectives and for whatever `limits` names.
    objectives : sequence of Objective
    params : ChoiceParams

    Raises
    ------
    ValueError
        If no trial keeps the limits; the message has the nearest value of each.
    """
    if not rows:
        raise ValueError("no trial is finished, so none can be chosen; give the study more trials")
    kept = [row for row in rows if all(_keeps(row, name, limit) for name, limit in params.limits.items())]
    if not kept:
        raise ValueError(f"no trial keeps the limits of tuning.choice; {_nearest(rows, params.limits)}")
    front = pareto_front(kept, objectives)
    return front[0] if params.rule == "best" else min(front, key=_distances(front, objectives))


def _equal(one: Row, other: Row, objectives: Sequence[Objective]) -> bool:
    return all(one[o.name] == other[o.name] for o in objectives)


def _told_limit(objective: Objective, limit: float) -> str:
    return f"{objective.told(limit)} at {'most' if objective.is_cost else 'least'}"


def _keeps(row: Row, name: str, limit: float) -> bool:
    if name not in row:
        raise ValueError(f"tuning.choice.limits: no trial has a {name!r}; {nearest_hint(name, row)}")
    objective = Objective(name)
    return objective.loss(row[name]) <= objective.loss(limit)


def _nearest(rows: Sequence[Row], limits: Mapping[str, float]) -> str:
    nearest = {name: _best(rows, Objective(name)) for name in limits}
    return ", ".join(
        f"the best {name} is {nearest[name]:.4g}, and {limits[name]:g} is asked" for name in limits
    )


def _best(rows: Sequence[Row], objective: Objective) -> float:
    value: float = min((row[objective.name] for row in rows), key=objective.loss)
    return value


def _distances(front: Sequence[Row], objectives: Sequence[Objective]) -> Callable[[Row], float]:
    """Distance of a trial from the ideal point, every objective scaled to 0..1 on the front."""
    losses = {o.name: [o.loss(row[o.name]) for row in front] for o in objectives}

    def distance(row: Row) -> float:
        total = 0.0
        for o in objectives:
            least, most = min(losses[o.name]), max(losses[o.name])
            total += ((o.loss(row[o.name]) - least) / (most - least)) ** 2 if most > least else 0.0
        return total

    return distance
