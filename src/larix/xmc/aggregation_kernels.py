"""Kernel that adds up the rows of each label's instances."""

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

WORD = 64
"""Features that one word of a bit set tells of."""


@intrinsic
def lowest_bit(_context, word):
    """Position of the lowest bit of a 64-bit word that is set; the word is not zero."""
    if word != types.uint64:
        return None

    def codegen(_context, builder, _signature, args):
        return builder.cttz(args[0], ir.Constant(ir.IntType(1), 1))

    return types.uint64(types.uint64), codegen


@njit(nogil=True, cache=True)
def aggregate(labels, instances, begin, end, total, used, words_used):
    """Unit sums of the instances of labels `begin:end`: (end of each row, indices, data).

    `labels` is (indptr, rows, weights) of Y^T, `instances` (indptr, indices as uint32, data) of X. Zeroed
    scratch, and so left: `total` (D), the bit sets `used` of features and `words_used` of its words. Reading
    a bit set gives rising indices, which is faster than sorting them.
    """
    y_indptr, y_rows, y_weights = labels
    x_indptr, x_indices, x_data = instances
    room = 0
    for k in range(y_indptr[begin], y_indptr[end]):
        room += x_indptr[y_rows[k] + 1] - x_indptr[y_rows[k]]
    indices, data = np.empty(room, np.uint32), np.empty(room, np.float32)
    ends = np.empty(end - begin, np.int64)
    at, one, low, bits = np.uint64(0), np.uint64(1), np.uint64(WORD - 1), np.uint64(6)
    for label in range(begin, end):
        first = at
        for k in range(y_indptr[label], y_indptr[label + 1]):
            row, weight = y_rows[k], y_weights[k]
            for e in range(np.uint64(x_indptr[row]), np.uint64(x_indptr[row + 1])):
                feature = np.uint64(x_indices[e])
                word = feature >> bits
                used[word] |= one << (feature & low)
                words_used[word >> bits] |= one << (word & low)
                total[feature] += weight * x_data[e]
        squared = np.float64(0)
        for block in range(np.uint64(len(words_used))):
            words = words_used[block]
            words_used[block] = 0
            while words:
                word = (np.uint64(block) << bits) | lowest_bit(words)
                words &= words - one
                features = used[word]
                used[word] = 0
                while features:
                    feature = (word << bits) | lowest_bit(features)
                    features &= features - one
                    indices[at], data[at] = feature, total[feature]
                    squared += np.float64(data[at]) * data[at]
                    total[feature] = 0
                    at += one
        if squared > 0:
            scale = np.float32(1 / np.sqrt(squared))
            for e in range(first, at):
                data[e] *= scale
        ends[label - begin] = at
    return ends, indices[:at], data[:at]
