"""Vectorization: corpus -> text_features, instances and labels of both parts."""

from kedro.pipeline import Pipeline, node
from kedro.pipeline.node import Node

from larix.pipelines.encoder_use import EncoderUse
from larix.pipelines.vectorization.embedding import (
    embed_label_texts,
    fit_joint_features,
    vectorize_joint_test,
)
from larix.pipelines.vectorization.nodes import extract_labels, extract_rejected, fit_features, vectorize_test


def create_pipeline(*, encoder: EncoderUse | None = None) -> Pipeline:
    """Nodes that make matrices; with an encoder, of text features joined with its embedding."""
    labels = node(extract_labels, "corpus", ["train_labels", "test_labels"], name="extract_labels")
    rejected = node(extract_rejected, "corpus", "train_rejected", name="extract_rejected_labels")
    return Pipeline(
        [*(_joint_rows(encoder) if encoder else _rows()), labels, rejected],
        namespace="vectorization",
        prefix_datasets_with_namespace=False,
        tags="vectorization",
    )


def _rows() -> list[Node]:
    return [
        node(
            fit_features,
            ["corpus", "params:vectorization", "params:n_threads"],
            ["text_features", "train_instances"],
            name="fit_text_features",
        ),
        node(vectorize_test, ["text_features", "corpus"], "test_instances", name="vectorize_test_documents"),
    ]


def _joint_rows(encoder: EncoderUse) -> list[Node]:
    tuned = [] if encoder == "frozen" else ["tuned_encoder"]
    shared = ["params:embedding", "params:n_threads"]
    workers = ["params:engine", "params:engines"]
    return [
        node(
            fit_joint_features,
            ["corpus", "embedding_cache", "params:vectorization", *shared, *workers, *tuned],
            ["text_features", "train_instances"],
            name="fit_text_features",
        ),
        node(
            vectorize_joint_test,
            ["text_features", "corpus", "embedding_cache", *shared, *workers, *tuned],
            "test_instances",
            name="vectorize_test_documents",
        ),
        node(
            embed_label_texts,
            ["corpus", "embedding_cache", *shared, *tuned],
            "label_embeddings",
            name="embed_label_texts",
        ),
    ]
