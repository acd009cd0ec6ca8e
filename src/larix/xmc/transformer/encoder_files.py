"""The files of an encoder in the form of the transformers library: configuration, tokenizer, weights.

Weights are read from safetensors alone. Other forms are pickles, which run code when they are loaded.
"""

import hashlib
import importlib.util
import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Self

from numpy.typing import NDArray

from larix.xmc.array_file import write_arrays
from larix.xmc.manifest import sha256_of
from larix.xmc.persistence import load_folder, save_folder
from larix.xmc.transformer.libraries import import_hub

KIND = "EncoderFiles"
_CONFIGURATION = "config.json"
_HIDDEN_SIZE = ("hidden_size", "d_model", "dim")  # as different families call it
_WEIGHTS = "model.safetensors"
_PATTERNS = (
    _CONFIGURATION,
    "*.safetensors",
    "*.safetensors.index.json",
    "tokenizer*.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.*",
    "merges.txt",
    "*.model",
)


@dataclass(frozen=True)
class EncoderFiles:
    """A folder with an encoder.

    Parameters
    ----------
    folder : Path

    Raises
    ------
    FileNotFoundError
        If it has no configuration or no weights as safetensors.
    """

    folder: Path

    def __post_init__(self) -> None:
        if not (self.folder / _CONFIGURATION).is_file():
            raise FileNotFoundError(
                f"{self.folder} holds no encoder ({_CONFIGURATION}, tokenizer, *.safetensors); "
                "name a local folder"
            )
        if not any(self.folder.glob("*.safetensors")):
            raise FileNotFoundError(
                f"{self.folder} must hold weights as *.safetensors, but has none; other forms may run code "
                "when loaded, so convert them first"
            )

    @property
    def paths(self) -> list[Path]:
        """The files that belong to the encoder, by name; others in the folder are not read."""
        return sorted({path for pattern in _PATTERNS for path in self.folder.glob(pattern) if path.is_file()})

    @cached_property
    def hidden_size(self) -> int:
        """Length of a token's vector."""
        path = self.folder / _CONFIGURATION
        configuration = json.loads(path.read_bytes())
        for name in _HIDDEN_SIZE:
            if isinstance(size := configuration.get(name), int) and size > 0:
                return size
        raise ValueError(f"{path} must give one of {', '.join(_HIDDEN_SIZE)}, but has none; check the folder")

    @cached_property
    def digest(self) -> str:
        """SHA-256 over names and contents of all files."""
        entries = [(path.name, sha256_of(path)) for path in self.paths]
        return hashlib.sha256(json.dumps(entries).encode()).hexdigest()

    def save(self, path: Path | str, *, weights: Mapping[str, NDArray[Any]] | None = None) -> None:
        """Copy the files into a model folder, from which an encoder can be loaded as well.

        Parameters
        ----------
        path : path-like
        weights : mapping of str to array, optional
            Instead of those in the files.
        """
        kept = [file for file in self.paths if weights is None or ".safetensors" not in file.name]
        files: dict[str, Callable[[Path], None]] = {file.name: partial(_copy, file) for file in kept}
        if weights is not None:
            files[_WEIGHTS] = partial(write_arrays, arrays=weights)
        save_folder(path, kind=KIND, files=files)

    @classmethod
    def load(cls, path: Path | str, *, verify: bool = True) -> Self:
        """The encoder in a folder that `save` wrote."""
        return cls(load_folder(path, kind=KIND, verify=verify).path)


def _copy(source: Path, target: Path) -> None:
    shutil.copyfile(source, target)


def find_encoder(folder: str, *, package: str | None = None, download: bool = False) -> Path:
    """The local folder of an encoder.

    Parameters
    ----------
    folder : str
        A path; within `package` if there is one. With `download`, else the name of a model on the hub.
    package : str, optional
        An installed Python package that carries the encoder. Its code is not run.
    download : bool
        Fetch the model from the hub if `folder` is no local folder.

    Raises
    ------
    ModuleNotFoundError
        If the package is not installed.
    FileNotFoundError
        If there is no such folder, and nothing is to be downloaded.
    """
    if package is not None:
        return _package_folder(package) / folder
    if Path(folder).is_dir():
        return Path(folder)
    if not download:
        raise FileNotFoundError(
            f"{folder} is no local folder; check the path, or allow the download of a model of this name "
            "(download: true)"
        )
    return _downloaded(folder)


def _package_folder(package: str) -> Path:
    # The finder of a top-level package locates it without importing it.
    spec = importlib.util.find_spec(package) if package.isidentifier() else None
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(
            f"the package {package!r}, which should carry the encoder, is not installed; install it, or "
            "name a local folder"
        )
    return Path(next(iter(spec.submodule_search_locations)))


def _downloaded(name: str) -> Path:
    return Path(import_hub().snapshot_download(name, allow_patterns=list(_PATTERNS)))
