"""Sparse matrices in `.npz` files as scipy writes and PECOS uses them, with every index checked.

The file is read with `allow_pickle=False`. An error names the file, the array in it, and the position.
"""

import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from larix.corpora.format_error import CorpusFormatError
from larix.corpora.number_fields import LARGEST_DIMENSION
from larix.corpora.oddities import Oddities
from larix.corpora.sparse_rows import canonical_matrix
from larix.corpora.text_file import require_file

_ARRAYS = ("format", "shape", "indptr", "indices", "data")
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    OSError,
    ValueError,
    KeyError,
    TypeError,
    RuntimeError,  # an encrypted member
    NotImplementedError,  # an unknown compression
    OverflowError,
    MemoryError,
    SyntaxError,
)


def read_npz_matrix(path: Path, oddities: Oddities, *, allow_negative: bool = True) -> Any:
    """Read a CSR or CSC matrix.

    Returns
    -------
    csr_array of float32
        Sorted rows; duplicates summed and zeros dropped, both counted in `oddities`.

    Raises
    ------
    CorpusFormatError
        If the file is damaged, lacks an array, or an array breaks a rule.
    """
    arrays = _arrays(path)
    kind = _format(path, arrays)
    shape = _shape(path, arrays["shape"])
    n_major, n_minor = shape if kind == "csr" else shape[::-1]
    indptr = _integers(path, "indptr", arrays["indptr"])
    indices = _integers(path, "indices", arrays["indices"])
    data = arrays["data"]
    _check_pointers(path, indptr, n_major, len(indices))
    _check_range(path, indices, n_minor)
    _check_data(path, data, len(indices), allow_negative)
    with np.errstate(over="ignore"):
        parts = (data.astype(np.float32), indices, indptr)
    if kind == "csc":
        turned = sp.csc_array(parts, shape=shape).tocsr()
        parts = (turned.data, turned.indices, turned.indptr)
    return canonical_matrix(path, parts, shape, oddities, line_of=lambda row: row + 1)


def _arrays(path: Path) -> dict[str, NDArray[Any]]:
    require_file(path)
    name = "archive"
    arrays = {}
    try:
        # The file is opened here because np.load forgets to close one that it cannot read.
        with path.open("rb") as source:
            if not zipfile.is_zipfile(source):
                raise zipfile.BadZipFile("no zip archive")
            source.seek(0)
            with np.load(source, allow_pickle=False) as file:
                for name in _ARRAYS:
                    if name not in file.files:
                        raise KeyError(f"no array {name!r}")
                    arrays[name] = np.asarray(file[name])
    except _DAMAGE as error:
        reason = error.args[0] if isinstance(error, KeyError) else str(error) or type(error).__name__
        raise CorpusFormatError(
            path,
            name,
            0,
            rule="the file is a sparse matrix saved by scipy.sparse.save_npz",
            found=str(reason).splitlines()[0],
            remedy="save the matrix again as CSR",
        ) from None
    return arrays


def _format(path: Path, arrays: dict[str, NDArray[Any]]) -> str:
    given = arrays["format"].reshape(-1)[:1].tolist()
    kind = given[0].decode("latin-1") if given and isinstance(given[0], bytes) else str(*given)
    if kind not in ("csr", "csc"):
        raise CorpusFormatError(
            path,
            "format",
            0,
            rule="the matrix is csr or csc",
            found=repr(kind),
            remedy="convert it by .tocsr()",
        )
    return kind


def _shape(path: Path, given: NDArray[Any]) -> tuple[int, int]:
    if given.dtype.kind not in "iu" or given.shape != (2,):
        raise CorpusFormatError(
            path,
            "shape",
            0,
            rule="the shape is two whole numbers",
            found=given.tolist(),
            remedy="save it again",
        )
    for place, size in enumerate(given.tolist()):
        if not 1 <= size <= LARGEST_DIMENSION:
            raise CorpusFormatError(
                path,
                "shape",
                place,
                rule=f"a matrix has 1 to {LARGEST_DIMENSION} rows and columns",
                found=str(size),
                remedy="save it again",
            )
    return int(given[0]), int(given[1])


def _integers(path: Path, name: str, array: NDArray[Any]) -> NDArray[np.int64]:
    if array.dtype.kind not in "iu" or array.ndim != 1 or (array.dtype.kind == "u" and array.itemsize == 8):
        raise CorpusFormatError(
            path,
            name,
            0,
            rule=f"{name} is one row of int32 or int64",
            found=f"{array.dtype} of shape {array.shape}",
            remedy="save the matrix again",
        )
    return array.astype(np.int64)


def _check_pointers(path: Path, indptr: NDArray[np.int64], n_major: int, n_stored: int) -> None:
    if len(indptr) != n_major + 1:
        _refuse(path, "indptr", len(indptr), f"indptr has {n_major + 1} entries", f"{len(indptr)}")
    falling = np.flatnonzero(np.diff(indptr) < 0)
    if len(falling):
        at = int(falling[0]) + 1
        _refuse(path, "indptr", at, "indptr never falls", f"{indptr[at]} after {indptr[at - 1]}")
    for at, wanted in ((0, 0), (n_major, n_stored)):
        if indptr[at] != wanted:
            _refuse(
                path, "indptr", at, f"indptr runs from 0 to the {n_stored} stored entries", str(indptr[at])
            )


def _check_range(path: Path, indices: NDArray[np.int64], n_minor: int) -> None:
    bad = np.flatnonzero((indices < 0) | (indices >= n_minor))
    if len(bad):
        _refuse(path, "indices", int(bad[0]), f"an index lies in 0..{n_minor - 1}", str(indices[bad[0]]))


def _check_data(path: Path, data: NDArray[Any], n_stored: int, allow_negative: bool) -> None:
    if data.dtype.kind not in "fiub" or data.shape != (n_stored,):
        found = f"{data.dtype} of shape {data.shape}"
        _refuse(path, "data", 0, f"data is one row of {n_stored} real numbers", found)
    with np.errstate(over="ignore"):
        bad = np.flatnonzero(~np.isfinite(data.astype(np.float32)))
    if len(bad):
        _refuse(path, "data", int(bad[0]), "a value is finite in float32", str(data[bad[0]]))
    negative = np.flatnonzero(data < 0)
    if len(negative) and not allow_negative:
        _refuse(path, "data", int(negative[0]), "a label has positive relevance", str(data[negative[0]]))


def _refuse(path: Path, array: str, position: int, rule: str, found: str) -> None:
    raise CorpusFormatError(path, array, position, rule=rule, found=found, remedy="save the matrix again")
