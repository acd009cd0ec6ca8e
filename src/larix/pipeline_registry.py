"""The project's pipelines.

They are imported by name, not searched for: with `--pipelines=NAME` Kedro's search would load that one alone,
and the check of parameters needs to know what all of them read.
"""

from kedro.pipeline import Pipeline

from larix.pipelines import (
    ensemble,
    evaluation,
    inference,
    ingestion,
    label_indexing,
    matcher_training,
    ranking,
    refinement,
    reporting,
    vectorization,
)

LINEAR_STAGES = {
    "ingestion": ingestion,
    "vectorization": vectorization,
    "label_indexing": label_indexing,
    "matcher_training": matcher_training,
    "ranking": ranking,
    "ensemble": ensemble,
    "refinement": refinement,
    "evaluation": evaluation,
    "reporting": reporting,
}

EMBEDDING_STAGES = ("vectorization", "refinement", "evaluation")  # where an encoder takes part


def register_pipelines() -> dict[str, Pipeline]:
    """Every stage under its own name; `__default__` is all of the linear path.

    `frozen_encoder` is the same path on text features joined with the embedding of an encoder.
    """
    pipelines = {name: stage.create_pipeline() for name, stage in LINEAR_STAGES.items()}
    with_embedding = {
        name: stage.create_pipeline(embedding=True)
        for name, stage in LINEAR_STAGES.items()
        if name in EMBEDDING_STAGES
    }
    frozen = {**pipelines, **with_embedding}
    pipelines["__default__"] = sum(pipelines.values(), Pipeline([]))
    pipelines["frozen_encoder"] = sum(frozen.values(), Pipeline([]))
    pipelines["inference"] = inference.create_pipeline()
    return pipelines
