"""Label disentanglement: a label may live in several clusters, chosen by what the matcher does.

Liu et al., "Label Disentanglement in Partition-based Extreme Multilabel Classification" (NeurIPS 2021),
choose for every label the clusters whose beams hold most of its positives: with Y the labels and M the
matcher's beams on training instances, the largest entries of a row of Y' M (`counts`). Beside that:

- `tied-counts`: equal counts are told apart by the summed scores, which decides for labels of few documents;
- `scores`: sums of scores instead of counts;
- `coverage`: clusters one after the other, each for the positives that those before reach badly,

      gain(c | S) = sum over positives i of max(0, p_ic - max_{s in S} p_is),

  greedy maximum coverage: what a positive reaches already doesn't count again.

Further clusters of a label cost time at every query that keeps them. All (label, cluster) pairs are ordered
by gain for each beam that holds the cluster, and taken until the labels below the beams are `budget` times
as many as before. Which matcher the scores come from is all the same; scores of instances that it was not
trained on (`larix.xmc.disentangled_training.cluster_beams`) show where it errs, others hardly do.
"""

import logging
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from larix.xmc.choice import check_choice
from larix.xmc.coverage_kernels import accept_pairs, place_first, rank_clusters
from larix.xmc.label_tree import LabelTree
from larix.xmc.parallel import thread_map
from larix.xmc.ranges import check_least
from larix.xmc.sparse import CSR, binarize, check_csr, kernel_parts

logger = logging.getLogger(__name__)

Method = Literal["coverage", "scores", "counts", "tied-counts"]
Positives = Literal["all", "beam", "weighted"]

# What a positive is worth by the beam's holding the cluster, and by its score there.
_VALUE_WEIGHTS = {
    "coverage": (0.0, 1.0),
    "scores": (0.0, 1.0),
    "counts": (1.0, 0.0),
    "tied-counts": (1.0, 1.0),
}
_LABELS_A_TASK = 4096


@dataclass(frozen=True)
class DisentanglementParams:
    """Which labels get further clusters, and which.

    Parameters
    ----------
    method : {"coverage", "scores", "counts", "tied-counts"}
        What a cluster gains for a label; see the module.
    max_clusters_per_label : int
        1 leaves the tree as it is, unless labels may move.
    keep_own : bool
        Every label keeps the cluster it has. Otherwise its first cluster, too, is chosen by gain.
    budget : float or None
        Most labels scored below the beams, as a multiple of the plain tree's; None sets no limit.
    min_gain : float
        A further cluster must gain this much for each of the label's positives.
    max_cluster_size : int or None
        Most slots of a cluster.
    n_folds : int
        Beams come from matchers that were trained on the other folds; 1 takes them from one that was trained
        on the same instances.
    beam_size : int
        Clusters of a training instance that count.
    negatives : {"beam", "tfn"}
        A cluster's labels are learnt against the instances with a label whose own cluster it is, and those
        whose beam holds it; or against those with a label that has a slot there, as in the paper.
    positives : {"all", "beam", "weighted"}
        A slot's positives are all of its label's; or those whose beam holds the slot's cluster, and for the
        own cluster all; or these weighted by their scores there.
    """

    method: Method = "coverage"
    max_clusters_per_label: int = 4
    keep_own: bool = True
    budget: float | None = 2.0
    min_gain: float = 0.0
    max_cluster_size: int | None = None
    n_folds: int = 3
    beam_size: int = 5
    negatives: Literal["beam", "tfn"] = "beam"
    positives: Positives = "all"

    def __post_init__(self) -> None:
        check_choice("method", self.method, get_args(Method))
        check_choice("negatives", self.negatives, ("beam", "tfn"))
        check_choice("positives", self.positives, get_args(Positives))
        check_least(self, 1, "max_clusters_per_label", "n_folds", "beam_size")
        if self.max_cluster_size is not None and self.max_cluster_size < 1:
            raise ValueError(f"max_cluster_size must be at least 1 or None, but is {self.max_cluster_size}")
        if self.budget is not None and not self.budget >= 1:
            raise ValueError(f"budget must be at least 1 or None, but is {self.budget}")
        if not self.min_gain >= 0:
            raise ValueError(f"min_gain must not be negative, but is {self.min_gain}")

    @property
    def changes_nothing(self) -> bool:
        """Whether every label keeps its cluster and gets no other."""
        return self.max_clusters_per_label == 1 and self.keep_own


@dataclass(frozen=True, eq=False)
class Reassignment:
    """A tree with further slots, and what they gain.

    Parameters
    ----------
    tree : LabelTree
        The levels above the labels are those of the plain tree.
    gain : float32 array, shape (n_slots,)
        Of every slot, in the unit of the method: positives reached, as counts or as summed scores.
    """

    tree: LabelTree
    gain: NDArray[np.float32]


def reassign_labels(
    tree: LabelTree,
    Y: CSR,
    beams: CSR,
    params: DisentanglementParams = DisentanglementParams(),
    *,
    n_threads: int | None = None,
) -> Reassignment:
    """Give labels the clusters that the matcher's beams call for.

    Parameters
    ----------
    tree : LabelTree
        A plain one: one slot a label. Labels without a slot stay without.
    Y : csr_array, N x L
        Labels of training instances.
    beams : csr_array, N x K
        Scores of the clusters that the matcher keeps for these instances, larger for surer; for `coverage`
        and `scores` between 0 and 1.
    params : DisentanglementParams
    n_threads : int or None

    Returns
    -------
    Reassignment

    Raises
    ------
    ValueError
        If shapes disagree, the tree has overlap, scores are out of range, or clusters have no room.
    """
    Y = binarize(check_csr(Y, name="Y", n_columns=tree.n_labels))
    beams = check_csr(beams, name="beams", n_rows=Y.shape[0], n_columns=tree.n_clusters)
    _check(tree, beams, params)
    own = own_clusters(tree)
    clusters, gains = _ranked(Y, beams, own, params, n_threads)
    labels = tree.slot_label
    room = np.full(tree.n_clusters, params.max_cluster_size or tree.n_labels + 1)
    first = own if params.keep_own else _first_clusters(clusters, gains, own, room)
    room -= np.bincount(first[labels], minlength=tree.n_clusters)
    more = _further(tree, Y, beams, clusters, gains, first, room, params)
    label, cluster = np.concatenate([np.stack([labels, first[labels]]), more], axis=1)
    reassigned = tree.with_slots(label, cluster)
    label, cluster = reassigned.slot_label, reassigned.slot_cluster()
    gain = np.where(clusters[label] == cluster[:, None], gains[label], 0).sum(axis=1)
    logger.info("%d further slots for %d of %d labels", more.shape[1], len(np.unique(more[0])), len(labels))
    return Reassignment(reassigned, gain.astype(np.float32))


def own_clusters(tree: LabelTree) -> NDArray[np.int64]:
    """The cluster of every label of a plain tree, shape (L,); -1 for labels without a slot."""
    own = np.full(tree.n_labels, -1, np.int64)
    own[tree.slot_label] = tree.slot_cluster()
    return own


def slots_of_positives(
    reassigned: LabelTree, own: NDArray[np.int64], Y: CSR, beams: CSR, positives: Positives
) -> CSR | None:
    """For which slots of their labels instances are positive, N x n_slots; None for all.

    Parameters
    ----------
    reassigned : LabelTree
    own : int array, shape (L,)
        The cluster where all of a label's instances stay positive.
    Y : csr_array, N x L
    beams : csr_array, N x K
    positives : {"all", "beam", "weighted"}
    """
    if positives == "all":
        return None
    to_slots = reassigned.membership(reassigned.depth - 1).T.tocsr()
    pairs = reassigned.slots_of_labels(binarize(Y))
    is_own = (reassigned.slot_cluster() == own[reassigned.slot_label]).astype(np.float32)
    held = pairs.multiply((beams if positives == "weighted" else binarize(beams)) @ to_slots)
    routed = check_csr(sp.csr_array(held.maximum(pairs.multiply(is_own[None, :]))), name="slot_targets")
    routed.eliminate_zeros()
    return routed if positives == "weighted" else binarize(routed)


def _check(tree: LabelTree, beams: CSR, params: DisentanglementParams) -> None:
    if tree.has_overlap:
        raise ValueError("labels are reassigned in a plain tree, but this one has labels in several clusters")
    lowest, highest = beams.data.min(initial=0), beams.data.max(initial=0)
    if params.method != "counts" and not 0 <= lowest <= highest <= 1:
        raise ValueError(
            f"beams must have scores between 0 and 1 for the method {params.method!r}, but has "
            f"{lowest:.3g} to {highest:.3g}; transform them, or count with method 'counts'"
        )
    cap, sizes = params.max_cluster_size, tree.cluster_sizes()
    if cap is not None and params.keep_own and sizes.max() > cap:
        raise ValueError(
            f"max_cluster_size must be at least {sizes.max()}, the size of cluster {sizes.argmax()}, as "
            f"labels keep their own cluster, but is {cap}"
        )
    if cap is not None and cap * tree.n_clusters < tree.n_slots:
        raise ValueError(
            f"max_cluster_size must be at least {-(-tree.n_slots // tree.n_clusters)} to hold "
            f"{tree.n_slots} labels in {tree.n_clusters} clusters, but is {cap}"
        )


def _ranked(
    Y: CSR, beams: CSR, own: NDArray[np.int64], params: DisentanglementParams, n_threads: int | None
) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """Every label's best clusters in order, -1 beyond their end, and their gains; L x max clusters each."""
    shape = (Y.shape[1], params.max_clusters_per_label)
    clusters, gains = np.full(shape, -1, np.int32), np.zeros(shape)
    y_parts = kernel_parts(Y.T.tocsr())[:2]
    first = own if params.keep_own else np.full_like(own, -1)
    fixed = (
        *y_parts,
        *kernel_parts(beams),
        first,
        params.method == "coverage",
        _VALUE_WEIGHTS[params.method],
    )

    def rank(begin: int) -> None:
        end = min(begin + _LABELS_A_TASK, len(own))
        rank_clusters(begin, end, *fixed, clusters, gains)

    thread_map(rank, list(range(0, len(own), _LABELS_A_TASK)), n_threads=n_threads)
    return clusters, gains


def _first_clusters(
    clusters: NDArray[np.int32], gains: NDArray[np.float64], own: NDArray[np.int64], room: NDArray[np.int64]
) -> NDArray[np.int64]:
    """A first cluster for every label that has one, the surest first."""
    labels = np.flatnonzero(own >= 0)
    order = labels[np.argsort(-gains[labels, 0], kind="stable")]
    placed = place_first(order, clusters, own, room.copy())
    return np.where(own >= 0, placed, -1)


def _further(
    tree: LabelTree,
    Y: CSR,
    beams: CSR,
    clusters: NDArray[np.int32],
    gains: NDArray[np.float64],
    first: NDArray[np.int64],
    room: NDArray[np.int64],
    params: DisentanglementParams,
) -> NDArray[np.int64]:
    """Pairs of label and further cluster, 2 x n, by rising label."""
    n_positives = np.bincount(Y.indices, minlength=Y.shape[1])
    wanted = (clusters >= 0) & (clusters != first[:, None]) & (first >= 0)[:, None]
    wanted &= (gains > 0) & (gains >= params.min_gain * n_positives[:, None])
    label, place = np.nonzero(wanted)
    cluster = clusters[label, place]
    hits = np.bincount(beams.indices, minlength=tree.n_clusters)
    worth = gains[label, place] / hits[cluster]
    order = np.lexsort((cluster, label, -worth))
    label, cluster, worth = label[order], cluster[order], worth[order]
    budget = np.inf
    if params.budget is not None:
        plain = float(hits @ tree.cluster_sizes())
        budget = params.budget * plain - float(hits[first[first >= 0]].sum())
    accepted = accept_pairs(label, cluster, worth, hits.astype(np.float64), room, budget)
    pairs = np.stack([label, cluster])[:, accepted]
    return pairs[:, np.lexsort(pairs[::-1])]
