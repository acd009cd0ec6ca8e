"""Inference: classifier -> suggestions."""

from kedro.pipeline import Pipeline, node

from larix.pipelines.inference.nodes import suggest


def create_pipeline() -> Pipeline:
    """The node that suggests."""
    return Pipeline(
        [
            node(
                suggest,
                ["classifier", "params:inference"],
                "suggestions",
                name="suggest_labels",
            )
        ],
        namespace="inference",
        prefix_datasets_with_namespace=False,
        tags="inference",
    )
