"""Represent the labels seen in training and cluster them."""

from dataclasses import dataclass, field

import numpy as np

from larix.pipelines.stage_params import StageParams
from larix.xmc.clustering import ClusteringParams, cluster_labels
from larix.xmc.label_representation import Method, represent_labels
from larix.xmc.label_tree import LabelTree
from larix.xmc.sparse import CSR


@dataclass(frozen=True)
class LabelIndexingParams(StageParams):
    """What clustering sees of a label, and how it clusters.

    Parameters
    ----------
    representation : {"pifa", "pii", "graph_spectrum"}
        Methods that use label texts are for Python, where these can be passed.
    clustering : ClusteringParams
    """

    representation: Method = "pifa"
    clustering: ClusteringParams = field(default_factory=ClusteringParams)


def represent(train_instances: CSR, train_labels: CSR, params: LabelIndexingParams) -> CSR:
    """Label representation Z, L x d; labels without a training document have an empty row."""
    return represent_labels(train_instances, train_labels, params.representation)


def grow_tree(
    label_representation: CSR,
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
