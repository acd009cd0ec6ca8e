"""Document memory: the nearest training documents vote beside the label tree.

A tree's linear models generalise; its documents, one by one, are forgotten. Here they are kept, and of a
query i the k nearest documents j vote for their labels,

    v_il = sum_j w_ij y_jl / sum_j,m w_ij y_jm,   w_ij = exp((cos_ij - max_j cos_ij) / temperature).

The votes are blended with the tree's scores: P = (1 - weight) tree + weight v (`voting`). A document is
learnt by appending it.

Su, Wang, Dai: Contrastive learning-enhanced nearest neighbor mechanism for multi-label text classification.
ACL 2022 (such votes beside a classifier, over encoder embeddings).
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Protocol, Self

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from larix.xmc.document_names import DocumentNames
from larix.xmc.embedding_index import EmbeddingIndex
from larix.xmc.estimator import Estimator, check_is_fitted
from larix.xmc.inverted_index import InvertedIndex
from larix.xmc.metrics import evaluate
from larix.xmc.persistence import load_folder, save_folder
from larix.xmc.sparse import CSR, binarize, check_csr, csr_from_parts, top_k_per_row
from larix.xmc.voting import blend, blend_neighbours, vote


class NeighbourIndex(Protocol):
    """Finds the most similar rows: what a memory needs of an index, over whatever kind of features."""

    @property
    def n_rows(self) -> int:
        """Rows indexed."""

    @property
    def n_features(self) -> int:
        """Columns of a query."""

    @property
    def size_bytes(self) -> int:
        """Bytes in memory."""

    def neighbours(self, X: Any, k: int, *, n_threads: int | None = None) -> CSR:
        """Cosines with the k nearest rows, queries x rows, by descending cosine."""

    def rows(self) -> CSR:
        """The rows indexed, as far as the index keeps them."""

    def similarities(self, X: Any) -> NDArray[np.float32]:
        """Cosines with all rows, queries x rows, dense; for few queries."""

    def append(self, X: Any) -> Self:
        """An index with further rows."""

    def save(self, path: Path | str) -> None:
        """Write the index as a folder whose kind is the name of its class."""


_INDEXES: Mapping[str, Any] = {"InvertedIndex": InvertedIndex, "EmbeddingIndex": EmbeddingIndex}


@dataclass(frozen=True)
class MemoryParams:
    """How neighbours vote, and how much their votes count.

    Parameters
    ----------
    k : int
        Neighbours of a query.
    temperature : float
        A neighbour whose cosine is lower by this much has 1/e of the vote.
    weight : float
        Share of the votes in the blend with the tree's scores, 0 to 1.
    max_df : float
        Features in more than this share of documents take no part in finding neighbours.
    """

    k: int = 20
    temperature: float = 0.1
    weight: float = 0.1
    max_df: float = 0.05

    def __post_init__(self) -> None:
        if self.k < 1:
            raise ValueError(f"k must be at least 1, but is {self.k}")
        if not self.temperature > 0:
            raise ValueError(f"temperature must be positive, but is {self.temperature}")
        if not 0 <= self.weight <= 1:
            raise ValueError(f"weight must lie in 0..1, but is {self.weight}")
        if not 0 < self.max_df <= 1:
            raise ValueError(f"max_df must be above 0 and at most 1, but is {self.max_df}")


class DocumentMemory(Estimator):
    """Training documents that vote for their labels.

    Parameters
    ----------
    params : MemoryParams, optional
    n_threads : int or None
        None uses all processors; results don't depend on it.

    Attributes
    ----------
    index_ : NeighbourIndex
        Of the documents; an `InvertedIndex` of sparse features, or an `EmbeddingIndex`.
    Y_ : csr_array, n_documents x L
        Their labels, 0/1.
    names_ : DocumentNames
    n_features_in_ : int

    Examples
    --------
    >>> import numpy as np
    >>> from larix import DocumentMemory
    >>> memory = DocumentMemory().fit(np.eye(2), np.eye(2))
    >>> memory.predict(np.array([[3.0, 1.0]])).toarray().round(2).tolist()
    [[1.0, 0.0]]
    """

    def __init__(self, params: MemoryParams | None = None, *, n_threads: int | None = None) -> None:
        self.params = params
        self.n_threads = n_threads

    def fit(
        self,
        X: Any,
        Y: Any,
        names: Sequence[str] | None = None,
        *,
        index: NeighbourIndex | None = None,
    ) -> Self:
        """Remember documents.

        Parameters
        ----------
        X : matrix, N x D
        Y : matrix, N x L
            Non-zero where a label belongs to a document.
        names : sequence of str, optional
            What to call the documents in explanations; by default their numbers.
        index : NeighbourIndex, optional
            Of the rows of X; by default an inverted index.

        Raises
        ------
        ValueError
            If the index is of other rows.
        """
        X = check_csr(X)
        Y = check_csr(Y, name="Y", n_rows=X.shape[0])
        index = InvertedIndex.of(X, max_df=self._params().max_df) if index is None else index
        if (index.n_rows, index.n_features) != X.shape:
            raise ValueError(
                f"the index must be of the {X.shape[0]} x {X.shape[1]} documents, but is of "
                f"{index.n_rows} x {index.n_features}; make it of the same rows"
            )
        return self._set_learnt(index, Y, _names(names, 0, X.shape[0]))

    def _set_learnt(self, index: NeighbourIndex, Y: CSR, names: DocumentNames) -> Self:
        self.index_, self.Y_, self.names_, self.n_features_in_ = index, binarize(Y), names, index.n_features
        return self

    def append(self, X: Any, Y: Any, names: Sequence[str] | None = None) -> Self:
        """Remember further documents; `Y` may have labels beyond those known.

        Parameters
        ----------
        X : matrix, M x D
        Y : matrix, M x L', L' >= L
        names : sequence of str, optional
        """
        check_is_fitted(self)
        X = check_csr(X, n_columns=self.n_features_in_)
        Y = check_csr(Y, name="Y", n_rows=X.shape[0])
        known = self.Y_
        if Y.shape[1] < known.shape[1]:
            raise ValueError(
                f"Y must have at least the {known.shape[1]} columns of the labels known, but has {Y.shape[1]}"
            )
        known = csr_from_parts(known.data, known.indices, known.indptr, (known.shape[0], Y.shape[1]))
        names_of_all = self.names_ + _names(names, known.shape[0], X.shape[0])
        return self._set_learnt(self.index_.append(X), sp.vstack([known, Y], format="csr"), names_of_all)

    def neighbours(self, X: Any, k: int | None = None) -> CSR:
        """Cosines with the nearest documents, queries x n_documents, by descending cosine."""
        check_is_fitted(self)
        return self.index_.neighbours(X, k or self._params().k, n_threads=self.n_threads)

    def predict(self, X: Any, *, top_k: int | None = None) -> CSR:
        """The neighbours' votes.

        Parameters
        ----------
        X : matrix, M x D
        top_k : int, optional
            By default all labels that have a vote.

        Returns
        -------
        csr_array, M x L
            Shares of the votes by descending share; a row adds up to 1 before it is cut to `top_k`, and is
            empty when the query has no feature in common with any document that has a label.
        """
        votes = vote(self.neighbours(X), self.Y_, self._params().temperature)
        return top_k_per_row(votes, top_k or votes.shape[1])

    @property
    def weight(self) -> float:
        """Share of the votes in a blend."""
        return self._params().weight

    def blend(self, P: Any, X: Any, *, top_k: int | None = None) -> CSR:
        """Scores P of the rows of X, blended with their neighbours' votes.

        Parameters
        ----------
        P : matrix, M x L
            Scores that are not negative.
        X : matrix, M x D
        top_k : int, optional

        Returns
        -------
        csr_array, M x L
            (1 - weight) P + weight votes, by descending score.
        """
        params = self._params()
        if top_k is None:
            return blend(P, self.predict(X), params.weight)
        return blend_neighbours(
            P, self.neighbours(X), self.Y_, params.temperature, params.weight, top_k, self.n_threads
        )

    def rows(self) -> CSR:
        """The documents as the index keeps them: unit rows, without features that are too common; N x D."""
        check_is_fitted(self)
        return self.index_.rows()

    def nearest_of_label(self, X: Any, label: int, n: int = 3) -> list[tuple[int, float]]:
        """The documents of a label most similar to a query, and their cosines; only cosines above 0.

        Parameters
        ----------
        X : matrix, 1 x D
        label : int
        n : int
            Most documents.
        """
        check_is_fitted(self)
        documents = np.flatnonzero(self.Y_[:, [label]].toarray())
        cosines = self.index_.similarities(check_csr(X, n_rows=1))[0, documents]
        best = np.argsort(-cosines, kind="stable")[:n]
        return [(int(documents[b]), float(cosines[b])) for b in best if cosines[b] > 0]

    def size_bytes(self) -> int:
        """Bytes in memory."""
        check_is_fitted(self)
        names = self.names_.letters.nbytes + self.names_.ends.nbytes
        return self.index_.size_bytes + int(self.Y_.indices.nbytes + self.Y_.indptr.nbytes + names)

    def save(self, path: Path | str) -> None:
        """Write the memory as a folder, whole or not at all."""
        check_is_fitted(self)
        save_folder(
            path,
            kind="DocumentMemory",
            metadata={"params": asdict(self._params()), "n_labels": self.Y_.shape[1]},
            arrays={
                "indptr": self.Y_.indptr,
                "indices": self.Y_.indices,
                "names": self.names_.letters,
                "name_ends": self.names_.ends,
            },
            children={"index": self.index_.save},
        )

    @classmethod
    def load(cls, path: Path | str, *, verify: bool = True) -> Self:
        """Read a memory that `save` wrote."""
        folder = load_folder(path, kind="DocumentMemory", verify=verify)
        index = folder.child("index")
        indptr, indices = folder.arrays["indptr"], folder.arrays["indices"]
        Y = csr_from_parts(
            np.ones(len(indices), np.float32), indices, indptr, (len(indptr) - 1, folder.metadata["n_labels"])
        )
        memory = cls(MemoryParams(**folder.metadata["params"]))
        names = DocumentNames(folder.arrays["names"], folder.arrays["name_ends"])
        return memory._set_learnt(
            _INDEXES[index.kind].load(index.path, verify=False), check_csr(Y, name="Y"), names
        )

    def _params(self) -> MemoryParams:
        return self.params or MemoryParams()


def _names(names: Sequence[str] | None, first: int, n: int) -> DocumentNames:
    """Names of n documents, their numbers from `first` on if there are none."""
    if names is None:
        return DocumentNames.of([str(number) for number in range(first, first + n)])
    if len(names) != n:
        raise ValueError(f"names must name all {n} documents, but names {len(names)}")
    return DocumentNames.of(names)


@dataclass(frozen=True)
class Blend:
    """One setting that was tried."""

    params: MemoryParams
    quality: float


def compare_blends(
    memory: DocumentMemory,
    P: CSR,
    X: CSR,
    Y: CSR,
    *,
    ks: Sequence[int] = (10, 20, 50),
    temperatures: Sequence[float] = (0.05, 0.1, 0.2),
    weights: Sequence[float] = (0, 0.05, 0.1, 0.2, 0.3, 0.5),
    k_of_ndcg: int = 10,
) -> list[Blend]:
    """Try settings of a memory on held-out documents.

    Parameters
    ----------
    memory : DocumentMemory
        Of other documents than those held out.
    P : csr_array, M x L
        The tree's scores of the held-out documents, from a tree trained without them.
    X, Y : csr_array, M x D and M x L
        Held-out documents.
    ks, temperatures, weights : sequences
        Every combination is tried.
    k_of_ndcg : int
        Quality is nDCG at this cut-off.

    Returns
    -------
    list of Blend
        The best first; among equals the lower weight.
    """
    nearest, given, tried = memory.neighbours(X, max(ks)), memory.params or MemoryParams(), []
    for k, temperature in itertools.product(ks, temperatures):
        votes = vote(check_csr(top_k_per_row(nearest, k)), memory.Y_, temperature)
        for weight in weights:
            evaluation = evaluate(blend(P, votes, weight), Y, memory.Y_, [k_of_ndcg], [k_of_ndcg])
            params = replace(given, k=k, temperature=temperature, weight=weight)
            tried.append(Blend(params, evaluation.metrics[f"nDCG@{k_of_ndcg}"]))
    return sorted(tried, key=lambda blend: (-blend.quality, blend.params.weight))
