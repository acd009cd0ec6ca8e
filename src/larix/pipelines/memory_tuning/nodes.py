"""Tune an encoder's top layers for the memory, and embed documents with them."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from larix.corpora import Corpus
from larix.pipelines.refinement.held_out import held_out_documents
from larix.pipelines.refinement.memory import EmbeddingMemoryParams
from larix.pipelines.refinement.params import RefinementParams
from larix.pipelines.vectorization.embedding import EmbeddingParams
from larix.xmc.transformer.encoder_files import EncoderFiles
from larix.xmc.transformer.layered_encoder import LayeredEncoder
from larix.xmc.transformer.top_layer_training import tune_top_layers
from larix.xmc.transformer.top_layers import TopLayers


def tune_memory_layers(
    corpus: Corpus,
    embedding_cache: Path,
    embedding: EmbeddingParams,
    params: EmbeddingMemoryParams,
    refinement: RefinementParams,
    random_state: int,
    n_threads: int | None,
    tuned_encoder: EncoderFiles | None = None,
) -> TopLayers:
    """The encoder's top layers, tuned on documents that are not held out; none if none are wished."""
    if corpus.train.texts is None or not params.tunes_layers:
        return TopLayers.none()
    encoder = embedding.encoder.encoder(
        tuned=tuned_encoder, cache_folder=embedding_cache, n_threads=n_threads
    )
    Y = corpus.train.labels
    seen = np.ones(Y.shape[0], np.bool_)
    if refinement.learns_from_held_out:
        seen = ~held_out_documents(Y, refinement, random_state)
    texts = [text for text, is_seen in zip(corpus.train.texts, seen, strict=True) if is_seen]
    return tune_top_layers(
        encoder, texts, Y[seen], corpus.label_descriptions, params.top_layers, params.contrastive,
        random_state=random_state, n_threads=n_threads,
    )  # fmt: skip


def embed_for_memory(
    corpus: Corpus,
    memory_layers: TopLayers,
    embedding_cache: Path,
    embedding: EmbeddingParams,
    n_threads: int | None,
    tuned_encoder: EncoderFiles | None = None,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """What the tuned layers give for the training and the test documents; no columns without such layers."""
    parts = (corpus.train, corpus.test)
    if not memory_layers.n_layers:
        train, test = (np.zeros((part.labels.shape[0], 0), np.float32) for part in parts)
        return train, test
    encoder = embedding.encoder.encoder(
        tuned=tuned_encoder, cache_folder=embedding_cache, n_threads=n_threads
    )
    layered = LayeredEncoder(encoder, memory_layers.n_layers, memory_layers)
    train, test = (layered.embed(part.texts)[1] for part in parts)
    return train, test
