"""Kernel that merges groups along a list of edges."""

import numpy as np
from numba import njit


@njit(nogil=True, cache=True)
def merge_along(left, right, sizes, most):
    """Group of every node after joining `left[e]` and `right[e]` for all e in turn, where they fit in `most`.

    `sizes` are those of the nodes. Groups are numbered by their first node.
    """
    n = len(sizes)
    parent, size = np.arange(n), sizes.copy()
    for e in range(len(left)):
        a, b = _root(parent, left[e]), _root(parent, right[e])
        if a != b and size[a] + size[b] <= most:
            low, high = min(a, b), max(a, b)
            parent[high] = low
            size[low] += size[high]
    group, n_groups = np.empty(n, np.int64), 0
    for node in range(n):
        root = _root(parent, node)
        if root == node:
            group[node] = n_groups
            n_groups += 1
        else:
            group[node] = group[root]
    return group, n_groups


@njit(nogil=True, cache=True)
def _root(parent, node):
    while parent[node] != node:
        parent[node] = parent[parent[node]]
        node = parent[node]
    return node
