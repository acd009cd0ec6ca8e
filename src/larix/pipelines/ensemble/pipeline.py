"""Ensemble: training documents, label_indexing's and training's parameters -> ensemble_members."""

from kedro.pipeline import Pipeline, node

from larix.pipelines.ensemble.nodes import train_members


def create_pipeline() -> Pipeline:
    """The node that trains further trees."""
    return Pipeline(
        [
            node(
                train_members,
                [
                    "corpus",
                    "text_features",
                    "train_instances",
                    "train_labels",
                    "params:ensemble",
                    "params:label_indexing",
                    "params:matcher_training",
                    "params:ranking",
                    "params:random_state",
                    "params:n_threads",
                    "train_rejected",
                ],
                "ensemble_members",
                name="train_members",
            ),
        ],
        namespace="ensemble",
        prefix_datasets_with_namespace=False,
        tags="ensemble",
    )
