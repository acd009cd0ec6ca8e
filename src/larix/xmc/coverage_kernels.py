"""Kernels of label disentanglement: rank each label's clusters by gain, and accept pairs by worth."""

import numpy as np
from numba import njit


@njit(nogil=True, cache=True)
def rank_clusters(
    first, last, y_indptr, y_rows, b_indptr, b_clusters, b_scores, own, covering, weights, clusters, gains
):
    """The best clusters of labels first..last, one after the other, into their rows of clusters and gains.

    A positive whose beam holds a cluster with score p is worth v = weights[0] + weights[1] p (in units of
    1 / (number of positives + 1) where weights[0] counts, so that scores only break ties). When `covering`,
    a positive adds what it is worth beyond the best cluster chosen before. `own` is -1 or comes first.
    """
    for label in range(first, last):
        rows = y_rows[y_indptr[label] : y_indptr[label + 1]]
        n = 0
        for row in rows:
            n += b_indptr[row + 1] - b_indptr[row]
        cluster, value, positive = np.empty(n, np.int32), np.empty(n, np.float64), np.empty(n, np.int32)
        score_weight = weights[1] / (len(rows) + 1) if weights[0] else weights[1]
        n = 0
        for i, row in enumerate(rows):
            for e in range(b_indptr[row], b_indptr[row + 1]):
                cluster[n], positive[n] = b_clusters[e], i
                value[n] = weights[0] + score_weight * b_scores[e]
                n += 1
        order = np.argsort(cluster, kind="mergesort")
        cluster, value, positive = cluster[order], value[order], positive[order]
        reached = np.zeros(len(rows), np.float64)
        for place in range(clusters.shape[1]):
            if place == 0 and own[label] >= 0:
                best = own[label]
                begin = np.searchsorted(cluster, best)
            else:
                best, begin = _best_cluster(cluster, value, positive, reached, clusters[label, :place])
            if best < 0:
                break
            clusters[label, place] = best
            gains[label, place] = _gain(begin, best, cluster, value, positive, reached)
            while covering and begin < n and cluster[begin] == best:
                i = positive[begin]
                reached[i] = max(reached[i], value[begin])
                begin += 1


@njit(nogil=True, cache=True)
def _gain(begin, wanted, cluster, value, positive, reached):
    """What a cluster, whose entries start at `begin`, adds to what the label's positives reach."""
    gain = 0.0
    while begin < len(cluster) and cluster[begin] == wanted:
        gain += max(0.0, value[begin] - reached[positive[begin]])
        begin += 1
    return gain


@njit(nogil=True, cache=True)
def _best_cluster(cluster, value, positive, reached, chosen):
    """The cluster of the largest gain that isn't chosen, and its first entry; -1 if none gains."""
    best, first, most = np.int32(-1), 0, 0.0
    begin = 0
    while begin < len(cluster):
        candidate = cluster[begin]
        if not np.any(chosen == candidate):
            gain = _gain(begin, candidate, cluster, value, positive, reached)
            if gain > most:
                best, first, most = candidate, begin, gain
        while begin < len(cluster) and cluster[begin] == candidate:
            begin += 1
    return best, first


@njit(nogil=True, cache=True)
def accept_pairs(labels, clusters, worth, cost, room, budget):
    """Which (label, cluster) pairs, given by falling worth, fit the budget and the room of their clusters.

    Where the budget ends, pairs of equal worth are all left out: nothing but worth decides between labels.
    """
    accepted = np.zeros(len(labels), np.bool_)
    spent = 0.0
    for i in range(len(labels)):
        if room[clusters[i]] <= 0:
            continue
        if spent + cost[clusters[i]] > budget:
            for j in range(i):
                if worth[j] == worth[i]:
                    accepted[j] = False
            break
        spent += cost[clusters[i]]
        room[clusters[i]] -= 1
        accepted[i] = True
    return accepted


@njit(nogil=True, cache=True)
def place_first(order, choices, own, room):
    """A first cluster for each label, in the given order: the best of its choices with room, else its own,
    else the emptiest."""
    placed = np.empty(len(own), np.int32)
    for label in order:
        placed[label] = -1
        for cluster in choices[label]:
            if cluster >= 0 and room[cluster] > 0:
                placed[label] = cluster
                break
        if placed[label] < 0:
            placed[label] = own[label] if room[own[label]] > 0 else np.argmax(room)
        room[placed[label]] -= 1
    return placed
