"""What a run leaves for later commands, and what a run that failed does not."""

import pytest

from larix.runs.ledger import RunLedger


def runs(project):
    return RunLedger(project.folder).runs()


def test_a_run_is_kept_with_its_results(finished_project):
    (run,) = runs(finished_project)
    assert (run.environment, run.pipelines, run.model) == ("tiny", ("__default__",), "linear")
    assert run.corpus["n_test"] == 24
    assert 0.5 < run.metrics["P@1"] <= 1
    assert run.parameters["random_state"] == 0
    assert run.parameters["ranking"]["solver"]["Cp"] == 4.0
    assert run.cpu_seconds > 0
    assert run.seconds > 0
    for name in ("metrics", "predictions", "classifier", "report", "findings"):
        assert run.path(name).parent.name == run.version
    assert run.size_bytes() > 10_000


def test_a_run_on_the_same_test_documents_has_the_same_digest(run_project):
    run_project.run(params={"ranking": {"solver": {"Cp": 2.0}}}, only_missing_outputs=True)
    new, old = runs(run_project)
    assert new.test_set == old.test_set
    assert new.parameters["ranking"]["solver"]["Cp"] == 2.0
    assert new.path("predictions") != old.path("predictions")


def test_time_of_what_was_found_made_counts(run_project):
    run_project.run(params={"search": {"beam_size": 3}}, only_missing_outputs=True)
    new, old = runs(run_project)
    assert new.seconds > 0.2 * old.seconds


def test_a_run_that_finds_all_made_is_no_run_of_its_own(run_project):
    run_project.run(only_missing_outputs=True)
    assert len(runs(run_project)) == 1


def test_what_is_made_anew_for_an_earlier_run_becomes_its_result(run_project):
    (old,) = runs(run_project)
    (old.path("classifier") / "labels.json").unlink()
    run_project.run(only_missing_outputs=True)
    (run,) = runs(run_project)
    assert run.version == old.version
    assert run.path("classifier") > old.results["classifier"]
    assert run.path("metrics") == old.path("metrics")


def test_other_pipelines_are_told_by_their_names(run_project):
    names = ["refinement", "evaluation"]
    run_project.run(pipeline_names=names)
    new, old = runs(run_project)
    assert (new.pipelines, new.model) == (tuple(names), "refinement,evaluation")
    assert new.evaluation == old.evaluation
    assert "report" not in new.results
    run_project.run(pipeline_names=["reporting"])
    assert len(runs(run_project)) == 2


def test_a_run_that_fails_does_not_count_until_its_rest_is_made(project, monkeypatch):
    import larix.pipelines.reporting.nodes as nodes

    def fail(_):
        raise RuntimeError("no page today")

    with monkeypatch.context() as patched:
        patched.setattr(nodes, "render_page", fail)
        with pytest.raises(RuntimeError, match="no page today"):
            project.run()
    assert runs(project) == []
    project.run(only_missing_outputs=True)
    (run,) = runs(project)
    assert run.path("report").parent.name == run.version
    assert run.path("metrics").parent.name < run.version
