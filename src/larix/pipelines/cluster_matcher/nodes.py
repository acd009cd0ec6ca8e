"""Cluster labels by embeddings, fine-tune the encoder on the clusters, and make its head the matcher."""

from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from larix.corpora import Corpus
from larix.pipelines.engine_choice import EngineName, Engines
from larix.pipelines.stage_params import StageParams
from larix.pipelines.vectorization.embedding import (
    EmbeddingParams,
    embed_label_texts,
    embed_training_texts,
    fit_joint_features,
)
from larix.pipelines.vectorization.nodes import VectorizationParams
from larix.xmc.beam_search import SearchParams
from larix.xmc.choice import check_choice
from larix.xmc.label_representation import RepresentationParams, represent_labels
from larix.xmc.label_tree import LabelTree
from larix.xmc.linear_stages import LinearMatcher
from larix.xmc.matrix import Matrix
from larix.xmc.sparse import check_csr
from larix.xmc.transformer.joint_features import JointFeatures
from larix.xmc.transformer.level_training import LevelTrainingParams
from larix.xmc.transformer.trainable_encoder import TrainableEncoder
from larix.xmc.transformer.x_transformer import (
    ClusterTuningParams,
    HeadStart,
    cluster_flat,
    fine_tune_on_clusters,
    matcher_of_head,
)

DocumentRows = Literal["embedding", "joint"]


@dataclass(frozen=True)
class XTransformerParams(StageParams):
    """Which clusters the encoder is fine-tuned on, and how.

    Parameters
    ----------
    n_clusters : int
    representation : RepresentationParams
        What clustering sees of a label: embeddings of its text (`label_text`), of its documents (`pifa`), or
        of both (`pifa_lf_concat`).
    documents : {"embedding", "joint"}
        Whether documents are their embeddings there, or joined with text features.
    training : LevelTrainingParams
    trained_layers : int or None
    start : {"linear", "fresh"}
        As in `larix.xmc.transformer.x_transformer.ClusterTuningParams`.
    search : SearchParams
        `beam_size` clusters are kept of a training document when negatives are chosen.
    """

    n_clusters: int = 256
    representation: RepresentationParams = field(
        default_factory=lambda: RepresentationParams(method="pifa_lf_concat")
    )
    documents: DocumentRows = "embedding"
    training: LevelTrainingParams = field(default_factory=LevelTrainingParams)
    trained_layers: int | None = None
    start: HeadStart = "linear"
    search: SearchParams = field(default_factory=SearchParams)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choice("documents", self.documents, get_args(DocumentRows))
        self.tuning()

    def tuning(self) -> ClusterTuningParams:
        """How encoder and head are trained."""
        return ClusterTuningParams(self.training, self.trained_layers, self.start)


def represent_by_embeddings(
    corpus: Corpus,
    embedding_cache: Path,
    vectorization: VectorizationParams,
    embedding: EmbeddingParams,
    params: XTransformerParams,
    engine: EngineName,
    engines: Engines,
    random_state: int,
    n_threads: int | None,
) -> Matrix:
    """Label representation Z by an encoder that is still as it came, L x d."""
    encoding = embedding, n_threads, engine, engines
    if params.documents == "embedding":
        rows = check_csr(embed_training_texts(corpus, embedding_cache, *encoding))
    else:
        _, rows = fit_joint_features(corpus, embedding_cache, vectorization, *encoding)
    texts = embed_label_texts(corpus, embedding_cache, embedding, n_threads)
    return represent_labels(
        rows, corpus.train.labels, params.representation, label_features=texts,
        random_state=random_state, n_threads=n_threads,
    )  # fmt: skip


def cluster(
    label_representation: Matrix,
    corpus: Corpus,
    params: XTransformerParams,
    random_state: int,
    n_threads: int | None,
) -> LabelTree:
    """Cut the labels that have a training document into clusters."""
    seen = np.unique(corpus.train.labels.indices)
    return cluster_flat(
        label_representation, params.n_clusters, labels=seen, random_state=random_state, n_threads=n_threads
    )


def fine_tune(
    corpus: Corpus,
    label_tree: LabelTree,
    embedding_cache: Path,
    tuning_checkpoints: Path,
    embedding: EmbeddingParams,
    params: XTransformerParams,
    engine: EngineName,
    engines: Engines,
    random_state: int,
    n_threads: int | None,
) -> tuple[TrainableEncoder, NDArray[np.float32], dict[str, Any]]:
    """The fine-tuned encoder, its head (K x (d + 1), biases last), and the losses of all steps."""
    train = corpus.train
    tune = partial(
        fine_tune_on_clusters, texts=train.texts, Y=train.labels, tree=label_tree, params=params.tuning()
    )
    tuned = engines.chosen(engine, tuning_checkpoints).fine_tune(
        embedding.encoder, tune, cache_folder=embedding_cache, random_state=random_state, n_threads=n_threads
    )
    head = tuned.heads[0].to_arrays()
    return tuned.encoder, np.column_stack([head["weight"], head["bias"]]), {"losses": tuned.losses}


def match_by_head(
    cluster_head: NDArray[np.float32],
    label_tree: LabelTree,
    text_features: JointFeatures,
    params: XTransformerParams,
    random_state: int,
    n_threads: int | None,
) -> LinearMatcher:
    """The head as a linear level over text features and embedding."""
    return matcher_of_head(
        {"weight": cluster_head[:, :-1], "bias": cluster_head[:, -1]},
        label_tree,
        text_features.n_features_,
        embedding_weight=text_features.weight,
        search=params.search,
        random_state=random_state,
        n_threads=n_threads,
    )
