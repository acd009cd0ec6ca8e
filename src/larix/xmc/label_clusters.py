"""What a label means in each of its clusters: neighbours, features and documents, side by side.

Labels that live in several clusters come from disentanglement (Liu et al., NeurIPS 2021); whether a label's
clusters stand for different meanings is for the reader to see.
"""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from larix.xmc.linear_stages import LinearMatcher, LinearRanker
from larix.xmc.sparse import CSR


@dataclass(frozen=True)
class SlotView:
    """A label in one of its clusters.

    Attributes
    ----------
    cluster : int
    gain : float or None
        What the cluster gains for the label, if that is known.
    neighbours : tuple of int
        Labels of the cluster whose weights are most alike, the most alike first.
    features : tuple of (int, float)
        Features that speak most for the label here, with their weights.
    documents : tuple of int
        Training documents of the label that the matcher is surest to find here.
    """

    cluster: int
    gain: float | None
    neighbours: tuple[int, ...]
    features: tuple[tuple[int, float], ...]
    documents: tuple[int, ...]


def view_label(
    label: int,
    matcher: LinearMatcher,
    ranker: LinearRanker,
    X: CSR,
    Y: CSR,
    *,
    gain: NDArray[np.float32] | None = None,
    n_neighbours: int = 5,
    n_features: int = 5,
    n_documents: int = 2,
) -> list[SlotView]:
    """A label in all of its clusters, its largest gain first.

    Parameters
    ----------
    label : int
    matcher, ranker : LinearMatcher, LinearRanker
    X : csr_array, N x D
        Training documents.
    Y : csr_array, N x L
    gain : array, shape (n_slots,), optional
        See `larix.xmc.disentanglement.Reassignment`.
    n_neighbours, n_features, n_documents : int
        Most of each.
    """
    tree = ranker.tree_
    slots = np.flatnonzero(tree.slot_label == label)
    if gain is not None:
        slots = slots[np.argsort(-gain[slots], kind="stable")]
    cluster_of_slot = tree.slot_cluster()
    rows = np.flatnonzero(np.diff(Y[:, [label]].tocsr().indptr))
    reached = matcher.predict(X[rows]).tocsc()
    views = []
    for slot in slots.tolist():
        cluster = int(cluster_of_slot[slot])
        place = slot - int(tree.offsets[-1][cluster])
        W = sp.csc_array(ranker.weights_.of_parents(cluster, cluster + 1).to_csc())[:-1]
        held = reached[:, [cluster]]
        surest = held.indices[np.argsort(-held.data, kind="stable")[:n_documents]]
        views.append(
            SlotView(
                cluster,
                None if gain is None else float(gain[slot]),
                tuple(tree.labels_of_cluster(cluster)[_most_alike(W, place, n_neighbours)].tolist()),
                _strongest(W, place, n_features),
                tuple(rows[surest].tolist()),
            )
        )
    return views


def _most_alike(W: CSR, place: int, n: int) -> NDArray[np.int64]:
    """The other columns with the largest cosine."""
    lengths = np.sqrt(np.asarray(W.multiply(W).sum(axis=0))).ravel()
    cosines = (W.T @ W[:, [place]]).toarray().ravel() / np.maximum(lengths, 1e-12)
    order = np.argsort(-cosines, kind="stable")
    alike: NDArray[np.int64] = order[(order != place) & (cosines[order] > 0)][:n]
    return alike


def _strongest(W: CSR, place: int, n: int) -> tuple[tuple[int, float], ...]:
    column = W[:, [place]].tocsc()
    order = np.argsort(-column.data, kind="stable")[:n]
    return tuple((int(column.indices[i]), float(column.data[i])) for i in order if column.data[i] > 0)
