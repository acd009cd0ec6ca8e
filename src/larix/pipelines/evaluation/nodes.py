"""Predict the test documents, measure the predictions, and pack the classifier."""

import logging
import math
from dataclasses import asdict, dataclass, field, is_dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from larix.corpora import Corpus
from larix.pipelines.encoder_use import EncoderUse
from larix.pipelines.ensemble.nodes import join_trees
from larix.pipelines.refinement.memory import rows_for_memory
from larix.pipelines.stage_params import StageParams
from larix.serving.given_features import GivenFeatures
from larix.serving.model_card import ModelCard
from larix.serving.suggester import Suggester
from larix.xmc.beam_search import SearchParams
from larix.xmc.ensemble import Ensemble
from larix.xmc.label_frequency import LabelFrequencies, PropensityParams
from larix.xmc.linear_stages import LinearMatcher, LinearRanker
from larix.xmc.metrics import evaluate
from larix.xmc.refinement import Refinement
from larix.xmc.sparse import CSR
from larix.xmc.text_features import TextFeatures
from larix.xmc.transformer.joint_features import JointFeatures
from larix.xmc.transformer.top_layers import TopLayers
from larix.xmc.tree_quality import describe_paths, path_recall
from larix.xmc.xr_linear import XRLinear

logger = logging.getLogger(__name__)

TRAINING_STAGES = (
    "ingestion",
    "vectorization",
    "label_indexing",
    "matcher_training",
    "ranking",
    "disentanglement",
    "ensemble",
    "refinement",
    "search",
)
ENCODER_STAGES: dict[EncoderUse | None, tuple[str, ...]] = {
    None: (),
    "frozen": ("embedding", "embedding_memory"),
    "tuned": ("embedding", "embedding_memory", "encoder_tuning"),
    "matcher": ("embedding", "embedding_memory", "x_transformer"),
}


@dataclass(frozen=True)
class EvaluationParams(StageParams):
    """What is measured.

    Parameters
    ----------
    ks : tuple of int
        Cut-offs of P, nDCG, PSP, PSnDCG and coverage.
    recall_ks : tuple of int
        Cut-offs of R.
    propensity : PropensityParams
    """

    ks: tuple[int, ...] = (1, 3, 5)
    recall_ks: tuple[int, ...] = (10,)
    propensity: PropensityParams = field(default_factory=PropensityParams)


def predict(
    matcher: LinearMatcher,
    ranker: LinearRanker,
    ensemble_members: Ensemble,
    refinement: Refinement,
    test_instances: CSR,
    search_settings: dict[str, Any],
    params: EvaluationParams,
    test_memory_embeddings: NDArray[np.float32] | None = None,
) -> CSR:
    """Scores of the best labels of every test document, as many as the largest cut-off asks for."""
    search = SearchParams(**search_settings)
    top_k = max(search.top_k, *params.ks, *params.recall_ks)
    model = _joined(matcher, ranker, ensemble_members, search)
    rows = rows_for_memory(test_instances, test_memory_embeddings)
    return refinement.predict(model, rows, top_k=top_k)


def _joined(
    matcher: LinearMatcher, ranker: LinearRanker, members: Ensemble, search: SearchParams
) -> XRLinear | Ensemble:
    return join_trees([XRLinear.from_stages(matcher, ranker), *members.models_], members.rule, search)


def measure(
    predictions: CSR, test_labels: CSR, train_labels: CSR, params: EvaluationParams
) -> dict[str, Any]:
    """Metrics over all labels and apart for head, torso and tail."""
    evaluation = evaluate(
        predictions, test_labels, train_labels, params.ks, params.recall_ks, propensity=params.propensity
    )
    return evaluation.to_dict()


def follow_paths(
    matcher: LinearMatcher,
    ranker: LinearRanker,
    test_instances: CSR,
    test_labels: CSR,
    search_settings: dict[str, Any],
) -> dict[str, Any]:
    """Share of true labels whose way through the tree is in the beam, for every level above the labels."""
    search = SearchParams(**search_settings)
    above, _ = XRLinear.from_stages(matcher, ranker).set_params(search=search).to_stages()
    recall = path_recall(above.tree_, test_labels, above.predict_levels(test_instances))
    logger.info("%s", describe_paths(recall, search.beam_size))
    return {"beam_size": search.beam_size, "recall": [None if math.isnan(r) else r for r in recall]}


def write_card(corpus_summary: dict[str, Any], metrics: dict[str, Any], **stages: Any) -> dict[str, Any]:
    """What there is to say about the classifier; `stages` are the parameters it was trained with, by name."""
    # Where a stage of one's own is in place, nothing makes a dataclass of the parameters it does not read.
    parameters = {name: asdict(stage) if is_dataclass(stage) else stage for name, stage in stages.items()}
    return ModelCard(corpus=corpus_summary, metrics=metrics, parameters=parameters).to_dict()


def pack_classifier(
    text_features: TextFeatures | JointFeatures | GivenFeatures,
    matcher: LinearMatcher,
    ranker: LinearRanker,
    ensemble_members: Ensemble,
    refinement: Refinement,
    corpus: Corpus,
    model_card: dict[str, Any],
    search_settings: dict[str, Any],
    memory_layers: TopLayers | None = None,
) -> Suggester:
    """Everything that suggesting labels needs, in one object."""
    features = text_features
    if memory_layers is not None and memory_layers.n_layers:
        features = text_features.with_top_layers(memory_layers)
    return Suggester(
        features=features,
        model=_joined(matcher, ranker, ensemble_members, SearchParams(**search_settings)),
        label_ids=corpus.label_ids,
        label_names=corpus.label_names,
        frequencies=LabelFrequencies.of(corpus.train.labels),
        card=ModelCard(**model_card),
        refinement=refinement,
    )
