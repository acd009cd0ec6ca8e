"""Senses of labels: a finer set of labels of which a model knows nothing, for corpora where it is known.

A label may stand for several things, as a word does for its meanings. A matrix of senses (N x S) says in
which of them a document has a label; `sense_labels`, shape (S,), names the label of every sense. A document
has a label exactly if it has one of its senses or more.
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from larix.xmc.sparse import CSR, binarize, check_csr


def check_senses(
    senses: Any, sense_labels: ArrayLike, n_labels: int, *, n_rows: int | None = None, name: str = "senses"
) -> tuple[CSR, NDArray[np.int64]]:
    """Bring senses to 0/1 in canonical form, and the label of each to an array.

    Raises
    ------
    ValueError
        If shapes disagree, or a sense belongs to none of the labels.
    """
    labels = np.asarray(sense_labels, np.int64)
    if labels.ndim != 1 or (len(labels) and not (labels.min() >= 0 and labels.max() < n_labels)):
        raise ValueError(
            f"sense_labels must name one of {n_labels} labels for every sense, but has shape {labels.shape} "
            f"and spans {labels.min(initial=0)}..{labels.max(initial=0)}; number labels as in Y"
        )
    return binarize(check_csr(senses, name=name, n_rows=n_rows, n_columns=len(labels))), labels


def sense_ranks(senses: CSR, sense_labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Place of every sense among those of its label, by falling number of documents.

    Parameters
    ----------
    senses : csr_array, N x S
        As `check_senses` returns it.
    sense_labels : int array, shape (S,)

    Returns
    -------
    int array, shape (S,)
        0 for a label's dominant sense, 1 for the next, ...; equals by number. -1 for senses without
        documents.
    """
    n_documents = np.bincount(senses.indices, minlength=senses.shape[1])
    order = np.lexsort((-n_documents, sense_labels))
    first = np.searchsorted(sense_labels[order], sense_labels[order])
    ranks = np.empty(len(order), np.int64)
    ranks[order] = np.arange(len(order)) - first
    ranks[n_documents == 0] = -1
    return ranks
