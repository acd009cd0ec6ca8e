"""Approximate nearest vectors by inner product: vectors lie in cells, and only the best cells are searched.

Cells are those of a spherical k-means; a query looks into the cells whose centroids have the largest inner
products with it. The library is faiss (inverted file, IVF). What is kept of it are centroids and cells, as
plain arrays that are checked: its own files are not read, since they could make it write where it must not.

Jégou, Douze, Schmid: Product quantization for nearest neighbor search. TPAMI 2011, section 4 (without the
quantization); Douze et al.: The Faiss library. 2024.
"""

import logging
import math
import time
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from larix.xmc.optional_import import import_optional
from larix.xmc.parallel import available_threads

logger = logging.getLogger(__name__)
_CELLS_PER_ROOT = 4  # cells are this many times the square root of the number of vectors
_SHARE_SEARCHED = 1 / 16
_FEWEST_SEARCHED = 16
_ROUNDS, _VECTORS_PER_CELL = 10, 64  # of k-means


def has_faiss() -> bool:
    """Whether the library is installed."""
    return find_spec("faiss") is not None


def import_faiss() -> Any:
    """The module faiss.

    Raises
    ------
    ModuleNotFoundError
        If it is missing; the message has the command that installs it.
    """
    return import_optional("faiss", needed_by="approximate search", extra="search")


@dataclass(frozen=True, eq=False)
class VectorCells:
    """Which cell each vector lies in; made with `of`.

    Parameters
    ----------
    centroids : float32 array, C x d
        Of unit length.
    cells : int32 array, shape (N,)

    Raises
    ------
    ValueError
        If a cell has no centroid.
    """

    centroids: NDArray[np.float32]
    cells: NDArray[np.int32]

    def __post_init__(self) -> None:
        if len(self.cells) and not 0 <= self.cells.min() <= self.cells.max() < len(self.centroids):
            raise ValueError(
                f"cells must lie in 0..{len(self.centroids) - 1}, the centroids, but lie in "
                f"{self.cells.min()}..{self.cells.max()}; make the index anew"
            )

    @classmethod
    def of(
        cls, V: NDArray[np.float32], *, random_state: int = 0, n_threads: int | None = None
    ) -> "VectorCells":
        """Cut vectors of unit length (N x d) into cells.

        Raises
        ------
        ModuleNotFoundError
            If faiss is missing.
        """
        faiss, begun = import_faiss(), time.perf_counter()
        faiss.omp_set_num_threads(available_threads(n_threads))
        n_cells = max(1, min(len(V), round(_CELLS_PER_ROOT * math.sqrt(len(V)))))
        kmeans = faiss.Kmeans(
            V.shape[1], n_cells, niter=_ROUNDS, spherical=True, seed=random_state + 1,
            min_points_per_centroid=1, max_points_per_centroid=_VECTORS_PER_CELL,
        )  # fmt: skip
        kmeans.train(np.ascontiguousarray(V))
        cells = cls(kmeans.centroids, np.empty(0, np.int32)).append(V)
        logger.info("%d vectors in %d cells, in %.1f s", len(V), n_cells, time.perf_counter() - begun)
        return cells

    def append(self, V: NDArray[np.float32]) -> "VectorCells":
        """With further vectors."""
        index = import_faiss().IndexFlatIP(self.centroids.shape[1])
        index.add(self.centroids)
        nearest = index.search(np.ascontiguousarray(V), 1)[1][:, 0]
        return VectorCells(self.centroids, np.concatenate([self.cells, nearest.astype(np.int32)]))

    @property
    def n_searched(self) -> int:
        """Cells that a query looks into."""
        n_cells = len(self.centroids)
        return min(n_cells, max(_FEWEST_SEARCHED, round(_SHARE_SEARCHED * n_cells)))

    def search(self, V: NDArray[np.float32]) -> "CellSearch":
        """Make the vectors, N x d, ready to be searched."""
        return CellSearch(self, V)


class CellSearch:
    """Vectors in their cells.

    Parameters
    ----------
    cells : VectorCells
    V : float32 array, N x d

    Raises
    ------
    ValueError
        If the cells are of other vectors.
    """

    def __init__(self, cells: VectorCells, V: NDArray[np.float32]) -> None:
        if V.shape != (len(cells.cells), cells.centroids.shape[1]):
            raise ValueError(
                f"the cells are of {len(cells.cells)} x {cells.centroids.shape[1]} vectors, but these are "
                f"{V.shape[0]} x {V.shape[1]}; give those that the cells were made of"
            )
        self._cells, self._V = cells, V

    def nearest(
        self, Q: NDArray[np.float32], k: int, *, n_threads: int | None = None
    ) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """Vectors with the largest inner products with every query, as far as they lie in the best cells.

        Parameters
        ----------
        Q : float32 array, M x d
        k : int
        n_threads : int or None
            Results don't depend on it.

        Returns
        -------
        rows : int32 array, products : float32 array, shape (M, k)
            By descending product; where fewer were found, row -1 and product minus infinity.
        """
        import_faiss().omp_set_num_threads(available_threads(n_threads))
        products, rows = self._index.search(np.ascontiguousarray(Q, np.float32), k)
        return rows.astype(np.int32), np.where(rows >= 0, products, -np.inf).astype(np.float32)

    @cached_property
    def _index(self) -> Any:
        faiss, (cells, V) = import_faiss(), (self._cells, np.ascontiguousarray(self._V, np.float32))
        d = V.shape[1]
        self._quantizer = faiss.IndexFlatIP(d)  # faiss does not keep it alive
        self._quantizer.add(cells.centroids)
        index = faiss.IndexIVFFlat(self._quantizer, d, len(cells.centroids), faiss.METRIC_INNER_PRODUCT)
        arrays = V, np.arange(len(V)), cells.cells.astype(np.int64)  # held while faiss reads them
        index.add_core(len(V), *(faiss.swig_ptr(array) for array in arrays))
        index.nprobe = cells.n_searched
        return index
