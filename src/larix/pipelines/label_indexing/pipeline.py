"""Label indexing: train_instances, train_labels, label texts -> label_representation -> label_tree."""

from kedro.pipeline import Pipeline, node

from larix.pipelines.label_indexing.nodes import assess_tree, embed_texts, grow_tree, represent


def create_pipeline() -> Pipeline:
    """Nodes that build the label tree."""
    return Pipeline(
        [
            node(
                embed_texts,
                ["corpus", "text_features", "params:label_indexing", "params:n_threads"],
                "label_features",
                name="embed_label_texts",
            ),
            node(
                represent,
                [
                    "train_instances",
                    "train_labels",
                    "label_features",
                    "params:label_indexing",
                    "params:random_state",
                    "params:n_threads",
                ],
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
            node(
                assess_tree,
                ["label_tree", "label_representation"],
                "tree_quality",
                name="assess_label_tree",
            ),
        ],
        namespace="label_indexing",
        prefix_datasets_with_namespace=False,
        tags="label_indexing",
    )
