"""The project's pipelines.

They are imported by name, not searched for: with `--pipelines=NAME` Kedro's search would load that one alone,
and the check of parameters needs to know what all of them read.
"""

from kedro.pipeline import Pipeline

from larix.pipelines import (
    cluster_matcher,
    disentanglement,
    encoder_tuning,
    ensemble,
    evaluation,
    inference,
    ingestion,
    label_indexing,
    matcher_training,
    memory_tuning,
    ranking,
    refinement,
    reporting,
    tuning,
    vectorization,
)
from larix.pipelines.encoder_use import EncoderUse

LINEAR_STAGES = {
    "ingestion": ingestion,
    "vectorization": vectorization,
    "label_indexing": label_indexing,
    "matcher_training": matcher_training,
    "ranking": ranking,
    "disentanglement": disentanglement,
    "ensemble": ensemble,
    "refinement": refinement,
    "evaluation": evaluation,
    "reporting": reporting,
}

STAGES_WITH_ENCODER = ("vectorization", "refinement", "evaluation")
STAGES_AFTER_ROUNDS = ("refinement", "evaluation")


def register_pipelines() -> dict[str, Pipeline]:
    """Every stage under its own name; `__default__` is all of the linear path.

    `frozen_encoder` is the same path on text features joined with the embedding of an encoder, and
    `xr_transformer` that path after the encoder was fine-tuned. In `x_transformer` the encoder is fine-tuned
    as the matcher.
    """
    pipelines = {name: _stage(name) for name in LINEAR_STAGES}
    linear = dict(pipelines)
    pipelines["__default__"] = sum(linear.values(), Pipeline([]))
    pipelines["frozen_encoder"] = _with_encoder(linear, "frozen")
    pipelines["encoder_tuning"] = encoder_tuning.create_pipeline()
    pipelines["xr_transformer"] = pipelines["encoder_tuning"] + _with_encoder(linear, "tuned")
    pipelines["cluster_matcher"] = cluster_matcher.create_pipeline()
    pipelines["x_transformer"] = _with_cluster_matcher(linear, pipelines["cluster_matcher"])
    pipelines["inference"] = inference.create_pipeline()
    pipelines["tuning"] = linear["ingestion"] + tuning.create_pipeline()
    return pipelines


def _with_encoder(linear: dict[str, Pipeline], use: EncoderUse) -> Pipeline:
    joined = {name: _stage(name, encoder=use) for name in STAGES_WITH_ENCODER}
    return sum((linear | joined).values(), memory_tuning.create_pipeline(encoder=use))


def _with_cluster_matcher(linear: dict[str, Pipeline], matcher: Pipeline) -> Pipeline:
    """The cluster matcher in the place of label indexing and matcher training, with a ranking of its own."""
    rest = {name: linear[name] for name in linear if name not in ("label_indexing", "matcher_training")}
    path = matcher + _with_encoder(rest, "matcher")
    return Pipeline(path, parameters={"params:ranking": "params:x_transformer_ranking"})


def _stage(name: str, **options: EncoderUse) -> Pipeline:
    """A stage's pipeline; after the rounds of disentanglement it reads what the last of them made."""
    pipeline: Pipeline = LINEAR_STAGES[name].create_pipeline(**options)
    if name not in STAGES_AFTER_ROUNDS:
        return pipeline
    last = disentanglement.last_round()
    return Pipeline(pipeline, inputs={read: last[read] for read in last if read in pipeline.inputs()})
