"""Ranking: matcher, train_instances, train_labels, train_rejected, label_tree -> ranker."""

from kedro.pipeline import Pipeline, node

from larix.pipelines.ranking.nodes import score_train_clusters, train_ranker


def create_pipeline() -> Pipeline:
    """Nodes that train the ranker."""
    return Pipeline(
        [
            node(
                score_train_clusters,
                ["matcher", "train_instances", "label_tree", "params:ranking"],
                "train_cluster_scores",
                name="score_train_clusters",
            ),
            node(
                train_ranker,
                [
                    "train_instances",
                    "train_labels",
                    "label_tree",
                    "train_cluster_scores",
                    "params:ranking",
                    "params:random_state",
                    "params:n_threads",
                    "train_rejected",
                ],
                "ranker",
                name="train_ranker",
            ),
        ],
        namespace="ranking",
        prefix_datasets_with_namespace=False,
        tags="ranking",
    )
