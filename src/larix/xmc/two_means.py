"""Balanced 2-means of some rows: which go left and which go right.

Rows are ordered along the difference of two centres and cut at the median (Prabhu et al., WWW 2018, section
4.1). Large nodes start from a direction that is learnt on a small sample: two random members point anywhere,
and the first passes over all members would correct that at full price.
"""

import threading
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from larix.xmc import clustering_kernels as kernels
from larix.xmc.clustering_params import ClusteringParams
from larix.xmc.matrix import Matrix, is_dense
from larix.xmc.parallel import thread_map
from larix.xmc.sparse import CSR, kernel_parts, read_only

_FIRST_SAMPLE = 1024
_ROWS_PER_BLOCK = 2048


@dataclass(frozen=True, eq=False)
class TwoMeans:
    """Halves sets of rows.

    Parameters
    ----------
    rows : (indptr, indices as uint32, data) or array
        Of a matrix, n x d, read-only.
    n_features : int
        d.
    params : ClusteringParams
    """

    rows: Any
    n_features: int
    params: ClusteringParams
    _scratch: threading.local = field(default_factory=threading.local, repr=False)

    @classmethod
    def of(cls, Z: Matrix, params: ClusteringParams) -> Self:
        """Over the rows of a canonical CSR array, or of a C-contiguous one of float32."""
        if is_dense(Z):
            return cls(read_only(Z, np.float32), Z.shape[1], params)
        sparse: CSR = Z
        indptr, indices, data = kernel_parts(sparse)
        return cls((indptr, indices.view(np.uint32), data), sparse.shape[1], params)

    def copied(self, members: NDArray[np.int64]) -> "TwoMeans":
        """Over a copy of these rows alone, the features of sparse ones numbered anew from 0."""
        if isinstance(self.rows, np.ndarray):
            return TwoMeans(read_only(self.rows[members], np.float32), self.n_features, self.params)
        indptr = self.rows[0]
        n_entries = int((indptr[members + 1] - indptr[members]).sum())
        own = (
            np.empty(len(members) + 1, np.int64),
            np.empty(n_entries, np.uint32),
            np.empty(n_entries, np.float32),
        )
        n_features = kernels.compact(self.rows, members, np.zeros(self.n_features, np.uint32), *own)
        return TwoMeans(tuple(read_only(part, part.dtype) for part in own), n_features, self.params)

    def halve(
        self,
        members: NDArray[np.int64],
        bounds: tuple[int, int],
        rate: float,
        seed: Any,
        n_threads: int | None = 1,
    ) -> int:
        """Reorder sorted members, left ones first, each part sorted; return the size of the left part.

        `bounds` are the fewest and the most that go left, `rate` the share of members to learn on. Several
        threads share every pass over the members; the result is the same.
        """
        learners = max(min(len(members), 2), round(len(members) * rate))
        samples = [_FIRST_SAMPLE] if learners >= 2 * _FIRST_SAMPLE else []
        learns_all = learners == len(members)
        sizes = np.array(samples if learns_all else [*samples, learners], np.int64)
        settings = self.params.spherical, self.params.max_iter, float(self.params.tolerance)
        job = members, bounds, sizes, settings, seed, self._room()
        if n_threads == 1:
            return int(kernels.halve(self.rows, *job, learns_all))
        return self._halve_together(job, learns_all, n_threads)

    def _halve_together(self, job: tuple[Any, ...], learns_all: bool, n_threads: int | None) -> int:
        members, bounds, *_, room = job
        side = np.empty(len(members), np.int8)
        touched, boundary = kernels.begin(self.rows, *job)
        if learns_all:
            self._learn_together(members, bounds, boundary, touched, side, n_threads)
        else:
            score = self._score_together(members, room[1], n_threads)
            kernels.assign(score, kernels.choose_left(score, bounds, boundary), side)
        return int(kernels.part(members, side))

    def _learn_together(
        self,
        members: NDArray[np.int64],
        bounds: tuple[int, int],
        boundary: float,
        touched: NDArray[np.uint32],
        side: NDArray[np.int8],
        n_threads: int | None,
    ) -> None:
        sums, direction, *_ = self._room()
        n, goes = len(members), np.empty_like(side)
        side[:] = -1
        for _ in range(self.params.max_iter):
            score = self._score_together(members, direction, n_threads)
            n_left = kernels.choose_left(score, bounds, boundary)
            kernels.assign(score, n_left, goes)
            moved = thread_map(
                lambda column: kernels.move(self.rows, members, side, goes, sums, column),
                (0, 1),
                n_threads=n_threads,
            )
            side[:] = goes
            boundary = kernels.turn(sums, touched, n_left, n - n_left, self.params.spherical, direction)
            if moved[0] <= self.params.tolerance * n:
                break
        kernels.clear(touched, sums)

    def _score_together(
        self, members: NDArray[np.int64], direction: NDArray[np.float32], n_threads: int | None
    ) -> NDArray[np.float32]:
        score, n = np.empty(len(members), np.float32), len(members)

        def score_block(begin: int) -> None:
            end = min(begin + _ROWS_PER_BLOCK, n)
            kernels.score_rows(self.rows, members, direction, begin, end, score)

        thread_map(score_block, range(0, n, _ROWS_PER_BLOCK), n_threads=n_threads)
        return score

    def _room(self) -> tuple[NDArray[Any], ...]:
        """This thread's scratch: sums, direction, features seen, features touched."""
        if not hasattr(self._scratch, "room"):
            d = self.n_features
            sums, direction = np.zeros((d, 2), np.float32), np.zeros(d, np.float32)
            self._scratch.room = sums, direction, np.zeros(d, np.bool_), np.empty(d, np.uint32)
        room: tuple[NDArray[Any], ...] = self._scratch.room
        return room
