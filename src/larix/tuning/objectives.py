"""What a study is after: quality, which shall be high, against costs, which shall be low."""

import re
from dataclasses import dataclass
from typing import Any

QUALITIES = ("P", "R", "nDCG", "PSP", "PSnDCG")
COSTS = {
    "milliseconds": "ms a document",
    "inner_products": "inner products a document",
    "size_mb": "MB",
}
"""Each cost with its unit. Milliseconds are clock times; the others are the same in every run."""

_QUALITY = re.compile(rf"({'|'.join(QUALITIES)})@([1-9]\d*)")


@dataclass(frozen=True)
class Objective:
    """A quality such as `nDCG@5`, or a cost.

    Parameters
    ----------
    name : str
    """

    name: str

    def __post_init__(self) -> None:
        if self.name not in COSTS and not _QUALITY.fullmatch(self.name):
            raise ValueError(
                f"an objective must be {', '.join(QUALITIES[:-1])} or {QUALITIES[-1]} with a cut-off, as in "
                f"nDCG@5, or one of {', '.join(COSTS)}, but is {self.name!r}"
            )

    @property
    def is_cost(self) -> bool:
        """Whether less is better."""
        return self.name in COSTS

    @property
    def cutoff(self) -> int:
        """k of a quality at k."""
        found = _QUALITY.fullmatch(self.name)
        return int(found[2]) if found else 0

    @property
    def title(self) -> str:
        """What tables and axes call it."""
        return COSTS.get(self.name, f"{self.name}, %")

    def shown(self, value: float | None) -> str:
        """A value as tables show it."""
        if value is None:
            return "–"
        if not self.is_cost:
            return f"{100 * value:.2f}"
        return f"{value:.3f}" if value < 1 else f"{value:,.2f}" if value < 100 else f"{value:,.0f}"

    def told(self, value: float) -> str:
        """A value as sentences tell it."""
        shown = self.shown(value)
        return f"{shown} {self.title}" if self.is_cost else f"{self.name} {shown} %"

    def loss(self, value: float) -> float:
        """The value so that less is better."""
        return value if self.is_cost else -value


def check_objectives(names: tuple[Any, ...]) -> tuple[Objective, ...]:
    """The objectives of these names; the first is a quality.

    Raises
    ------
    ValueError
        If there is none, one twice, or a cost comes first.
    """
    objectives = tuple(Objective(str(name)) for name in names)
    if not objectives or objectives[0].is_cost:
        raise ValueError(
            f"the first of objectives must be a quality, such as nDCG@5, but they are {list(names)}"
        )
    if len(set(objectives)) < len(objectives):
        raise ValueError(f"objectives must differ, but are {list(names)}")
    return objectives
