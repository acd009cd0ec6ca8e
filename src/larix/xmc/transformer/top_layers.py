"""Top layers of an encoder that were tuned, and a map of what they give: the second embedding of a text."""

import copy
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from larix.xmc.persistence import load_folder, save_folder
from larix.xmc.transformer.libraries import import_torch

_KIND = "TopLayers"
_MAP = "projection"


@dataclass(frozen=True, eq=False)
class TopLayers:
    """Tuned weights, to be set upon the lower layers of the encoder that they come from.

    Parameters
    ----------
    n_layers : int
        How many of the encoder's layers they stand for; 0 where nothing was tuned.
    weights : mapping of str to float32 array
        By their names in the upper part of `larix.xmc.transformer.layer_split.split_layers`.
    projection : float32 array, d x d
        A, of the pooled vectors.
    encoder_digest : str
        Of the files of that encoder.
    losses : tuple of float
        Of the steps of training.
    """

    n_layers: int
    weights: Mapping[str, NDArray[np.float32]]
    projection: NDArray[np.float32]
    encoder_digest: str
    losses: tuple[float, ...] = ()

    @classmethod
    def none(cls) -> Self:
        """No layers, in the place of some."""
        return cls(0, {}, np.zeros((0, 0), np.float32), "")

    @cached_property
    def digest(self) -> str:
        """SHA-256 of all that vectors are made by."""
        digest = hashlib.sha256(f"{self.encoder_digest} {self.n_layers}".encode())
        for name, array in sorted({**self.weights, _MAP: self.projection}.items()):
            digest.update(name.encode())
            digest.update(np.ascontiguousarray(array).data)
        return digest.hexdigest()

    def upper(self, upper: Any) -> Any:
        """A copy of an encoder's upper part with these weights.

        Raises
        ------
        ValueError
            If the weights are those of another architecture.
        """
        torch, tuned = import_torch(), copy.deepcopy(upper)
        weights = {name: torch.from_numpy(np.array(array)) for name, array in self.weights.items()}
        try:
            tuned.load_state_dict(weights)
        except RuntimeError as error:
            raise ValueError(f"these top layers are of another encoder: {error}") from None
        return tuned

    def save(self, path: Path | str) -> None:
        """Write the layers as a folder: safetensors and JSON."""
        save_folder(
            path,
            kind=_KIND,
            metadata={"n_layers": self.n_layers, "encoder": self.encoder_digest, "losses": list(self.losses)},
            arrays={**self.weights, _MAP: self.projection},
        )

    @classmethod
    def load(cls, path: Path | str, *, verify: bool = True) -> Self:
        """Read what `save` wrote; without torch."""
        folder = load_folder(path, kind=_KIND, verify=verify)
        weights = dict(folder.arrays)
        projection, metadata = weights.pop(_MAP), folder.metadata
        return cls(metadata["n_layers"], weights, projection, metadata["encoder"], tuple(metadata["losses"]))
