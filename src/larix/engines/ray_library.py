"""Ray, imported when an engine with workers runs, and joined for a while."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from larix.engines.params import EngineParams
from larix.xmc.optional_import import import_optional

logger = logging.getLogger(__name__)


def import_ray() -> Any:
    """The module ray, with its parts for training.

    Raises
    ------
    ModuleNotFoundError
        If it is missing; the message has the command that installs it.
    """
    # Ray sends statistics of its use unless told not to; who wants to can turn them on.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    return import_optional("ray.train.torch", "ray", needed_by="an engine with workers", extra="transformer")


@contextmanager
def joined(params: EngineParams) -> Iterator[Any]:
    """Ray, connected to a cluster or started on this machine; afterwards as it was before.

    Raises
    ------
    ValueError
        If this machine has too few processors or graphics cards for the workers.
    ConnectionError
        If there is no cluster at the address.
    """
    ray = import_ray()
    if ray.is_initialized():
        yield ray
        return
    quiet = {"log_to_driver": False, "logging_level": logging.ERROR, "include_dashboard": False}
    if params.address != "local":
        del quiet["include_dashboard"]
    try:
        _connect(ray, params.address, quiet)
        if params.address == "local":
            check_resources(params, ray.cluster_resources())
        yield ray
    finally:
        ray.shutdown()


def _connect(ray: Any, address: str, options: dict[str, Any]) -> None:
    try:
        ray.init(address=address, **options)
    except ConnectionError as error:
        raise ConnectionError(
            f"engine 'cluster' joins a cluster of Ray that runs, but none was found at address {address!r}; "
            "start one (ray start --head), name another by engines.cluster.address, or take engine=local"
        ) from error


def check_resources(params: EngineParams, resources: dict[str, float]) -> None:
    """Raise a ValueError if there are too few processors or graphics cards for the workers."""
    needed = {"CPU": params.num_workers * params.cpus_per_worker, "GPU": params.num_workers * params.use_gpu}
    for name, n_needed in needed.items():
        if n_needed > resources.get(name, 0):
            raise ValueError(
                f"{params.num_workers} workers ask for {n_needed} {name}s, but this machine has "
                f"{resources.get(name, 0):.0f}; lower num_workers or cpus_per_worker, set use_gpu to false, "
                "or name the address of a cluster"
            )
