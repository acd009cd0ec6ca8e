"""Settings of the Kedro project."""

import warnings

from larix.environment_hooks import EnvironmentHooks
from larix.hooks import ParameterHooks, ProvenanceHooks, RoundHooks, StageHooks
from larix.mlflow_hooks import MlflowHooks
from larix.run_hooks import LastRunHooks

# Kedro calls functions of OmegaConf that are on their way out; its users can do nothing about it.
warnings.filterwarnings("ignore", message=r"(register_new_resolver|clear_resolver)", module=r"kedro\.config")

HOOKS = (
    RoundHooks(),
    ParameterHooks(),
    ProvenanceHooks(),
    StageHooks(),
    LastRunHooks(),
    EnvironmentHooks(),
    MlflowHooks(),
)

CONFIG_LOADER_ARGS = {
    "base_env": "base",
    "default_run_env": "local",
    # An environment names only what it changes, at any depth.
    "merge_strategy": {"parameters": "soft", "globals": "soft"},
}
