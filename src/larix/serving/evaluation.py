"""Evaluate a finished classifier on labelled documents that it has not seen."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from larix.serving.classifier import Classifier
from larix.xmc.label_frequency import LabelFrequencies
from larix.xmc.metrics import Evaluation, evaluate
from larix.xmc.sparse import check_csr, csr_from_parts


def evaluate_suggester(
    suggester: Classifier,
    documents: Any,
    labels: Any,
    *,
    ks: Sequence[int] = (1, 3, 5),
    recall_ks: Sequence[int] = (10,),
) -> Evaluation:
    """Suggest labels for documents and compare them with the true ones.

    Parameters
    ----------
    suggester : Classifier
    documents : list of str, or matrix N x D
    labels : sparse matrix, N x (L + U)
        True labels: the L columns of the classifier, then U labels that it does not know. These count as
        unseen in training: nobody can suggest them, and recall misses them.
    ks, recall_ks : sequence of int
        Cut-offs, as in `larix.xmc.metrics.evaluate`.

    Raises
    ------
    ValueError
        If there is no document, or shapes disagree.
    """
    Y, n_known = check_csr(labels, name="labels"), len(suggester.label_ids)
    if Y.shape[1] < n_known:
        raise ValueError(f"labels must have a column for each of {n_known} labels, but has {Y.shape[1]}")
    P = suggester.predict(documents, top_k=max(*ks, *recall_ks))
    P = csr_from_parts(P.data, P.indices, P.indptr, (P.shape[0], Y.shape[1]))
    counts = np.zeros(Y.shape[1], np.int64)
    counts[:n_known] = suggester.frequencies.counts
    return evaluate(P, Y, LabelFrequencies(counts, suggester.frequencies.n_documents), ks, recall_ks)
