"""A linear map of embeddings under which documents lie near the names of their labels.

The encoder stays frozen; a square matrix A, from the identity on, is trained by a softmax over labels,

    loss_i = -log exp(cos(A e_i, A n_l) / t) / sum_m exp(cos(A e_i, A n_m) / t),

for pairs of a document's embedding e_i and the embedding n_l of one of its labels' names. The labels m are
those of the batch and further ones whose names lie near the document under the frozen encoder; other labels
of the document are left out of the sum.

van den Oord, Li, Vinyals: Representation learning with contrastive predictive coding. 2018 (the loss); Xiong
et al.: Approximate nearest neighbor negative contrastive learning for dense text retrieval. ICLR 2021 (mined
negatives).
"""

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from larix.xmc.nearest_vectors import nearest_vectors
from larix.xmc.progress import track
from larix.xmc.sparse import CSR, binarize, check_csr
from larix.xmc.transformer.libraries import import_torch, torch_threads

logger = logging.getLogger(__name__)
_SAME = 0.999  # from this cosine on a text is the label's name, and teaches nothing
_WARM_UP = 0.1  # share of the steps


@dataclass(frozen=True)
class ContrastiveParams:
    """How the map is trained.

    Parameters
    ----------
    epochs : int
        Passes over the documents.
    batch_size : int
        Pairs of a step.
    learning_rate : float
        The highest of a one-cycle schedule.
    temperature : float
        t, of the softmax.
    n_negatives : int
        Mined labels that a pair adds to the batch's own.
    n_mined : int
        Nearest names among which these are drawn.
    """

    epochs: int = 5
    batch_size: int = 256
    learning_rate: float = 3e-3
    temperature: float = 0.1
    n_negatives: int = 6
    n_mined: int = 16

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size", "learning_rate", "temperature", "n_mined"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be positive, but is {getattr(self, name)}")
        if not 0 <= self.n_negatives <= self.n_mined:
            raise ValueError(
                f"n_negatives must lie in 0..{self.n_mined}, the mined, but is {self.n_negatives}"
            )


def learn_projection(
    E: NDArray[np.float32],
    Y: Any,
    label_vectors: NDArray[np.float32],
    params: ContrastiveParams = ContrastiveParams(),
    *,
    random_state: int = 0,
    n_threads: int | None = None,
) -> NDArray[np.float32]:
    """Train the map.

    Parameters
    ----------
    E : float32 array, N x d
        Embeddings of documents, rows of unit length.
    Y : matrix, N x L
        Their labels.
    label_vectors : float32 array, L x d
        Embeddings of the labels' names, rows of unit length; zero for a label without a name.
    params : ContrastiveParams
    random_state : int
    n_threads : int or None

    Returns
    -------
    float32 array, d x d
        A; the identity if no document has a label whose name is another text.
    """
    begun = time.perf_counter()
    Y = binarize(check_csr(Y, name="Y", n_rows=len(E), n_columns=len(label_vectors)))
    pairs = _Pairs.of(E, Y, label_vectors)
    if not len(pairs.documents):
        return np.eye(E.shape[1], dtype=np.float32)
    mined, _ = nearest_vectors(E[pairs.documents], label_vectors, params.n_mined, n_threads=n_threads)
    with torch_threads(n_threads):
        A = _train(E, label_vectors, Y, pairs, mined, params, np.random.default_rng(random_state))
    seconds = time.perf_counter() - begun
    logger.info("map of embeddings from names of labels of %d documents, in %.1f s", len(mined), seconds)
    return A


@dataclass(frozen=True, eq=False)
class _Pairs:
    """Documents, and for each of them the rarest of its labels, whose name says most about it."""

    documents: NDArray[np.int64]
    labels: NDArray[np.int64]

    @classmethod
    def of(cls, E: NDArray[np.float32], Y: CSR, label_vectors: NDArray[np.float32]) -> "_Pairs":
        frequency = np.bincount(Y.indices, minlength=Y.shape[1])
        documents = np.repeat(np.arange(Y.shape[0]), np.diff(Y.indptr))
        order = np.lexsort((Y.indices, frequency[Y.indices], documents))
        first = Y.indptr[:-1][np.diff(Y.indptr) > 0]
        pairs = cls(documents[order][first], Y.indices[order][first].astype(np.int64))
        names = label_vectors[pairs.labels]
        kept = (np.einsum("ij,ij->i", E[pairs.documents], names) < _SAME) & names.any(axis=1)
        return cls(pairs.documents[kept], pairs.labels[kept])

    def batches(self, size: int, n: int, rng: np.random.Generator) -> Iterator[NDArray[np.int64]]:
        """Numbers of pairs, in n random orders one after the other."""
        for _ in range(n):
            order = rng.permutation(len(self.documents))
            yield from (order[begin : begin + size] for begin in range(0, len(order), size))


def _train(
    E: NDArray[np.float32],
    label_vectors: NDArray[np.float32],
    Y: CSR,
    pairs: _Pairs,
    mined: NDArray[np.int32],
    params: ContrastiveParams,
    rng: np.random.Generator,
) -> NDArray[np.float32]:
    torch = import_torch()
    n_steps = params.epochs * -(-len(mined) // params.batch_size)
    A = torch.eye(E.shape[1], requires_grad=True)
    optimizer = torch.optim.AdamW([A], lr=params.learning_rate, weight_decay=0.0)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, params.learning_rate, total_steps=n_steps + 1, pct_start=_WARM_UP
    )
    batches = pairs.batches(params.batch_size, params.epochs, rng)
    for batch in track(batches, "training the map of embeddings", n_steps):
        drawn = rng.permuted(mined[batch], axis=1)[:, : params.n_negatives]
        documents, own = pairs.documents[batch], pairs.labels[batch]
        labels = np.union1d(own, drawn)
        positive = np.searchsorted(labels, own)
        others = Y[documents][:, labels].toarray() > 0
        others[np.arange(len(batch)), positive] = False
        vectors = torch.from_numpy(E[documents]), torch.from_numpy(label_vectors[labels])
        optimizer.zero_grad()
        contrastive_loss(A, *vectors, positive, others, params.temperature).backward()
        optimizer.step()
        schedule.step()
    trained: NDArray[np.float32] = A.detach().numpy()
    return trained


def contrastive_loss(
    A: Any,
    documents: Any,
    labels: Any,
    positive: NDArray[np.int64],
    left_out: NDArray[np.bool_],
    temperature: float,
) -> Any:
    """Mean loss of a batch.

    Parameters
    ----------
    A : tensor, d x d
    documents : tensor, B x d
    labels : tensor, C x d
    positive : int array, shape (B,)
        Each document's own label among the C.
    left_out : bool array, B x C
        Labels that are no negatives of a document.
    temperature : float

    Returns
    -------
    tensor
        A single number.
    """
    torch = import_torch()
    normalize = torch.nn.functional.normalize
    cosines = normalize(documents @ A.T, dim=1) @ normalize(labels @ A.T, dim=1).T
    logits = (cosines / temperature).masked_fill(torch.from_numpy(left_out), float("-inf"))
    return torch.nn.functional.cross_entropy(logits, torch.from_numpy(positive))
