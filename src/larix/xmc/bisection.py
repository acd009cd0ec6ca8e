"""Balanced B-ary (spherical) k-means: a tree by halving again and again.

PECOS (Yu et al., JMLR 2022), section 3.1, after Parabel's balanced 2-means (Prabhu et al., WWW 2018): the
members of a node are ordered along the difference of two centres, and cut at the median. A node's B children
are B/2 and B/2 parts, each halved in turn; for other B than powers of two a cut lies where the numbers of
clusters on both sides have it.

Large nodes start from a direction that is learnt on a small sample: two random members point anywhere, and
the first passes over all members would correct that at full price.
"""

import math
import threading
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from larix.xmc import clustering_kernels as kernels
from larix.xmc.clustering_params import ClusteringParams
from larix.xmc.matrix import Matrix, is_dense
from larix.xmc.parallel import available_threads, thread_map
from larix.xmc.sparse import CSR, kernel_parts, read_only

_FIRST_SAMPLE = 1024
_ROWS_PER_BLOCK = 2048
_WORTH_SHARING = 2**18  # entries of a node from which on threads share its passes


def fan_outs(n_labels: int, params: ClusteringParams) -> list[int]:
    """Children of a node on every level above the labels, root first; empty for one flat level.

    Clusters number r * B^j, the fewest that keep `max_leaf_size`; r is a power of two if B is, so that all
    splits are halvings.
    """
    needed = -(-n_labels // params.max_leaf_size)
    if needed <= 1:
        return []
    B, most = params.branching, params.root_branching or params.branching
    depth = 0
    while most * B**depth < needed:
        depth += 1
    root = max(2, -(-needed // B**depth))
    if B & (B - 1) == 0:
        root = 1 << (root - 1).bit_length()
    return [min(root, most)] + [B] * depth


@dataclass(frozen=True)
class _Round:
    """Nodes of one binary level, each a range of labels to be cut into `parts` parts of `leaves` clusters."""

    bounds: NDArray[np.int64]
    parts: NDArray[np.int64]
    leaves: int
    level: int

    @property
    def nodes(self) -> NDArray[np.int64]:
        """Those that are still to be cut."""
        return np.flatnonzero(self.parts > 1)


@dataclass(frozen=True, eq=False)
class Bisection:
    """Halves ranges of labels.

    Parameters
    ----------
    Z : csr_array or array, L x d
        Canonical, or C-contiguous float32.
    params : ClusteringParams
    random_state : int
    n_threads : int or None
    """

    Z: Matrix
    params: ClusteringParams
    random_state: int = 0
    n_threads: int | None = None
    _scratch: threading.local = field(default_factory=threading.local, repr=False)

    def run(self, labels: NDArray[np.int64], fans: list[int]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Labels in order of clusters, and the bounds of the clusters."""
        order, bounds = np.sort(labels), np.array([0, len(labels)])
        average = len(labels) / math.prod(fans)
        n_levels, level = sum((fan - 1).bit_length() for fan in fans), 0
        for t, fan in enumerate(fans):
            parts = np.full(len(bounds) - 1, fan)
            while parts.max() > 1:
                cut = _Round(bounds, parts, math.prod(fans[t + 1 :]), level)
                bounds, parts = self._halve_all(order, cut, average, n_levels)
                level += 1
        return order, bounds

    def _halve_all(
        self, order: NDArray[np.int64], cut: _Round, average: float, n_levels: int
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Cut every node in two, permuting `order` in place; return bounds and parts of the halves."""
        nodes, n_left = cut.nodes, np.zeros(len(cut.parts), np.int64)
        sizes = np.diff(cut.bounds)
        limits = left_sizes(sizes, cut.parts, cut.leaves, average, self.params.size_slack)
        seeds = np.random.SeedSequence((self.random_state, cut.level)).generate_state(len(sizes), np.uint64)
        rate = self.params.sampling.rate(cut.level, n_levels) if self.params.sampling else 1.0
        together = len(nodes) < available_threads(self.n_threads) and self._is_large(sizes[nodes].min())
        job = self._halve_together if together else self._halve

        def halve(group: NDArray[np.int64]) -> None:
            for node in group:
                members = order[cut.bounds[node] : cut.bounds[node + 1]]
                low_high = (int(limits[0][node]), int(limits[1][node]))
                n_left[node] = job(members, low_high, rate, seeds[node])

        if together:
            halve(nodes)
        else:
            thread_map(halve, np.array_split(nodes, min(len(nodes), 64)), n_threads=self.n_threads)
        halved = cut.parts // 2
        bounds = np.insert(cut.bounds, nodes + 1, cut.bounds[nodes] + n_left[nodes])
        parts = np.insert(cut.parts - halved, nodes, halved[nodes])
        return bounds, parts

    def _is_large(self, n_members: int) -> bool:
        return n_members * _entries_per_row(self.Z) > _WORTH_SHARING

    def _samples(self, n: int, rate: float) -> tuple[NDArray[np.int64], bool]:
        """Sizes of the samples to learn on, and whether to learn on all members after them."""
        learners = max(min(n, 2), round(n * rate))
        sizes = [_FIRST_SAMPLE] if learners >= 2 * _FIRST_SAMPLE else []
        return np.array(sizes if learners == n else [*sizes, learners], np.int64), learners == n

    def _halve(self, members: NDArray[np.int64], bounds: tuple[int, int], rate: float, seed: Any) -> int:
        samples, learns_all = self._samples(len(members), rate)
        return int(kernels.halve(
            self._rows(), members, bounds, samples, learns_all, self._settings(), seed, self._room()
        ))  # fmt: skip

    def _halve_together(
        self, members: NDArray[np.int64], bounds: tuple[int, int], rate: float, seed: Any
    ) -> int:
        """The same with threads that share every pass over the members."""
        rows, settings, room = self._rows(), self._settings(), self._room()
        samples, learns_all = self._samples(len(members), rate)
        side = np.empty(len(members), np.int8)
        touched, boundary = kernels.begin(rows, members, bounds, samples, settings, seed, room)
        if learns_all:
            self._learn_together(members, bounds, boundary, touched, side)
        else:
            score = self._score_together(members)
            kernels.assign(score, kernels.choose_left(score, bounds, boundary), side)
        return int(kernels.finish(members, side, touched, room))

    def _learn_together(
        self,
        members: NDArray[np.int64],
        bounds: tuple[int, int],
        boundary: float,
        touched: NDArray[np.uint32],
        side: NDArray[np.int8],
    ) -> None:
        rows, (sums, direction, _) = self._rows(), self._room()
        n, goes = len(members), np.empty_like(side)
        side[:] = -1
        for _ in range(self.params.max_iter):
            score = self._score_together(members)
            n_left = kernels.choose_left(score, bounds, boundary)
            kernels.assign(score, n_left, goes)
            moved = thread_map(
                lambda column: kernels.move(rows, members, side, goes, sums, column),
                (0, 1),
                n_threads=self.n_threads,
            )
            side[:] = goes
            boundary = kernels.turn(sums, touched, n_left, n - n_left, self.params.spherical, direction)
            if moved[0] <= self.params.tolerance * n:
                break
        kernels.clear(touched, sums)

    def _score_together(self, members: NDArray[np.int64]) -> NDArray[np.float32]:
        rows, (_, direction, _) = self._rows(), self._room()
        score, n = np.empty(len(members), np.float32), len(members)
        begins = range(0, n, _ROWS_PER_BLOCK)
        thread_map(
            lambda a: kernels.score_rows(rows, members, direction, a, min(a + _ROWS_PER_BLOCK, n), score),
            begins,
            n_threads=self.n_threads,
        )
        return score

    def _rows(self) -> Any:
        if is_dense(self.Z):
            return read_only(self.Z, np.float32)
        indptr, indices, data = kernel_parts(self.Z)
        return indptr, indices.view(np.uint32), data

    def _settings(self) -> tuple[bool, int, float]:
        return self.params.spherical, self.params.max_iter, float(self.params.tolerance)

    def _room(self) -> tuple[NDArray[Any], ...]:
        """This thread's scratch: sums, direction, features seen."""
        if not hasattr(self._scratch, "room"):
            d = self.Z.shape[1]
            self._scratch.room = np.zeros((d, 2), np.float32), np.zeros(d, np.float32), np.zeros(d, np.bool_)
        room: tuple[NDArray[Any], ...] = self._scratch.room
        return room


def left_sizes(
    sizes: NDArray[np.int64], parts: NDArray[np.int64], leaves: int, average: float, slack: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Fewest and most members of every node that may go left.

    Both halves must be able to fill their clusters with between average / (1 + slack) and
    average * (1 + slack) labels, rounded outwards.
    """
    left, right = parts // 2 * leaves, (parts - parts // 2) * leaves
    if not slack:
        even = sizes * left // np.maximum(left + right, 1)
        return even, even
    fewest, most = max(1, math.floor(average / (1 + slack))), math.ceil(average * (1 + slack))
    low = np.maximum(left * fewest, sizes - right * most)
    return low, np.minimum(left * most, sizes - right * fewest)


def _entries_per_row(Z: Matrix) -> float:
    if is_dense(Z):
        return float(Z.shape[1])
    sparse: CSR = Z
    return float(sparse.nnz / max(sparse.shape[0], 1))
