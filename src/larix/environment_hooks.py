"""Tell datasets that write environments which configuration a run has."""

from typing import Any

from kedro.config import OmegaConfigLoader
from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.io import CatalogProtocol
from kedro.pipeline import Pipeline

from larix.datasets.environment import EnvironmentDataset


class EnvironmentHooks:
    """Tell every environment that a run writes what the run started from.

    Registered in `larix.settings`.
    """

    def __init__(self) -> None:
        self._loader: Any = None

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Know the configuration."""
        self._loader = context.config_loader

    @hook_impl
    def before_pipeline_run(self, pipeline: Pipeline, catalog: CatalogProtocol) -> None:
        """Tell it, and what the base alone says."""
        for name in sorted(pipeline.all_outputs()):
            dataset = catalog.get(name) if name in catalog else None
            if isinstance(dataset, EnvironmentDataset):
                dataset.start_from(self._loader, _base_parameters(self._loader))


def _base_parameters(loader: Any) -> dict[str, Any]:
    base = OmegaConfigLoader(loader.conf_source, base_env=loader.base_env, default_run_env=loader.base_env)
    return dict(base["parameters"])
