"""What disentanglement sets out to gain over the best control, and what it may cost."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.disentanglement.measures import METRICS, difference
from benchmarks.disentanglement.results import Study
from benchmarks.disentanglement.systems import ROWS

WINNER = "winner"
GAINS = {
    "icd": {"nDCG@5": 0.010, "PSP@5": 0.015, "R@10": 0.017},
    "wordnet": {"nDCG@5": 0.005, "R@10": 0.010},
    "tibkat": {"nDCG@5": 0.007, "R@10": 0.010},
}
"""By corpus and metric, as fractions. P@1 should nowhere be worse by more than its standard error."""
MINOR_GAIN = 0.03
"""In recall at 10 of labels in their minor senses."""
SEPARATED = 0.5
"""Share of the labels in pairs that are separated strictly on test documents."""
MOST_TIMES_CPU = 3.0


@dataclass(frozen=True)
class Outcome:
    """A metric of the winner beside the best control's.

    Parameters
    ----------
    metric, control : str
    difference, standard_error : float
        Over the documents, of the means over seeds that both have.
    target : float or None
        What was set; for P@1 the loss that may not be exceeded.
    """

    metric: str
    control: str
    difference: float
    standard_error: float
    target: float | None

    @property
    def verdict(self) -> str:
        """In a word or two."""
        if self.target is None:
            return ""
        return "met" if self.difference >= self.target else "not met"


def outcomes(study: Study) -> list[Outcome]:
    """Every metric beside its best control; empty where the winner or all controls are missing."""
    controls = controls_of(study)
    if not controls or not study.seeds(WINNER):
        return []
    return [_outcome(study, metric, controls) for metric in METRICS]


def mean(study: Study, row: str, *path: str) -> float:
    """A figure, found by its keys, over the seeds that have it."""
    values: list[Any] = [study.figures(row, seed) for seed in study.seeds(row)]
    for key in path:
        values = [value[key] for value in values if key in value]
    return float(np.mean(values))


def controls_of(study: Study) -> list[str]:
    """The controls that were measured."""
    return [name for name, row in ROWS.items() if row.control and study.seeds(name)]


def _outcome(study: Study, metric: str, controls: list[str]) -> Outcome:
    best = max(controls, key=lambda name: mean(study, name, metric))
    seeds = sorted(set(study.seeds(WINNER)) & set(study.seeds(best)))
    ours, theirs = ([study.shares(row, seed) for seed in seeds] for row in (WINNER, best))
    gained, error = difference(ours, theirs, metric)
    target = -error if metric == "P@1" else GAINS.get(study.corpus, {}).get(metric)
    return Outcome(metric, best, gained, error, target)
