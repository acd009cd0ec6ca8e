"""Run a study, find its front, choose a trial, and write the environment that trains it."""

import logging
from pathlib import Path
from typing import Any

from larix.corpora import Corpus
from larix.pipelines.disentanglement.rounds import n_rounds
from larix.pipelines.engine_choice import EngineName, Engines
from larix.pipelines.tuning.linear_path import LinearPath, Split
from larix.pipelines.tuning.linear_settings import tunable
from larix.pipelines.tuning.params import TuningParams
from larix.pipelines.tuning.table import row_of, settings_of
from larix.tuning.figure import front_figure
from larix.tuning.front import choose, pareto_front
from larix.tuning.page import StudyReport, render_study
from larix.tuning.product_store import ProductStore

logger = logging.getLogger(__name__)

Figure = Any
"""A matplotlib figure, which shall not be imported for an annotation."""
Rows = list[dict[str, Any]]


def search_parameters(
    corpus: Corpus,
    parameters: dict[str, Any],
    tuning_study: Path,
    tuning_products: Path,
    params: TuningParams,
    random_state: int,
    n_threads: int | None,
    engine: EngineName,
    engines: Engines,
) -> Rows:
    """The finished trials of the study, each with its qualities, costs and settings.

    All workers of the engine share the study.
    """
    from larix.pipelines.tuning.trials import measured_by, plan_of, run_on

    split, chosen = Split.of(corpus, params.validation, random_state), engines.chosen(engine, tuning_study)
    store = ProductStore(tuning_products, max_mb=params.kept_mb)
    settings = tunable(parameters, n_rounds())
    plan = plan_of(params, settings, split.key, random_state)
    path = LinearPath(split, store, random_state, chosen.params.threads(n_threads))
    trials = run_on(chosen, plan, measured_by(path, plan, settings), tuning_study, params.storage)
    return [row_of(trial, plan.space) for trial in trials if trial.values is not None]


def find_front(tuning_trials: Rows, params: TuningParams) -> Rows:
    """The trials that no other beats in every objective."""
    return [dict(row) for row in pareto_front(tuning_trials, params.what_for())]


def choose_trial(tuning_trials: Rows, params: TuningParams) -> dict[str, Any]:
    """The trial that `tuning.choice` takes."""
    objectives = params.what_for()
    taken = dict(choose(tuning_trials, objectives, params.choice))
    values = ", ".join(objective.told(taken[objective.name]) for objective in objectives)
    logger.info("trial %d is taken, %s: %s", taken["trial"], params.choice.told(objectives), values)
    return taken


def write_environment(chosen_trial: dict[str, Any], params: TuningParams) -> dict[str, Any]:
    """The changed parameters of the chosen trial, for an environment that trains it."""
    return {
        "name": params.environment,
        "changes": settings_of(chosen_trial, params.search_space()),
        "told": f"trial {chosen_trial['trial']} of the study {params.study!r}",
    }


def draw_front(tuning_trials: Rows, chosen_trial: dict[str, Any], params: TuningParams) -> Figure:
    """All trials, the front, and the chosen one."""
    return front_figure(tuning_trials, chosen_trial, params.what_for())


def report_study(
    tuning_trials: Rows, chosen_trial: dict[str, Any], tuned_environment: Path, params: TuningParams
) -> str:
    """One self-contained HTML page."""
    report = StudyReport(
        name=params.study,
        trials=tuning_trials,
        taken=chosen_trial,
        objectives=params.what_for(),
        paths=[dimension.path for dimension in params.search_space().dimensions],
        environment=tuned_environment.name,
        choice=params.choice,
    )
    return render_study(report)
