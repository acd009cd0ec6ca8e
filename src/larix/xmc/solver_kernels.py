"""Kernels of the one-level solver: gather a parent's problem, solve sixteen siblings at a time, keep weights.

Dual coordinate descent of the hinges is here; the other losses have kernels of their own.
"""

import numpy as np
from numba import njit

from larix.xmc.lanes import WIDTH, aligned_lines, descend_row
from larix.xmc.logistic_kernels import descend_logistic
from larix.xmc.primal_kernels import minimize_primal
from larix.xmc.random_kernels import draw, start_of
from larix.xmc.sort_kernels import enlarged, kth_smallest, stable_order

SQUARED, PLAIN = range(2)


@njit(nogil=True, cache=True)
def squared_norms(indptr, data, bias):
    norms = np.empty(len(indptr) - 1, np.float32)
    for i in range(len(norms)):
        total = bias * bias
        for e in range(indptr[i], indptr[i + 1]):
            total += data[e] * data[e]
        norms[i] = total
    return norms


@njit(nogil=True, cache=True)
def solve_siblings(
    indptr, indices, data, squared_norms, y_indptr, y_rows, y_relevance, m_rows, m_weights, begin, end,
    hinge, logistic, primal, costs, max_iter, threshold, max_nonzeros, seed, local_feature, local_row,
):  # fmt: skip
    """Train nodes begin..end of one parent; return the parts of a chunk.

    `hinge` is plain or squared; `logistic` and `primal` are None unless that loss is meant, so that numba
    compiles one solver and not three. `y_relevance` is empty or has one weight for each of `y_rows`, and
    `m_weights` the same for `m_rows`. `costs` = (Cp, Cn, eps, bias). `local_feature` and `local_row` are
    scratch maps, -1 everywhere before and after.
    """
    rows, n_reaching = _participants(m_rows, y_indptr, y_rows, begin, end, local_row)
    l_indptr, l_indices, l_data, features = _compact(indptr, indices, data, rows, local_feature)
    norms = squared_norms[rows]
    negative_cost = np.full(len(rows) if len(m_weights) else 1, costs[1])  # one when all are equal
    negative_cost[: len(m_weights)] *= m_weights
    n_children = end - begin
    order = stable_order(y_indptr[begin:end] - y_indptr[begin + 1 : end + 1])  # the most frequent first
    entries = _new_entries(n_children)
    n_entries = 0
    bias_weights = np.zeros(n_children, np.float32)
    for block in range(0, n_children, WIDTH):
        lanes = order[block : block + WIDTH]
        positive, cost = _signs_and_costs(
            begin + lanes, y_indptr, y_rows, y_relevance, local_row, len(rows), costs[0]
        )
        used = np.uint16((1 << len(lanes)) - 1)
        eligible = np.full(len(rows), used, np.uint16)
        eligible[n_reaching:] = positive[n_reaching:]  # instances outside M are positives only
        problem = (l_indptr, l_indices, l_data, norms, positive, eligible, cost, negative_cost, len(features),
                   costs[2:])  # fmt: skip
        if logistic is not None:
            W = descend_logistic(problem, max_iter, seed + np.uint64(block))
        elif primal is not None:
            W = minimize_primal(problem, max_iter)
        else:
            W = _descend(problem, hinge, max_iter, seed + np.uint64(block))
        limits = _weight_limits(W, len(features), len(lanes), threshold, max_nonzeros)
        for lane, child in enumerate(lanes):
            weight = W[len(features) * WIDTH + lane]
            bias_weights[child] = weight if abs(weight) >= limits[lane] else 0
        entries, n_entries = _collect(W, len(features), lanes, limits, entries, n_entries)
    for i in range(len(rows)):
        local_row[rows[i]] = -1
    features, row_entries, slots, weights = _sort_by_feature(features, entries, n_entries)
    return features, row_entries, slots, weights, bias_weights


@njit(nogil=True, cache=True)
def _signs_and_costs(nodes, y_indptr, y_rows, y_relevance, local_row, n_rows, Cp):
    """Positive lanes of every row, and lines of the cost of positives (one line when all are equal)."""
    positive = np.zeros(n_rows, np.uint16)
    cost = aligned_lines(n_rows if len(y_relevance) else 1, Cp)
    for lane, node in enumerate(nodes):
        for e in range(y_indptr[node], y_indptr[node + 1]):
            row = local_row[y_rows[e]]
            positive[row] |= np.uint16(1 << lane)
            if len(y_relevance):
                cost[row * WIDTH + lane] = Cp * y_relevance[e]
    return positive, cost


@njit(nogil=True, cache=True)
def _participants(m_rows, y_indptr, y_rows, begin, end, local_row):
    """Instances of the problem: those that reach the parent, then positives that don't."""
    rows = np.empty(len(m_rows) + y_indptr[end] - y_indptr[begin], np.int32)
    n = 0
    for row in m_rows:
        local_row[row] = n
        rows[n] = row
        n += 1
    n_reaching = n
    for e in range(y_indptr[begin], y_indptr[end]):
        if local_row[y_rows[e]] < 0:
            local_row[y_rows[e]] = n
            rows[n] = y_rows[e]
            n += 1
    return rows[:n].copy(), n_reaching


@njit(nogil=True, cache=True)
def _compact(indptr, indices, data, rows, local_feature):
    """The rows' own CSR over the features they use: (indptr, indices, data, global feature ids)."""
    total = 0
    for row in rows:
        total += indptr[row + 1] - indptr[row]
    l_indptr = np.empty(len(rows) + 1, np.int64)
    l_indices = np.empty(total, np.int32)
    l_data = np.empty(total, np.float32)
    features = np.empty(min(total, len(local_feature)), np.int32)
    n_features = 0
    at = 0
    l_indptr[0] = 0
    for i, row in enumerate(rows):
        for e in range(indptr[row], indptr[row + 1]):
            feature = indices[e]
            if local_feature[feature] < 0:
                local_feature[feature] = n_features
                features[n_features] = feature
                n_features += 1
            l_indices[at] = local_feature[feature]
            l_data[at] = data[e]
            at += 1
        l_indptr[i + 1] = at
    for f in range(n_features):
        local_feature[features[f]] = -1
    return l_indptr, l_indices, l_data, features[:n_features].copy()


@njit(nogil=True, cache=True)
def _descend(problem, hinge, max_iter, seed):
    """Dual coordinate descent of up to sixteen (squared) hinge problems over the same rows; lines of W."""
    indptr, indices, data, norms, positive, eligible, cost, negative_cost, n_features, numbers = problem
    eps, bias = numbers
    n = len(norms)
    infinity = np.float32(np.inf)
    W = aligned_lines(n_features + 1, np.float32(0))
    alpha = aligned_lines(n, np.float32(0))
    bounds = aligned_lines(6, np.float32(0))
    bounds[: 1 * WIDTH] = infinity
    bounds[1 * WIDTH : 2 * WIDTH] = -infinity
    if hinge == PLAIN:  # D = 0, U = c
        diagonal, upper = aligned_lines(len(cost) // WIDTH, np.float32(0)), cost
    else:  # D = 1 / 2c, U = infinity
        diagonal, upper = cost, aligned_lines(len(cost) // WIDTH, infinity)
        diagonal[:] = np.float32(0.5) / cost
    _set_negatives(bounds, hinge, negative_cost[0])
    one_cost = len(cost) == WIDTH
    live = eligible.copy()
    active = np.arange(n)
    n_active = n
    open_lanes = np.uint16(0)
    for i in range(n):
        open_lanes |= eligible[i]
    state = start_of(seed)
    for _ in range(max_iter):
        bounds[2 * WIDTH : 3 * WIDTH] = -infinity
        bounds[3 * WIDTH : 4 * WIDTH] = infinity
        n_kept = 0
        for s in range(n_active):
            state, t = draw(state, s, n_active)
            i = active[t]
            active[t] = active[s]
            if len(negative_cost) > 1:
                _set_negatives(bounds, hinge, negative_cost[i])
            numbers = (indptr[i], indptr[i + 1], np.int64(n_features), np.int64(i),
                       np.int64(0 if one_cost else i), np.int64(positive[i]), np.int64(live[i]))  # fmt: skip
            live[i] = descend_row(W, alpha, bounds, diagonal, upper, indices, data, numbers, (bias, norms[i]))
            if live[i]:
                active[n_kept] = i
                n_kept += 1
        n_active = n_kept
        closed, reopened = _judge_lanes(bounds, open_lanes, eps, live, eligible)
        open_lanes &= ~closed
        if open_lanes == 0:
            break
        if closed or reopened:
            n_active = 0
            for i in range(n):
                live[i] = (live[i] | (eligible[i] & reopened)) & ~closed
                if live[i]:
                    active[n_active] = i
                    n_active += 1
    return W


@njit(nogil=True, cache=True)
def _set_negatives(bounds, hinge, cost):
    """D and U of negatives."""
    bounds[4 * WIDTH : 5 * WIDTH] = np.float32(0) if hinge == PLAIN else np.float32(0.5) / cost
    bounds[5 * WIDTH :] = cost if hinge == PLAIN else np.float32(np.inf)


@njit(nogil=True, cache=True)
def _judge_lanes(bounds, open_lanes, eps, live, eligible):
    """Lanes that are solved, and lanes to check once more on all their rows; set the next pass' bounds."""
    narrow = np.uint16(0)
    for lane in range(WIDTH):
        if not open_lanes >> lane & 1:
            continue
        largest, smallest = bounds[2 * WIDTH + lane], bounds[3 * WIDTH + lane]
        if largest - smallest <= eps:
            narrow |= np.uint16(1 << lane)
            largest, smallest = np.float32(0), np.float32(0)
        bounds[lane] = largest if largest > 0 else np.inf
        bounds[WIDTH + lane] = smallest if smallest < 0 else -np.inf
    complete = narrow
    if narrow:
        for i in range(len(live)):
            complete &= live[i] | ~eligible[i]
    return complete, narrow & ~complete


@njit(nogil=True, cache=True)
def _weight_limits(W, n_features, n_lanes, threshold, max_nonzeros):
    """Smallest magnitude kept in every lane, so that at most `max_nonzeros` weights survive (0: all)."""
    limits = np.full(n_lanes, threshold, np.float32)
    if 0 < max_nonzeros < n_features + 1:
        for lane in range(n_lanes):
            sizes = np.abs(W[lane::WIDTH].copy()[: n_features + 1])
            position = len(sizes) - max_nonzeros
            limit = kth_smallest(sizes, position)
            if kth_smallest(sizes, position - 1) == limit:  # a tie that doesn't fit is dropped whole
                limit = np.nextafter(limit, np.float32(np.inf))
            limits[lane] = max(threshold, limit)
    return limits


@njit(nogil=True, cache=True)
def _new_entries(n_children):
    capacity = 64 * n_children
    return np.empty(capacity, np.int32), np.empty(capacity, np.int32), np.empty(capacity, np.float32)


@njit(nogil=True, cache=True)
def _collect(W, n_features, lanes, limits, entries, n_entries):
    """Append the surviving weights of a block to (local feature, slot, weight) entries."""
    features, slots, weights = entries
    for f in range(n_features):
        if n_entries + len(lanes) > len(features):
            features, slots, weights = enlarged(features), enlarged(slots), enlarged(weights)
        for lane in range(len(lanes)):
            weight = W[f * WIDTH + lane]
            if weight != 0 and abs(weight) >= limits[lane]:
                features[n_entries] = f
                slots[n_entries] = lanes[lane]
                weights[n_entries] = weight
                n_entries += 1
    return (features, slots, weights), n_entries


@njit(nogil=True, cache=True)
def _sort_by_feature(features, entries, n_entries):
    """Chunk rows by ascending global feature: (features, entries of each, slots, weights)."""
    counts = np.zeros(len(features) + 1, np.int64)
    for e in range(n_entries):
        counts[entries[0][e]] += 1
    order = stable_order(features)
    n_rows = 0
    for count in counts:
        n_rows += count > 0
    row_feature = np.empty(n_rows, np.int32)
    row_entries = np.empty(n_rows, np.uint8)
    write_at = np.empty(len(features), np.int64)
    row = at = 0
    for f in order:
        write_at[f] = at
        if counts[f]:
            at += counts[f]
            row_feature[row] = features[f]
            row_entries[row] = counts[f]
            row += 1
    slots = np.empty(n_entries, np.uint8)
    weights = np.empty(n_entries, np.float32)
    for e in range(n_entries):
        f = entries[0][e]
        slots[write_at[f]] = entries[1][e]
        weights[write_at[f]] = entries[2][e]
        write_at[f] += 1
    return row_feature, row_entries, slots, weights
