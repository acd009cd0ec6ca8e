"""Kernel that adds up the rows of each label's instances."""

import numpy as np
from numba import njit


@njit(nogil=True, cache=True)
def aggregate(labels, instances, begin, end, total, seen):
    """Unit sums of the instances of labels `begin:end`: (end of each row, indices, data).

    `labels` is (indptr, rows, weights) of Y^T, `instances` (indptr, indices as uint32, data) of X; `total`
    and `seen` (D) are zeroed scratch, and so left. Indices of a row rise.
    """
    y_indptr, y_rows, y_weights = labels
    x_indptr, x_indices, x_data = instances
    room = 0
    for k in range(y_indptr[begin], y_indptr[end]):
        room += x_indptr[y_rows[k] + 1] - x_indptr[y_rows[k]]
    indices, data = np.empty(room, np.uint32), np.empty(room, np.float32)
    ends = np.empty(end - begin, np.int64)
    at, one = np.uint64(0), np.uint64(1)
    for label in range(begin, end):
        first = at
        for k in range(y_indptr[label], y_indptr[label + 1]):
            row, weight = y_rows[k], y_weights[k]
            for e in range(np.uint64(x_indptr[row]), np.uint64(x_indptr[row + 1])):
                feature = x_indices[e]
                if not seen[feature]:
                    seen[feature] = True
                    indices[at] = feature
                    at += one
                total[feature] += weight * x_data[e]
        if y_indptr[label + 1] - y_indptr[label] > 1:  # of one instance they rise already
            indices[first:at] = np.sort(indices[first:at])
        squared = np.float64(0)
        for e in range(first, at):
            feature = indices[e]
            data[e] = total[feature]
            squared += np.float64(data[e]) * data[e]
            total[feature], seen[feature] = 0, False
        if squared > 0:
            scale = np.float32(1 / np.sqrt(squared))
            for e in range(first, at):
                data[e] *= scale
        ends[label - begin] = at
    return ends, indices[:at], data[:at]
