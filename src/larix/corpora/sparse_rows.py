"""Bring the feature rows of a file to canonical form, and judge the size that a file claims for itself."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from larix.corpora.format_error import CorpusFormatError
from larix.corpora.oddities import Oddities

_ALWAYS_PLAUSIBLE = 10_000_000
_UNUSED_PER_USED = 10


def canonical_matrix(
    path: Path,
    parts: tuple[NDArray[Any], NDArray[Any], NDArray[Any]],
    shape: tuple[int, int],
    oddities: Oddities,
    *,
    line_of: Callable[[int], int],
) -> Any:
    """A csr_array of float32 with sorted rows, from (values, indices, indptr) whose indices are in range.

    Entries given twice in a row are summed, zeros are dropped; both are counted.

    Parameters
    ----------
    path : Path
        For errors.
    line_of : callable
        Line, or row counted from 1, of a row, for errors.

    Raises
    ------
    CorpusFormatError
        If a sum leaves float32.
    """
    matrix = sp.csr_array(parts, shape=shape, dtype=np.float32)
    n_given = matrix.nnz
    with np.errstate(over="ignore", invalid="ignore"):
        matrix.sum_duplicates()
    n_summed = matrix.nnz
    matrix.eliminate_zeros()
    oddities["repeated entries summed"] += n_given - n_summed
    oddities["zeros dropped"] += n_summed - matrix.nnz
    bad = np.flatnonzero(~np.isfinite(matrix.data))
    if len(bad):
        row = int(np.searchsorted(matrix.indptr, bad[0], side="right")) - 1
        raise CorpusFormatError(
            path,
            line_of(row),
            1,
            rule="repeated features are summed and stay within float32, up to 3.4e38",
            found=f"{matrix.data[bad[0]]} as the sum of feature {matrix.indices[bad[0]]}",
            remedy="rescale the values",
        )
    return matrix


def require_plausible_labels(
    path: Path, n_labels: int, n_occurrences: int, *, line: int | str, column: int | str
) -> None:
    """Refuse a number of labels that can only be a mistake, before a table is made with a row for each.

    Beyond ten million labels, each occurrence of a label in the file makes ten labels plausible.
    """
    if n_labels > max(_ALWAYS_PLAUSIBLE, _UNUSED_PER_USED * n_occurrences):
        raise CorpusFormatError(
            path,
            line,
            column,
            rule="most of the announced labels occur",
            found=f"{n_labels:,} labels of which at most {n_occurrences:,} occur",
            remedy="correct the number of labels",
        )
