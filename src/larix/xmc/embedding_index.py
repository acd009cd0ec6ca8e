"""Nearest rows by cosine of embeddings, under a linear map: exact, or approximate where there are many.

Rows are those that a tree is trained on: text features, and an embedding in the last columns. With a map A
(the identity at first) the similarity of a query's embedding q and a row's embedding v is

    cos(A q, A v) = (A^T A q) . v / (|A q| |A v|),

so that rows are kept as they came, whatever the map. Exact search takes time in proportion to the rows; the
approximate one (`vector_cells`) looks at a sixteenth of them.
"""

import logging
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, Self, get_args

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from larix.xmc.choice import check_choice
from larix.xmc.matrix import join_columns, unit_rows
from larix.xmc.nearest_vectors import nearest_vectors
from larix.xmc.persistence import load_folder, save_folder
from larix.xmc.sparse import CSR, check_csr, csr_from_parts
from larix.xmc.vector_cells import CellSearch, VectorCells, has_faiss

logger = logging.getLogger(__name__)

SearchKind = Literal["exact", "approximate", "auto"]
MANY_ROWS = 100_000
"""From so many rows on, `auto` searches approximately."""


@dataclass(frozen=True, eq=False)
class EmbeddingIndex:
    """Rows by their embeddings; made with `EmbeddingIndex.of`.

    Parameters
    ----------
    vectors : float32 array, N x d
        The last columns of every row.
    others : csr_array, N x (D - d)
        The columns before them.
    projection : float32 array, d x d
        A.
    cells : VectorCells, optional
        Of the mapped embeddings, for approximate search.

    Raises
    ------
    ValueError
        If shapes disagree.
    """

    vectors: NDArray[np.float32]
    others: CSR
    projection: NDArray[np.float32]
    cells: VectorCells | None = None
    _units: NDArray[np.float32] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        (n, d), A = self.vectors.shape, self.projection
        if A.shape != (d, d) or self.others.shape[0] != n:
            raise ValueError(
                f"embedding index: {n} x {d} vectors need a map of {d} x {d} and as many other rows, but "
                f"these are {A.shape} and {self.others.shape}"
            )
        # Rows v / |A v|: a query A^T A q / |A q| then has the cosines as inner products with them.
        lengths = np.linalg.norm(self.vectors @ A.T, axis=1, keepdims=True)
        units = np.divide(self.vectors, lengths, out=np.zeros_like(self.vectors), where=lengths > 0)
        object.__setattr__(self, "_units", units)

    @classmethod
    def of(
        cls,
        X: Any,
        dimension: int,
        projection: NDArray[np.float32] | None = None,
        *,
        search: SearchKind = "exact",
        random_state: int = 0,
        n_threads: int | None = None,
    ) -> Self:
        """Index the rows of X (N x D).

        Parameters
        ----------
        X : matrix, N x D
        dimension : int
            d: embeddings are the last d columns.
        projection : float32 array, d x d, optional
            By default the identity.
        search : {"exact", "approximate", "auto"}
            `auto` is approximate from 100,000 rows on, if faiss is installed.
        random_state : int
            Of the cells.
        n_threads : int or None

        Raises
        ------
        ValueError
            If rows have fewer columns.
        ModuleNotFoundError
            If search is to be approximate, and faiss is not installed.
        """
        check_choice("search", search, get_args(SearchKind))
        X = check_csr(X)
        if not 1 <= dimension <= X.shape[1]:
            raise ValueError(f"dimension must lie in 1..{X.shape[1]}, the columns, but is {dimension}")
        A = np.eye(dimension, dtype=np.float32) if projection is None else projection
        exact = cls(embeddings_of(X, dimension), X[:, : X.shape[1] - dimension], A)
        if not _searches_approximately(search, X.shape[0]):
            return exact
        cells = VectorCells.of(exact._mapped, random_state=random_state, n_threads=n_threads)
        return replace(exact, cells=cells)

    @property
    def n_rows(self) -> int:
        """N."""
        return len(self.vectors)

    @property
    def dimension(self) -> int:
        """d."""
        return int(self.vectors.shape[1])

    @property
    def n_features(self) -> int:
        """D."""
        return int(self.others.shape[1]) + self.dimension

    @property
    def size_bytes(self) -> int:
        """Bytes of all arrays."""
        others = self.others.data.nbytes + self.others.indices.nbytes + self.others.indptr.nbytes
        return int(2 * self.vectors.nbytes + self.projection.nbytes + others)

    def rows(self) -> CSR:
        """The rows as they were indexed, N x D."""
        return check_csr(join_columns([self.others, self.vectors]))

    def append(self, X: Any) -> Self:
        """An index with the rows of X after its own."""
        X = check_csr(X, n_columns=self.n_features)
        new = embeddings_of(X, self.dimension)
        others = sp.vstack([self.others, X[:, : self.others.shape[1]]], format="csr")
        cells = self.cells and self.cells.append(_mapped(new, self.projection))
        return type(self)(np.vstack([self.vectors, new]), check_csr(others), self.projection, cells)

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
        if self._search is None:
            rows, cosines = nearest_vectors(self._queries(X), self._units, k, n_threads=n_threads)
        else:
            queries = _mapped(embeddings_of(self._checked(X), self.dimension), self.projection)
            rows, cosines = self._search.nearest(queries, k, n_threads=n_threads)
        kept = cosines > 0
        indptr = np.append(0, np.cumsum(kept.sum(axis=1)))
        return csr_from_parts(cosines[kept], rows[kept], indptr, (len(rows), self.n_rows))

    def similarities(self, X: Any) -> NDArray[np.float32]:
        """Cosines with all rows, M x N, dense; for few queries."""
        cosines: NDArray[np.float32] = self._queries(X) @ self._units.T
        return cosines

    def _queries(self, X: Any) -> NDArray[np.float32]:
        return _mapped(embeddings_of(self._checked(X), self.dimension), self.projection) @ self.projection

    def _checked(self, X: Any) -> CSR:
        return check_csr(X, n_columns=self.n_features)

    @property
    def _mapped(self) -> NDArray[np.float32]:
        return _mapped(self.vectors, self.projection)

    @cached_property
    def _search(self) -> CellSearch | None:
        if self.cells is None or has_faiss():
            return None if self.cells is None else self.cells.search(self._mapped)
        logger.warning("search is exact here, since faiss is not installed; pip install 'larix[search]'")
        return None

    def save(self, path: Path | str) -> None:
        """Write the index as a folder."""
        others = self.others
        save_folder(
            path,
            kind="EmbeddingIndex",
            metadata={"n_other_features": others.shape[1]},
            arrays={
                "vectors": self.vectors,
                "projection": self.projection,
                "data": others.data,
                "indices": others.indices,
                "indptr": others.indptr,
                **(
                    {}
                    if self.cells is None
                    else {"centroids": self.cells.centroids, "cells": self.cells.cells}
                ),
            },
        )

    @classmethod
    def load(cls, path: Path | str, *, verify: bool = True) -> Self:
        """Read an index that `save` wrote."""
        folder = load_folder(path, kind="EmbeddingIndex", verify=verify)
        arrays = folder.arrays
        shape = (len(arrays["vectors"]), folder.metadata["n_other_features"])
        others = sp.csr_array((arrays["data"], arrays["indices"], arrays["indptr"]), shape=shape)
        cells = VectorCells(arrays["centroids"], arrays["cells"]) if "cells" in arrays else None
        return cls(arrays["vectors"], check_csr(others, name=str(path)), arrays["projection"], cells)


def embeddings_of(X: CSR, dimension: int) -> NDArray[np.float32]:
    """The last columns of X, dense, N x d."""
    embeddings: NDArray[np.float32] = X[:, X.shape[1] - dimension :].toarray()
    return embeddings


def _mapped(embeddings: NDArray[np.float32], projection: NDArray[np.float32]) -> NDArray[np.float32]:
    """Embeddings under the map, of unit length."""
    return np.asarray(unit_rows(embeddings @ projection.T))


def _searches_approximately(search: SearchKind, n_rows: int) -> bool:
    if search != "auto" or n_rows < MANY_ROWS:
        return search == "approximate"
    if not has_faiss():
        logger.warning(
            "%d rows are searched exactly, in proportion to their number; for faster, approximate search "
            "pip install 'larix[search]'", n_rows,
        )  # fmt: skip
    return has_faiss()
