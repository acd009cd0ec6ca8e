"""What a run leaves behind for later commands: where its results lie, and what it was."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.io import CatalogProtocol
from kedro.pipeline import Pipeline

from larix.datasets.artefact import ArtefactDataset
from larix.hooks import evaluated_nodes
from larix.last_run import RESULTS, record_run
from larix.runs.ledger import RunLedger
from larix.runs.record import RunRecord, plain_parameters
from larix.runs.test_documents import digest_of_test_set

_TOLD = ("corpus_summary", "stage_seconds", "metrics", "test_labels")
_KEPT = ("metrics", "predictions", "corpus")
_PARAMETER = "params:"


class LastRunHooks:
    """Remember a run, for `larix metrics` and `larix suggest`, `larix runs` and `larix compare`."""

    def __init__(self) -> None:
        self._project = Path()
        self._environment = ""

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Know the project and the environment."""
        self._project = context.project_path
        self._environment = context.env or context.config_loader.default_run_env

    @hook_impl(trylast=True)  # the times are saved by then
    def after_pipeline_run(
        self, run_params: dict[str, Any], pipeline: Pipeline, catalog: CatalogProtocol
    ) -> None:
        """Record the results, if the run was to make any that such a command needs."""
        made = pipeline.all_outputs()
        if made & {"metrics", "classifier"}:
            record_run(self._project, self._environment, _existing(catalog, RESULTS))
        if "metrics" in made:
            self._keep(run_params, _existing(catalog, {*_KEPT, *_versioned(catalog, made)}), catalog)

    def _keep(self, run_params: dict[str, Any], results: dict[str, Path], catalog: CatalogProtocol) -> None:
        """Keep the run. One that found its metrics made adds to the results of the run that made them."""
        ledger, metrics = RunLedger(self._project), results.get("metrics")
        earlier = next((run for run in ledger.runs() if run.results.get("metrics") == metrics), None)
        if earlier is not None:
            ledger.write(replace(earlier, results={**earlier.results, **results}))
        elif set(_TOLD) <= set(_existing(catalog, _TOLD)) and set(_KEPT) <= set(results):
            ledger.write(_record(run_params, self._environment, results, catalog))


def _existing(catalog: CatalogProtocol, names: Iterable[str]) -> dict[str, Path]:
    """Paths of the artefacts that are there."""
    return {name: dataset.path() for name, dataset in _artefacts(catalog, names) if dataset.exists()}


def _versioned(catalog: CatalogProtocol, names: Iterable[str]) -> list[str]:
    return [name for name, dataset in _artefacts(catalog, names) if dataset.is_versioned]


def _artefacts(catalog: CatalogProtocol, names: Iterable[str]) -> Iterator[tuple[str, ArtefactDataset[Any]]]:
    for name in sorted(names):
        dataset = catalog.get(name) if name in catalog else None
        if isinstance(dataset, ArtefactDataset):
            yield name, dataset


def _record(
    run_params: dict[str, Any], environment: str, results: dict[str, Path], catalog: CatalogProtocol
) -> RunRecord:
    corpus, times, evaluation, test_labels = (catalog.load(name) for name in _TOLD)
    return RunRecord(
        version=run_params["run_id"],
        environment=environment,
        pipelines=tuple(run_params["pipeline_names"] or ["__default__"]),
        corpus=corpus,
        test_set=digest_of_test_set(test_labels),
        parameters=_parameters(run_params["pipeline_names"], catalog),
        evaluation=evaluation,
        seconds=times["total"],
        cpu_seconds=times["cpu_seconds"],
        counts=times["counts"],
        peak_memory_mb=times["peak_memory_mb"],
        results=results,
    )


def _parameters(names: Iterable[str] | None, catalog: CatalogProtocol) -> dict[str, Any]:
    read = {name for node in evaluated_nodes(names) for name in node.inputs if name.startswith(_PARAMETER)}
    return plain_parameters({name.removeprefix(_PARAMETER): catalog.load(name) for name in sorted(read)})
