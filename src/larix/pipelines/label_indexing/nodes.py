"""Represent the labels seen in training, cluster them, and tell how good the tree is."""

import logging
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from larix.corpora import Corpus
from larix.pipelines.stage_params import StageParams
from larix.serving.given_features import GivenFeatures
from larix.xmc.clustering import ClusteringParams, cluster_labels
from larix.xmc.label_representation import RepresentationParams, represent_labels
from larix.xmc.label_text import LabelTextParams, embed_label_texts
from larix.xmc.label_tree import LabelTree
from larix.xmc.matrix import Matrix
from larix.xmc.sparse import CSR
from larix.xmc.text_features import TextFeatures
from larix.xmc.transformer.joint_features import JointFeatures
from larix.xmc.tree_quality import tree_quality

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class LabelIndexingParams(StageParams):
    """What clustering sees of a label, and how it clusters.

    Parameters
    ----------
    representation : RepresentationParams
    label_text : LabelTextParams
        Where features of the labels' texts come from, if the representation needs them.
    clustering : ClusteringParams
    """

    representation: RepresentationParams = field(default_factory=RepresentationParams)
    label_text: LabelTextParams = field(default_factory=LabelTextParams)
    clustering: ClusteringParams = field(default_factory=ClusteringParams)


def embed_texts(
    corpus: Corpus,
    text_features: TextFeatures | JointFeatures | GivenFeatures,
    params: LabelIndexingParams,
    n_threads: int | None,
) -> Matrix:
    """Features of the labels' texts, or else of their names, L x d; d is 0 where nothing needs them."""
    if not params.representation.needs_text:
        return np.zeros((len(corpus.label_ids), 0), np.float32)
    texts = corpus.label_texts or corpus.label_names
    vectorizer = None if isinstance(text_features, GivenFeatures) else text_features
    return embed_label_texts(texts, params.label_text, text_features=vectorizer, n_threads=n_threads)


def represent(
    train_instances: CSR,
    train_labels: CSR,
    label_features: Matrix,
    params: LabelIndexingParams,
    random_state: int,
    n_threads: int | None,
) -> Matrix:
    """Label representation Z, L x d; labels of which nothing is known have an empty row."""
    return represent_labels(
        train_instances,
        train_labels,
        params.representation,
        label_features=label_features,
        random_state=random_state,
        n_threads=n_threads,
    )


def grow_tree(
    label_representation: Matrix,
    train_labels: CSR,
    params: LabelIndexingParams,
    random_state: int,
    n_threads: int | None,
) -> LabelTree:
    """Cluster the labels that have a training document."""
    return cluster_labels(
        label_representation,
        params.clustering,
        labels=np.unique(train_labels.indices),
        random_state=random_state,
        n_threads=n_threads,
    )


def assess_tree(label_tree: LabelTree, label_representation: Matrix) -> dict[str, Any]:
    """Balance of every level, and how alike the labels of a cluster are."""
    quality = tree_quality(label_tree, label_representation)
    logger.info("%s", quality.summary())
    return quality.to_dict()
