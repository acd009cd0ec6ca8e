"""What draws values: Optuna's samplers, seeded anew for every trial.

The seed of a trial comes from the study's seed and the trial's position, the number of trials before it that
were not given up. So a study draws the same values whether it runs through or is cut short and goes on, and
two processes never draw the same ones because they share a seed.

Bergstra et al.: Algorithms for Hyper-Parameter Optimization. NeurIPS 2011 (TPE).
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, RandomSampler, TPESampler
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

SamplerName = Literal["tpe", "random"]
_STARTUP_TRIALS = 10  # drawn at random before TPE has something to go by


class PositionSampler(BaseSampler):
    """Draws every parameter by itself, with the seed of the trial's position.

    Parameters
    ----------
    name : {"tpe", "random"}
    seed : int

    Attributes
    ----------
    held : dict of str to value
        What the next trial gets without drawing.
    """

    def __init__(self, name: SamplerName, seed: int) -> None:
        self._name, self._seed = name, seed
        self._base: BaseSampler = RandomSampler(seed)
        self.held: Mapping[str, Any] = {}

    def before_trial(self, study: Study, trial: FrozenTrial) -> None:
        """Seed for this trial."""
        position = position_of(trial, study.get_trials(deepcopy=False))
        seed = int(np.random.SeedSequence([self._seed, position]).generate_state(1)[0])
        if self._name == "tpe":
            self._base = TPESampler(seed=seed, multivariate=False, n_startup_trials=_STARTUP_TRIALS)
        else:
            self._base = RandomSampler(seed)
        self._base.before_trial(study, trial)

    def infer_relative_search_space(self, *_: Any) -> dict[str, BaseDistribution]:
        """None: conditions decide which parameters there are."""
        return {}

    def sample_relative(self, *_: Any) -> dict[str, Any]:
        """Nothing."""
        return {}

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """A value that is held, or one drawn."""
        if param_name in self.held:
            return self.held[param_name]
        return self._base.sample_independent(study, trial, param_name, param_distribution)

    def after_trial(
        self, study: Study, trial: FrozenTrial, state: TrialState, values: Sequence[float] | None
    ) -> None:
        """Pass it on."""
        self._base.after_trial(study, trial, state, values)


def position_of(trial: FrozenTrial, trials: Sequence[FrozenTrial]) -> int:
    """How many trials before this one were not given up."""
    return sum(other.state != TrialState.FAIL for other in trials if other.number < trial.number)
