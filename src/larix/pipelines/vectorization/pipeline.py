"""Vectorization: corpus -> text_features, instances and labels of both parts."""

from kedro.pipeline import Pipeline, node

from larix.pipelines.vectorization.nodes import extract_labels, fit_features, vectorize_test


def create_pipeline() -> Pipeline:
    """Nodes that make matrices."""
    return Pipeline(
        [
            node(
                fit_features,
                ["corpus", "params:vectorization", "params:n_threads"],
                ["text_features", "train_instances"],
                name="fit_text_features",
            ),
            node(
                vectorize_test, ["text_features", "corpus"], "test_instances", name="vectorize_test_documents"
            ),
            node(extract_labels, "corpus", ["train_labels", "test_labels"], name="extract_labels"),
        ],
        namespace="vectorization",
        prefix_datasets_with_namespace=False,
        tags="vectorization",
    )
