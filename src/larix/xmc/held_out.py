"""Predictions of documents that a model wasn't trained on, made from training documents alone.

What is learnt from a model's scores (calibration, thresholds, the weight of a memory) must see them as they
will be on new documents. On its own training documents a model's scores are far too good.
"""

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from larix.xmc.sparse import CSR, binarize, check_csr


class Predictor(Protocol):
    """A fitted model."""

    def predict(self, X: Any) -> CSR:
        """Scores of the best labels, N x L."""


def hold_out(Y: Any, share: float, *, random_state: int = 0) -> NDArray[np.bool_]:
    """Choose documents to hold out so that every label keeps a training document.

    Documents are visited in random order and held out while all of their labels have another one left.
    Documents of labels with few documents are therefore held out less often than others.

    Parameters
    ----------
    Y : matrix, N x L
    share : float
        Of the documents; fewer are held out if labels would be lost.
    random_state : int

    Returns
    -------
    bool array, shape (N,)
    """
    if not 0 < share < 1:
        raise ValueError(f"share must lie between 0 and 1, but is {share}")
    Y = binarize(check_csr(Y, name="Y"))
    left = np.bincount(Y.indices, minlength=Y.shape[1])
    held = np.zeros(Y.shape[0], np.bool_)
    wanted = round(share * Y.shape[0])
    for i in np.random.default_rng(random_state).permutation(Y.shape[0]):
        if wanted == 0:
            break
        labels = Y.indices[Y.indptr[i] : Y.indptr[i + 1]]
        if left[labels].min(initial=2) > 1:
            left[labels] -= 1
            held[i] = True
            wanted -= 1
    return held


def out_of_fold(
    fit: Callable[[NDArray[np.int64]], Predictor], X: Any, *, n_folds: int = 5, random_state: int = 0
) -> CSR:
    """Predict every document by a model that was trained on the other folds.

    Parameters
    ----------
    fit : callable
        Takes the numbers of documents, and returns a model fitted on them.
    X : matrix, N x D
    n_folds : int
        At least 2.
    random_state : int

    Returns
    -------
    csr_array, N x L
    """
    X = check_csr(X)
    if not 2 <= n_folds <= X.shape[0]:
        raise ValueError(f"n_folds must lie in 2..{X.shape[0]}, the number of documents, but is {n_folds}")
    fold = np.random.default_rng(random_state).permutation(X.shape[0]) % n_folds
    predictions = [fit(np.flatnonzero(fold != f)).predict(X[fold == f]) for f in range(n_folds)]
    order = np.argsort(np.concatenate([np.flatnonzero(fold == f) for f in range(n_folds)]))
    return check_csr(sp.vstack(predictions, format="csr")[order], name="P")
