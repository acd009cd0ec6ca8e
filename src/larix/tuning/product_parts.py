"""The parts of products on disk: matrices and objects that save themselves, each a model folder."""

from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp

from larix.xmc.matrix import check_matrix
from larix.xmc.persistence import ModelFolderError, load_folder, save_folder
from larix.xmc.sparse import check_csr

KIND = "Product"
_HOMES = {
    "DocumentMemory": "larix.xmc.document_memory",
    "GivenFeatures": "larix.serving.given_features",
    "LabelTree": "larix.xmc.label_tree",
    "LinearMatcher": "larix.xmc.linear_stages",
    "LinearRanker": "larix.xmc.linear_stages",
    "TextFeatures": "larix.xmc.text_features",
}
_SPARSE, _DENSE = "SparseMatrix", "DenseMatrix"


def save_parts(place: Path, parts: Any, stage: str) -> None:
    """Write the parts of a product, whole or not at all.

    Raises
    ------
    TypeError
        For a part that is neither a matrix nor of a class that products are made of.
    """
    for name, part in parts.items():
        if not isinstance(part, np.ndarray) and not sp.issparse(part) and type(part).__name__ not in _HOMES:
            raise TypeError(
                f"a part of a product must be a matrix or one of {', '.join(_HOMES)}, but {name} is a "
                f"{type(part).__name__}"
            )
    children = {name: partial(_save, part) for name, part in parts.items()}
    save_folder(place, kind=KIND, metadata={"stage": stage}, children=children)


def load_parts(place: Path) -> dict[str, Any]:
    """Read what `save_parts` wrote.

    Raises
    ------
    ModelFolderError
        If it is missing or damaged.
    """
    folder = load_folder(place, kind=KIND)
    return {name: _load(place / name, folder.child(name).kind) for name in folder.children}


def _save(part: Any, path: Path) -> None:
    if isinstance(part, np.ndarray):
        save_folder(path, kind=_DENSE, arrays={"rows": part})
    elif sp.issparse(part):
        matrix = check_csr(part)
        arrays = {"data": matrix.data, "indices": matrix.indices, "indptr": matrix.indptr}
        save_folder(path, kind=_SPARSE, metadata={"shape": list(matrix.shape)}, arrays=arrays)
    else:
        part.save(path)


def _load(path: Path, kind: str) -> Any:
    if kind in _HOMES:
        return getattr(import_module(_HOMES[kind]), kind).load(path, verify=False)
    folder = load_folder(path, verify=False)
    arrays = folder.arrays
    if kind == _DENSE:
        return check_matrix(arrays["rows"], name=str(path))
    if kind != _SPARSE:
        raise ModelFolderError(f"{path} holds a {kind}, of which no product is made; delete it")
    parts = (arrays["data"], arrays["indices"], arrays["indptr"])
    return check_csr(sp.csr_array(parts, shape=tuple(folder.metadata["shape"])), name=str(path))
