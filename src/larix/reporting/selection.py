"""Choose what a report shows in detail: example documents and the labels that fared worst."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from larix.reporting.content import Example, LabelRow, Suggested
from larix.xmc.label_quality import LabelQuality
from larix.xmc.sparse import CSR, binarize, check_csr, top_k_per_row


def pick_examples(
    P: Any,
    Y_true: Any,
    texts: Sequence[str] | None,
    label_ids: Sequence[str],
    label_names: Sequence[str],
    *,
    n: int = 5,
    top_k: int = 5,
    max_characters: int = 600,
    random_state: int = 0,
) -> tuple[list[Example], list[Example]]:
    """Draw documents whose first suggestion is right, and others whose first suggestion is wrong.

    Parameters
    ----------
    P, Y_true : sparse matrix, shape (N, L)
        Scores and true labels.
    texts : sequence of str or None
        Texts of the documents; without them an example is named by its number.
    label_ids, label_names : sequence of str
        Identifier and name of every label.
    n : int, default 5
        Documents of each kind, as far as there are as many.
    top_k : int, default 5
        Suggestions to show for each.
    max_characters : int, default 600
        Longer texts are cut.
    random_state : int, default 0
        Seed of the draw.

    Returns
    -------
    right, wrong : list of Example
        In the order of the documents. Documents without labels or without suggestions are left out.
    """
    top = top_k_per_row(check_csr(P, name="P"), top_k)
    truth = binarize(check_csr(Y_true, name="Y_true", n_rows=top.shape[0], n_columns=top.shape[1]))
    usable = np.flatnonzero((np.diff(top.indptr) > 0) & (np.diff(truth.indptr) > 0))
    first_is_right = np.array([top.indices[top.indptr[i]] in row_of(truth, i) for i in usable], bool)
    rng = np.random.default_rng(random_state)

    def draw(kind: NDArray[np.int64]) -> list[Example]:
        chosen = np.sort(rng.permutation(kind)[:n])
        return [example_of(top, truth, int(i), texts, label_ids, label_names, max_characters) for i in chosen]

    return draw(usable[first_is_right]), draw(usable[~first_is_right])


def row_of(X: CSR, i: int) -> NDArray[Any]:
    """Columns of the entries of a row, as they are stored."""
    row: NDArray[Any] = X.indices[X.indptr[i] : X.indptr[i + 1]]
    return row


def _text(texts: Sequence[str] | None, i: int, max_characters: int) -> str:
    if texts is None:
        return f"document {i + 1:,}"
    text = texts[i]
    return text if len(text) <= max_characters else text[:max_characters].rstrip() + " …"


def example_of(
    top: CSR,
    truth: CSR,
    i: int,
    texts: Sequence[str] | None,
    label_ids: Sequence[str],
    label_names: Sequence[str],
    max_characters: int = 600,
) -> Example:
    """Document `i` with its suggestions, a row of `top` by falling score, and the labels they miss."""
    true_labels, shown = row_of(truth, i), row_of(top, i)
    scores = top.data[top.indptr[i] : top.indptr[i + 1]]
    suggestions = tuple(
        Suggested(label_ids[j], label_names[j], float(score), bool(j in true_labels))
        for j, score in zip(shown, scores, strict=True)
    )
    missed = tuple((label_ids[j], label_names[j]) for j in np.setdiff1d(true_labels, shown))
    return Example(_text(texts, i, max_characters), suggestions, missed)


def pick_worst_labels(
    quality: LabelQuality, label_ids: Sequence[str], label_names: Sequence[str], n: int = 20
) -> list[LabelRow]:
    """The labels with the most missed occurrences, worst first.

    Parameters
    ----------
    quality : LabelQuality
        Counts of every label.
    label_ids, label_names : sequence of str
        Identifier and name of every label.
    n : int, default 20
        How many at most.
    """
    return [
        LabelRow(
            label=label_ids[j],
            name=label_names[j],
            n_training=int(quality.n_training[j]),
            n_true=int(quality.n_true[j]),
            n_predicted=int(quality.n_predicted[j]),
            n_correct=int(quality.n_correct[j]),
        )
        for j in quality.worst(n)
    ]
