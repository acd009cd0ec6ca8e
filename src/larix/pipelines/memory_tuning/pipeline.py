"""Memory tuning: corpus -> memory_layers -> train_memory_embeddings, test_memory_embeddings.

It comes before vectorization, since its one pass through the encoder gives the embeddings for that too.
"""

from kedro.pipeline import Pipeline, node

from larix.pipelines.encoder_use import EncoderUse
from larix.pipelines.memory_tuning.nodes import embed_for_memory, tune_memory_layers


def create_pipeline(*, encoder: EncoderUse = "frozen") -> Pipeline:
    """Nodes that tune layers and embed."""
    tuned = [] if encoder == "frozen" else ["tuned_encoder"]
    return Pipeline(
        [
            node(
                tune_memory_layers,
                [
                    "corpus",
                    "embedding_cache",
                    "params:embedding",
                    "params:embedding_memory",
                    "params:refinement",
                    "params:random_state",
                    "params:n_threads",
                    *tuned,
                ],
                "memory_layers",
                name="tune_memory_layers",
            ),
            node(
                embed_for_memory,
                [
                    "corpus",
                    "memory_layers",
                    "embedding_cache",
                    "params:embedding",
                    "params:n_threads",
                    *tuned,
                ],
                ["train_memory_embeddings", "test_memory_embeddings"],
                name="embed_for_memory",
            ),
        ],
        namespace="memory_tuning",
        prefix_datasets_with_namespace=False,
        tags="memory_tuning",
    )
