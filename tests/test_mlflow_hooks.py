"""Finished runs in MLflow, and nothing of MLflow without being asked."""

import sys
import warnings
from dataclasses import replace

import pytest

from larix.mlflow_hooks import flat_metrics, flat_parameters
from larix.mlflow_params import MlflowParams
from larix.parameter_check import ParameterError
from larix.runs.ledger import RunLedger
from tests.test_import import imported_by


def test_a_project_without_tracking_imports_nothing_of_mlflow():
    assert imported_by("import larix.settings, larix.serving.pyfunc", "mlflow") == []


def test_without_the_extra_a_run_does_not_begin(project, monkeypatch):
    monkeypatch.setitem(sys.modules, "mlflow", None)
    with pytest.raises(ModuleNotFoundError, match=r"needs mlflow.*pip install 'larix\[mlflow\]'"):
        project.run(params={"mlflow": {"enabled": True}})
    assert project.snapshot() == {}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"enable": True}, r"'mlflow\.enable'.*did you mean 'enabled'"),
        ({"enabled": "yes"}, r"'mlflow\.enabled' must be true or false"),
    ],
)
def test_a_wrong_parameter_is_refused(project, given, message):
    with pytest.raises(ParameterError, match=message):
        project.run(params={"mlflow": given})
    assert project.snapshot() == {}


@pytest.mark.parametrize("name", ["experiment", "tracking_uri"])
def test_an_empty_name_is_refused(name):
    with pytest.raises(ValueError, match=rf"mlflow\.{name} must be"):
        MlflowParams(**{name: " "})


def test_parameters_are_flat_texts():
    parameters = {
        "ranking": {"solver": {"Cp": 2.0, "loss": "hinge"}},
        "reporting": {"by_label@": None},
        "ensemble": {"members": [{}], "options": {}},
    }
    assert dict(flat_parameters(parameters)) == {
        "ranking.solver.Cp": "2.0",
        "ranking.solver.loss": "hinge",
        "reporting.by_label_": "null",
        "ensemble.members": "[{}]",
        "ensemble.options": "{}",
    }


def test_metrics_have_names_that_mlflow_takes(finished_project):
    (record,) = RunLedger(finished_project.folder).runs()
    record = replace(record, evaluation={"metrics": {"P@1": 0.5, "PSP@1": None}})
    metrics = flat_metrics(record, {"ranking": 1.5})
    assert metrics.pop("seconds") == record.seconds
    assert metrics.pop("cpu_seconds") == record.cpu_seconds
    assert metrics.pop("peak_memory_mb") == record.peak_memory_mb
    assert metrics == {"P_at_1": 0.5, "stage_seconds/ranking": 1.5}


@pytest.fixture
def mlflow(monkeypatch, tmp_path):
    """MLflow with a database of its own, in an empty folder."""
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    monkeypatch.chdir(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        module = pytest.importorskip("mlflow", reason="pip install -e '.[mlflow]'")
        yield module
        module.set_tracking_uri(None)


@pytest.fixture
def tracked(tmp_path):
    """Parameters that log to this database; MLflow keeps an open one by its name, so the path is whole."""
    return {"mlflow": {"enabled": True, "tracking_uri": f"sqlite:///{tmp_path}/mlflow.db"}}


def test_a_finished_run_is_logged_and_its_model_takes_texts(project, mlflow, tracked):
    project.run(params=tracked)
    project.run(params=tracked, only_missing_outputs=True)  # finds its metrics made
    (run,) = mlflow.search_runs(experiment_names=["larix"], output_format="list")
    (record,) = RunLedger(project.folder).runs()
    assert (run.info.run_name, run.info.status) == (record.version, "FINISHED")
    assert run.data.params["ranking.solver.Cp"] == "4.0"
    assert run.data.metrics["P_at_1"] == record.metrics["P@1"]
    files = mlflow.MlflowClient().list_artifacts(run.info.run_id)
    assert [file.path for file in files] == ["metrics.json", "report.html"]
    model = mlflow.pyfunc.load_model(f"runs:/{run.info.run_id}/classifier")
    ((best, second), (other,)) = (
        *model.predict(["broken wrist bone"], params={"top_k": 2}),
        *model.predict(["an itching rash"], params={"top_k": 1}),
    )
    assert (best["name"], other["label"]) == ("bone", "skin")
    assert best["score"] > second["score"]
    assert not list(project.folder.rglob("*.pkl"))


def test_a_run_that_fails_is_not_logged(project, mlflow, tracked, monkeypatch):
    import larix.pipelines.reporting.nodes as nodes

    def fail(_):
        raise RuntimeError("no page today")

    monkeypatch.setattr(nodes, "render_page", fail)
    with pytest.raises(RuntimeError, match="no page today"):
        project.run(params=tracked)
    assert mlflow.search_runs(experiment_names=["larix"], output_format="list") == []


def test_a_place_that_cannot_be_written_is_told_before_anything_runs(project, mlflow):
    with pytest.raises(ConnectionError, match=r"change mlflow\.tracking_uri"):
        project.run(params={"mlflow": {"enabled": True, "tracking_uri": "file:///nowhere"}})
    assert project.snapshot() == {}
    assert mlflow.active_run() is None
