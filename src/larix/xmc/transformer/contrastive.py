"""A linear map of embeddings under which documents lie near the names of their labels.

The encoder stays frozen; a square matrix A, from the identity on, is trained by a softmax over labels,

    loss_i = -log exp(cos(A e_i, A n_l) / t) / sum_m exp(cos(A e_i, A n_m) / t),

for pairs of a document's embedding e_i and the embedding n_l of one of its labels' names. The labels m are
those of the batch and further ones whose names lie near the document under the frozen encoder; other labels
of the document are left out of the sum. `top_layer_training` goes on from there and trains layers of the
encoder too.

van den Oord, Li, Vinyals: Representation learning with contrastive predictive coding. 2018 (the loss); Xiong
et al.: Approximate nearest neighbor negative contrastive learning for dense text retrieval. ICLR 2021 (mined
negatives).
"""

import logging
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from larix.xmc.progress import track
from larix.xmc.ranges import check_positive
from larix.xmc.transformer.contrastive_pairs import ContrastiveBatch, ContrastivePairs
from larix.xmc.transformer.libraries import import_torch, torch_threads

logger = logging.getLogger(__name__)
WARM_UP = 0.1  # share of the steps


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
        check_positive(self, "epochs", "batch_size", "learning_rate", "temperature", "n_mined")
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
    pairs = ContrastivePairs.of(E, Y, label_vectors, params.n_mined, n_threads=n_threads)
    if not len(pairs):
        return np.eye(E.shape[1], dtype=np.float32)
    with torch_threads(n_threads):
        A = _train(E, label_vectors, pairs, params, np.random.default_rng(random_state))
    seconds = time.perf_counter() - begun
    logger.info("map of embeddings from names of labels of %d documents, in %.1f s", len(pairs), seconds)
    return A


def _train(
    E: NDArray[np.float32],
    label_vectors: NDArray[np.float32],
    pairs: ContrastivePairs,
    params: ContrastiveParams,
    rng: np.random.Generator,
) -> NDArray[np.float32]:
    torch = import_torch()
    n_steps = params.epochs * -(-len(pairs) // params.batch_size)
    A = torch.eye(E.shape[1], requires_grad=True)
    optimizer = torch.optim.AdamW([A], lr=params.learning_rate, weight_decay=0.0)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, params.learning_rate, total_steps=n_steps + 1, pct_start=WARM_UP
    )
    batches = pairs.batches(params.batch_size, n_steps, params.n_negatives, rng)
    for batch in track(batches, "training the map of embeddings", n_steps):
        vectors = torch.from_numpy(E[batch.documents]), torch.from_numpy(label_vectors[batch.labels])
        optimizer.zero_grad()
        contrastive_loss(A, *vectors, batch, params.temperature).backward()
        optimizer.step()
        schedule.step()
    trained: NDArray[np.float32] = A.detach().numpy()
    return trained


def contrastive_loss(A: Any, documents: Any, labels: Any, batch: ContrastiveBatch, temperature: float) -> Any:
    """Mean loss of a batch.

    Parameters
    ----------
    A : tensor, d x d
    documents : tensor, B x d
        Embeddings of the batch's documents.
    labels : tensor, C x d
        Those of its labels' names.
    batch : ContrastiveBatch
    temperature : float

    Returns
    -------
    tensor
        A single number.
    """
    torch = import_torch()
    normalize = torch.nn.functional.normalize
    cosines = normalize(documents @ A.T, dim=1) @ normalize(labels @ A.T, dim=1).T
    left_out, positive = (torch.from_numpy(a).to(A.device) for a in (batch.left_out, batch.positive))
    return torch.nn.functional.cross_entropy(
        (cosines / temperature).masked_fill(left_out, float("-inf")), positive
    )
