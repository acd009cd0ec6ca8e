"""Kernels of logistic regression in the dual, sixteen siblings at a time."""

import numpy as np
from numba import njit

from larix.xmc.lanes import WIDTH, add_row, aligned_lines, dot_row
from larix.xmc.random_kernels import draw, start_of


@njit(nogil=True, cache=True)
def descend_logistic(problem, max_iter, seed):
    """Dual coordinate descent of logistic regression (Yu, Huang and Lin, Machine Learning 85, 2011).

    min_a 1/2 |sum_i a_i y_i x_i|^2 + sum_i a_i ln a_i + (c_i - a_i) ln(c_i - a_i), 0 < a_i < c_i,
    one variable at a time by a guarded Newton method. The bias is a feature like any other.
    """
    indptr, indices, data, norms, positive, eligible, cost, negative_cost, n_features, numbers = problem
    eps, bias = numbers
    n = len(norms)
    W, alpha = aligned_lines(n_features + 1, np.float32(0)), np.zeros((n, WIDTH))
    margins, delta = aligned_lines(1, np.float32(0)), aligned_lines(1, np.float32(0))
    one_cost, m = len(cost) == WIDTH, len(negative_cost)
    order = np.arange(n)
    state = start_of(seed)
    open_lanes = np.uint16(0)
    for i in range(n):
        open_lanes |= eligible[i]
    for sweep in range(max_iter + 1):  # the first sets every alpha to its starting value
        steepest = np.zeros(WIDTH)
        for s in range(n):
            state, t = draw(state, s, n)
            order[s], order[t] = order[t], order[s]
            i = order[s]
            numbers = (indptr[i], indptr[i + 1], np.int64(n_features))
            dot_row(W, margins, indices, data, numbers, (bias,))
            moved = False
            for lane in range(WIDTH):
                delta[lane] = 0
                if not (eligible[i] & open_lanes) >> lane & 1:
                    continue
                y = 1.0 if positive[i] >> lane & 1 else -1.0
                c = np.float64(
                    cost[lane if one_cost else i * WIDTH + lane] if y > 0 else negative_cost[i % m]
                )
                old = alpha[i, lane]
                if sweep == 0:
                    new = min(0.001 * c, 1e-8)
                else:
                    slope = y * margins[lane] + np.log(old / (c - old))
                    steepest[lane] = max(steepest[lane], abs(slope))
                    new = _logistic_step(old, c, y * margins[lane], norms[i], 0.01 * eps)
                alpha[i, lane] = new
                delta[lane] = (new - old) * y
                moved = moved or new != old
            if moved:
                add_row(W, delta, indices, data, numbers, (bias,))
        if sweep > 0:
            for lane in range(WIDTH):
                if steepest[lane] < eps:
                    open_lanes &= ~np.uint16(1 << lane)
            if open_lanes == 0:
                break
    return W


@njit(nogil=True, cache=True)
def _logistic_step(old, c, margin, q, tolerance):
    """The root z in (0, c) of q (z - old) + margin + ln(z / (c - z)): Newton, bisecting where it leaves."""
    low, high, z = 0.0, c, old
    for _ in range(100):
        slope = q * (z - old) + margin + np.log(z / (c - z))
        if abs(slope) < tolerance:
            break
        if slope > 0:
            high = z
        else:
            low = z
        step = z - slope / (q + c / (z * (c - z)))
        if not (low < step < high):
            step = np.sqrt(max(low, 1e-12 * c) * high) if high < 0.5 * c else 0.5 * (low + high)
        if step == z or step <= 0 or step >= c:
            break
        z = step
    return z
