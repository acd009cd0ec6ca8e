"""Studies: trials in groups, the same again with the same seed, over as many runs as it takes."""

import logging
import os
import signal
import subprocess
import sys
import time

import pytest
from optuna.trial import TrialState

from larix.tuning.storage import open_storage
from larix.tuning.study import Budget, run_study
from tests.conftest import REPOSITORY
from tests.tuning.toy import AS_IT_IS, SPACE, Formula, plan


def summary(trials):
    return [(dict(trial.params), trial.values) for trial in trials]


def trials_of(folder):
    storage = open_storage(folder, None)
    (study,) = storage.get_all_studies()
    return storage.get_all_trials(study._study_id)


def test_forty_trials_that_need_eight_trainings_run_eight_and_the_log_says_so(tmp_path, caplog):
    measure = Formula(tmp_path)
    with caplog.at_level(logging.INFO):
        trials = run_study(plan(sampler="random"), measure, tmp_path)
    assert len(trials) == 40
    assert len(measure.trained) == 8
    assert "40 trials needed 8 trainings" in caplog.text


def test_a_group_shares_its_training_parameters_and_differs_in_the_others(tmp_path):
    trials = run_study(plan(10), Formula(tmp_path), tmp_path)
    assert [bool(trial.user_attrs["trained"]) for trial in trials] == [True, *[False] * 4] * 2
    for group in (trials[:5], trials[5:]):
        assert len({str(SPACE.of_training(trial.params)) for trial in group}) == 1
        assert len({trial.params["search.beam"] for trial in group}) > 1


def test_the_first_trial_has_the_settings_as_they_are(tmp_path):
    trials = run_study(plan(7), Formula(tmp_path), tmp_path)
    assert trials[0].params == AS_IT_IS
    assert [trial.user_attrs["as_it_was"] for trial in trials] == [True, *[False] * 6]


@pytest.mark.parametrize("sampler", ["tpe", "random"])
def test_equal_seeds_give_equal_studies_and_others_do_not(tmp_path, sampler):
    runs = [
        summary(run_study(plan(25, seed=seed, sampler=sampler), Formula(tmp_path / run), tmp_path / run))
        for run, seed in (("a", 1), ("b", 1), ("c", 2))
    ]
    assert runs[0] == runs[1]
    assert runs[0] != runs[2]


def test_a_study_in_two_runs_is_the_study_in_one(tmp_path):
    at_once, folder = Formula(tmp_path / "whole"), tmp_path / "parts"
    whole = summary(run_study(plan(25), at_once, tmp_path / "whole"))
    measure = Formula(folder)
    run_study(plan(13), measure, folder)  # ends within a group
    parts = run_study(plan(25), measure, folder)
    assert summary(parts) == whole
    assert measure.trained == at_once.trained


def test_finished_trials_are_subtracted(tmp_path):
    run_study(plan(5), Formula(tmp_path), tmp_path)
    measure = Formula(tmp_path)
    assert len(run_study(plan(5), measure, tmp_path)) == 5
    assert measure.trained == []


def test_settings_that_a_trial_had_are_not_measured_again(tmp_path):
    class Counting(Formula):
        n_measured = 0

        def __call__(self, drawn):
            self.n_measured += 1
            return super().__call__(AS_IT_IS | drawn)

    measure = Counting(tmp_path)
    trials = run_study(plan(60, trials_per_training=60, seed=5), measure, tmp_path)
    repeats = [trial for trial in trials if trial.user_attrs["repeats"] is not None]
    assert repeats
    assert measure.n_measured == 60 - len(repeats)
    for trial in repeats:
        same = trials[trial.user_attrs["repeats"]]
        assert (trial.params, trial.values) == (same.params, same.values)


def test_a_trial_that_is_refused_counts_and_the_study_goes_on(tmp_path, caplog):
    class Narrow(Formula):
        def __call__(self, drawn):
            if drawn["tree.kind_of_tree"] == "deep":
                raise ValueError("no deep trees here")
            return super().__call__(drawn)

    with caplog.at_level(logging.INFO):
        trials = run_study(plan(20), Narrow(tmp_path), tmp_path)
    refused = [trial for trial in trials if trial.state == TrialState.PRUNED]
    assert len(trials) == 20
    assert refused
    assert all(trial.params["tree.kind_of_tree"] == "deep" for trial in refused)
    assert "is refused: no deep trees here" in caplog.text


def test_another_error_ends_the_study_and_leaves_no_trial_at_work(tmp_path):
    def measure(_drawn):
        raise RuntimeError("the disk is full")

    with pytest.raises(RuntimeError, match="the disk is full"):
        run_study(plan(5), measure, tmp_path)
    assert [trial.state for trial in trials_of(tmp_path)] == [TrialState.FAIL]


def test_patience_ends_a_study_that_finds_nothing_better(tmp_path):
    measure = Formula(tmp_path)
    steady = plan(objectives=("P@1",), budget=Budget(200, patience=12))
    trials = run_study(steady, measure, tmp_path)
    best = max(range(len(trials)), key=lambda n: trials[n].values[0] if trials[n].values else -1)
    assert len(trials) == best + 1 + 12 < 200


def test_a_time_limit_ends_a_run_and_the_next_goes_on(tmp_path):
    slow = Formula(tmp_path, seconds=0.05)
    n = len(run_study(plan(budget=Budget(200, minutes=0.005)), slow, tmp_path))
    assert 0 < n < 40
    assert len(run_study(plan(n + 3), Formula(tmp_path), tmp_path)) == n + 3


@pytest.mark.parametrize("options", [{"n_trials": 0}, {"patience": 0}, {"minutes": -1}])
def test_a_budget_is_positive(options):
    with pytest.raises(ValueError, match=f"{next(iter(options))} must be positive"):
        Budget(**options)


def test_a_study_does_not_go_on_with_other_documents(tmp_path):
    run_study(plan(2), Formula(tmp_path), tmp_path)
    with pytest.raises(ValueError, match=r"begun with other documents.*tuning\.study=toy_2"):
        run_study(plan(4, setup={"documents": "others"}), Formula(tmp_path), tmp_path)


def test_a_database_serves_as_well(tmp_path):
    url = f"sqlite:///{tmp_path / 'study.db'}"
    assert len(run_study(plan(6), Formula(tmp_path), tmp_path, url)) == 6
    assert len(run_study(plan(8), Formula(tmp_path), tmp_path, url)) == 8
    assert not (tmp_path / "journal.log").exists()


def test_a_line_left_unfinished_is_cut_off(tmp_path, caplog):
    run_study(plan(5), Formula(tmp_path), tmp_path)
    journal = tmp_path / "journal.log"
    whole = journal.read_bytes()
    journal.write_bytes(whole + b'{"op_code": 5, "wor')
    assert len(run_study(plan(8), Formula(tmp_path), tmp_path)) == 8
    assert "an unfinished line of 19 bytes is cut off" in caplog.text
    assert journal.read_bytes().startswith(whole)


def start(folder, seconds):
    """A process at work on the study in this folder."""
    command = [sys.executable, "-m", "tests.tuning.toy", str(folder), str(seconds)]
    return subprocess.Popen(command, cwd=REPOSITORY, env={**os.environ, "OMP_NUM_THREADS": "1"})


def wait_for(folder, n_finished):
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if (folder / "journal.log").exists():
            done = sum(trial.state.is_finished() for trial in _quietly(folder))
            if done >= n_finished:
                return
        time.sleep(0.05)
    raise TimeoutError(f"{n_finished} trials were not finished within a minute")


def _quietly(folder):
    try:
        return trials_of(folder)
    except (KeyError, ValueError):  # the study is not there yet
        return []


@pytest.mark.slow
@pytest.mark.parametrize("n_finished", [3, 11])
def test_a_killed_study_loses_no_finished_trial_and_doubles_none(tmp_path, n_finished):
    folder = tmp_path / "killed"
    process = start(folder, 0.1)
    wait_for(folder, n_finished)
    time.sleep(0.03)
    process.send_signal(signal.SIGKILL)
    process.wait()
    before = [trial for trial in trials_of(folder) if trial.state.is_finished()]
    assert n_finished <= len(before) < 40

    measure = Formula(folder)
    trials = run_study(plan(), measure, folder)
    assert len(trials) == 40
    after = {trial.number: trial for trial in trials}
    assert all(after[trial.number].values == trial.values for trial in before)
    # It is the study that was never killed, with at most one training made a second time.
    whole = Formula(tmp_path / "whole")
    assert summary(trials) == summary(run_study(plan(), whole, tmp_path / "whole"))
    n_trained_before = sum(bool(trial.user_attrs["trained"]) for trial in before)
    assert n_trained_before + len(measure.trained) <= len(whole.trained) + 1


@pytest.mark.slow
def test_two_processes_share_a_study(tmp_path):
    processes = [start(tmp_path, 0.05) for _ in range(2)]
    assert [process.wait(timeout=120) for process in processes] == [0, 0]
    trials = [trial for trial in trials_of(tmp_path) if trial.state != TrialState.FAIL]
    assert len(trials) == 40
    assert all(trial.state.is_finished() for trial in trials)
    assert len({trial.user_attrs["worker"] for trial in trials}) == 2
    trained = [str(SPACE.of_training(trial.params)) for trial in trials if trial.user_attrs["trained"]]
    assert len(set(trained)) == len(trained)
    by_leader = {}
    for trial in trials:
        by_leader.setdefault(trial.user_attrs["leader"], []).append(trial)
    for group in by_leader.values():
        assert len({trial.user_attrs["worker"] for trial in group}) == 1
        assert len(group) <= 5
