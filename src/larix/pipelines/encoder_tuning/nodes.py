"""Grow a preliminary tree, and fine-tune the encoder down its levels."""

from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from larix.corpora import Corpus
from larix.pipelines.engine_choice import EngineName, Engines
from larix.pipelines.label_indexing.nodes import LabelIndexingParams
from larix.pipelines.stage_params import StageParams
from larix.pipelines.vectorization.embedding import EmbeddingParams
from larix.pipelines.vectorization.nodes import VectorizationParams, fit_features
from larix.xmc.clustering import ClusteringParams, cluster_labels
from larix.xmc.label_representation import represent_labels
from larix.xmc.label_tree import LabelTree
from larix.xmc.transformer.trainable_encoder import TrainableEncoder
from larix.xmc.transformer.xr_transformer import XRTransformerParams, fine_tune_levels


@dataclass(frozen=True)
class EncoderTuningParams(StageParams, XRTransformerParams):
    """The preliminary tree, and how the encoder is fine-tuned on it.

    Parameters
    ----------
    clustering : ClusteringParams
        Of the preliminary tree; labels are represented as in `label_indexing`, on text features alone.
    training, max_clusters, ...
        As in `larix.xmc.transformer.xr_transformer.XRTransformerParams`.
    """

    clustering: ClusteringParams = field(default_factory=ClusteringParams)

    def __post_init__(self) -> None:
        StageParams.__post_init__(self)
        XRTransformerParams.__post_init__(self)


def grow_preliminary_tree(
    corpus: Corpus,
    vectorization: VectorizationParams,
    label_indexing: LabelIndexingParams,
    params: EncoderTuningParams,
    random_state: int,
    n_threads: int | None,
) -> LabelTree:
    """Cluster the labels by text features alone, since there are no tuned embeddings yet."""
    _, X = fit_features(corpus, vectorization, n_threads)
    Y = corpus.train.labels
    Z = represent_labels(X, Y, label_indexing.representation, random_state=random_state, n_threads=n_threads)
    seen = np.unique(Y.indices)
    return cluster_labels(Z, params.clustering, labels=seen, random_state=random_state, n_threads=n_threads)


def fine_tune_encoder(
    corpus: Corpus,
    preliminary_tree: LabelTree,
    embedding_cache: Path,
    tuning_checkpoints: Path,
    embedding: EmbeddingParams,
    params: EncoderTuningParams,
    engine: EngineName,
    engines: Engines,
    random_state: int,
    n_threads: int | None,
) -> tuple[TrainableEncoder, dict[str, Any]]:
    """The encoder, fine-tuned level by level, and the losses of all steps."""
    if corpus.train.texts is None:
        raise ValueError(f"an encoder needs texts, but {corpus.name} gives features; run kedro run instead")
    train = corpus.train
    tune = partial(fine_tune_levels, texts=train.texts, Y=train.labels, tree=preliminary_tree, params=params)
    tuned = engines.chosen(engine, tuning_checkpoints).fine_tune(
        embedding.encoder, tune, cache_folder=embedding_cache, random_state=random_state, n_threads=n_threads
    )
    return tuned.encoder, {"losses": tuned.losses}
