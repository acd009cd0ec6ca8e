"""Kernels of balanced 2-means, over sparse rows and over dense ones.

`rows` is a tuple (indptr, indices as uint32, data) or an L x d array; `sums` (d x 2) holds the sum of the
left half and that of the right, `touched` lists the features that the members use. Unsigned indices spare
the check for negative ones, and four partial sums the wait for each addition: together they double the speed.
Nodes whose rows are few are halved over a copy of them that numbers their features anew, so that sums and
direction stay in cache.
"""

# ruff: noqa: ARG001 (numba matches the arguments of overloads by name)

import numpy as np
from numba import njit, types
from numba.extending import overload

from larix.xmc.random_kernels import draw, start_of
from larix.xmc.sort_kernels import kth_smallest


def dot(rows, row, direction):
    """Inner product of a row with a dense direction."""
    raise NotImplementedError("compiled only")


def add(rows, row, sums, column, sign):
    """Add a row, or subtract it, to one of the two sums."""
    raise NotImplementedError("compiled only")


def touch(rows, members, seen, touched):
    """Features that some member uses, rising: a part of `touched`; `seen` is zeroed, and so left."""
    raise NotImplementedError("compiled only")


@overload(dot)
def _dot(rows, row, direction):
    return _dense_dot if isinstance(rows, types.Array) else _sparse_dot


@overload(add)
def _add(rows, row, sums, column, sign):
    return _dense_add if isinstance(rows, types.Array) else _sparse_add


@overload(touch)
def _touch(rows, members, seen, touched):
    return _dense_touch if isinstance(rows, types.Array) else _sparse_touch


def _sparse_dot(rows, row, direction):
    indptr, indices, data = rows
    one, two, three, four = np.uint64(1), np.uint64(2), np.uint64(3), np.uint64(4)
    e, end = np.uint64(indptr[row]), np.uint64(indptr[row + 1])
    a = b = c = d = np.float32(0)
    while e + four <= end:
        a += data[e] * direction[indices[e]]
        b += data[e + one] * direction[indices[e + one]]
        c += data[e + two] * direction[indices[e + two]]
        d += data[e + three] * direction[indices[e + three]]
        e += four
    while e < end:
        a += data[e] * direction[indices[e]]
        e += one
    return (a + b) + (c + d)


def _sparse_add(rows, row, sums, column, sign):
    indptr, indices, data = rows
    side = np.uint64(column)
    for e in range(np.uint64(indptr[row]), np.uint64(indptr[row + 1])):
        sums[indices[e], side] += sign * data[e]


def _sparse_touch(rows, members, seen, touched):
    indptr, indices, _ = rows
    for member in members:
        for e in range(np.uint64(indptr[member]), np.uint64(indptr[member + 1])):
            seen[indices[e]] = True
    n = 0
    for feature in range(len(seen)):
        touched[n] = feature
        n += seen[feature]
        seen[feature] = False
    return touched[:n]


@njit(nogil=True, fastmath={"reassoc", "contract"})
def _vector_dot(x, y):
    total = np.float32(0)
    for j in range(len(x)):
        total += x[j] * y[j]
    return total


def _dense_dot(rows, row, direction):
    return _vector_dot(rows[row], direction)


def _dense_add(rows, row, sums, column, sign):
    for j in range(rows.shape[1]):
        sums[j, column] += sign * rows[row, j]


def _dense_touch(rows, members, seen, touched):
    for feature in range(len(touched)):
        touched[feature] = feature
    return touched


@njit(nogil=True, cache=True)
def compact(rows, members, number, own_indptr, own_indices, own_data):
    """Copy sparse rows, their features numbered from 0 in order of first use, and return how many there are.

    `number` (d) is zeroed, and so left.
    """
    indptr, indices, data = rows
    at, last, one = np.uint64(0), np.uint32(0), np.uint64(1)
    for i in range(len(members)):
        own_indptr[i] = at
        for e in range(np.uint64(indptr[members[i]]), np.uint64(indptr[members[i] + 1])):
            feature = indices[e]
            if number[feature] == 0:
                last += np.uint32(1)
                number[feature] = last
            own_indices[at] = number[feature] - np.uint32(1)
            own_data[at] = data[e]
            at += one
    own_indptr[len(members)] = at
    for member in members:
        for e in range(np.uint64(indptr[member]), np.uint64(indptr[member + 1])):
            number[indices[e]] = 0
    return last


@njit(nogil=True, cache=True)
def halve(rows, members, bounds, samples, settings, seed, scratch, learns_all):
    """Split sorted `members` in two, left ones first, each part sorted; return the size of the left part.

    The direction is learnt on samples of growing size, then on all members if `learns_all`; all are split
    along it. `bounds` are the fewest and the most that go left, `settings` (spherical, max_iter, tolerance),
    `scratch` (sums, direction, seen, touched); sums and seen are zeroed, and so left.
    """
    side = np.empty(len(members), np.int8)
    touched, boundary = begin(rows, members, bounds, samples, settings, seed, scratch)
    if learns_all:
        learn(rows, members, bounds, boundary, settings, touched, scratch, side)
    else:
        score = np.empty(len(members), np.float32)
        score_rows(rows, members, scratch[1], 0, len(members), score)
        assign(score, choose_left(score, bounds, boundary), side)
    return part(members, side)


@njit(nogil=True, cache=True)
def begin(rows, members, bounds, samples, settings, seed, scratch):
    """Features in use, and the boundary along a direction that is learnt on samples of the members."""
    sums, direction, seen, _ = scratch
    touched = touch(rows, members, seen, scratch[3])
    order = shuffled(len(members), seed)
    add(rows, members[order[0]], sums, 0, np.float32(1))
    add(rows, members[order[1]], sums, 1, np.float32(1))
    boundary = turn(sums, touched, 1, 1, settings[0], direction)
    clear(touched, sums)
    for size in samples:
        sample = drawn(members, order[:size])
        side = np.empty(size, np.int8)
        of_sample = scaled(bounds, size, len(members))
        boundary = learn(rows, sample, of_sample, boundary, settings, touched, scratch, side)
    return touched, boundary


@njit(nogil=True, cache=True)
def learn(rows, members, bounds, boundary, settings, touched, scratch, side):
    """Turn the direction until hardly a member changes sides; return the boundary along it."""
    n = len(members)
    sums, direction, _, _ = scratch
    spherical, max_iter, tolerance = settings
    score, goes = np.empty(n, np.float32), np.empty(n, np.int8)
    side[:] = -1
    for _ in range(max_iter):
        score_rows(rows, members, direction, 0, n, score)
        n_left = choose_left(score, bounds, boundary)
        assign(score, n_left, goes)
        n_changed = move(rows, members, side, goes, sums, 0)
        move(rows, members, side, goes, sums, 1)
        side[:] = goes
        boundary = turn(sums, touched, n_left, n - n_left, spherical, direction)
        if n_changed <= tolerance * n:
            break
    clear(touched, sums)
    return boundary


@njit(nogil=True, cache=True)
def part(members, side):
    """Reorder `members` by side, keeping the order within each; return the size of the left part."""
    old = members.copy()
    n_left = len(old) - side.sum()
    left, right = 0, n_left
    for i in range(len(old)):
        if side[i] == 0:
            members[left] = old[i]
            left += 1
        else:
            members[right] = old[i]
            right += 1
    return n_left


@njit(nogil=True, cache=True)
def shuffled(n, seed):
    """The numbers 0..n-1 in random order."""
    order, state = np.arange(n), start_of(np.uint64(seed))
    for i in range(n - 1):
        state, j = draw(state, i, n)
        order[i], order[j] = order[j], order[i]
    return order


@njit(nogil=True, cache=True)
def drawn(members, positions):
    """The members at some positions, in order."""
    chosen = np.zeros(len(members), np.bool_)
    for position in positions:
        chosen[position] = True
    sample = np.empty(len(positions), members.dtype)
    n = 0
    for i in range(len(members)):
        if chosen[i]:
            sample[n] = members[i]
            n += 1
    return sample


@njit(nogil=True, cache=True)
def scaled(bounds, size, n):
    """Bounds of the left part of a sample."""
    low = min(max(bounds[0] * size // n, 1), size - 1)
    return low, min(max(bounds[1] * size // n, low), size - 1)


@njit(nogil=True, cache=True)
def clear(touched, sums):
    """Zero both sums."""
    for feature in touched:
        sums[feature, 0] = 0
        sums[feature, 1] = 0


@njit(nogil=True, cache=True)
def turn(sums, touched, n_left, n_right, spherical, direction):
    """Point from the left centre to the right one; return the score half way between them.

    Spherical: right / |right| - left / |left|, and 0. Otherwise with means m: m_right - m_left, and
    (|m_right|^2 - |m_left|^2) / 2.
    """
    left = right = np.float64(0)
    for feature in touched:
        left += np.float64(sums[feature, 0]) * sums[feature, 0]
        right += np.float64(sums[feature, 1]) * sums[feature, 1]
    if spherical:
        scale_left = np.float32(1 / np.sqrt(left)) if left > 0 else np.float32(0)
        scale_right = np.float32(1 / np.sqrt(right)) if right > 0 else np.float32(0)
    else:
        scale_left, scale_right = np.float32(1 / n_left), np.float32(1 / n_right)
    for feature in touched:
        direction[feature] = sums[feature, 1] * scale_right - sums[feature, 0] * scale_left
    if spherical:
        return np.float32(0)
    return np.float32((right / n_right**2 - left / n_left**2) / 2)


@njit(nogil=True, cache=True)
def score_rows(rows, members, direction, begin, end, score):
    """Projections of `members[begin:end]` on the direction."""
    for i in range(begin, end):
        score[i] = dot(rows, members[i], direction)


@njit(nogil=True, cache=True)
def choose_left(score, bounds, boundary):
    """How many go left: those below the boundary, within the bounds."""
    low, high = bounds
    if low == high:
        return low
    n_below = 0
    for value in score:
        if value < boundary:
            n_below += 1
    return min(max(n_below, low), high)


@njit(nogil=True, cache=True)
def assign(score, n_left, goes):
    """Send the `n_left` lowest scores left (0), the others right (1); ties in order of position."""
    threshold = kth_smallest(score, n_left)
    room = n_left
    for value in score:
        if value < threshold:
            room -= 1
    for i in range(len(score)):
        goes[i] = 1
        if score[i] < threshold:
            goes[i] = 0
        elif score[i] == threshold and room > 0:
            goes[i] = 0
            room -= 1


@njit(nogil=True, cache=True)
def move(rows, members, side, goes, sums, column):
    """Bring one of the sums up to date; return how many members change sides."""
    n_changed = 0
    for i in range(len(members)):
        if side[i] != goes[i]:
            n_changed += 1
            if side[i] == column:
                add(rows, members[i], sums, column, np.float32(-1))
            elif goes[i] == column:
                add(rows, members[i], sums, column, np.float32(1))
    return n_changed
