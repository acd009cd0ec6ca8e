"""Kernel that blends a tree's scores with the votes of neighbours."""

import numpy as np
from numba import njit

from larix.xmc.sort_kernels import stable_order


@njit(nogil=True, cache=True)
def blend_rows(
    p_indptr, p_labels, p_scores, n_indptr, neighbours, cosines, y_indptr, y_labels, temperature, weight,
    begin, end, out_labels, out_scores, out_found,
):  # fmt: skip
    """The best labels of (1 - weight) P + weight v for queries begin..end, ties to the lower label."""
    for query in range(begin, end):
        a, z = n_indptr[query], n_indptr[query + 1]
        n = p_indptr[query + 1] - p_indptr[query]
        for j in range(a, z):
            n += y_indptr[neighbours[j] + 1] - y_indptr[neighbours[j]]
        labels = np.empty(n, np.int32)
        shares = np.zeros(n, np.float32)
        n = 0
        nearest, total = np.float32(0), np.float32(0)
        for j in range(a, z):
            nearest = max(nearest, cosines[j])
        for j in range(a, z):
            vote = np.exp((cosines[j] - nearest) / temperature)
            for e in range(y_indptr[neighbours[j]], y_indptr[neighbours[j] + 1]):
                labels[n], shares[n] = y_labels[e], vote
                total += vote
                n += 1
        for v in range(n):
            shares[v] = weight * (shares[v] / total) if total > 0 else np.float32(0)
        for e in range(p_indptr[query], p_indptr[query + 1]):
            labels[n], shares[n] = p_labels[e], (np.float32(1) - weight) * p_scores[e]
            n += 1
        out_found[query] = _best(labels, shares, out_labels[query], out_scores[query])


@njit(nogil=True, cache=True)
def _best(labels, shares, best_labels, best_scores):
    """Add up the shares of each label, and keep the highest sums; return how many there are."""
    order = stable_order(labels)
    k, n_found, i = len(best_labels), 0, 0
    while i < len(order):
        label = labels[order[i]]
        score = np.float32(0)
        while i < len(order) and labels[order[i]] == label:
            score += shares[order[i]]
            i += 1
        if not score > (best_scores[k - 1] if n_found == k else 0):
            continue
        n_found = min(n_found + 1, k)
        at = n_found - 1
        while at > 0 and best_scores[at - 1] < score:
            best_scores[at], best_labels[at] = best_scores[at - 1], best_labels[at - 1]
            at -= 1
        best_scores[at], best_labels[at] = score, label
    return n_found
