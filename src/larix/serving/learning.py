"""Teach a finished classifier further documents and labels, in seconds."""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse as sp

from larix.xmc.document_memory import DocumentMemory
from larix.xmc.ensemble import Ensemble
from larix.xmc.label_addition import add_labels
from larix.xmc.label_frequency import LabelFrequencies
from larix.xmc.matrix import leading_columns
from larix.xmc.sparse import CSR, binarize, check_csr
from larix.xmc.xr_linear import XRLinear

if TYPE_CHECKING:
    from larix.serving.suggester import Suggester


def learn(
    suggester: "Suggester",
    documents: Any,
    labels: Sequence[Sequence[str]],
    *,
    names: Mapping[str, str] | None = None,
    document_names: Sequence[str] | None = None,
    clusters_per_label: int = 1,
) -> "Suggester":
    """A classifier that knows these documents too; the one given stays as it is.

    The memory, if there is one, takes the documents up. Labels that are new get slots in the tree
    (`larix.xmc.label_addition`): what the memory holds speaks against them where they lie, and all other
    weights stay. Calibration and threshold stay as well.

    Parameters
    ----------
    suggester : Suggester
    documents : list of str, or matrix N x D
    labels : sequence of sequences of str
        Identifiers of each document's labels, known or new.
    names : mapping of str to str, optional
        Names of new labels, by identifier, which else is the name.
    document_names : sequence of str, optional
        What to call the documents in explanations.
    clusters_per_label : int
        Slots of a new label.

    Raises
    ------
    ValueError
        If there is not one set of labels for each document, or neither a memory nor a new label to learn.
    """
    X = suggester.rows(documents)
    if len(labels) != X.shape[0]:
        raise ValueError(f"labels must be given for all {X.shape[0]} documents, but are for {len(labels)}")
    new = sorted({label for row in labels for label in row}.difference(suggester.label_ids))
    memory = suggester.refinement.memory
    if not new and memory is None:
        raise ValueError(
            "there is nothing to learn: all labels are known, and the classifier has no memory; train again"
        )
    label_ids = [*suggester.label_ids, *new]
    Y = _matrix(labels, label_ids)
    model = suggester.model
    if new and isinstance(model, Ensemble):
        grown = [_grown_model(member, memory, X, Y, clusters_per_label) for member in model.models_]
        model = Ensemble.of(grown, model.rule)
    elif new:
        model = _grown_model(model, memory, X, Y, clusters_per_label)
    if memory is not None:
        memory = copy.copy(memory).append(X, Y, document_names)
    frequencies = _more(suggester.frequencies, Y)
    weighed = suggester.refinement.frequencies
    return type(suggester)(
        features=suggester.features,
        model=model,
        label_ids=label_ids,
        label_names=[*suggester.label_names, *((names or {}).get(label, label) for label in new)],
        frequencies=frequencies,
        card=suggester.card,
        refinement=replace(
            suggester.refinement, memory=memory, frequencies=frequencies if weighed is not None else None
        ),
    )


def _grown_model(
    model: XRLinear, memory: DocumentMemory | None, X: CSR, Y: CSR, clusters_per_label: int
) -> XRLinear:
    X = leading_columns(X, model.n_features_in_)  # the memory may read further ones
    if memory is None:
        return add_labels(model, X, Y, clusters_per_label=clusters_per_label)
    return add_labels(
        model, X, Y, X=leading_columns(memory.rows(), model.n_features_in_), Y=memory.Y_,
        retrain_siblings=False, clusters_per_label=clusters_per_label,
    )  # fmt: skip


def _matrix(labels: Sequence[Sequence[str]], label_ids: Sequence[str]) -> CSR:
    numbers = {label: number for number, label in enumerate(label_ids)}
    columns = [numbers[label] for row in labels for label in row]
    indptr = np.append(0, np.cumsum([len(row) for row in labels]))
    ones = np.ones(len(columns), np.float32)
    return binarize(check_csr(sp.csr_array((ones, columns, indptr), shape=(len(labels), len(label_ids)))))


def _more(known: LabelFrequencies, Y: CSR) -> LabelFrequencies:
    """Frequencies with the documents of Y, whose labels are those known and then new ones."""
    counts = np.bincount(Y.indices, minlength=Y.shape[1])
    counts[: known.n_labels] += known.counts
    return LabelFrequencies(counts, known.n_documents + Y.shape[0])
