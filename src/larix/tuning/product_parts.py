"""The parts of products on disk: matrices and objects that save themselves, each a model folder."""

from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp

from larix.xmc.matrix_folder import KINDS, load_matrix, save_matrix
from larix.xmc.persistence import ModelFolderError, load_folder, save_folder

_PRODUCT = "Product"
_HOMES = {
    "DocumentMemory": "larix.xmc.document_memory",
    "GivenFeatures": "larix.serving.given_features",
    "LabelTree": "larix.xmc.label_tree",
    "LinearMatcher": "larix.xmc.linear_stages",
    "LinearRanker": "larix.xmc.linear_stages",
    "TextFeatures": "larix.xmc.text_features",
}


def save_parts(place: Path, parts: Any, stage: str) -> None:
    """Write the parts of a product, whole or not at all.

    Raises
    ------
    TypeError
        For a part that is neither a matrix nor of a class that products are made of.
    """
    for name, part in parts.items():
        if not _is_matrix(part) and type(part).__name__ not in _HOMES:
            raise TypeError(
                f"a part of a product must be a matrix or one of {', '.join(_HOMES)}, but {name} is a "
                f"{type(part).__name__}"
            )
    children = {name: partial(_save, part) for name, part in parts.items()}
    save_folder(place, kind=_PRODUCT, metadata={"stage": stage}, children=children)


def load_parts(place: Path) -> dict[str, Any]:
    """Read what `save_parts` wrote.

    Raises
    ------
    ModelFolderError
        If it is missing or damaged.
    """
    folder = load_folder(place, kind=_PRODUCT)
    return {name: _load(place / name, folder.child(name).kind) for name in folder.children}


def _save(part: Any, path: Path) -> None:
    if _is_matrix(part):
        save_matrix(path, part)
    else:
        part.save(path)


def _load(path: Path, kind: str) -> Any:
    if kind in _HOMES:
        return getattr(import_module(_HOMES[kind]), kind).load(path, verify=False)
    if kind not in KINDS:
        raise ModelFolderError(f"{path} holds a {kind}, of which no product is made; delete it")
    return load_matrix(path, verify=False)


def _is_matrix(part: Any) -> bool:
    return isinstance(part, np.ndarray) or sp.issparse(part)
