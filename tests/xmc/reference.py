"""Slow, readable versions of the kernels, written from the formulas; the tests' oracles."""

import itertools

import numpy as np


def one_vs_rest_weights(X, y, costs, *, bias=1.0, eps=1e-6, max_iter=5000):
    """min_w 1/2 |w|^2 + sum_i c_i max(0, 1 - y_i (w.x_i + bias w_b))^2 by dual coordinate descent.

    X is dense (n x D), y is +1 or -1, `costs` the c_i. Returns w with the bias weight last.
    """
    X = np.hstack([X, np.full((len(X), 1), bias)]).astype(np.float64)
    w, alpha = np.zeros(X.shape[1]), np.zeros(len(X))
    D = 0.5 / np.asarray(costs, np.float64)
    Q = (X**2).sum(1)
    for _ in range(max_iter):
        largest = 0.0
        for i in range(len(X)):
            G = y[i] * (w @ X[i]) - 1 + D[i] * alpha[i]
            PG = min(G, 0) if alpha[i] == 0 else G
            largest = max(largest, abs(PG))
            if PG != 0:
                new = max(alpha[i] - G / (Q[i] + D[i]), 0)
                w += (new - alpha[i]) * y[i] * X[i]
                alpha[i] = new
        if largest < eps:
            break
    return w


def train_tree(X, Y, tree, Cp=1.0, Cn=1.0):
    """Teacher-forced weights of every level: list of (D + 1) x n_nodes arrays."""
    X, Y = np.asarray(X.todense()), np.asarray(Y.todense()) != 0
    positive = Y[:, tree.slot_label]
    targets = [positive]
    for level in range(tree.depth - 1, 0, -1):
        offsets = tree.offsets[level]
        positive = np.stack(
            [
                positive[:, a:b].any(1) if b > a else np.zeros(len(X), bool)
                for a, b in itertools.pairwise(offsets)
            ],
            1,
        )
        targets.insert(0, positive)
    weights = []
    for level in range(tree.depth):
        W = np.zeros((X.shape[1] + 1, tree.n_nodes(level)))
        for parent, (a, b) in enumerate(itertools.pairwise(tree.offsets[level])):
            reach = np.ones(len(X), bool) if level == 0 else targets[level - 1][:, parent]
            for node in range(a, b):
                y = np.where(targets[level][reach, node], 1, -1)
                W[:, node] = one_vs_rest_weights(X[reach], y, np.where(y > 0, Cp, Cn))
        weights.append(W)
    return weights


def transform(margin, post_processor):
    """What a margin counts, in the domain of the post-processor."""
    if post_processor == "noop":
        return margin
    log = post_processor.startswith("log-")
    kind = post_processor.removeprefix("log-")
    lack = np.maximum(1 - margin, 0)
    value = -np.log1p(np.exp(-margin)) if kind == "sigmoid" else -(lack ** int(kind[1]))
    return value if log else np.exp(value)


def combine(value, parent, post_processor):
    """A node's value on top of its parent's."""
    if post_processor == "noop":
        return value
    return value + parent if post_processor.startswith("log-") else value * parent


def search(x, weights, tree, post_processor, beam_size, top_k, merge=max):
    """Beam search of one dense instance: [(label, score), ...], best first."""
    x = np.append(x, 1.0)
    neutral = 0.0 if post_processor.startswith("log-") else 1.0
    beam = [(0, neutral)]
    for level, W in enumerate(weights):
        scored = [
            (node, combine(transform(x @ W[:, node], post_processor), value, post_processor))
            for parent, value in beam
            for node in range(tree.offsets[level][parent], tree.offsets[level][parent + 1])
        ]
        beam = sorted(scored, key=lambda item: -item[1])[:beam_size] if level < tree.depth - 1 else scored
    by_label = {}
    for slot, value in beam:
        by_label.setdefault(int(tree.slot_label[slot]), []).append(value)
    merged = [(label, merge(values)) for label, values in by_label.items()]
    return sorted(merged, key=lambda item: -item[1])[:top_k]
