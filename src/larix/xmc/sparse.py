"""Sparse matrices at the border: one canonical form inside, clear errors for everything else.

Inside larix every matrix is a `scipy.sparse.csr_array` of float32 with sorted, unique, in-range
indices and finite values. scipy does not check this by itself, and compiled kernels rely on it.
"""

from copy import copy
from functools import lru_cache
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike, DTypeLike, NDArray

from larix.xmc.sparse_kernels import is_canonical

CSR = Any
"""A `scipy.sparse.csr_array`; scipy has no type stubs that could say more."""


def check_csr(X: Any, *, name: str = "X", n_rows: int | None = None, n_columns: int | None = None) -> CSR:
    """Bring a matrix to the canonical form, or say what is wrong with it.

    Parameters
    ----------
    X : sparse matrix, sparse array or two-dimensional array-like
        What the user gave; never modified.
    name : str
        What to call it in errors.
    n_rows, n_columns : int, optional
        Required shape.

    Returns
    -------
    csr_array of float32
        The same object when it already was canonical.

    Raises
    ------
    TypeError
        When `X` is no real numeric matrix.
    ValueError
        When shape, structure or values break a rule; the message says where and what to do.
    """
    if isinstance(X, sp.csr_array) and is_canonical_csr(X, n_rows, n_columns):
        return X
    if getattr(getattr(X, "dtype", None), "kind", "") == "c":
        raise ValueError(
            f"{name} must hold real numbers. Complex data not supported; pass its parts or magnitudes"
        )
    if sp.issparse(X):
        if X.format == "csr":
            _check_structure(X, name)
        X = X if isinstance(X, sp.csr_array) else sp.csr_array(X)
    else:
        X = _from_dense(X, name)
    if X.dtype.kind not in "fiub":
        raise TypeError(f"{name} must hold real numbers, but its dtype is {X.dtype}; convert it first")
    for axis, expected in enumerate((n_rows, n_columns)):
        if expected is not None and X.shape[axis] != expected:
            what = ("rows", "columns")[axis]
            raise ValueError(f"{name} must have {expected} {what}, but has {X.shape[axis]} (shape {X.shape})")
    if not X.has_canonical_format:
        X = X.copy()
        X.sum_duplicates()
    with np.errstate(over="ignore"):
        X = X.astype(np.float32, copy=False)
    _check_finite(X, name)
    return X


def is_canonical_csr(X: Any, n_rows: int | None = None, n_columns: int | None = None) -> bool:
    """Whether nothing has to be done or said: a fast yes for what larix hands on, and for single rows."""
    return bool(
        isinstance(X, sp.csr_array | sp.csr_matrix)
        and X.ndim == 2
        and (n_rows is None or X.shape[0] == n_rows)
        and (n_columns is None or X.shape[1] == n_columns)
        and X.data.dtype == np.float32
        and X.indices.dtype == np.int32
        and X.indptr.dtype == np.int32
        and len(X.indptr) == X.shape[0] + 1
        and len(X.indices) == len(X.data)
        and is_canonical(X.indptr, X.indices, X.data, X.shape[1])
    )


def _from_dense(X: Any, name: str) -> CSR:
    dense = np.asarray(X)
    if dense.dtype.kind not in "fiub":
        raise TypeError(
            f"{name} must be a matrix of numbers, but is {type(X).__name__} of dtype {dense.dtype}"
        )
    if dense.ndim != 2:
        raise ValueError(
            f"{name} must have two dimensions, but has {dense.ndim} (shape {dense.shape}); "
            "Reshape your data: one instance is X.reshape(1, -1)"
        )
    return sp.csr_array(dense)


def _check_structure(X: CSR, name: str) -> None:
    """Refuse index arrays that compiled code would follow out of bounds."""
    indptr, indices, n_stored = X.indptr, X.indices, len(X.data)
    if len(indptr) != X.shape[0] + 1 or indptr[0] != 0 or np.any(np.diff(indptr) < 0):
        raise ValueError(
            f"{name}.indptr must rise from 0 over {X.shape[0] + 1} entries, but doesn't; rebuild the matrix"
        )
    if indptr[-1] > n_stored or len(indices) < indptr[-1]:
        raise ValueError(
            f"{name}.indptr ends at {indptr[-1]}, but only {min(n_stored, len(indices))} entries are stored"
        )
    stored = indices[: indptr[-1]]
    bad = np.flatnonzero((stored < 0) | (stored >= X.shape[1]))
    if len(bad):
        row = int(np.searchsorted(indptr, bad[0], side="right")) - 1
        raise ValueError(
            f"{name}: column indices must lie in 0..{X.shape[1] - 1}, but row {row} has {stored[bad[0]]}; "
            "check how the matrix was built"
        )


def _check_finite(X: CSR, name: str) -> None:
    if np.isfinite(X.data).all():
        return
    at = int(np.flatnonzero(~np.isfinite(X.data))[0])
    row = int(np.searchsorted(X.indptr, at, side="right")) - 1
    raise ValueError(
        f"{name}: values must be finite in float32, but row {row}, column {X.indices[at]} has {X.data[at]}; "
        "remove NaN and infinite values, or rescale"
    )


def csr_from_parts(
    data: NDArray[Any], indices: NDArray[Any], indptr: NDArray[Any], shape: tuple[int, int]
) -> CSR:
    """A CSR array of these parts, not checked, and copied only for scipy's one dtype of indices."""
    index_dtype = np.int32 if max(len(data), *shape) < 2**31 else np.int64
    X = copy(_empty(shape))
    X.data = data
    X.indices = indices.astype(index_dtype, copy=False)
    X.indptr = indptr.astype(index_dtype, copy=False)
    return X


@lru_cache(maxsize=64)
def _empty(shape: tuple[int, int]) -> CSR:
    """A matrix to copy: scipy takes ten times as long to make one."""
    return sp.csr_array(shape, dtype=np.float32)


def kernel_parts(X: CSR) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float32]]:
    """(indptr, indices, data) of a canonical matrix in the types the kernels are compiled for."""
    return read_only(X.indptr, np.int64), read_only(X.indices, np.int32), read_only(X.data, np.float32)


def read_only(values: ArrayLike, dtype: DTypeLike) -> NDArray[Any]:
    """A view (a copy only to change dtype or order) that can't be written to.

    Kernels are compiled anew for writeable arrays; as memory-mapped arrays aren't, none of the arrays that
    kernels only read is.
    """
    array: NDArray[Any] = np.ascontiguousarray(values, dtype=dtype).view()
    array.flags.writeable = False
    return array


def row_norms(X: CSR, power: int = 2) -> NDArray[np.float32]:
    """The l1 (`power=1`) or l2 (`power=2`) norm of every row, shape (N,)."""
    rows = np.repeat(np.arange(X.shape[0]), np.diff(X.indptr))
    sums = np.bincount(rows, weights=np.abs(X.data.astype(np.float64)) ** power, minlength=X.shape[0])
    return (sums ** (1 / power)).astype(np.float32)


def normalize_rows(X: CSR) -> CSR:
    """Divide every row by its l2 norm; zero rows stay zero."""
    norms = row_norms(X)
    scale = np.divide(1.0, norms, out=np.zeros_like(norms), where=norms > 0)
    data = X.data * np.repeat(scale, np.diff(X.indptr))
    return csr_from_parts(data.astype(np.float32, copy=False), X.indices, X.indptr, X.shape)


def binarize(X: CSR) -> CSR:
    """The same stored pattern without explicit zeros, every value 1."""
    X = X.copy()
    X.eliminate_zeros()
    return csr_from_parts(np.ones_like(X.data), X.indices, X.indptr, X.shape)


def top_k_per_row(P: CSR, k: int) -> CSR:
    """Keep the `k` highest entries of every row, in descending order of score.

    Ties go to the lower column. The result's indices are ordered by score, not by column.
    """
    if k < 1:
        raise ValueError(f"k must be at least 1, but is {k}")
    rows = np.repeat(np.arange(P.shape[0]), np.diff(P.indptr))
    order = np.lexsort((P.indices, -P.data, rows))
    kept = order[np.arange(len(order)) - np.repeat(P.indptr[:-1], np.diff(P.indptr)) < k]
    indptr = np.concatenate([[0], np.cumsum(np.minimum(np.diff(P.indptr), k))])
    return csr_from_parts(P.data[kept], P.indices[kept], indptr, P.shape)
