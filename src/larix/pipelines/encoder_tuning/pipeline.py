"""Encoder tuning: corpus -> preliminary_tree -> tuned_encoder.

XR-Transformer (Zhang et al., NeurIPS 2021): what follows is the path with a frozen encoder, on this one, and
with a tree that is grown anew from text features and tuned embeddings.
"""

from kedro.pipeline import Pipeline, node

from larix.pipelines.encoder_tuning.nodes import fine_tune_encoder, grow_preliminary_tree


def create_pipeline() -> Pipeline:
    """Nodes that grow the preliminary tree and fine-tune."""
    return Pipeline(
        [
            node(
                grow_preliminary_tree,
                [
                    "corpus",
                    "params:vectorization",
                    "params:label_indexing",
                    "params:encoder_tuning",
                    "params:random_state",
                    "params:n_threads",
                ],
                "preliminary_tree",
                name="grow_preliminary_tree",
            ),
            node(
                fine_tune_encoder,
                [
                    "corpus",
                    "preliminary_tree",
                    "embedding_cache",
                    "tuning_checkpoints",
                    "params:embedding",
                    "params:encoder_tuning",
                    "params:engine",
                    "params:engines",
                    "params:random_state",
                    "params:n_threads",
                ],
                ["tuned_encoder", "tuning_losses"],
                name="fine_tune_encoder",
            ),
        ],
        namespace="encoder_tuning",
        prefix_datasets_with_namespace=False,
        tags="encoder_tuning",
    )
