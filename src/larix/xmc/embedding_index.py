"""Exact nearest rows by cosine of embeddings, under a linear map.

Rows are those that a tree is trained on: text features, and an embedding in the last columns. With a map A
(the identity at first) the similarity of a query's embedding q and a row's embedding v is

    cos(A q, A v) = (A^T A q) . v / (|A q| |A v|),

so that rows are kept as they came, whatever the map.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from larix.xmc.matrix import join_columns, unit_rows
from larix.xmc.nearest_vectors import nearest_vectors
from larix.xmc.persistence import load_folder, save_folder
from larix.xmc.sparse import CSR, check_csr, csr_from_parts


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

    Raises
    ------
    ValueError
        If shapes disagree.
    """

    vectors: NDArray[np.float32]
    others: CSR
    projection: NDArray[np.float32]
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
    def of(cls, X: Any, dimension: int, projection: NDArray[np.float32] | None = None) -> Self:
        """Index the rows of X (N x D).

        Parameters
        ----------
        X : matrix, N x D
        dimension : int
            d: embeddings are the last d columns.
        projection : float32 array, d x d, optional
            By default the identity.

        Raises
        ------
        ValueError
            If rows have fewer columns.
        """
        X = check_csr(X)
        if not 1 <= dimension <= X.shape[1]:
            raise ValueError(f"dimension must lie in 1..{X.shape[1]}, the columns, but is {dimension}")
        A = np.eye(dimension, dtype=np.float32) if projection is None else projection
        return cls(embeddings_of(X, dimension), X[:, : X.shape[1] - dimension], A)

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
        return type(self)(np.vstack([self.vectors, new]), check_csr(others), self.projection)

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
        rows, cosines = nearest_vectors(self._queries(X), self._units, k, n_threads=n_threads)
        kept = cosines > 0
        indptr = np.append(0, np.cumsum(kept.sum(axis=1)))
        return csr_from_parts(cosines[kept], rows[kept], indptr, (len(rows), self.n_rows))

    def similarities(self, X: Any) -> NDArray[np.float32]:
        """Cosines with all rows, M x N, dense; for few queries."""
        cosines: NDArray[np.float32] = self._queries(X) @ self._units.T
        return cosines

    def _queries(self, X: Any) -> NDArray[np.float32]:
        embeddings = embeddings_of(check_csr(X, n_columns=self.n_features), self.dimension)
        projected: NDArray[np.float32] = np.asarray(unit_rows(embeddings @ self.projection.T))
        return projected @ self.projection

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
            },
        )

    @classmethod
    def load(cls, path: Path | str, *, verify: bool = True) -> Self:
        """Read an index that `save` wrote."""
        folder = load_folder(path, kind="EmbeddingIndex", verify=verify)
        arrays = folder.arrays
        shape = (len(arrays["vectors"]), folder.metadata["n_other_features"])
        others = sp.csr_array((arrays["data"], arrays["indices"], arrays["indptr"]), shape=shape)
        return cls(arrays["vectors"], check_csr(others, name=str(path)), arrays["projection"])


def embeddings_of(X: CSR, dimension: int) -> NDArray[np.float32]:
    """The last columns of X, dense, N x d."""
    embeddings: NDArray[np.float32] = X[:, X.shape[1] - dimension :].toarray()
    return embeddings
