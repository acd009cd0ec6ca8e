"""X-Transformer: an encoder that is fine-tuned once, against all clusters of labels.

Chang, Yu, Zhong, Yang, Dhillon: Taming pretrained transformers for extreme multi-label text classification.
KDD 2020, section 3. Labels are clustered once, an encoder and a linear head learn to find the clusters of a
text, and one-vs-rest rankers on text features and embedding tell the labels of a cluster apart. What is left
out: the ensemble of nine models.

The head reads the embedding e, of unit length. A joint row is [t, w e] divided by its length, which is
sqrt(1 + w^2) as long as the text features t have unit length, too. So a head is a level of a linear model on
joint rows: its weights times sqrt(1 + w^2) / w, in the columns of the embedding. A text without a known
n-gram has the row [0, e], whose product with these weights is as many times too large; the biases are right.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from larix.xmc.beam_search import SearchParams
from larix.xmc.choice import check_choice
from larix.xmc.chunked_weights import ChunkedWeights
from larix.xmc.clustering import ClusteringParams, cluster_labels
from larix.xmc.label_tree import LabelTree
from larix.xmc.linear_solver import SolverParams
from larix.xmc.linear_stages import LinearMatcher
from larix.xmc.transformer.encoder import SentenceEncoder
from larix.xmc.transformer.level_training import LevelTrainingParams
from larix.xmc.transformer.workers import ONE_WORKER, Workers
from larix.xmc.transformer.xr_transformer import FineTuned, XRTransformerParams, fine_tune_levels

HeadStart = Literal["linear", "fresh"]

_BIAS = 1.0  # value of the constant feature, as in a linear model by default


@dataclass(frozen=True)
class ClusterTuningParams:
    """How encoder and head are trained on the clusters.

    Parameters
    ----------
    training : LevelTrainingParams
        No steps leave the encoder as it is.
    trained_layers : int or None
        Of the encoder, the last ones, or all if it has fewer; None trains the embeddings of tokens, too.
    start : {"linear", "fresh"}
        The head begins as a linear model on the embeddings, or at random.
    solver : SolverParams
        Of that linear model; its bias is 1 and its threshold 0. Since training goes on from it, few passes
        over the instances are enough.
    """

    training: LevelTrainingParams = field(default_factory=LevelTrainingParams)
    trained_layers: int | None = None
    start: HeadStart = "linear"
    solver: SolverParams = field(default_factory=lambda: SolverParams(Cp=4.0, max_iter=10))

    def __post_init__(self) -> None:
        check_choice("start", self.start, get_args(HeadStart))


def cluster_flat(
    Z: Any,
    n_clusters: int,
    *,
    labels: NDArray[Any] | None = None,
    random_state: int = 0,
    n_threads: int | None = None,
) -> LabelTree:
    """Cut labels into clusters of equal size, without levels above them.

    Parameters
    ----------
    Z : sparse or dense matrix, L x d
        Label representations (`larix.xmc.label_representation`). With the embeddings of training texts for
        instances and of the labels' texts for label features, `label_text`, `pifa` and `pifa_lf_concat` are
        the three of the paper.
    n_clusters : int
        K, at least 2 and at most half the number of labels.
    labels : int array, optional
        Cluster only these rows of `Z`.
    random_state : int
    n_threads : int or None

    Returns
    -------
    LabelTree
        Of two levels, clusters and labels.

    Raises
    ------
    ValueError
        If there are too few labels, or too few clusters.
    """
    n_labels = Z.shape[0] if labels is None else len(labels)
    if not 2 <= n_clusters <= n_labels // 2:
        raise ValueError(
            f"n_clusters must lie in 2..{n_labels // 2}, so that clusters hold two labels or more, but is "
            f"{n_clusters}"
        )
    size = math.ceil(n_labels / n_clusters)
    params = ClusteringParams(branching=2, max_leaf_size=size, root_branching=n_clusters)
    return cluster_labels(Z, params, labels=labels, random_state=random_state, n_threads=n_threads)


def fine_tune_on_clusters(
    encoder: SentenceEncoder,
    texts: Sequence[str],
    Y: Any,
    tree: LabelTree,
    params: ClusterTuningParams = ClusterTuningParams(),
    *,
    checkpoint_folder: Path | str | None = None,
    checkpoint_steps: int = 100,
    random_state: int = 0,
    n_threads: int | None = None,
    workers: Workers = ONE_WORKER,
) -> FineTuned:
    """Fine-tune an encoder and a head over all clusters.

    Parameters
    ----------
    encoder : SentenceEncoder
        Where training begins.
    texts : sequence of str, length N
    Y : matrix, N x L
    tree : LabelTree
        Of two levels, clusters and labels; `cluster_flat` makes it.
    params : ClusterTuningParams
    checkpoint_folder : path-like, optional
        Holds a checkpoint, from which a run that was cut short goes on.
    checkpoint_steps : int
        Steps from one checkpoint to the next.
    random_state : int
    n_threads : int or None
    workers : Workers
        Who shares the work.

    Returns
    -------
    FineTuned
        With one head.
    """
    n_clusters = tree.n_clusters
    level = XRTransformerParams(
        training=(params.training,),
        trained_layers=params.trained_layers,
        max_clusters=n_clusters,
        max_candidates=n_clusters,
        start=params.start,
        solver=params.solver,
    )
    return fine_tune_levels(
        encoder, texts, Y, tree, level,
        checkpoint_folder=checkpoint_folder, checkpoint_steps=checkpoint_steps, random_state=random_state,
        n_threads=n_threads, workers=workers,
    )  # fmt: skip


def matcher_of_head(
    head: Mapping[str, NDArray[np.float32]],
    tree: LabelTree,
    n_features: int,
    *,
    embedding_weight: float = 1.0,
    search: SearchParams = SearchParams(),  # noqa: B008
    random_state: int = 0,
    n_threads: int | None = None,
) -> LinearMatcher:
    """A head as the matcher of a linear model on joint rows (`larix.xmc.transformer.joint_features`).

    Parameters
    ----------
    head : mapping
        `weight` (K x d) and `bias` (K) of the clusters, for embeddings of unit length.
    tree : LabelTree
        Of two levels, clusters and labels.
    n_features : int
        D of the joint rows, whose last d columns are the embedding.
    embedding_weight : float
        w, of the embedding beside the text features.
    search : SearchParams
    random_state : int
    n_threads : int or None

    Returns
    -------
    LinearMatcher
        Its margins are those of the head where the text features are not empty. Trained again, it learns
        from joint rows as any other.

    Raises
    ------
    ValueError
        If the tree has further levels, or its clusters are not those of the head.
    """
    weight, bias = head["weight"], head["bias"]
    n_clusters, dimension = weight.shape
    if tree.depth != 2 or tree.n_clusters != n_clusters:
        raise ValueError(
            f"a head of {n_clusters} clusters needs a tree with these and no levels above, but the tree has "
            f"{tree.depth} levels and {tree.n_clusters} clusters; use the one the head was trained on"
        )
    scale = np.float32(math.sqrt(1 + embedding_weight**2) / embedding_weight)
    entries = sp.csc_array(np.vstack([weight.T * scale, bias / np.float32(_BIAS)]))
    above = sp.csc_array((n_features - dimension, n_clusters), dtype=np.float32)
    weights = ChunkedWeights.from_csc(sp.vstack([above, entries], format="csc"), tree.offsets[0], bias=_BIAS)
    matcher = LinearMatcher(
        solver=SolverParams(bias=_BIAS, threshold=0.0), search=search,
        random_state=random_state, n_threads=n_threads,
    )  # fmt: skip
    return matcher._set_learnt(tree, weights)
