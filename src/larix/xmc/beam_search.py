"""Level-wise beam search over chunked weights.

PECOS (Yu et al., JMLR 2022), section 4: at level t the children of the kept nodes are scored, a child's
value combines its own transformed margin with its parent's value, and the best `beam_size` are kept. The
last level's slots are merged to labels. All post-processors but `noop` are sums in the log domain, so the
search adds logarithms and exponentiates at the end; this also keeps apart values that would underflow.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from larix.xmc.choice import check_choice
from larix.xmc.chunked_weights import ChunkedWeights
from larix.xmc.parallel import available_threads, thread_map
from larix.xmc.ranges import check_least
from larix.xmc.search_kernels import score_nodes, search_rows
from larix.xmc.sparse import CSR, csr_from_parts, kernel_parts, read_only

PostProcessor = Literal[
    "noop", "sigmoid", "log-sigmoid", "l1-hinge", "l2-hinge", "l3-hinge", "l4-hinge",
    "log-l1-hinge", "log-l2-hinge", "log-l3-hinge", "log-l4-hinge",
]  # fmt: skip
Merge = Literal["max", "mean", "sum", "logsumexp"]


@dataclass(frozen=True)
class SearchParams:
    """How a tree is searched.

    Parameters
    ----------
    beam_size : int
        Nodes kept at every level above the labels.
    top_k : int
        Labels returned for an instance.
    post_processor : str or one for each level
        What a margin s counts: `noop` s itself, ignoring parents; `sigmoid` the product of 1/(1+e^-s) down
        the path; `lP-hinge` the product of exp(-max(1-s, 0)^P); `log-*` the logarithm of these. Products
        and logarithms don't mix; `noop` may follow either.
    merge : {"max", "mean", "sum", "logsumexp"}
        How the scores of a label's slots become one; `logsumexp`, log(sum e^score), for margins and
        logarithms only.
    """

    beam_size: int = 10
    top_k: int = 10
    post_processor: PostProcessor | tuple[PostProcessor, ...] = "l3-hinge"
    merge: Merge = "max"

    def __post_init__(self) -> None:
        check_least(self, 1, "beam_size", "top_k")
        if isinstance(self.post_processor, list):
            object.__setattr__(self, "post_processor", tuple(self.post_processor))
        path = self.post_processor if isinstance(self.post_processor, tuple) else (self.post_processor,)
        check_path(path)
        check_choice("merge", self.merge, get_args(Merge))
        if self.merge == "logsumexp" and path and path[-1] != "noop" and not path[-1].startswith("log-"):
            # Of products, in 0..1, it would hardly be more than the logarithm of a label's number of slots.
            raise ValueError(
                "merge 'logsumexp' needs scores that are logarithms or margins, but those of the "
                f"post-processor {path[-1]!r} are products; use 'log-{path[-1]}', or merge by 'max'"
            )


def check_path(post_processors: tuple[PostProcessor, ...]) -> None:
    """Refuse post-processors that have no common meaning down a path."""
    families = []
    for post_processor in post_processors:
        check_choice("post_processor", post_processor, get_args(PostProcessor))
        families.append("noop" if post_processor == "noop" else post_processor.startswith("log-"))
    before_noop = families[: families.index("noop")] if "noop" in families else families
    if len(set(before_noop)) > 1 or any(family != "noop" for family in families[len(before_noop) :]):
        raise ValueError(
            "post-processors down a path must all be products or all be logarithms, "
            f"with noop only at the end, but are {', '.join(post_processors)}"
        )


@dataclass(frozen=True, eq=False)
class SearchPlan:
    """What one search needs beside the instances.

    Parameters
    ----------
    weights : ChunkedWeights
        Of all levels to descend.
    first_parent : int
        The number of parents at the top: 1 for a whole tree, K for a ranker alone.
    post_processors : one per level
    labels : int32 array
        Label of every node of the last level.
    n_labels : int
    merge : str or None
        None when no two nodes of the last level share a label.
    """

    weights: ChunkedWeights
    first_parent: int
    post_processors: tuple[PostProcessor, ...]
    labels: NDArray[np.int32]
    n_labels: int
    merge: Merge | None = None

    def __post_init__(self) -> None:
        check_path(self.post_processors)
        object.__setattr__(self, "labels", read_only(self.labels, np.int32))

    def run(
        self,
        X: CSR,
        beam_size: int,
        top_k: int,
        *,
        start: CSR | None = None,
        allowed: NDArray[np.bool_] | None = None,
        n_threads: int | None = None,
    ) -> CSR:
        """Search for every row of X.

        Parameters
        ----------
        X : csr_array, N x D, canonical
        beam_size, top_k : int
        start : csr_array, N x first_parent, optional
            Scores of the parents to begin with; by default all parents with score "certain".
        allowed : bool array, shape (n_nodes,), optional
            Nodes of all levels that may be kept; by default all.
        n_threads : int or None

        Returns
        -------
        csr_array, N x n_labels
            Entries of a row by descending score, ties in order of nodes.
        """
        top_k = min(top_k, self.n_labels)
        labels = np.empty((X.shape[0], top_k), np.int32)
        scores = np.empty((X.shape[0], top_k), np.float32)
        found = np.empty(X.shape[0], np.int64)
        begin_parts = _NOWHERE if start is None else self._start(start)
        may_keep = _ALL if allowed is None else read_only(allowed, np.bool_)
        x_parts = kernel_parts(X)

        def search(rows: tuple[int, int]) -> None:
            search_rows(
                x_parts, begin_parts, *self._kernel_settings, beam_size, self.labels, self.n_labels,
                self._merge_code, may_keep, *rows, labels, scores, found,
            )  # fmt: skip

        if X.shape[0] == 1:
            search((0, 1))
        else:
            thread_map(search, _pieces(X.shape[0], available_threads(n_threads)), n_threads=n_threads)
        if (found == top_k).all():
            indptr = np.arange(X.shape[0] + 1) * top_k
            return csr_from_parts(scores.ravel(), labels.ravel(), indptr, (X.shape[0], self.n_labels))
        kept = np.arange(top_k) < found[:, None]
        indptr = np.concatenate([[0], np.cumsum(found)])
        return csr_from_parts(scores[kept], labels[kept], indptr, (X.shape[0], self.n_labels))

    def score(
        self,
        X: CSR,
        nodes: CSR,
        parent: NDArray[Any],
        first_of_level: NDArray[Any],
        n_threads: int | None = None,
    ) -> CSR:
        """Scores of chosen nodes instead of a search.

        Parameters
        ----------
        X : csr_array, N x D, canonical
        nodes : csr_array, N x n_nodes
            Stored for every node wanted and all its ancestors.
        parent : int array, shape (n_nodes,)
            The parent of every node, -1 for the root's children.
        first_of_level : int array, shape (depth,)
            The first node of every level.
        n_threads : int or None

        Returns
        -------
        csr_array, N x n_nodes of the last level
        """
        n_indptr, indices, _ = kernel_parts(nodes)
        values = np.zeros(nodes.nnz, np.float32)
        x_parts, arrays = kernel_parts(X), self.weights.kernel_arrays()

        def score(rows: tuple[int, int]) -> None:
            score_nodes(
                x_parts, arrays, np.float32(self.weights.bias), self._kinds,
                read_only(first_of_level, np.int64), read_only(parent, np.int64), n_indptr, indices,
                *rows, values,
            )  # fmt: skip

        thread_map(score, _pieces(X.shape[0], available_threads(n_threads)), n_threads=n_threads)
        scored = csr_from_parts(values, indices, n_indptr, nodes.shape)[:, first_of_level[-1] :]
        if self._exponentiates:
            scored.data = np.exp(scored.data)
        return scored

    @cached_property
    def _kinds(self) -> NDArray[np.int64]:
        return np.array([_KINDS[p.removeprefix("log-")] for p in self.post_processors], np.int64)

    @cached_property
    def _merge_code(self) -> int:
        return -1 if self.merge is None else get_args(Merge).index(self.merge)

    @cached_property
    def _kernel_settings(self) -> tuple[Any, ...]:
        """What the search kernel takes between the instances and the limits."""
        weights = self.weights
        return (
            weights.kernel_arrays(), np.float32(weights.bias), self._kinds, self._exponentiates,
            self.first_parent,
        )  # fmt: skip

    @cached_property
    def _exponentiates(self) -> bool:
        """Whether the values that the search adds up are logarithms of the scores it returns."""
        return self.post_processors[-1] != "noop" and not self.post_processors[-1].startswith("log-")

    def _start(self, start: CSR) -> tuple[NDArray[Any], ...]:
        """Parents to begin with and their values in the domain of the search, in CSR parts."""
        indptr, indices, scores = kernel_parts(start)
        if not self._exponentiates:
            return indptr, indices, scores
        with np.errstate(divide="ignore"):
            return indptr, indices, read_only(np.log(scores), np.float32)


_NOWHERE = (read_only([], np.int64), read_only([], np.int32), read_only([], np.float32))
_ALL = read_only([], np.bool_)
_KINDS = {"noop": -1, "sigmoid": 0, "l1-hinge": 1, "l2-hinge": 2, "l3-hinge": 3, "l4-hinge": 4}
_ROWS_PER_PIECE = 1024


def _pieces(n_rows: int, n_threads: int) -> list[tuple[int, int]]:
    size = max(1, min(_ROWS_PER_PIECE, -(-n_rows // n_threads)))
    return [(a, min(a + size, n_rows)) for a in range(0, n_rows, size)]


def merge_slots(scores: CSR, slot_label: NDArray[Any], n_labels: int, merge: Merge) -> CSR:
    """Scores of slots, N x n_slots, as scores of labels, N x n_labels, by ascending label."""
    rows = np.repeat(np.arange(scores.shape[0]), np.diff(scores.indptr))
    keys = rows * np.int64(n_labels) + slot_label[scores.indices]
    order = np.argsort(keys, kind="stable")
    pairs, first, counts = np.unique(keys[order], return_index=True, return_counts=True)
    values = scores.data[order]
    if len(pairs) < len(keys):
        join = {"max": np.maximum, "logsumexp": np.logaddexp}.get(merge, np.add)
        values = join.reduceat(values, first)
        values = values / counts if merge == "mean" else values
    indptr = np.searchsorted(pairs, np.arange(scores.shape[0] + 1) * np.int64(n_labels))
    return csr_from_parts(values.astype(np.float32), pairs % n_labels, indptr, (scores.shape[0], n_labels))
