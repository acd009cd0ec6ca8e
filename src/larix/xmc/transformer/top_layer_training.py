"""Top layers of an encoder, tuned so that documents lie near the names of their labels.

The loss and its pairs are those of `contrastive`, whose map is where training begins. The lower layers stay
as they are; what they give is computed once for every text.

Gao, Yao, Chen: SimCSE. EMNLP 2021 (a pretrained encoder tuned by this loss with the batch's other texts as
negatives).
"""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from larix.xmc.matrix import unit_rows
from larix.xmc.progress import track
from larix.xmc.ranges import check_least, check_positive
from larix.xmc.transformer.contrastive import WARM_UP, ContrastiveParams, contrastive_loss, learn_projection
from larix.xmc.transformer.contrastive_pairs import ContrastiveBatch, ContrastivePairs
from larix.xmc.transformer.encoder import SentenceEncoder
from larix.xmc.transformer.layered_encoder import LayeredEncoder
from larix.xmc.transformer.libraries import import_torch, torch_threads
from larix.xmc.transformer.token_states import TokenStates
from larix.xmc.transformer.top_layers import TopLayers

logger = logging.getLogger(__name__)
_TEXTS_AT_ONCE = 64
_STEPS_LOGGED = 50


@dataclass(frozen=True)
class TopLayerParams:
    """How top layers are tuned, after the map.

    Any encoder of the transformers library will do whose layers are a list of modules that follow each other
    behind its embeddings, as in BERT, MiniLM, RoBERTa and MPNet; others are refused.

    Parameters
    ----------
    n_layers : int
        Layers to tune, counted from the top; 0 leaves the encoder as it is.
    steps : int
    batch_size : int
        Pairs of a step.
    learning_rate : float
        Of the layers; the highest of a one-cycle schedule.
    projection_learning_rate : float
        Of the map.
    weight_decay : float
        Of the layers.
    temperature : float
    n_negatives : int
        Mined labels that a pair adds to the batch's own.
    """

    n_layers: int = 0
    steps: int = 150
    batch_size: int = 64
    learning_rate: float = 5e-5
    projection_learning_rate: float = 3e-4
    weight_decay: float = 0.01
    temperature: float = 0.07
    n_negatives: int = 1

    def __post_init__(self) -> None:
        check_positive(
            self, "steps", "batch_size", "learning_rate", "projection_learning_rate", "temperature"
        )
        check_least(self, 0, "n_layers", "weight_decay", "n_negatives")


def tune_top_layers(
    encoder: SentenceEncoder,
    texts: Sequence[str],
    Y: Any,
    label_texts: Sequence[str],
    params: TopLayerParams,
    start: ContrastiveParams,
    *,
    random_state: int = 0,
    n_threads: int | None = None,
) -> TopLayers:
    """Train the map, then top layers and map.

    Parameters
    ----------
    encoder : SentenceEncoder
        Where training begins; it stays as it is. In its cache folder, if it has one, are kept the vectors
        and what the lower layers give.
    texts : sequence of str
        N documents.
    Y : matrix, N x L
        Their labels.
    label_texts : sequence of str
        Names of the L labels; empty for a label without one.
    params : TopLayerParams
        `n_layers` must be positive.
    start : ContrastiveParams
        Of the map; its `n_mined` serves here too.
    random_state : int
    n_threads : int or None

    Returns
    -------
    TopLayers
        The encoder's own layers, and the identity, if no document has a label whose name is another text.

    Raises
    ------
    ValueError
        If the encoder can't be split.
    """
    begun = time.perf_counter()
    layered = LayeredEncoder(encoder, params.n_layers, keeps_states=True)
    (E,), (names,) = layered.embed(texts), layered.embed(label_texts)
    names[[not text for text in label_texts]] = 0
    A = learn_projection(E, Y, names, start, random_state=random_state, n_threads=n_threads)
    near, names = (np.asarray(unit_rows(vectors @ A.T)) for vectors in (E, names))
    pairs = ContrastivePairs.of(near, Y, names, start.n_mined, n_threads=n_threads)
    states = layered.states(texts), layered.states(label_texts)
    trained = _Training(layered, A, params, random_state, n_threads).run(pairs, *states)
    seconds = time.perf_counter() - begun
    logger.info("top %d layers of the encoder tuned in %.0f s", params.n_layers, seconds)
    return trained


class _Training:
    """Upper part and map while they are trained. There is no dropout."""

    def __init__(
        self,
        layered: LayeredEncoder,
        A: NDArray[np.float32],
        params: TopLayerParams,
        random_state: int,
        n_threads: int | None,
    ) -> None:
        torch, (_, upper, _) = import_torch(), layered.parts
        untuned = {name: tensor.detach().cpu().numpy() for name, tensor in upper.state_dict().items()}
        self._start = TopLayers(params.n_layers, untuned, A, layered.encoder.files.digest)
        self._layered, self._params, self._n_threads = layered, params, n_threads
        self._rng = np.random.default_rng(random_state)
        self._upper = self._start.upper(upper).eval()
        self._A = torch.nn.Parameter(torch.from_numpy(A.copy()).to(upper.device))

    def run(self, pairs: ContrastivePairs, documents: TokenStates, names: TokenStates) -> TopLayers:
        params, losses = self._params, list[float]()
        if not len(pairs):
            return self._start
        optimizer, schedule = self._optimizer()
        batches = pairs.batches(params.batch_size, params.steps, params.n_negatives, self._rng)
        with torch_threads(self._n_threads):
            for batch in track(batches, "tuning top layers", params.steps):
                optimizer.zero_grad()
                loss = self._loss(batch, documents, names)
                loss.backward()
                optimizer.step()
                schedule.step()
                losses.append(loss.item())
                if len(losses) % _STEPS_LOGGED == 0:
                    logger.info("step %d of %d: loss %.3f", len(losses), params.steps,
                                np.mean(losses[-_STEPS_LOGGED:]))  # fmt: skip
        return self._trained(losses)

    def _optimizer(self) -> tuple[Any, Any]:
        torch, params = import_torch(), self._params
        rates = [params.learning_rate, params.projection_learning_rate]
        optimizer = torch.optim.AdamW([
            {"params": list(self._upper.parameters()), "weight_decay": params.weight_decay},
            {"params": [self._A], "weight_decay": 0.0},
        ], lr=params.learning_rate)  # fmt: skip
        return optimizer, torch.optim.lr_scheduler.OneCycleLR(
            optimizer, rates, total_steps=params.steps + 1, pct_start=WARM_UP
        )

    def _loss(self, batch: ContrastiveBatch, documents: TokenStates, names: TokenStates) -> Any:
        vectors = self._vectors(documents, batch.documents), self._vectors(names, batch.labels)
        return contrastive_loss(self._A, *vectors, batch, self._params.temperature)

    def _vectors(self, states: TokenStates, rows: NDArray[np.int64]) -> Any:
        """Pooled vectors of texts in their order, computed by lengths."""
        torch, chosen = import_torch(), states.take(rows)
        batches = chosen.length_sorted_batches(_TEXTS_AT_ONCE)
        made = torch.cat([self._layered.vectors(self._upper, *chosen.batch(batch)) for batch in batches])
        return made[torch.from_numpy(np.argsort(np.concatenate(batches)))]

    def _trained(self, losses: list[float]) -> TopLayers:
        start = self._start
        weights = {n: tensor.detach().cpu().numpy() for n, tensor in self._upper.state_dict().items()}
        A = self._A.detach().cpu().numpy()
        return TopLayers(start.n_layers, weights, A, start.encoder_digest, tuple(losses))
