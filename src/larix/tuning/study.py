"""A study: trials drawn, measured and told, over as many runs and processes as it takes.

A trial that has to be trained leads a group: the next trials hold its training parameters and draw those of
prediction anew, so they are served by the model that is there. Whoever finds a group that is not full, and
whose process is gone, goes on with it.

A trial counts when it is finished. One whose process died is given up, and another takes its place in the
sequence. Settings that a finished trial had already get its values.
"""

import logging
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import optuna
from optuna.study import Study
from optuna.trial import FrozenTrial, Trial, TrialState

from larix.tuning.objectives import Objective
from larix.tuning.sampler import PositionSampler, SamplerName, position_of
from larix.tuning.space import Drawn, SearchSpace
from larix.tuning.storage import open_storage
from larix.tuning.trial_line import told
from larix.tuning.workers import Worker
from larix.xmc.progress import track
from larix.xmc.ranges import check_positive

logger = logging.getLogger(__name__)

_SETUP = "setup"
_TIME_TO_SIGN = timedelta(seconds=10)  # between a trial's beginning and the name of its worker
FINISHED = (TrialState.COMPLETE, TrialState.PRUNED)


@dataclass(frozen=True)
class Measured:
    """What a trial came to.

    Parameters
    ----------
    values : mapping of str to float
        At least the objectives.
    trained : tuple of str
        What had to be trained for it; nothing, if a model was there.
    """

    values: Mapping[str, float]
    trained: tuple[str, ...] = ()


Measure = Callable[[Drawn], Measured]


@dataclass(frozen=True)
class Budget:
    """When a study ends.

    Parameters
    ----------
    n_trials : int
        Finished trials, those of earlier runs and of other processes included.
    patience : int or None
        So many trials in a row that bring nothing better end it: no better value, or, with several
        objectives, no new point of the Pareto front.
    minutes : float or None
        Most minutes of this run; the trial at work is finished.
    """

    n_trials: int = 40
    patience: int | None = None
    minutes: float | None = None

    def __post_init__(self) -> None:
        check_positive(self, *(name for name, value in vars(self).items() if value is not None))


@dataclass(frozen=True)
class Plan:
    """What a study searches, and how.

    Parameters
    ----------
    name : str
    space : SearchSpace
    objectives : tuple of Objective
    budget : Budget
    first : mapping of str to value
        What the first trial has: the settings as they are. Empty draws it.
    trials_per_training : int
        Trials of a group.
    sampler : {"tpe", "random"}
    seed : int
    setup : mapping of str to plain value
        What has to stay the same as long as the study goes on.
    """

    name: str
    space: SearchSpace
    objectives: tuple[Objective, ...]
    budget: Budget = field(default_factory=Budget)
    first: Mapping[str, Any] = field(default_factory=dict)
    trials_per_training: int = 5
    sampler: SamplerName = "tpe"
    seed: int = 0
    setup: Mapping[str, Any] = field(default_factory=dict)

    @property
    def group_size(self) -> int:
        """Trials that a trained model serves."""
        return int(min(self.trials_per_training, self.space.n_predictions))


def run_study(plan: Plan, measure: Measure, folder: Path, url: str | None = None) -> list[FrozenTrial]:
    """Run a study to its end, from wherever it is.

    Parameters
    ----------
    plan : Plan
    measure : callable
        Drawn values to what they come to. A ValueError refuses them: the trial counts, without values.
    folder : Path
        For the journal, and the locks of workers.
    url : str, optional
        A database in the place of the journal.

    Returns
    -------
    list of FrozenTrial
        The finished trials by number.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    sampler = PositionSampler(plan.sampler, plan.seed)
    study = optuna.create_study(
        storage=open_storage(folder, url), study_name=plan.name, sampler=sampler, load_if_exists=True,
        directions=["minimize" if objective.is_cost else "maximize" for objective in plan.objectives],
    )  # fmt: skip
    _check_setup(study, plan)
    with Worker.at_work(folder / "workers") as worker:
        runner = _Runner(plan, measure, study, sampler, worker)
        for _ in track(runner.trials(), f"study {plan.name}", plan.budget.n_trials):
            pass
    return finished(study)


def finished_trials(plan: Plan, folder: Path, url: str | None = None) -> list[FrozenTrial]:
    """The finished trials of a study by number, those of all processes that worked on it."""
    return finished(optuna.load_study(study_name=plan.name, storage=open_storage(folder, url)))


def finished(study: Study) -> list[FrozenTrial]:
    """Trials that count."""
    return study.get_trials(deepcopy=False, states=FINISHED)


def _check_setup(study: Study, plan: Plan) -> None:
    """Refuse to go on with something else than what the study was begun with."""
    known = study.user_attrs.get(_SETUP)
    if known is None:
        study.set_user_attr(_SETUP, dict(plan.setup))
        with warnings.catch_warnings():  # Optuna calls it experimental; dashboards show the names
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            study.set_metric_names([objective.name for objective in plan.objectives])
        logger.info("study %r begins: %d trials", plan.name, plan.budget.n_trials)
        return
    different = [name for name in plan.setup if known.get(name) != plan.setup[name]]
    if different:
        raise ValueError(
            f"the study {plan.name!r} was begun with other {' and '.join(different)}, so its trials cannot "
            f"be compared with new ones; begin another: --params=tuning.study={plan.name}_2"
        )
    n = len(finished(study))
    logger.info("study %r goes on: %d of %d trials are finished", plan.name, n, plan.budget.n_trials)


@dataclass
class _Runner:
    """One process at work on a study."""

    plan: Plan
    measure: Measure
    study: Study
    sampler: PositionSampler
    worker: Worker
    n_trained: int = 0
    n_told: int = 0

    def trials(self) -> Iterator[int]:
        """Run trials, yielding once for every one that is finished, those of others included."""
        started, shown = time.monotonic(), 0
        while True:
            self._give_up_the_dead()
            trials = self.study.get_trials(deepcopy=False)
            done = [trial for trial in trials if trial.state in FINISHED]
            while shown < len(done):
                shown += 1
                yield shown
            why = self._reason_to_end(trials, done, time.monotonic() - started)
            if why:
                break
            self._run_one(trials)
        logger.info(
            "study %r: %s; %d trials needed %d trainings, %d trials and %d trainings of them in this run",
            self.plan.name, why, len(done), sum(bool(_attribute(trial, "trained")) for trial in done),
            self.n_told, self.n_trained,
        )  # fmt: skip

    def _reason_to_end(
        self, trials: Sequence[FrozenTrial], done: Sequence[FrozenTrial], seconds: float
    ) -> str | None:
        budget = self.plan.budget
        if len(done) >= budget.n_trials:
            return f"{len(done)} trials are finished"
        if sum(trial.state != TrialState.FAIL for trial in trials) >= budget.n_trials:
            return f"{len(done)} trials are finished, and other processes are at the rest"
        if budget.minutes is not None and seconds >= 60 * budget.minutes:
            return f"{budget.minutes:g} minutes are over"
        if budget.patience is not None and _n_without_gain(done, self.plan.objectives) >= budget.patience:
            return f"{budget.patience} trials brought nothing better"
        return None

    def _run_one(self, trials: Sequence[FrozenTrial]) -> None:
        leader = self._open_group(trials)
        trial = self.study.ask()
        others = self.study.get_trials(deepcopy=False)
        position = position_of(others[trial.number], others)
        if position >= self.plan.budget.n_trials:
            self.study.tell(trial, state=TrialState.FAIL)  # another process was faster
            return
        if leader is not None:
            self.sampler.held = self.plan.space.of_training(leader.params)
        else:
            self.sampler.held = self.plan.first if position == 0 else {}
        trial.set_user_attr("worker", self.worker.name)
        trial.set_user_attr("leader", trial.number if leader is None else leader.number)
        try:
            self._measure(trial, others)
        except BaseException:
            self.study.tell(trial, state=TrialState.FAIL)
            raise

    def _measure(self, trial: Trial, others: Sequence[FrozenTrial]) -> None:
        space, objectives = self.plan.space, self.plan.objectives
        drawn = space.draw(trial)
        found = self._found(drawn, others)
        for name, value in found.items():
            trial.set_user_attr(name, value)
        self.n_trained, self.n_told = self.n_trained + bool(found["trained"]), self.n_told + 1
        if found["refused"] is None:
            self.study.tell(trial, [found["values"][objective.name] for objective in objectives])
        else:
            self.study.tell(trial, state=TrialState.PRUNED)
        shown = drawn if found["trained"] else space.of_prediction(drawn)
        logger.info("%s", told(trial.number, objectives, shown, found))

    def _found(self, drawn: Drawn, others: Sequence[FrozenTrial]) -> dict[str, Any]:
        """What drawn values come to, measured unless a finished trial had the same."""
        found: dict[str, Any] = {"values": {}, "trained": [], "refused": None, "repeats": None}
        started = time.monotonic()
        same = next((one for one in others if one.state in FINISHED and one.params == drawn), None)
        if same is not None:
            found |= {name: _attribute(same, name) for name in ("values", "refused")}
            found["repeats"] = same.number
        else:
            try:
                measured = self.measure(drawn)
                found |= {"values": dict(measured.values), "trained": list(measured.trained)}
            except ValueError as error:
                found["refused"] = str(error)
        seconds = round(time.monotonic() - started, 3)
        return found | {"seconds": seconds, "as_it_was": drawn == self.plan.first}

    def _open_group(self, trials: Sequence[FrozenTrial]) -> FrozenTrial | None:
        """The leader of a group that is not full and is this process' to fill."""
        groups: dict[int, list[FrozenTrial]] = {}
        for trial in trials_that_count(trials):
            leader = _attribute(trial, "leader")
            if leader is not None:
                groups.setdefault(leader, []).append(trial)
        for number, members in groups.items():
            leads = trials[number].state == TrialState.COMPLETE
            worker = _attribute(members[-1], "worker")
            mine = worker == self.worker.name or not self.worker.is_alive(worker)
            if leads and mine and len(members) < self.plan.group_size:
                return trials[number]
        return None

    def _give_up_the_dead(self) -> None:
        """Give up running trials whose process is gone."""
        for trial in self.study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            worker = _attribute(trial, "worker")
            age = datetime.now() - (trial.datetime_start or datetime.now())
            if age > _TIME_TO_SIGN if worker is None else not self.worker.is_alive(worker):
                self.study.tell(trial.number, state=TrialState.FAIL, skip_if_finished=True)
                logger.info("trial %d is given up: its process is gone", trial.number)


def trials_that_count(trials: Sequence[FrozenTrial]) -> list[FrozenTrial]:
    """Those that were not given up."""
    return [trial for trial in trials if trial.state != TrialState.FAIL]


def _attribute(trial: FrozenTrial, name: str) -> Any:
    return trial.user_attrs.get(name)


def _n_without_gain(done: Sequence[FrozenTrial], objectives: Sequence[Objective]) -> int:
    """How many of the last trials brought no better value, or no new point of the front."""
    front: list[list[float]] = []
    last_gain = 0
    for n, trial in enumerate(done, start=1):
        if trial.state != TrialState.COMPLETE:
            continue
        losses = [objective.loss(value) for objective, value in zip(objectives, trial.values, strict=True)]
        if not any(all(a <= b for a, b in zip(known, losses, strict=True)) for known in front):
            front, last_gain = [*front, losses], n
    return len(done) - last_gain
