"""One-vs-rest linear learners of one tree level, sixteen siblings at a time.

PECOS' XR-Linear (Yu et al., JMLR 2022), section 4: for a node l with parent p, over the instances S that
reach p (and all positives of l),

    min_w  1/2 |w|^2 + sum_{i in S} c_i max(0, 1 - y_i (w.x_i + bias w_b))^2,

c_i = Cp (times relevance) for y_i = +1 and Cn (times the weight of i in S) for y_i = -1; the bias is a
regularised feature of constant value. Solved by dual coordinate descent with shrinking (Hsieh et al., ICML
2008) until projected gradients span less than eps. Other losses: the plain hinge (the same way), logistic
loss (dual coordinate descent), and the squared hinge in the primal (truncated Newton). A parent's instances
are copied once with only the features they use, so that the weights of sixteen children stay in cache.
"""

import threading
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from larix.xmc.choice import check_choice
from larix.xmc.chunked_weights import ChunkedWeights, ChunkLayout, ChunkParts
from larix.xmc.parallel import thread_map
from larix.xmc.ranges import check_least, check_positive
from larix.xmc.solver_kernels import PLAIN, SQUARED, solve_siblings, squared_norms
from larix.xmc.sparse import CSR, kernel_parts, read_only

Loss = Literal["squared-hinge", "hinge", "logistic", "squared-hinge-primal"]


_LEAST_WEIGHT = 1e-6
"""An instance of no weight costs next to nothing; nothing at all has no dual."""


@dataclass(frozen=True)
class SolverParams:
    """The learning problem of one node and when it counts as solved.

    Parameters
    ----------
    loss : {"squared-hinge", "hinge", "logistic", "squared-hinge-primal"}
        The last is the first's problem solved in the primal: the same weights, many times slower.
    Cp, Cn : float
        Cost of an error on positive and on negative instances.
    eps : float
        Largest span of projected gradients at the end.
    max_iter : int
        Most passes over the instances.
    bias : float
        Value of the constant feature; 0 for none.
    threshold : float
        Weights of smaller magnitude are dropped.
    max_nonzeros : int or None
        At most this many weights of a node, the bias included, are kept: the largest.
    """

    loss: Loss = "squared-hinge"
    Cp: float = 1.0
    Cn: float = 1.0
    eps: float = 0.1
    max_iter: int = 100
    bias: float = 1.0
    threshold: float = 0.1
    max_nonzeros: int | None = None

    def __post_init__(self) -> None:
        check_choice("loss", self.loss, get_args(Loss))
        if self.max_nonzeros is not None and self.max_nonzeros < 1:
            raise ValueError(f"max_nonzeros must be at least 1 or None, but is {self.max_nonzeros}")
        check_positive(self, "Cp", "Cn", "eps", "max_iter")
        check_least(self, 0, "bias", "threshold")


def train_level(
    X: CSR,
    targets: CSR,
    instances: CSR,
    child_offsets: NDArray[np.int64],
    params: SolverParams,
    *,
    weighted: bool = False,
    random_state: int = 0,
    n_threads: int | None = None,
    description: str | None = None,
) -> ChunkedWeights:
    """Learn the weights of all nodes of one level.

    Parameters
    ----------
    X : csr_array, N x D
    targets : csr_array, N x n_nodes
        Stored where an instance is positive for a node.
    instances : csr_array, N x n_parents
        Stored where an instance takes part in the problems of a parent's children (M of the papers). The
        values multiply its cost as a negative.
    child_offsets : int array, shape (n_parents + 1,)
        The children of parent p are `child_offsets[p]:child_offsets[p + 1]`.
    params : SolverParams
    weighted : bool
        The values of `targets` multiply the costs of positives.
    random_state : int
        Seed of the order of instances; the result doesn't depend on the number of threads.
    n_threads : int or None
    description : str, optional
        Shown with the progress of the work.

    Returns
    -------
    ChunkedWeights
    """
    x_parts = kernel_parts(X)
    y_indptr, y_rows, y_values = kernel_parts(targets.T.tocsr())
    relevance = read_only(np.maximum(y_values, _LEAST_WEIGHT) if weighted else y_values[:0], np.float32)
    m_indptr, m_rows, m_values = kernel_parts(instances.T.tocsr())
    m_weights = np.maximum(m_values, _LEAST_WEIGHT) if (m_values != 1).any() else m_values[:0]
    m_weights = read_only(m_weights, np.float32)
    norms = squared_norms(x_parts[0], x_parts[2], np.float32(params.bias))
    costs = tuple(np.float32(v) for v in (params.Cp, params.Cn, params.eps, params.bias))
    hinge = PLAIN if params.loss == "hinge" else SQUARED
    logistic = True if params.loss == "logistic" else None
    primal = True if params.loss == "squared-hinge-primal" else None
    scratch = threading.local()

    chunks = ChunkLayout.of_families(child_offsets)

    def solve(chunk: int) -> ChunkParts:
        parent, begin, end = chunks.parent[chunk], chunks.first_node[chunk], chunks.first_node[chunk + 1]
        reaching = slice(m_indptr[parent], m_indptr[parent + 1])
        if not hasattr(scratch, "local_feature"):
            scratch.local_feature = np.full(X.shape[1], -1, np.int32)
            scratch.local_row = np.full(X.shape[0], -1, np.int32)
        return ChunkParts(*solve_siblings(
            *x_parts, norms, y_indptr, y_rows, relevance, m_rows[reaching], m_weights[reaching], begin, end,
            hinge, logistic, primal, costs, params.max_iter, np.float32(params.threshold),
            params.max_nonzeros or 0, np.uint64(random_state) << np.uint64(32) | np.uint64(begin),
            scratch.local_feature, scratch.local_row,
        ))  # fmt: skip

    work = np.diff(m_indptr)[chunks.parent] * np.diff(chunks.first_node)
    by_work = np.argsort(-work, kind="stable")  # the largest first, so that threads end together
    solved = thread_map(solve, by_work.tolist(), n_threads=n_threads, description=description)
    return ChunkedWeights.from_chunks(
        [solved[i] for i in np.argsort(by_work)], chunks, n_features=X.shape[1], bias=params.bias
    )
