"""Recall apart for dominant and minor senses of labels.

A label that has two meanings in training may be found well in the common one and badly in the other, which
recall over all labels hides. Here the occurrences of labels in the evaluated documents, pairs of a document
and a label, are put into four groups by the senses that the training documents show:

- *single*: of a label with one sense in training, in that sense;
- *dominant*: of a label with several, in the one with the most training documents;
- *minor*: of such a label, in another one;
- *unseen*: in a sense that no training document has.

An occurrence in two senses belongs to the better known one. The recall of a group is the share of its
occurrences whose label is in the top k, so a document counts as often as it has labels.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from larix.xmc.label_senses import check_senses, sense_ranks
from larix.xmc.sparse import check_csr, top_k_per_row

GROUPS = ("single", "dominant", "minor", "unseen")


@dataclass(frozen=True, eq=False)
class SenseRecall:
    """Hits in the top k by groups of senses.

    Attributes
    ----------
    k : int
        Cut-off.
    rows, labels : int array, shape (n,)
        Document and label of every occurrence, sorted.
    group : int array, shape (n,)
        Place in `GROUPS`.
    found : bool array, shape (n,)
        Whether the label is in the document's top k.
    """

    k: int
    rows: NDArray[np.int64]
    labels: NDArray[np.int64]
    group: NDArray[np.int64]
    found: NDArray[np.bool_]

    def to_dict(self) -> dict[str, dict[str, float | None]]:
        """For every group its occurrences and their recall, None where there are none."""
        n = np.bincount(self.group, minlength=len(GROUPS)).tolist()
        n_found = np.bincount(self.group[self.found], minlength=len(GROUPS)).tolist()
        return {
            name: {"occurrences": n[at], f"R@{self.k}": n_found[at] / n[at] if n[at] else None}
            for at, name in enumerate(GROUPS)
        }


def sense_recall(
    P: Any, senses_test: Any, senses_train: Any, sense_labels: ArrayLike, *, k: int = 10
) -> SenseRecall:
    """Recall in the top k by groups of senses.

    Parameters
    ----------
    P : matrix, N x L
        Scores; higher is better, ties go to the lower label.
    senses_test, senses_train : matrix, N x S and N' x S
        Non-zero where a document has a sense; see `larix.xmc.label_senses`.
    sense_labels : int array, shape (S,)
        The label of every sense.
    k : int, default 10
        Cut-off.

    Returns
    -------
    SenseRecall

    Raises
    ------
    ValueError
        If shapes disagree, a sense belongs to no label, or `k` is below 1.

    Examples
    --------
    Label 0 has two senses, and is found in the first only:

    >>> result = sense_recall([[0.9], [0.0]], [[1, 0], [0, 1]], [[1, 0], [1, 0], [0, 1]], [0, 0], k=1)
    >>> result.to_dict()["dominant"], result.to_dict()["minor"]
    ({'occurrences': 1, 'R@1': 1.0}, {'occurrences': 1, 'R@1': 0.0})
    """
    P = check_csr(P, name="P")
    test, owners = check_senses(senses_test, sense_labels, P.shape[1], n_rows=P.shape[0], name="senses_test")
    train, _ = check_senses(senses_train, sense_labels, P.shape[1], name="senses_train")
    group_of_sense = _groups(sense_ranks(train, owners), owners, P.shape[1])
    rows = np.repeat(np.arange(P.shape[0]), np.diff(test.indptr))
    occurrences, of = np.unique(rows * P.shape[1] + owners[test.indices], return_inverse=True)
    group = np.full(len(occurrences), len(GROUPS))
    np.minimum.at(group, of, group_of_sense[test.indices])
    top = top_k_per_row(P, k)
    predicted = np.repeat(np.arange(P.shape[0]), np.diff(top.indptr)) * P.shape[1] + top.indices
    rows, labels = np.divmod(occurrences, P.shape[1])
    return SenseRecall(k, rows, labels, group, np.isin(occurrences, predicted))


def _groups(ranks: NDArray[np.int64], owners: NDArray[np.int64], n_labels: int) -> NDArray[np.int64]:
    """Place in `GROUPS` of every sense."""
    several = np.bincount(owners[ranks > 0], minlength=n_labels)[owners] > 0
    seen = np.where(several, np.where(ranks == 0, 1, 2), 0)
    groups: NDArray[np.int64] = np.where(ranks < 0, 3, seen)
    return groups
