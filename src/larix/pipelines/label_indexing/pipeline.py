"""Label indexing: train_instances, train_labels -> label_representation -> label_tree."""

from kedro.pipeline import Pipeline, node

from larix.pipelines.label_indexing.nodes import grow_tree, represent


def create_pipeline() -> Pipeline:
    """Nodes that build the label tree."""
    return Pipeline(
        [
            node(
                represent,
                ["train_instances", "train_labels", "params:label_indexing"],
                "label_representation",
                name="represent_labels",
            ),
            node(
                grow_tree,
                [
                    "label_representation",
                    "train_labels",
                    "params:label_indexing",
                    "params:random_state",
                    "params:n_threads",
                ],
                "label_tree",
                name="cluster_labels",
            ),
        ],
        namespace="label_indexing",
        prefix_datasets_with_namespace=False,
        tags="label_indexing",
    )
