"""Which memory stands beside the tree: of sparse features, or of embeddings under a trained map."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from larix.pipelines.refinement.params import RefinementParams
from larix.pipelines.stage_params import StageParams
from larix.xmc.choice import check_choice
from larix.xmc.document_memory import DocumentMemory, MemoryParams, NeighbourIndex, compare_blends
from larix.xmc.embedding_index import EmbeddingIndex, SearchKind, embeddings_of
from larix.xmc.matrix import join_columns, unit_rows
from larix.xmc.sparse import CSR, check_csr
from larix.xmc.transformer.contrastive import ContrastiveParams, learn_projection
from larix.xmc.transformer.top_layer_training import TopLayerParams

logger = logging.getLogger(__name__)

MakeIndex = Callable[[CSR, CSR], NeighbourIndex]


@dataclass(frozen=True)
class EmbeddingMemoryParams(StageParams):
    """The memory of embeddings, in the place of `refinement.memory`.

    Parameters
    ----------
    votes : MemoryParams or None
        `max_df` has no meaning here; None leaves the memory out.
    weights, temperatures : tuple of float
        Weight and temperature of the votes are chosen among these, by nDCG@10 of held-out documents, if there
        are such; with none of them they are those of `votes`.
    contrastive : ContrastiveParams or None
        Map embeddings so that documents lie near the names of their labels; None leaves them.
    top_layers : TopLayerParams
        With `n_layers` above 0, tune as many layers of the encoder too, from that map on. The encoder must be
        one whose layers can be split, as those of BERT, MiniLM, RoBERTa and MPNet.
    search : {"exact", "approximate", "auto"}
        How neighbours are found; `auto` is approximate from 100,000 documents on, if faiss is installed.
    """

    votes: MemoryParams | None = field(default_factory=lambda: MemoryParams(temperature=0.05, weight=0.3))
    weights: tuple[float, ...] = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6)
    temperatures: tuple[float, ...] = (0.03, 0.05, 0.1)
    contrastive: ContrastiveParams | None = field(default_factory=ContrastiveParams)
    top_layers: TopLayerParams = field(default_factory=TopLayerParams)
    search: SearchKind = "auto"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choice("search", self.search, get_args(SearchKind))
        if self.top_layers.n_layers and self.contrastive is None:
            raise ValueError("top_layers are tuned from a map on, but contrastive is null; give it, or {}")

    @property
    def tunes_layers(self) -> bool:
        """Whether layers of the encoder are tuned."""
        return self.votes is not None and self.top_layers.n_layers > 0


@dataclass(frozen=True)
class MemoryPlan:
    """How a memory is made, and which votes are tried.

    Parameters
    ----------
    votes : MemoryParams or None
        None leaves the memory out.
    weights, temperatures : tuple of float
    make_index : callable
        From instances and labels; None leaves it to the memory.
    """

    votes: MemoryParams | None
    weights: tuple[float, ...]
    temperatures: tuple[float, ...]
    make_index: MakeIndex | None = None

    @property
    def is_open(self) -> bool:
        """Whether votes are to be chosen."""
        return self.votes is not None and bool(self.weights and self.temperatures)

    def remember(
        self, X: CSR, Y: CSR, names: list[str] | None = None, *, n_threads: int | None = None
    ) -> DocumentMemory | None:
        """The memory of documents."""
        if self.votes is None:
            return None
        index = self.make_index and self.make_index(X, Y)
        return DocumentMemory(self.votes, n_threads=n_threads).fit(X, Y, names, index=index)

    def choose(self, memory: DocumentMemory, P: CSR, X: CSR, Y: CSR) -> dict[str, Any]:
        """The best votes on held-out documents with scores P, and all that were tried."""
        tried = compare_blends(
            memory, P, X, Y, ks=[memory.params.k], weights=self.weights, temperatures=self.temperatures
        )
        rows = [
            {"weight": blend.params.weight, "temperature": blend.params.temperature, "nDCG@10": blend.quality}
            for blend in tried
        ]
        logger.info(
            "votes count %.0f %% at temperature %g: nDCG@10 %.2f %% of held-out documents",
            100 * rows[0]["weight"], rows[0]["temperature"], 100 * rows[0]["nDCG@10"],
        )  # fmt: skip
        return {"weight": rows[0]["weight"], "temperature": rows[0]["temperature"], "tried": rows}

    def chosen(self, choice: dict[str, Any]) -> "MemoryPlan":
        """The plan with the votes that were chosen, if any were."""
        if self.votes is None or not choice:
            return self
        chosen = {name: choice[name] for name in ("weight", "temperature")}
        return replace(self, votes=replace(self.votes, **chosen))


def plan_memory(
    params: RefinementParams,
    embeddings: EmbeddingMemoryParams | None = None,
    label_embeddings: NDArray[np.float32] | None = None,
    random_state: int = 0,
    n_threads: int | None = None,
) -> MemoryPlan:
    """The memory of embeddings, whose names of labels have `label_embeddings`, or that of sparse features."""
    if embeddings is None or label_embeddings is None:
        temperatures = () if params.memory is None else (params.memory.temperature,)
        return MemoryPlan(params.memory, params.memory_weights, temperatures)
    make_index = _indexer(embeddings, label_embeddings, random_state, n_threads)
    return MemoryPlan(embeddings.votes, embeddings.weights, embeddings.temperatures, make_index)


def _indexer(
    params: EmbeddingMemoryParams,
    label_embeddings: NDArray[np.float32],
    random_state: int,
    n_threads: int | None,
) -> MakeIndex:
    dimension = label_embeddings.shape[1]  # as that of the documents' embeddings
    seeded: dict[str, Any] = {"random_state": random_state, "n_threads": n_threads}

    def make_index(X: CSR, Y: CSR) -> EmbeddingIndex:
        A, contrastive = None, params.contrastive
        # The last columns of rows are those of tuned layers, if there are such, and mapped already.
        if contrastive is not None and not params.tunes_layers:
            E = np.asarray(unit_rows(embeddings_of(X, dimension)))
            A = learn_projection(E, Y, label_embeddings, contrastive, **seeded)
        return EmbeddingIndex.of(X, dimension, A, search=params.search, **seeded)

    return make_index


def rows_for_memory(X: CSR, embeddings: NDArray[np.float32] | None) -> CSR:
    """Rows with the embeddings of tuned layers behind their columns, if there are such."""
    if embeddings is None or not embeddings.shape[1]:
        return X
    return check_csr(join_columns([X, embeddings]))
