"""Balanced B-ary (spherical) k-means: a tree by halving again and again.

PECOS (Yu et al., JMLR 2022), section 3.1, after Parabel's balanced 2-means (`two_means`). A node's B children
are B/2 and B/2 parts, each halved in turn; for other B than powers of two a cut lies where the numbers of
clusters on both sides have it.

Large nodes are halved level by level. Small ones are jobs of their own, each with a copy of its rows that
numbers features anew, so that everything down to the clusters happens in cache.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from larix.xmc.clustering_params import ClusteringParams
from larix.xmc.matrix import Matrix, is_dense
from larix.xmc.parallel import available_threads, thread_map
from larix.xmc.sparse import CSR
from larix.xmc.two_means import TwoMeans

_WORTH_SHARING = 2**18  # entries of a node from which on threads share its passes
_WORTH_COPYING = 2**23, 2**20  # entries of a node from which down its rows are copied, once more each time
_FEWEST_COPIES = 16


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
class _Level:
    """Nodes of one binary level, known before any label is moved.

    Parameters
    ----------
    parts : int array
        How many parts each node is cut into, here and on the levels below; 1 if it isn't cut any more.
    leaves : int
        Clusters of a part.
    average : float
        Labels of a cluster.
    rate : float
        Share of the members to learn on.
    seeds : uint64 array
    children : int array
        Where in the next level those of each node begin.
    """

    parts: NDArray[np.int64]
    leaves: int
    average: float
    rate: float
    seeds: NDArray[np.uint64]
    children: NDArray[np.int64]


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

    def run(self, labels: NDArray[np.int64], fans: list[int]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Labels in order of clusters, and the bounds of the clusters."""
        order = np.sort(labels)
        halver, levels = TwoMeans.of(self.Z, self.params), self._levels(fans, len(labels))
        return order, self._grow(halver, order, levels, 0, _WORTH_COPYING, self.n_threads)

    def _grow(
        self,
        halver: TwoMeans,
        order: NDArray[np.int64],
        levels: list[_Level],
        first: int,
        worth_copying: tuple[int, ...],
        n_threads: int | None,
    ) -> NDArray[np.int64]:
        """Halve a node, the `first` of its level, down to clusters: permute `order`, return their bounds."""
        bounds = np.array([0, len(order)])
        for depth, level in enumerate(levels):
            entries = self._entries(np.diff(bounds).max())
            enough = n_threads == 1 or len(bounds) > _FEWEST_COPIES
            if enough and worth_copying and entries <= worth_copying[0]:
                smaller = tuple(size for size in worth_copying if size < entries)
                return self._grow_apart(halver, order, bounds, levels[depth:], first, smaller, n_threads)
            bounds = self._halve_all(halver, order, bounds, level, first, n_threads)
            first = int(level.children[first])
        return bounds

    def _grow_apart(
        self,
        halver: TwoMeans,
        order: NDArray[np.int64],
        bounds: NDArray[np.int64],
        levels: list[_Level],
        first: int,
        worth_copying: tuple[int, ...],
        n_threads: int | None,
    ) -> NDArray[np.int64]:
        """The same for several nodes, each with a copy of its rows."""

        def grow(node: int) -> NDArray[Any]:
            begin, end = bounds[node : node + 2]
            members, own_order = order[begin:end], np.arange(end - begin)
            ends = self._grow(halver.copied(members), own_order, levels, first + node, worth_copying, 1)[1:]
            members[:] = members[own_order]
            return np.asarray(begin + ends)

        grown = thread_map(grow, range(len(bounds) - 1), n_threads=n_threads)
        return np.concatenate([[0], *grown])

    def _levels(self, fans: list[int], n_labels: int) -> list[_Level]:
        levels: list[_Level] = []
        n_levels, average = sum((fan - 1).bit_length() for fan in fans), n_labels / math.prod(fans)
        n_nodes = 1
        for t, fan in enumerate(fans):
            parts, leaves = np.full(n_nodes, fan), math.prod(fans[t + 1 :])
            while parts.max() > 1:
                number = len(levels)
                sequence = np.random.SeedSequence((self.random_state, number))
                seeds: NDArray[Any] = sequence.generate_state(len(parts), np.uint64)
                rate = self.params.sampling.rate(number, n_levels) if self.params.sampling else 1.0
                children = np.concatenate([[0], np.cumsum(1 + (parts > 1))])
                levels.append(_Level(parts, leaves, average, rate, seeds, children))
                cut, halved = np.flatnonzero(parts > 1), parts // 2
                parts = np.insert(parts - halved, cut, halved[cut])
            n_nodes = len(parts)
        return levels

    def _halve_all(
        self,
        halver: TwoMeans,
        order: NDArray[np.int64],
        bounds: NDArray[np.int64],
        level: _Level,
        first: int,
        n_threads: int | None,
    ) -> NDArray[np.int64]:
        """Cut nodes of a level from the `first` on: permute `order`, return the bounds of the halves."""
        here = slice(first, first + len(bounds) - 1)
        sizes, parts, seeds = np.diff(bounds), level.parts[here], level.seeds[here]
        nodes, n_left = np.flatnonzero(parts > 1), np.zeros(len(parts), np.int64)
        if not len(nodes):
            return bounds
        limits = left_sizes(sizes, parts, level.leaves, level.average, self.params.size_slack)
        few = len(nodes) < available_threads(n_threads)
        together = few and self._entries(sizes[nodes].min()) > _WORTH_SHARING

        def halve(group: NDArray[np.int64]) -> None:
            for node in group:
                members = order[bounds[node] : bounds[node + 1]]
                low_high = (int(limits[0][node]), int(limits[1][node]))
                n_left[node] = halver.halve(
                    members, low_high, level.rate, seeds[node], n_threads if together else 1
                )

        if together:
            halve(nodes)
        else:
            thread_map(halve, np.array_split(nodes, min(len(nodes), 64)), n_threads=n_threads)
        return np.insert(bounds, nodes + 1, bounds[nodes] + n_left[nodes])

    def _entries(self, n_members: int) -> float:
        """Of so many rows."""
        if is_dense(self.Z):
            return float(n_members * self.Z.shape[1])
        sparse: CSR = self.Z
        return float(n_members * sparse.nnz / max(sparse.shape[0], 1))


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
