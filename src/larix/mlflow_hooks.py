"""Log finished runs to MLflow, if parameters ask for it.

MLflow gets what `larix.runs` keeps: a run that failed, or that found its metrics made, is none. MLflow is
imported only when a run is to be logged.
"""

import json
import logging
import os
import re
import warnings
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.io import CatalogProtocol
from kedro.pipeline import Pipeline

import larix
from larix.mlflow_params import MlflowParams
from larix.reporting.content import dotted
from larix.runs.ledger import RunLedger
from larix.runs.record import RunRecord
from larix.serving import pyfunc
from larix.xmc.optional_import import import_optional
from larix.xmc.persistence import load_folder

logger = logging.getLogger(__name__)

_ARTEFACTS = ("metrics", "report")
_NOT_ALLOWED_IN_NAMES = re.compile(r"[^\w\-. :/]")


class MlflowHooks:
    """Log a run to MLflow when it has finished.

    Registered in `larix.settings` behind `LastRunHooks`, whose record it reads.
    """

    def __init__(self) -> None:
        self._project = Path()
        self._params = MlflowParams()
        self._experiment: str | None = None

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Know the project."""
        self._project = context.project_path

    @hook_impl(tryfirst=True)
    def before_pipeline_run(self, pipeline: Pipeline, catalog: CatalogProtocol) -> None:
        """Find MLflow and its experiment while there is nothing to lose."""
        given = catalog.load("params:mlflow") if "params:mlflow" in catalog else None
        self._params = MlflowParams(**given or {})
        is_logged = self._params.enabled and "metrics" in pipeline.all_outputs()
        self._experiment = _find_experiment(self._params) if is_logged else None

    @hook_impl(trylast=True)
    def after_pipeline_run(self, run_params: dict[str, Any], catalog: CatalogProtocol) -> None:
        """Log the run, if it was kept. That MLflow fails is told, but does not make the run fail."""
        if self._experiment is None:
            return
        runs = RunLedger(self._project).runs()
        record = next((run for run in runs if run.version == run_params["run_id"]), None)
        if record is None:
            logger.info("MLflow: nothing to log, the metrics are those of an earlier run")
            return
        try:
            _log_run(record, catalog.load("stage_seconds")["stages"], self._experiment, self._params)
        except Exception as error:  # of any server, database or disk
            logger.error("the run is finished and kept, but MLflow could not log all of it: %s", error)


def import_mlflow() -> Any:
    """The module mlflow, with its messages to its makers off unless the environment says otherwise.

    Raises
    ------
    ModuleNotFoundError
        If it is missing; the message has the command that installs it.
    """
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    return import_optional("mlflow.pyfunc", "mlflow", needed_by="mlflow.enabled", extra="mlflow")


def _find_experiment(params: MlflowParams) -> str:
    """Identifier of the experiment."""
    mlflow = import_mlflow()
    if params.tracking_uri is not None:
        mlflow.set_tracking_uri(params.tracking_uri)
    try:
        return str(mlflow.set_experiment(params.experiment).experiment_id)
    except mlflow.MlflowException as error:
        raise ConnectionError(
            f"MLflow must have the experiment {params.experiment!r} at {mlflow.get_tracking_uri()}, but: "
            f"{error}; change mlflow.tracking_uri or mlflow.experiment"
        ) from error


def _log_run(
    record: RunRecord, stage_seconds: Mapping[str, float], experiment: str, params: MlflowParams
) -> None:
    """Log a run; should that fail, MLflow marks what it has as failed."""
    mlflow = import_mlflow()
    with mlflow.start_run(experiment_id=experiment, run_name=record.version, tags=_tags(record)) as run:
        mlflow.log_params(dict(flat_parameters(record.parameters)))
        mlflow.log_metrics(flat_metrics(record, stage_seconds))
        for name in _ARTEFACTS:
            if name in record.results:
                mlflow.log_artifact(str(record.path(name)))
        if params.log_model and "classifier" in record.results:
            _log_model(mlflow, record.path("classifier"))
    logger.info("MLflow: run %s at %s", run.info.run_id, mlflow.get_tracking_uri())


def _tags(record: RunRecord) -> dict[str, str]:
    return {
        "larix.version": larix.__version__,
        "larix.environment": record.environment,
        "larix.pipelines": ",".join(record.pipelines),
        "larix.model": record.model,
        "larix.corpus": str(record.corpus["name"]),
        "larix.test_set": record.test_set,
    }


def flat_parameters(parameters: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Names with dots, and texts; what is no text is written as JSON, a list as a whole."""
    for name, value in dotted(parameters):
        plain = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        yield _NOT_ALLOWED_IN_NAMES.sub("_", name), plain


def flat_metrics(record: RunRecord, stage_seconds: Mapping[str, float]) -> dict[str, float]:
    """Metrics over all labels that are known, as fractions, `@` as `_at_`; seconds and memory."""
    known = {
        _NOT_ALLOWED_IN_NAMES.sub("_", name.replace("@", "_at_")): value
        for name, value in record.metrics.items()
        if value is not None
    }
    stages = {f"stage_seconds/{stage}": seconds for stage, seconds in stage_seconds.items()}
    total = {name: getattr(record, name) for name in ("seconds", "cpu_seconds", "peak_memory_mb")}
    return {**known, **stages, **total}


def _log_model(mlflow: Any, classifier: Path) -> None:
    features = load_folder(classifier, verify=False).child("features").kind
    if features == "GivenFeatures":
        logger.info("MLflow: no model is logged, since this classifier takes rows of features and no texts")
        return
    extra = "[transformer]" if features == "JointFeatures" else ""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*An input example was not provided")
        mlflow.pyfunc.log_model(
            name="classifier",
            loader_module=pyfunc.__name__,
            data_path=str(classifier),
            signature=_signature(),
            pip_requirements=[f"larix{extra}=={larix.__version__}"],
        )


def _signature() -> Any:
    """Texts in; a list of labels for each, with names and scores, out."""
    models, types = import_module("mlflow.models"), import_module("mlflow.types")
    schema = import_module("mlflow.types.schema")
    text, number = types.DataType.string, types.DataType.double
    properties = [
        schema.Property(name, kind) for name, kind in (("label", text), ("name", text), ("score", number))
    ]
    return models.ModelSignature(
        inputs=types.Schema([types.ColSpec(text)]),
        outputs=types.Schema([types.ColSpec(schema.Array(schema.Object(properties)))]),
        params=types.ParamSchema(
            [
                types.ParamSpec("top_k", types.DataType.long, pyfunc.DEFAULT_TOP_K),
                types.ParamSpec("threshold", number, None),
            ]
        ),
    )
