"""Parameters of the tuning pipeline."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from larix.pipelines.stage_params import StageParams
from larix.pipelines.tuning.linear_settings import is_prediction
from larix.tuning.front import ChoiceParams
from larix.tuning.objectives import Objective, check_objectives
from larix.tuning.space import SearchSpace
from larix.xmc.choice import check_choice
from larix.xmc.ranges import check_least, check_positive

Sampler = Literal["tpe", "random"]


@dataclass(frozen=True)
class ValidationParams:
    """The training documents that trials are measured on.

    Parameters
    ----------
    share : float
        Of the training documents, drawn evenly.
    max_documents : int
        No more than so many.
    """

    share: float = 0.1
    max_documents: int = 3000

    def __post_init__(self) -> None:
        if not 0 < self.share < 1:
            raise ValueError(f"share must lie between 0 and 1, but is {self.share}")
        check_least(self, 1, "max_documents")


@dataclass(frozen=True)
class StopParams:
    """What ends a study before it has all its trials.

    Parameters
    ----------
    patience : int or None
        So many trials in a row that bring nothing better.
    minutes : float or None
        Most minutes of one run.
    """

    patience: int | None = None
    minutes: float | None = None

    def __post_init__(self) -> None:
        for name in ("patience", "minutes"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise ValueError(f"{name} must be positive or null, but is {value}")


@dataclass(frozen=True)
class TuningParams(StageParams):
    """A study, and what becomes of it.

    Parameters
    ----------
    space : mapping
        What is searched, in groups as in the parameter files; see `larix.tuning.dimension.Dimension`. `null`
        leaves an entry or a group out.
    objectives : tuple of str
        A quality first; see `larix.tuning.objectives`.
    n_trials : int
        Finished trials, those of earlier runs and other processes included.
    trials_per_training : int
        Trials with other parameters of prediction that a trained model serves.
    sampler : {"tpe", "random"}
    study : str
        Its name. A study of the same name goes on.
    storage : str or None
        URL of a database; None keeps a journal file in the data folder.
    stop : StopParams
    validation : ValidationParams
    kept_mb : float
        Size that trees and models kept for later trials are cut back to.
    choice : ChoiceParams
        Which trial is taken.
    environment : str
        Name of the environment that is written; after the name of the one that the study runs in, if any.
    """

    space: Mapping[str, Any] = field(default_factory=dict)
    objectives: tuple[str, ...] = ("nDCG@5", "milliseconds")
    n_trials: int = 40
    trials_per_training: int = 5
    sampler: Sampler = "tpe"
    study: str = "tuning"
    storage: str | None = None
    stop: StopParams = field(default_factory=StopParams)
    validation: ValidationParams = field(default_factory=ValidationParams)
    kept_mb: float = 4000.0
    choice: ChoiceParams = field(default_factory=ChoiceParams)
    environment: str = "tuned"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choice("sampler", self.sampler, get_args(Sampler))
        check_positive(self, "n_trials", "trials_per_training", "kept_mb")
        if not self.environment.isidentifier():
            raise ValueError(
                f"environment names a folder, in letters, digits and '_', but is {self.environment!r}"
            )
        check_objectives(tuple(self.objectives))
        self.search_space()

    def search_space(self) -> SearchSpace:
        """The space, read."""
        return SearchSpace.of(self.space, is_prediction)

    def what_for(self) -> tuple[Objective, ...]:
        """The objectives, read."""
        return check_objectives(tuple(self.objectives))
