"""Kernel that checks sparse matrices."""

import numpy as np
from numba import njit


@njit(nogil=True, cache=True)
def is_canonical(indptr, indices, data, n_columns):
    """Whether rows follow each other, indices rise strictly within bounds, and values are finite."""
    if indptr[0] != 0 or indptr[-1] != len(indices):
        return False
    for row in range(len(indptr) - 1):
        if indptr[row] > indptr[row + 1]:
            return False
    for row in range(len(indptr) - 1):
        last = np.int64(-1)
        for e in range(indptr[row], indptr[row + 1]):
            if indices[e] <= last or indices[e] >= n_columns or not np.isfinite(data[e]):
                return False
            last = indices[e]
    return True
