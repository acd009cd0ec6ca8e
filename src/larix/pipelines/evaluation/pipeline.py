"""Evaluation: models, refinement, test documents -> predictions -> metrics; and the classifier.

How the tree is searched is `params:search`, its beam narrowed where labels live in several clusters.
"""

from kedro.pipeline import Pipeline, node

from larix.pipelines.encoder_use import EncoderUse
from larix.pipelines.evaluation.nodes import (
    ENCODER_STAGES,
    TRAINING_STAGES,
    follow_paths,
    measure,
    pack_classifier,
    predict,
    write_card,
)


def create_pipeline(*, encoder: EncoderUse | None = None) -> Pipeline:
    """Nodes that predict, measure and pack; the card tells the parameters of an encoder too."""
    stages = {stage: f"params:{stage}" for stage in TRAINING_STAGES + ENCODER_STAGES[encoder]}
    return Pipeline(
        [
            node(
                predict,
                [
                    "matcher",
                    "ranker",
                    "ensemble_members",
                    "refinement",
                    "test_instances",
                    "search_settings",
                    "params:evaluation",
                    *(["test_memory_embeddings"] if encoder else []),
                ],
                "predictions",
                name="predict_test_documents",
            ),
            node(
                measure,
                ["predictions", "test_labels", "train_labels", "params:evaluation"],
                "metrics",
                name="measure_predictions",
            ),
            node(
                follow_paths,
                ["matcher", "ranker", "test_instances", "test_labels", "search_settings"],
                "path_recall",
                name="follow_paths",
            ),
            node(
                write_card,
                {"corpus_summary": "corpus_summary", "metrics": "metrics", **stages},
                "model_card",
                name="write_model_card",
            ),
            node(
                pack_classifier,
                [
                    "text_features",
                    "matcher",
                    "ranker",
                    "ensemble_members",
                    "refinement",
                    "corpus",
                    "model_card",
                    "search_settings",
                    *(["memory_layers"] if encoder else []),
                ],
                "classifier",
                name="pack_classifier",
            ),
        ],
        namespace="evaluation",
        prefix_datasets_with_namespace=False,
        tags="evaluation",
    )
