"""Matrices that may be sparse or dense: label representations and what they are made of.

Sparse ones are canonical CSR arrays (`larix.xmc.sparse.check_csr`), dense ones C-contiguous float32 arrays.
"""

from collections.abc import Sequence
from typing import Any, TypeGuard

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from larix.xmc.sparse import CSR, check_csr, csr_from_parts, normalize_rows

Matrix = CSR | NDArray[np.float32]


def is_dense(Z: Matrix) -> TypeGuard[NDArray[np.float32]]:
    """Whether rows are stored in full."""
    return isinstance(Z, np.ndarray)


def check_matrix(Z: Any, *, name: str, n_rows: int | None = None) -> Matrix:
    """Bring a sparse or dense matrix to its form, or say what is wrong with it.

    Parameters
    ----------
    Z : sparse matrix, sparse array or two-dimensional array-like
        Never modified.
    name : str
        What to call it in errors.
    n_rows : int, optional
        Required number of rows.

    Raises
    ------
    TypeError
        When `Z` is no real numeric matrix.
    ValueError
        When shape or values break a rule.
    """
    if sp.issparse(Z):
        return check_csr(Z, name=name, n_rows=n_rows)
    dense = np.asarray(Z)
    if dense.dtype.kind not in "fiub":
        raise TypeError(f"{name} must hold real numbers, but is {type(Z).__name__} of dtype {dense.dtype}")
    if dense.ndim != 2 or (n_rows is not None and len(dense) != n_rows):
        rows = "" if n_rows is None else f" and {n_rows} rows"
        raise ValueError(f"{name} must have two dimensions{rows}, but its shape is {dense.shape}")
    with np.errstate(over="ignore"):
        dense = np.ascontiguousarray(dense, np.float32)
    if not np.isfinite(dense).all():
        row = int(np.flatnonzero(~np.isfinite(dense).all(axis=1))[0])
        raise ValueError(
            f"{name} must be finite in float32, but row {row} isn't; remove or rescale its values"
        )
    return dense


def unit_rows(Z: Matrix) -> Matrix:
    """Divide every row by its l2 norm; zero rows stay zero."""
    if not is_dense(Z):
        return normalize_rows(Z)
    norms = np.sqrt((Z.astype(np.float64) ** 2).sum(axis=1, keepdims=True))
    return (Z / np.where(norms > 0, norms, 1)).astype(np.float32)


def scale_rows(Z: Matrix, factors: NDArray[Any]) -> Matrix:
    """Multiply every row by its factor."""
    factors = factors.astype(np.float32)
    if is_dense(Z):
        return np.ascontiguousarray(Z * factors[:, None])
    sparse: CSR = Z
    data = sparse.data * np.repeat(factors, np.diff(sparse.indptr))
    return csr_from_parts(data, sparse.indices, sparse.indptr, sparse.shape)


def join_columns(blocks: Sequence[Matrix]) -> Matrix:
    """Matrices side by side: sparse as soon as one is."""
    if all(is_dense(block) for block in blocks):
        return np.hstack(blocks)
    joined: CSR = sp.hstack([sp.csr_array(block) for block in blocks], format="csr")
    return check_csr(joined, name="Z")


def add(A: Matrix, B: Matrix) -> Matrix:
    """The sum of two matrices of one shape: dense as soon as one is."""
    total = A + B
    return check_csr(total, name="Z") if sp.issparse(total) else np.ascontiguousarray(total, np.float32)


def leading_columns(X: Any, n: int) -> Any:
    """The first n columns of a matrix; all of them if there are no more."""
    return X[:, :n] if X.shape[1] > n else X
