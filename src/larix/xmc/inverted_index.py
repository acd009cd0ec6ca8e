"""Exact nearest rows by cosine, through an inverted index over sparse features.

For every feature the index lists the rows that have it (postings). A query walks the lists of its own
features and adds up inner products in one array of scores; rows are kept in blocks of 65,536, so that this
array stays in cache and a posting needs two bytes for its row.

The lists of common features hold most postings and little information. Features in more than a share
`max_df` of the rows are therefore left out of rows and queries, and the cosine is that over the others.

Zobel, Moffat: Inverted files for text search engines. ACM Computing Surveys 38 (2006), section 3.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Self

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from larix.xmc.inverted_index_kernels import nearest_rows
from larix.xmc.parallel import available_threads, thread_map
from larix.xmc.persistence import load_folder, save_folder
from larix.xmc.sparse import CSR, check_csr, csr_from_parts, kernel_parts, normalize_rows, read_only

BLOCK = 2**16
_FEW = 1000  # a feature in no more rows than this costs little and is always used
_OPEN = 2**12  # a block with fewer rows takes further ones
_QUERIES_PER_PIECE = 64
_DTYPES = {
    "block_begins": np.int64,
    "first_posting": np.int64,
    "posting_rows": np.uint16,
    "posting_values": np.float32,
    "used": np.bool_,
}


@dataclass(frozen=True, eq=False)
class InvertedIndex:
    """Rows by feature; made with `InvertedIndex.of`.

    Parameters
    ----------
    block_begins : int64 array, shape (n_blocks + 1,)
        Rows of each block.
    first_posting : int64 array, shape (n_blocks, D + 1)
        Postings of feature f in block b: `first_posting[b, f]:first_posting[b, f + 1]`.
    posting_rows : uint16 array, posting_values : float32 array, shape (n_postings,)
        Row within the block, and its value in the row scaled to unit length.
    used : bool array, shape (D,)
        Features that take part.
    """

    block_begins: NDArray[np.int64]
    first_posting: NDArray[np.int64]
    posting_rows: NDArray[np.uint16]
    posting_values: NDArray[np.float32]
    used: NDArray[np.bool_]

    def __post_init__(self) -> None:
        for name, dtype in _DTYPES.items():
            object.__setattr__(self, name, read_only(getattr(self, name), dtype))
        _check(self)

    @classmethod
    def of(cls, X: Any, *, max_df: float = 1.0) -> Self:
        """Index the rows of X (N x D).

        Parameters
        ----------
        X : matrix, N x D
            Rows need not be normalised.
        max_df : float
            Leave out features in more than this share of rows (and in more than 1,000 of them).

        Raises
        ------
        ValueError
            If `max_df` isn't above 0 and at most 1.
        """
        if not 0 < max_df <= 1:
            raise ValueError(f"max_df must be above 0 and at most 1, but is {max_df}")
        X = check_csr(X)
        df = np.bincount(X.indices, minlength=X.shape[1])
        used = df <= max(max_df * X.shape[0], _FEW)
        return cls._of_blocks(*_blocks_of(_unit_rows(X, used)), used)

    @classmethod
    def _of_blocks(cls, begins: NDArray[np.int64], blocks: Sequence[CSR], used: NDArray[np.bool_]) -> Self:
        ends = np.cumsum([0, *(block.nnz for block in blocks)])
        return cls(
            begins,
            np.stack([block.indptr + end for block, end in zip(blocks, ends[:-1], strict=True)]),
            np.concatenate([block.indices.astype(np.uint16) for block in blocks]),
            np.concatenate([block.data for block in blocks]),
            used,
        )

    @property
    def n_rows(self) -> int:
        """Number of rows indexed."""
        return int(self.block_begins[-1])

    @property
    def n_blocks(self) -> int:
        """Number of blocks of rows."""
        return len(self.block_begins) - 1

    @property
    def n_features(self) -> int:
        """D."""
        return len(self.used)

    @property
    def size_bytes(self) -> int:
        """Bytes of all arrays."""
        return sum(getattr(self, name).nbytes for name in _DTYPES)

    def rows(self) -> CSR:
        """Unit rows over the features used, as they were indexed; N x D."""
        blocks = [self._block(b).T.tocsr() for b in range(self.n_blocks)]
        return check_csr(sp.vstack(blocks, format="csr"))

    def _block(self, block: int) -> CSR:
        """Postings of a block, D x rows."""
        first = self.first_posting[block]
        span = slice(first[0], first[-1])
        shape = (self.n_features, int(self.block_begins[block + 1] - self.block_begins[block]))
        return csr_from_parts(self.posting_values[span], self.posting_rows[span], first - first[0], shape)

    def append(self, X: Any) -> Self:
        """An index with the rows of X after its own.

        They join the last block if that is small, and else begin a new one, so that a single row is
        appended quickly.
        """
        new = _unit_rows(check_csr(X, n_columns=self.n_features), self.used)
        kept = self.n_blocks - int(np.diff(self.block_begins)[-1] < _OPEN)
        if kept < self.n_blocks:
            new = sp.vstack([self._block(kept).T.tocsr(), new], format="csr")
        begins, blocks = _blocks_of(new)
        return type(self)._of_blocks(
            np.append(self.block_begins[:kept], begins + self.block_begins[kept]),
            [*map(self._block, range(kept)), *blocks],
            self.used,
        )

    def neighbours(self, X: Any, k: int, *, n_threads: int | None = None) -> CSR:
        """The most similar rows of every query.

        Parameters
        ----------
        X : matrix, M x D
        k : int
            Most neighbours of a query.
        n_threads : int or None

        Returns
        -------
        csr_array, M x N
            Cosines above 0 in descending order, ties to the lower row.
        """
        if k < 1:
            raise ValueError(f"k must be at least 1, but is {k}")
        queries = _unit_rows(check_csr(X, n_columns=self.n_features), self.used)
        n, k = queries.shape[0], min(k, max(self.n_rows, 1))
        rows, scores = np.empty((n, k), np.int32), np.empty((n, k), np.float32)
        found = np.zeros(n, np.int64)
        parts = kernel_parts(queries)
        postings = self.first_posting, self.posting_rows, self.posting_values, self.block_begins

        def search(piece: tuple[int, int]) -> None:
            nearest_rows(*parts, *postings, *piece, rows, scores, found)

        size = max(1, min(_QUERIES_PER_PIECE, -(-n // available_threads(n_threads))))
        thread_map(search, [(a, min(a + size, n)) for a in range(0, n, size)], n_threads=n_threads)
        kept = np.arange(k) < found[:, None]
        return csr_from_parts(scores[kept], rows[kept], np.append(0, np.cumsum(found)), (n, self.n_rows))

    def similarities(self, X: Any) -> NDArray[np.float32]:
        """Cosines with all rows, M x N, dense; for few queries."""
        queries = _unit_rows(check_csr(X, n_columns=self.n_features), self.used)
        blocks = [(queries @ self._block(b)).toarray() for b in range(self.n_blocks)]
        return np.hstack(blocks).astype(np.float32, copy=False)

    def save(self, path: Path | str) -> None:
        """Write the index as a folder."""
        save_folder(path, kind="InvertedIndex", arrays={name: getattr(self, name) for name in _DTYPES})

    @classmethod
    def load(cls, path: Path | str, *, verify: bool = True) -> Self:
        """Read an index that `save` wrote."""
        return cls(**load_folder(path, kind="InvertedIndex", verify=verify).arrays)


def _blocks_of(rows: CSR) -> tuple[NDArray[np.int64], list[CSR]]:
    """Begins of blocks, and the postings of each."""
    begins = np.append(np.arange(0, max(rows.shape[0], 1), BLOCK), rows.shape[0])
    return begins, [rows[a:b].T.tocsr() for a, b in pairwise(begins)]


def _unit_rows(X: CSR, used: NDArray[np.bool_]) -> CSR:
    """Rows over the features used, scaled to unit length."""
    if not used.all():
        kept = used[X.indices]
        indptr = np.append(0, np.cumsum(kept))[X.indptr]
        X = csr_from_parts(X.data[kept], X.indices[kept], indptr, X.shape)
    return normalize_rows(X)


def _check(index: InvertedIndex) -> None:
    """Refuse arrays that the kernel would follow out of bounds."""
    begins, first, n_postings = index.block_begins, index.first_posting, len(index.posting_rows)
    sizes = np.diff(begins)
    if len(begins) < 2 or begins[0] != 0 or np.any(sizes < 0) or np.any(sizes > BLOCK):
        raise ValueError(f"inverted index: block_begins must rise from 0 in steps of at most {BLOCK}")
    if first.shape != (len(sizes), index.n_features + 1) or len(index.posting_values) != n_postings:
        raise ValueError(
            f"inverted index: first_posting must be {len(sizes)} x {index.n_features + 1} and values as "
            f"many as rows, but are {first.shape} and {len(index.posting_values)} for {n_postings}"
        )
    ends = np.append(first[:, 0], n_postings)
    if ends[0] != 0 or np.any(first[:, -1] != ends[1:]) or np.any(np.diff(first, axis=1) < 0):
        raise ValueError(f"inverted index: first_posting must rise from 0 to {n_postings}, but doesn't")
    for block, (a, b) in enumerate(pairwise(ends)):
        if index.posting_rows[a:b].max(initial=0) >= max(sizes[block], 1):
            raise ValueError(f"inverted index: a posting of block {block} names a row beyond it")
