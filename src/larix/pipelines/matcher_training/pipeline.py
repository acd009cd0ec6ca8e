"""Matcher training: train_instances, train_labels, train_rejected, label_tree -> matcher."""

from kedro.pipeline import Pipeline, node

from larix.pipelines.matcher_training.nodes import train_matcher


def create_pipeline() -> Pipeline:
    """The node that trains the matcher."""
    return Pipeline(
        [
            node(
                train_matcher,
                [
                    "train_instances",
                    "train_labels",
                    "label_tree",
                    "params:matcher_training",
                    "params:random_state",
                    "params:n_threads",
                    "train_rejected",
                ],
                "matcher",
                name="train_matcher",
            ),
        ],
        namespace="matcher_training",
        prefix_datasets_with_namespace=False,
        tags="matcher_training",
    )
