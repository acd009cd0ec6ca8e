"""Between a study, which knows paths and numbers, and the linear path, which knows settings."""

import hashlib
import json
import logging
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from optuna.trial import FrozenTrial

from larix.pipelines.engine_choice import ChosenEngine
from larix.pipelines.tuning.linear_path import LinearPath
from larix.pipelines.tuning.linear_settings import LinearSettings, check_path
from larix.pipelines.tuning.measurement import measure
from larix.pipelines.tuning.params import TuningParams
from larix.tuning.space import Drawn, SearchSpace, changed_at
from larix.tuning.study import Budget, Measure, Measured, Plan, finished_trials, run_study
from larix.xmc.transformer.workers import Workers

logger = logging.getLogger(__name__)


def plan_of(params: TuningParams, settings: Mapping[str, Any], documents: str, random_state: int) -> Plan:
    """The study, after a look at every path and both ends of every range.

    Parameters
    ----------
    params : TuningParams
    settings : mapping
        The linear path's parameters as they are.
    documents : str
        Stands for the documents that it learns from and is measured on.
    random_state : int
    """
    space = params.search_space()
    for dimension in space.dimensions:
        for path in dimension.paths:
            check_path(path)
    space.check(settings, LinearSettings.of)
    setup = {
        "documents": documents,
        "objectives": list(params.objectives),
        "space": _digest(params.space),
        "other parameters": _digest(_without(settings, space)),
        "seed": random_state,
        "sampler": params.sampler,
    }
    return Plan(
        name=params.study,
        space=space,
        objectives=params.what_for(),
        budget=Budget(params.n_trials, params.stop.patience, params.stop.minutes),
        first=_as_they_are(space, settings),
        trials_per_training=params.trials_per_training,
        sampler=params.sampler,
        seed=random_state,
        setup=setup,
    )


def measured_by(path: LinearPath, plan: Plan, settings: Mapping[str, Any]) -> Measure:
    """What measures drawn values: train what is not there, then predict the validation documents."""
    cutoffs = [objective.cutoff for objective in plan.objectives]

    def measured(drawn: Drawn) -> Measured:
        wanted = LinearSettings.of(changed_at(settings, plan.space.changes(drawn)))
        trained = path.train(wanted)
        return Measured(measure(path, trained, wanted, cutoffs), trained.made)

    return measured


def run_on(
    engine: ChosenEngine, plan: Plan, measure: Measure, folder: Path, url: str | None
) -> list[FrozenTrial]:
    """Run a study on all workers of an engine; the finished trials of all of them."""

    def work(_: Workers) -> None:
        run_study(plan, measure, folder, url)

    engine.start().run(work)
    return finished_trials(plan, folder, url)


def _as_they_are(space: SearchSpace, settings: Mapping[str, Any]) -> Drawn:
    try:
        return space.drawn_for(asdict(LinearSettings.of(settings)))
    except ValueError as error:
        logger.warning("the settings as they are are no trial: %s", error)
        return {}


def _without(settings: Mapping[str, Any], space: SearchSpace) -> dict[str, Any]:
    """The parameters that are not searched. A condition may leave one as it is, so then it counts too."""
    always = [path for dimension in space.dimensions if not dimension.when for path in dimension.paths]
    return changed_at(settings, dict.fromkeys(always))


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()[:16]
