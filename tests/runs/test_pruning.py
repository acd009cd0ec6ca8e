"""Old runs go with all that only they need; nothing else goes."""

import os
import time
from datetime import UTC, datetime, timedelta

import pytest

from larix.last_run import record_run
from larix.runs.pruning import plan_pruning, prune, started
from tests.runs.conftest import ARTEFACTS, version


def days(runs):
    return [run.version[8:10] for run in runs]


def test_the_newest_of_every_environment_stay(ledger, add_run):
    for day in (1, 2, 3, 4):
        add_run(day)
    add_run(5, environment="books")
    plan = plan_pruning(ledger, keep=2)
    assert days(plan.runs) == ["02", "01"]
    assert len(plan.folders) == 2 * len(ARTEFACTS)
    assert plan.size_bytes() == 2 * len(ARTEFACTS) * 5
    prune(ledger, plan)
    assert days(ledger.runs()) == ["05", "04", "03"]
    for folder in plan.folders:
        assert not folder.exists()
    for run in ledger.runs():
        for name in run.results:
            assert run.path(name).exists()
    assert plan_pruning(ledger, keep=2).folders == ()


def test_nothing_is_deleted_by_a_plan(ledger, add_run):
    for day in (1, 2):
        add_run(day)
    plan_pruning(ledger, keep=1)
    assert len(ledger.runs()) == 2


def test_by_age_the_last_run_stays_however_old(ledger, add_run):
    for day in (1, 2):
        add_run(day)
    assert days(plan_pruning(ledger, older_than=timedelta(days=1)).runs) == ["01"]
    age = datetime.now(UTC) - started(ledger.runs()[1])
    assert plan_pruning(ledger, older_than=age + timedelta(days=1)).runs == ()


def test_with_both_rules_only_runs_go_that_neither_keeps(ledger, add_run):
    for day in (1, 2, 3):
        add_run(day)
    young = datetime.now(UTC) - started(ledger.runs()[2]) - timedelta(hours=1)
    assert days(plan_pruning(ledger, keep=2, older_than=young).runs) == ["01"]
    assert plan_pruning(ledger, keep=3, older_than=young).runs == ()


def test_what_another_run_needs_stays(ledger, add_run):
    old = add_run(1)
    new = add_run(2)
    add_run(3)
    ledger.write(type(new)(**{**vars(new), "version": version(4), "results": old.results}))
    plan = plan_pruning(ledger, keep=1)
    assert days(plan.runs) == ["03", "02", "01"]
    prune(ledger, plan)
    assert ledger.runs()[0].path("classifier").exists()


def test_what_commands_take_for_the_last_run_stays(ledger, add_run):
    old = add_run(1)
    add_run(2)
    record_run(ledger.project, "local", {"classifier": old.results["classifier"]})
    prune(ledger, plan_pruning(ledger, keep=1))
    assert old.results["classifier"].exists()
    assert not old.results["predictions"].exists()


def test_what_a_failed_run_left_goes_after_a_day(ledger, add_run):
    run = add_run(2)
    left, young = (run.results["metrics"].parents[1] / version(day) for day in (1, 3))
    for folder in (left, young, run.results["metrics"].parents[1] / "own"):
        (folder / "metrics").mkdir(parents=True)
    os.utime(left, (time.time() - 2 * 24 * 3600,) * 2)
    plan = plan_pruning(ledger, keep=1)
    assert plan.runs == ()
    assert plan.folders == plan.left_over == (left,)


def test_a_folder_without_versions_never_goes(ledger, add_run):
    # An environment may be called as an artefact is.
    old = add_run(1)
    place = ledger.project / "data" / "corpus" / "03_primary" / "corpus"
    place.mkdir(parents=True)
    ledger.write(type(old)(**{**vars(old), "results": {**old.results, "corpus": place}}))
    add_run(2)
    prune(ledger, plan_pruning(ledger, keep=1))
    assert place.exists()


@pytest.mark.parametrize(
    ("rules", "message"), [({}, "keep or older_than must be given"), ({"keep": 0}, "at least 1, but is 0")]
)
def test_rules_that_make_no_sense_are_refused(ledger, rules, message):
    with pytest.raises(ValueError, match=message):
        plan_pruning(ledger, **rules)
