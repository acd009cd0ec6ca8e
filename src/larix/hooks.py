"""What a Kedro run does beside its nodes: check parameters, trace artefacts, tell and measure.

The classes are registered in `larix.settings`.
"""

import atexit
import logging
import os
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.framework.project import pipelines
from kedro.io import CatalogProtocol
from kedro.io.core import DatasetError
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node
from rich import get_console

import larix
import larix.xmc
from larix.datasets.artefact import ArtefactDataset
from larix.datasets.provenance import expected_provenance
from larix.parameter_check import check_parameters, known_parameters
from larix.pipelines.disentanglement.rounds import DEFAULT_ROUNDS, n_rounds, set_rounds
from larix.stage_clock import StageClock
from larix.xmc.parallel import available_threads
from larix.xmc.progress import Advance, Reporter, reporting
from larix.xmc.work_count import counting

logger = logging.getLogger(__name__)

_WIDTH_OF_FILES = 160


class ParameterHooks:
    """Refuse a parameter that no node of any registered pipeline reads, before anything runs."""

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Compare the configuration with what nodes ask for."""
        loader = context.config_loader
        environments = (loader.base_env, context.env or loader.default_run_env)
        folders = [Path(loader.conf_source) / environment for environment in environments]
        nodes = [node for pipeline in pipelines.values() for node in pipeline.nodes]
        known = known_parameters(nodes)
        check_parameters(loader["parameters"], known, given=loader.runtime_params, conf_folders=folders)


class RoundHooks:
    """Tell the pipelines how many rounds of disentanglement the configuration asks for at most."""

    @hook_impl(tryfirst=True)
    def after_context_created(self, context: KedroContext) -> None:
        """Read it before anything asks for the pipelines."""
        rounds = context.config_loader["globals"].get("disentanglement_rounds", DEFAULT_ROUNDS)
        if rounds != n_rounds():
            set_rounds(rounds)
            pipelines.configure(f"{larix.__name__}.pipeline_registry")


class ProvenanceHooks:
    """Tell every dataset of a run what its artefact would be made from.

    The datasets record it when they save, and with `--only-missing-outputs` Kedro then runs the nodes whose
    artefacts are missing, damaged or made from other parameters or data.
    """

    @hook_impl
    def before_pipeline_run(self, pipeline: Pipeline, catalog: CatalogProtocol) -> None:
        """Compute the provenance of all outputs, down the pipeline."""

        def source_fingerprint(name: str) -> str:
            dataset = catalog.get(name) if name in catalog else None
            return dataset.fingerprint() if isinstance(dataset, ArtefactDataset) else ""

        made = expected_provenance(pipeline.nodes, catalog.load, source_fingerprint)
        for name, provenance in made.items():
            dataset = catalog.get(name) if name in catalog else None
            if isinstance(dataset, ArtefactDataset):
                dataset.expect(provenance)


class StageHooks:
    """Progress bars, one line for every node that is done, seconds and peak memory of the stages.

    The times are saved as `stage_seconds` when the run ends, and before a node reads them.
    """

    dataset = "stage_seconds"

    def __init__(self) -> None:
        self._shown = ExitStack()
        self._clock = StageClock([])
        self._catalog: CatalogProtocol | None = None

    @hook_impl
    def after_context_created(self) -> None:
        """Leave lines whole where they go to a file or a pipe."""
        console = get_console()
        if not console.is_terminal and "COLUMNS" not in os.environ:
            console.width = _WIDTH_OF_FILES

    @hook_impl
    def before_pipeline_run(
        self, run_params: dict[str, Any], pipeline: Pipeline, catalog: CatalogProtocol
    ) -> None:
        """Check the number of threads and start the clock."""
        n_threads = available_threads(
            catalog.load("params:n_threads") if "params:n_threads" in catalog else None
        )
        self._catalog = catalog if self.dataset in catalog else None
        self._shown = ExitStack()
        atexit.register(self._shown.close)  # Ctrl-C reaches no hook, and bars hide the cursor
        counts = self._shown.enter_context(counting())
        nodes = evaluated_nodes(run_params["pipeline_names"])
        self._clock = StageClock([node.name for node in nodes], self._earlier(), counts)
        self._shown.enter_context(reporting(self._shown.enter_context(_progress_bars())))
        self._shown.enter_context(_limited_threads(n_threads))
        logger.info("%d nodes, %d threads", len(pipeline.nodes), n_threads)
        if not _kernels_are_compiled():
            logger.info("first run here: kernels are compiled once, which takes up to a minute")

    @hook_impl
    def before_dataset_loaded(self, dataset_name: str, node: Node) -> None:
        """A node starts when its first input is loaded."""
        self._clock.start(node)
        if dataset_name == self.dataset:
            self._save_seconds()

    @hook_impl
    def before_node_run(self, node: Node) -> None:
        """A node without inputs starts here."""
        self._clock.start(node)

    @hook_impl
    def after_dataset_saved(self, dataset_name: str, data: Any, node: Node) -> None:
        """A node ends when its last output is saved."""
        done = self._clock.saved(node, dataset_name, data)
        if done:
            logger.log(logging.INFO if done.matters else logging.DEBUG, "%s", done)

    @hook_impl
    def after_pipeline_run(self, run_params: dict[str, Any], pipeline: Pipeline) -> None:
        """Save the times, and say what was left out because it is up to date."""
        self._shown.close()
        self._save_seconds()
        n_left_out = len(pipeline.nodes) - self._clock.n_done
        if run_params["only_missing_outputs"] and n_left_out:
            logger.info("%d nodes run, %d left out: what they make is there", self._clock.n_done, n_left_out)

    @hook_impl
    def on_node_error(self, node: Node) -> None:
        """Say which node it was; the error itself is told when it arrives."""
        logger.error("%s failed", node.name)

    @hook_impl
    def on_pipeline_error(self) -> None:
        """Take the bars down, and say how to go on."""
        self._shown.close()
        if self._clock.n_done:
            logger.error(
                "what is done is kept; with --only-missing-outputs the same command goes on from here"
            )

    def _earlier(self) -> dict[str, Any]:
        if self._catalog is None or not self._catalog.exists(self.dataset):
            return {}
        try:
            return dict(self._catalog.load(self.dataset))
        except DatasetError:  # times are no reason to refuse a run
            return {}

    def _save_seconds(self) -> None:
        if self._catalog is not None and self._clock.measured:
            self._catalog.save(self.dataset, self._clock.record())


def evaluated_nodes(names: Iterable[str] | None) -> list[Node]:
    """The nodes that a run's metrics rest on, whether this run makes their outputs or found them made.

    Those of the whole linear path, and of the pipelines `names` as far as they are part of some pipeline with
    metrics.
    """
    evaluated = {
        node.name
        for pipeline in pipelines.values()
        if "metrics" in pipeline.all_outputs()
        for node in pipeline.nodes
    }
    own = (node for name in names or () for node in pipelines[name].nodes if node.name in evaluated)
    nodes = {node.name: node for node in (*pipelines["__default__"].nodes, *own)}
    return list(nodes.values())


def _kernels_are_compiled() -> bool:
    """Whether numba has left compiled kernels where it keeps them unless NUMBA_CACHE_DIR says otherwise."""
    folder = Path(larix.xmc.__file__).parent / "__pycache__"
    return "NUMBA_CACHE_DIR" in os.environ or any(folder.glob("*.nbi"))


@contextmanager
def _progress_bars() -> Iterator[Reporter]:
    """A reporter that draws bars below the log lines, on a terminal only, while their work lasts."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = get_console()
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:

        @contextmanager
        def bar(description: str, total: int) -> Iterator[Advance]:
            task = progress.add_task(description, total=total)
            try:
                yield partial(progress.advance, task)
            finally:
                progress.remove_task(task)

        yield bar


@contextmanager
def _limited_threads(n_threads: int) -> Iterator[None]:
    """Hold numerical libraries to the number of threads, so that `n_threads` means all of them."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(n_threads):
        yield
