"""Kernels of balanced 2-means."""

import numpy as np
from numba import njit


@njit(nogil=True, cache=True)
def halve(indptr, indices, data, members, centers, spherical, max_iter, seed):
    """Split `members` (sorted label ids) at the median; left half first, each half sorted.

    `centers` (d x 2) is zeroed scratch: column 0 sums the left half, column 1 the right.
    Iterated: s_i = x_i . (right / |right| - left / |left|), or with means instead of unit vectors.
    """
    n = len(members)
    n_left = n // 2
    if n < 2:
        return
    first = seed % n
    second = (first + 1 + (seed >> 32) % (n - 1)) % n
    side = np.full(n, -1, np.int8)
    side[first], side[second] = 0, 1
    _add(indptr, indices, data, members[first], centers, 0, np.float32(1))
    _add(indptr, indices, data, members[second], centers, 1, np.float32(1))
    dots = np.empty((n, 2), np.float32)
    score = np.empty(n, np.float32)
    goes_right = np.empty(n, np.int8)
    for _ in range(max_iter):
        squared = np.zeros(2, np.float64)
        for i in range(n):
            left = right = np.float32(0)
            for e in range(indptr[members[i]], indptr[members[i] + 1]):
                left += data[e] * centers[indices[e], 0]
                right += data[e] * centers[indices[e], 1]
            dots[i, 0], dots[i, 1] = left, right
            if side[i] >= 0:
                squared[side[i]] += dots[i, side[i]]
        if spherical:
            scale_left = np.float32(1 / np.sqrt(squared[0])) if squared[0] > 0 else np.float32(0)
            scale_right = np.float32(1 / np.sqrt(squared[1])) if squared[1] > 0 else np.float32(0)
        else:
            scale_left, scale_right = np.float32(1 / n_left), np.float32(1 / (n - n_left))
        for i in range(n):
            score[i] = dots[i, 1] * scale_right - dots[i, 0] * scale_left
        _split_at_median(score, n_left, goes_right)
        changed = False
        for i in range(n):
            if goes_right[i] == side[i]:
                continue
            changed = True
            if side[i] >= 0:
                _add(indptr, indices, data, members[i], centers, side[i], np.float32(-1))
            _add(indptr, indices, data, members[i], centers, goes_right[i], np.float32(1))
            side[i] = goes_right[i]
        if not changed:
            break
    for i in range(n):
        for e in range(indptr[members[i]], indptr[members[i] + 1]):
            centers[indices[e], 0] = 0
            centers[indices[e], 1] = 0
    _partition(members, side, n_left)


@njit(nogil=True, cache=True)
def _add(indptr, indices, data, row, centers, column, sign):
    for e in range(indptr[row], indptr[row + 1]):
        centers[indices[e], column] += sign * data[e]


@njit(nogil=True, cache=True)
def _split_at_median(score, n_left, goes_right):
    """Mark all but the `n_left` lowest scores; ties stay left in order of position."""
    threshold = np.partition(score, n_left)[n_left]
    room = n_left
    for i in range(len(score)):
        if score[i] < threshold:
            room -= 1
    for i in range(len(score)):
        if score[i] < threshold:
            goes_right[i] = 0
        elif score[i] == threshold and room > 0:
            goes_right[i] = 0
            room -= 1
        else:
            goes_right[i] = 1


@njit(nogil=True, cache=True)
def _partition(members, side, n_left):
    """Reorder `members` by side, keeping the order within each."""
    old = members.copy()
    left, right = 0, n_left
    for i in range(len(old)):
        if side[i] == 0:
            members[left] = old[i]
            left += 1
        else:
            members[right] = old[i]
            right += 1
