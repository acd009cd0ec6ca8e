"""The state of a training as plain arrays: models, optimisers, and how far it has come."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from larix.xmc.persistence import ModelFolderError, load_folder, save_folder
from larix.xmc.transformer.libraries import import_torch

_KIND = "Checkpoint"

Models = Mapping[str, Mapping[str, Any]]
Optimizers = Mapping[str, Any]


def save_checkpoint(
    path: Path | str,
    *,
    training: dict[str, Any],
    progress: dict[str, Any],
    models: Models,
    optimizers: Optimizers,
) -> None:
    """Write a checkpoint as one folder, in the place of an earlier one.

    Parameters
    ----------
    path : path-like
    training : dict
        Plain values that tell this training from others.
    progress : dict
        Plain values.
    models : mapping of str to mappings of str to tensor
    optimizers : mapping of str to optimiser
        Of torch; their learning rates are not kept.
    """
    arrays = {
        f"model.{model}.{name}": _array(tensor)
        for model, tensors in models.items()
        for name, tensor in tensors.items()
    }
    for optimizer, value in optimizers.items():
        for parameter, state in value.state_dict()["state"].items():
            for name, entry in state.items():
                arrays[f"optimizer.{optimizer}.{parameter}.{name}"] = _array(entry)
    save_folder(path, kind=_KIND, metadata={"training": training, "progress": progress}, arrays=arrays)


def load_checkpoint(
    path: Path | str, *, training: dict[str, Any], models: Models, optimizers: Optimizers
) -> dict[str, Any]:
    """Put a checkpoint's state into models and optimisers; return its progress.

    Raises
    ------
    ModelFolderError
        If the checkpoint is damaged, or of another training.
    """
    folder = load_folder(path, kind=_KIND)
    differing = [name for name, value in training.items() if folder.metadata["training"].get(name) != value]
    if differing:
        raise ModelFolderError(
            f"{path} is a checkpoint of another training: {', '.join(differing)} differ; delete it, or name "
            "another folder"
        )
    torch = import_torch()
    with torch.no_grad():
        for model, tensors in models.items():
            for name, tensor in tensors.items():
                tensor.copy_(torch.from_numpy(np.array(folder.arrays[f"model.{model}.{name}"])))
    for name, optimizer in optimizers.items():
        _fill(optimizer, f"optimizer.{name}.", folder.arrays)
    return dict(folder.metadata["progress"])


def _fill(optimizer: Any, prefix: str, arrays: Mapping[str, NDArray[Any]]) -> None:
    torch, state = import_torch(), dict[int, dict[str, Any]]()
    for key, array in arrays.items():
        if key.startswith(prefix):
            parameter, name = key.removeprefix(prefix).split(".")
            # A count of steps that was a plain integer must be one again: powers of it are taken in float64.
            is_count = array.ndim == 0 and array.dtype.kind == "i"
            entry = int(array) if is_count else torch.from_numpy(np.array(array))
            state.setdefault(int(parameter), {})[name] = entry
    groups = optimizer.state_dict()["param_groups"]
    optimizer.load_state_dict({"state": state, "param_groups": groups})


def _array(value: Any) -> NDArray[Any]:
    return value.detach().cpu().numpy() if hasattr(value, "detach") else np.asarray(value)
