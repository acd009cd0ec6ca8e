"""Cluster matcher: corpus -> label_tree -> tuned_encoder, cluster_head -> matcher.

X-Transformer (Chang et al., KDD 2020): in the place of label indexing and matcher training. Between the two,
the vectorization with the tuned encoder tells where in a row the embedding is.
"""

from kedro.pipeline import Pipeline, node

from larix.pipelines.cluster_matcher.nodes import cluster, fine_tune, match_by_head, represent_by_embeddings
from larix.pipelines.label_indexing.nodes import assess_tree


def create_pipeline() -> Pipeline:
    """Nodes that cluster labels, fine-tune, and make a matcher of the head."""
    return _clusters_and_encoder() + _matcher()


def _clusters_and_encoder() -> Pipeline:
    return Pipeline(
        [
            node(
                represent_by_embeddings,
                [
                    "corpus",
                    "embedding_cache",
                    "params:vectorization",
                    "params:embedding",
                    "params:x_transformer",
                    "params:engine",
                    "params:engines",
                    "params:random_state",
                    "params:n_threads",
                ],
                "label_representation",
                name="represent_labels",
            ),
            node(
                cluster,
                [
                    "label_representation",
                    "corpus",
                    "params:x_transformer",
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
            node(
                fine_tune,
                [
                    "corpus",
                    "label_tree",
                    "embedding_cache",
                    "tuning_checkpoints",
                    "params:embedding",
                    "params:x_transformer",
                    "params:engine",
                    "params:engines",
                    "params:random_state",
                    "params:n_threads",
                ],
                ["tuned_encoder", "cluster_head", "tuning_losses"],
                name="fine_tune_encoder",
            ),
        ],
        namespace="cluster_matcher",
        prefix_datasets_with_namespace=False,
        tags="cluster_matcher",
    )


def _matcher() -> Pipeline:
    return Pipeline(
        [
            node(
                match_by_head,
                [
                    "cluster_head",
                    "label_tree",
                    "text_features",
                    "params:x_transformer",
                    "params:random_state",
                    "params:n_threads",
                ],
                "matcher",
                name="match_by_head",
            ),
        ],
        namespace="matcher_training",
        prefix_datasets_with_namespace=False,
        tags="matcher_training",
    )
