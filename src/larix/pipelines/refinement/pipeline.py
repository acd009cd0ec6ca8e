"""Refinement: training documents, trees -> held_out_scores, memory_choice -> refinement.

What is learnt about scores must be learnt from documents that the model does not know: `held_out_model` was
trained without a share of the training documents, on the same tree. Test documents play no part.
"""

from kedro.pipeline import Pipeline, node

from larix.pipelines.encoder_use import EncoderUse
from larix.pipelines.refinement.nodes import learn_refinement, predict_held_out


def create_pipeline(*, encoder: EncoderUse | None = None) -> Pipeline:
    """Nodes that hold out, predict and learn; with an encoder, the memory is one of embeddings."""
    memory = ["params:embedding_memory", "label_embeddings", "train_memory_embeddings"] if encoder else []
    return Pipeline(
        [
            node(
                predict_held_out,
                [
                    "train_instances",
                    "train_labels",
                    "held_out_model",
                    "ensemble_members",
                    "params:matcher_training",
                    "params:ranking",
                    "search_settings",
                    "params:refinement",
                    "params:random_state",
                    "params:n_threads",
                    "train_rejected",
                    *memory,
                ],
                ["held_out_scores", "held_out_labels", "memory_choice"],
                name="predict_held_out",
            ),
            node(
                learn_refinement,
                [
                    "corpus",
                    "train_instances",
                    "train_labels",
                    "held_out_scores",
                    "held_out_labels",
                    "memory_choice",
                    "params:refinement",
                    "params:n_threads",
                    *(memory and [*memory, "params:random_state"]),
                ],
                "refinement",
                name="learn_refinement",
            ),
        ],
        namespace="refinement",
        prefix_datasets_with_namespace=False,
        tags="refinement",
    )
