"""Matrices, sparse or dense, as folders of plain arrays."""

from pathlib import Path

import scipy.sparse as sp

from larix.xmc.matrix import Matrix, check_matrix, is_dense
from larix.xmc.persistence import is_whole, load_folder, save_folder
from larix.xmc.sparse import CSR, check_csr

_SPARSE, _DENSE = "SparseMatrix", "DenseMatrix"
KINDS = (_SPARSE, _DENSE)
"""What such a folder says that it holds."""


def save_matrix(path: Path | str, X: Matrix) -> None:
    """Write a matrix, checked and as float32, whole or not at all."""
    if not is_dense(X):
        save_csr(path, X)
        return
    rows = check_matrix(X, name=Path(path).name)
    save_folder(path, kind=_DENSE, metadata={"shape": list(rows.shape)}, arrays={"rows": rows})


def load_matrix(path: Path | str, *, verify: bool = True) -> Matrix:
    """Read a matrix and check it; with `verify`, the digests of its files too.

    Raises
    ------
    ModelFolderError
        If the folder holds something else or is damaged.
    """
    if not is_whole(path, kind=_DENSE):
        return load_csr(path, verify=verify)
    folder = load_folder(path, kind=_DENSE, verify=verify)
    return check_matrix(folder.arrays["rows"], name=str(path))


def is_matrix_folder(path: Path | str) -> bool:
    """Whether a whole matrix lies there."""
    return any(is_whole(path, kind=kind) for kind in KINDS)


def save_csr(path: Path | str, X: CSR) -> None:
    """Write a sparse matrix, as `save_matrix` does."""
    X = check_csr(X, name=Path(path).name)
    arrays = {"data": X.data, "indices": X.indices, "indptr": X.indptr}
    save_folder(path, kind=_SPARSE, metadata={"shape": list(X.shape)}, arrays=arrays)


def load_csr(path: Path | str, *, verify: bool = True) -> CSR:
    """Read a sparse matrix, as `load_matrix` does."""
    folder = load_folder(path, kind=_SPARSE, verify=verify)
    parts = tuple(folder.arrays[name] for name in ("data", "indices", "indptr"))
    return check_csr(sp.csr_array(parts, shape=tuple(folder.metadata["shape"])), name=str(path))


def is_csr_folder(path: Path | str) -> bool:
    """Whether a whole sparse matrix lies there."""
    return is_whole(path, kind=_SPARSE)
