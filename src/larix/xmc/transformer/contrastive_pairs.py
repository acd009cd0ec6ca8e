"""Documents with their labels' names, and what these are told apart from."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from larix.xmc.nearest_vectors import nearest_vectors
from larix.xmc.sparse import CSR, binarize, check_csr

_SAME = 0.999  # from this cosine on a text is the label's name, and teaches nothing


@dataclass(frozen=True, eq=False)
class ContrastiveBatch:
    """Some documents and the labels whose names they are compared with.

    Parameters
    ----------
    documents : int array, shape (B,)
    labels : int array, shape (C,)
        Rising.
    positive : int array, shape (B,)
        Each document's own label among the C.
    left_out : bool array, B x C
        Labels that are no negatives of a document: its further ones, and those without a name.
    """

    documents: NDArray[np.int64]
    labels: NDArray[np.int64]
    positive: NDArray[np.int64]
    left_out: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class ContrastivePairs:
    """Documents, each with the rarest of its labels, whose name says most about it; made with `of`.

    Parameters
    ----------
    documents, labels : int array, shape (n_pairs,)
    mined : int array, n_pairs x n_mined
        Labels whose names lie nearest to the document.
    Y : csr_array, N x L
        Labels of all documents.
    named : bool array, shape (L,)
    """

    documents: NDArray[np.int64]
    labels: NDArray[np.int64]
    mined: NDArray[np.int32]
    Y: CSR
    named: NDArray[np.bool_]

    @classmethod
    def of(
        cls,
        E: NDArray[np.float32],
        Y: Any,
        label_vectors: NDArray[np.float32],
        n_mined: int,
        *,
        n_threads: int | None = None,
    ) -> "ContrastivePairs":
        """Pairs of documents and labels that have a name which is another text.

        Parameters
        ----------
        E : float32 array, N x d
            Embeddings of documents, rows of unit length.
        Y : matrix, N x L
        label_vectors : float32 array, L x d
            Embeddings of the labels' names, rows of unit length; zero for a label without a name.
        n_mined : int
        n_threads : int or None
        """
        Y = binarize(check_csr(Y, name="Y", n_rows=len(E), n_columns=len(label_vectors)))
        documents, labels = rarest_labels(Y)
        names, named = label_vectors[labels], np.asarray(label_vectors.any(axis=1))
        kept = (np.einsum("ij,ij->i", E[documents], names) < _SAME) & named[labels]
        documents, labels = documents[kept], labels[kept]
        mined, _ = nearest_vectors(E[documents], label_vectors, n_mined, n_threads=n_threads)
        return cls(documents, labels, mined, Y, named)

    def __len__(self) -> int:
        return len(self.documents)

    def batches(
        self, size: int, n_batches: int, n_negatives: int, rng: np.random.Generator
    ) -> Iterator[ContrastiveBatch]:
        """Batches over and over through all pairs, in ever new orders.

        Parameters
        ----------
        size : int
            Pairs of a batch; the last one of an order may have fewer.
        n_batches : int
        n_negatives : int
            Mined labels that each pair brings, drawn anew.
        rng : numpy.random.Generator
        """
        left = n_batches
        while left > 0:
            order = rng.permutation(len(self))
            for begin in range(0, len(order), size)[:left]:
                yield self._batch(order[begin : begin + size], n_negatives, rng)
                left -= 1

    def _batch(self, pairs: NDArray[np.int64], n: int, rng: np.random.Generator) -> ContrastiveBatch:
        drawn = rng.permuted(self.mined[pairs], axis=1)[:, :n]
        documents, own = self.documents[pairs], self.labels[pairs]
        labels = np.union1d(own, drawn)
        positive = np.searchsorted(labels, own)
        left_out = (self.Y[documents][:, labels].toarray() > 0) | ~self.named[labels]
        left_out[np.arange(len(pairs)), positive] = False
        return ContrastiveBatch(documents, labels, positive, left_out)


def rarest_labels(Y: CSR) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Documents that have labels, and the rarest label of each."""
    frequency = np.bincount(Y.indices, minlength=Y.shape[1])
    documents = np.repeat(np.arange(Y.shape[0]), np.diff(Y.indptr))
    order = np.lexsort((Y.indices, frequency[Y.indices], documents))
    first = Y.indptr[:-1][np.diff(Y.indptr) > 0]
    return documents[order][first], Y.indices[order][first].astype(np.int64)
