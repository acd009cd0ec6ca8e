"""Ranking: matcher, train_instances, train_labels, label_tree -> ranker -> xr_linear.

How the tree is searched (`params:search`) takes part in the last node only: another beam needs no training.
"""

from kedro.pipeline import Pipeline, node

from larix.pipelines.ranking.nodes import join_stages, score_train_clusters, train_ranker


def create_pipeline() -> Pipeline:
    """Nodes that train the ranker and compose the model."""
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
                ],
                "ranker",
                name="train_ranker",
            ),
            node(join_stages, ["matcher", "ranker", "params:search"], "xr_linear", name="join_stages"),
        ],
        tags="ranking",
    )
