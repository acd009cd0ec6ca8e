"""Small matrices with structure: labels have topics, so that models learn something."""

import numpy as np
import scipy.sparse as sp

from larix.xmc.label_tree import LabelTree


def documents(n, n_features, n_labels, seed=0, labels_per_document=2):
    """X (n x n_features) of unit rows and Y (n x n_labels); every label of a document adds its topic."""
    rng = np.random.default_rng(seed)
    topics = (rng.random((n_labels, n_features)) < 4 / n_features) * rng.random((n_labels, n_features))
    Y = np.zeros((n, n_labels), np.float32)
    X = (rng.random((n, n_features)) < 2 / n_features) * rng.random((n, n_features))
    for i in range(n):
        chosen = rng.choice(n_labels, rng.integers(1, labels_per_document + 1), replace=False)
        Y[i, chosen] = 1
        X[i] += topics[chosen].sum(0) + 1e-3
    X[X < 2e-3] = 0
    X /= np.maximum(np.linalg.norm(X, axis=1, keepdims=True), 1e-9)
    return sp.csr_array(X.astype(np.float32)), sp.csr_array(Y)


def random_tree(n_labels, fan_outs, seed=0, n_copies=0):
    """A tree with these numbers of nodes a level, labels at random; `n_copies` labels get a second slot."""
    rng = np.random.default_rng(seed)
    offsets, n_parents = [], 1
    for n_nodes in fan_outs:
        cuts = np.sort(rng.integers(0, n_nodes + 1, n_parents - 1))
        offsets.append(np.concatenate([[0], cuts, [n_nodes]]))
        n_parents = n_nodes
    cluster = rng.integers(0, n_parents, n_labels)
    pairs = {(int(c), label) for label, c in enumerate(cluster)}
    for label in rng.choice(n_labels, n_copies, replace=False):
        pairs.add((int((cluster[label] + 1) % n_parents), int(label)))
    ordered = sorted(pairs)
    sizes = np.bincount([c for c, _ in ordered], minlength=n_parents)
    slots = np.array([label for _, label in ordered])
    return LabelTree((*offsets, np.concatenate([[0], np.cumsum(sizes)])), slots, n_labels)
