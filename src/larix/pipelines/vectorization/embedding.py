"""Join the embedding of a frozen encoder to the rows of documents, and embed the texts of labels."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from larix.corpora import Corpus
from larix.pipelines.engine_choice import PRESETS, EngineName, Engines
from larix.pipelines.stage_params import StageParams
from larix.pipelines.vectorization.nodes import VectorizationParams
from larix.xmc.sparse import CSR
from larix.xmc.text_features import TextFeatures, TextFeaturesParams
from larix.xmc.transformer.encoder_files import EncoderFiles
from larix.xmc.transformer.encoder_params import EncoderParams
from larix.xmc.transformer.joint_features import JointFeatures


@dataclass(frozen=True)
class EmbeddingParams(StageParams):
    """The embedding beside TF-IDF.

    Parameters
    ----------
    encoder : EncoderParams
    weight : float
        Of the embedding; that of TF-IDF is 1.
    carries_encoder : bool
        Whether the classifier's folder holds a copy of the encoder, or only its place and digest.
    """

    encoder: EncoderParams
    weight: float = 1.0
    carries_encoder: bool = True

    def join(
        self, text_features: TextFeatures, cache: Path, n_threads: int | None, tuned: EncoderFiles | None
    ) -> JointFeatures:
        """Text features with the embedding of the encoder, or of the one `tuned` in its place."""
        encoder = self.encoder.encoder(tuned=tuned, cache_folder=cache, n_threads=n_threads)
        return JointFeatures(text_features, encoder, weight=self.weight, carries_encoder=self.carries_encoder)


def fit_joint_features(
    corpus: Corpus,
    embedding_cache: Path,
    params: VectorizationParams,
    embedding: EmbeddingParams,
    n_threads: int | None,
    engine: EngineName = "local",
    engines: Engines = PRESETS,
    tuned_encoder: EncoderFiles | None = None,
) -> tuple[JointFeatures, CSR]:
    """Vectorizer learnt from the training documents, encoder, and the documents' rows."""
    texts = _training_texts(corpus)
    text_features = TextFeatures(TextFeaturesParams(params.word, params.char), n_threads=n_threads)
    features = embedding.join(text_features, embedding_cache, n_threads, tuned_encoder)
    engines.chosen(engine, embedding_cache).start().encode(features.encoder, texts)
    return features, features.fit_transform(texts)


def embed_training_texts(
    corpus: Corpus,
    embedding_cache: Path,
    embedding: EmbeddingParams,
    n_threads: int | None,
    engine: EngineName = "local",
    engines: Engines = PRESETS,
) -> NDArray[np.float32]:
    """What the encoder alone makes of the training documents, N x d."""
    texts = _training_texts(corpus)
    encoder = embedding.encoder.encoder(cache_folder=embedding_cache, n_threads=n_threads)
    engines.chosen(engine, embedding_cache).start().encode(encoder, texts)
    return encoder.embed(texts)


def _training_texts(corpus: Corpus) -> list[str]:
    if corpus.train.texts is None:
        raise ValueError(
            f"an encoder needs texts, but {corpus.name} gives features; leave the encoder out (kedro run)"
        )
    return corpus.train.texts


def vectorize_joint_test(
    text_features: JointFeatures,
    corpus: Corpus,
    embedding_cache: Path,
    embedding: EmbeddingParams,
    n_threads: int | None,
    engine: EngineName = "local",
    engines: Engines = PRESETS,
    tuned_encoder: EncoderFiles | None = None,
) -> CSR:
    """Rows of the test documents."""
    features = embedding.join(text_features.text_features, embedding_cache, n_threads, tuned_encoder)
    engines.chosen(engine, embedding_cache).start().encode(features.encoder, corpus.test.texts)
    return features.transform(corpus.test.texts)


def embed_label_texts(
    corpus: Corpus,
    embedding_cache: Path,
    embedding: EmbeddingParams,
    n_threads: int | None,
    tuned_encoder: EncoderFiles | None = None,
) -> NDArray[np.float32]:
    """Embeddings of the labels' texts, or else of their names, L x d; zero where there is neither."""
    encoder = embedding.encoder.encoder(
        tuned=tuned_encoder, cache_folder=embedding_cache, n_threads=n_threads
    )
    texts = np.array(corpus.label_descriptions, object)
    told = texts != ""
    vectors = np.zeros((len(texts), encoder.dimension), np.float32)
    vectors[told] = encoder.embed(texts[told].tolist())
    return vectors
