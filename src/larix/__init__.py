"""Extreme multi-label classification, from raw text to a deployable classifier.

`import larix` is light: public names are imported when first used, and none of Kedro, torch, Ray,
Optuna or pandas is needed for the estimators.
"""

from importlib import import_module

__version__ = "0.1.0"

_HOMES = {
    "ClusteringParams": "larix.xmc.clustering",
    "ConformalThreshold": "larix.xmc.conformal",
    "Corpus": "larix.corpora.corpus",
    "DisentanglementParams": "larix.xmc.disentanglement",
    "DocumentMemory": "larix.xmc.document_memory",
    "EmbeddingIndex": "larix.xmc.embedding_index",
    "Ensemble": "larix.xmc.ensemble",
    "IsotonicCalibrator": "larix.xmc.calibration",
    "JointFeatures": "larix.xmc.transformer.joint_features",
    "LabelTree": "larix.xmc.label_tree",
    "LinearMatcher": "larix.xmc.linear_stages",
    "LinearRanker": "larix.xmc.linear_stages",
    "Reassignment": "larix.xmc.disentanglement",
    "Refinement": "larix.xmc.refinement",
    "RelevanceParams": "larix.xmc.relevance",
    "SearchParams": "larix.xmc.beam_search",
    "SentenceEncoder": "larix.xmc.transformer.encoder",
    "SolverParams": "larix.xmc.linear_solver",
    "Suggester": "larix.serving.suggester",
    "SuggesterEnsemble": "larix.serving.suggester_ensemble",
    "TextFeatures": "larix.xmc.text_features",
    "XRLinear": "larix.xmc.xr_linear",
    "add_labels": "larix.xmc.label_addition",
    "cluster_labels": "larix.xmc.clustering",
    "combine_predictions": "larix.xmc.ensemble",
    "disentangle": "larix.xmc.disentangled_training",
    "evaluate": "larix.xmc.metrics",
    "explain": "larix.xmc.explanation",
    "inner_products": "larix.xmc.search_cost",
    "load": "larix.serving.suggester",
    "paired_bootstrap": "larix.xmc.paired_bootstrap",
    "random_copies": "larix.xmc.random_copies",
    "reassign_labels": "larix.xmc.disentanglement",
    "represent_labels": "larix.xmc.label_representation",
    "sense_recall": "larix.xmc.sense_recall",
    "sense_separation": "larix.xmc.sense_separation",
    "widest_beam": "larix.xmc.search_cost",
}

__all__ = ["__version__", *_HOMES]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'larix' has no attribute {name!r}; it has {', '.join(_HOMES)}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
