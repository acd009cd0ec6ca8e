"""Kernels of the squared hinge in the primal: a truncated Newton method, one label after another."""

import numpy as np
from numba import njit

from larix.xmc.lanes import WIDTH, aligned_lines


@njit(nogil=True, cache=True)
def minimize_primal(problem, max_iter):
    """Truncated Newton on the primal squared hinge (Keerthi and DeCoste, JMLR 2005), a lane at a time."""
    indptr, indices, data, norms, positive, eligible, cost, negative_cost, n_features, numbers = problem
    eps, bias = numbers
    lines = aligned_lines(n_features + 1, np.float32(0))
    n = len(norms)
    one_cost, m = len(cost) == WIDTH, len(negative_cost)
    for lane in range(WIDTH):
        y, c = np.zeros(n), np.zeros(n)
        n_positive, n_all = 0, 0
        for i in range(n):
            if eligible[i] >> lane & 1:
                y[i] = 1.0 if positive[i] >> lane & 1 else -1.0
                c[i] = cost[lane if one_cost else i * WIDTH + lane] if y[i] > 0 else negative_cost[i % m]
                n_positive += y[i] > 0
                n_all += 1
        if n_all == 0:
            continue
        # liblinear's scaling: the rarer sign decides how exact the gradient has to be
        tolerance = eps * max(min(n_positive, n_all - n_positive), 1) / n_all
        w = _newton(indptr, indices, data, y, c, n_features, np.float64(bias), tolerance, max_iter)
        for f in range(n_features + 1):
            lines[f * WIDTH + lane] = w[f]
    return lines


@njit(nogil=True, cache=True)
def _newton(indptr, indices, data, y, c, n_features, bias, tolerance, max_iter):
    """min_w 1/2 |w|^2 + sum_i c_i max(0, 1 - y_i w.x_i)^2 to a gradient of `tolerance` times the first."""
    n = len(y)
    w, z = np.zeros(n_features + 1), np.zeros(n)
    first = -1.0
    for _ in range(max_iter):
        value, curved = 0.5 * (w @ w), np.zeros(n)
        pull = np.zeros(n)
        for i in range(n):
            lack = 1 - y[i] * z[i]
            if lack > 0:
                value += c[i] * lack * lack
                curved[i] = 2 * c[i]
                pull[i] = -2 * c[i] * y[i] * lack
        gradient = w + _transposed(indptr, indices, data, pull, n_features, bias)
        norm = np.sqrt(gradient @ gradient)
        if first < 0:
            first = norm
        if norm <= tolerance * first:
            break
        step = _conjugate_gradient(indptr, indices, data, curved, gradient, n_features, bias)
        along = _product(indptr, indices, data, step, bias)
        length, descent = 1.0, gradient @ step
        while length > 1e-10:
            trial = w + length * step
            new_value = 0.5 * (trial @ trial)
            for i in range(n):
                lack = 1 - y[i] * (z[i] + length * along[i])
                if lack > 0:
                    new_value += c[i] * lack * lack
            if new_value <= value + 0.01 * length * descent:
                break
            length *= 0.5
        w += length * step
        z += length * along
    return w


@njit(nogil=True, cache=True)
def _conjugate_gradient(indptr, indices, data, curved, gradient, n_features, bias):
    """Solve (I + X^T diag(curved) X) step = -gradient to a tenth of the gradient's norm."""
    step = np.zeros(len(gradient))
    residual = -gradient
    direction = residual.copy()
    squared = residual @ residual
    goal = 0.01 * squared
    for _ in range(len(gradient) + 10):
        if squared <= goal:
            break
        product = curved * _product(indptr, indices, data, direction, bias)
        curvature = direction + _transposed(indptr, indices, data, product, n_features, bias)
        length = squared / (direction @ curvature)
        step += length * direction
        residual -= length * curvature
        previous, squared = squared, residual @ residual
        direction = residual + squared / previous * direction
    return step


@njit(nogil=True, cache=True)
def _product(indptr, indices, data, w, bias):
    """X w, bias included."""
    z = np.empty(len(indptr) - 1)
    for i in range(len(z)):
        total = bias * w[-1]
        for e in range(indptr[i], indptr[i + 1]):
            total += data[e] * w[indices[e]]
        z[i] = total
    return z


@njit(nogil=True, cache=True)
def _transposed(indptr, indices, data, v, n_features, bias):
    """X^T v, bias included."""
    out = np.zeros(n_features + 1)
    for i in range(len(v)):
        if v[i] != 0:
            for e in range(indptr[i], indptr[i + 1]):
                out[indices[e]] += data[e] * v[i]
            out[-1] += bias * v[i]
    return out
