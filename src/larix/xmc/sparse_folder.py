"""Sparse matrices as folders of plain arrays."""

from pathlib import Path

import scipy.sparse as sp

from larix.xmc.persistence import is_whole, load_folder, save_folder
from larix.xmc.sparse import CSR, check_csr

_KIND = "SparseMatrix"


def save_csr(path: Path | str, X: CSR) -> None:
    """Write a matrix, checked and as float32, whole or not at all."""
    X = check_csr(X, name=Path(path).name)
    arrays = {"data": X.data, "indices": X.indices, "indptr": X.indptr}
    save_folder(path, kind=_KIND, metadata={"shape": list(X.shape)}, arrays=arrays)


def load_csr(path: Path | str) -> CSR:
    """Read a matrix and check it.

    Raises
    ------
    ModelFolderError
        If the folder holds something else or is damaged.
    """
    folder = load_folder(path, kind=_KIND)
    parts = tuple(folder.arrays[name] for name in ("data", "indices", "indptr"))
    return check_csr(sp.csr_array(parts, shape=tuple(folder.metadata["shape"])), name=str(path))


def is_csr_folder(path: Path | str) -> bool:
    """Whether a whole matrix lies there."""
    return is_whole(path, kind=_KIND)
