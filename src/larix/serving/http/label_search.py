"""Find labels by words of their identifiers and names."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


class LabelSearch:
    """Labels whose identifier or name contains every word of a query, regardless of case.

    First comes the label with this identifier, then identifiers that begin so, then names that begin so, then
    the rest; within each group the most frequent labels.

    Parameters
    ----------
    label_ids, label_names : sequence of str
        Of L labels.
    counts : ndarray of int, shape (L,)
        Training documents of each.
    """

    def __init__(
        self, label_ids: Sequence[str], label_names: Sequence[str], counts: NDArray[np.int64]
    ) -> None:
        self._ids = [label.casefold() for label in label_ids]
        self._names = [name.casefold() for name in label_names]
        self._counts = counts

    def find(self, query: str) -> list[int]:
        """Numbers of the labels that match; with an empty query all of them."""
        query = " ".join(query.casefold().split())
        words = query.split()
        found = [
            number
            for number, (label, name) in enumerate(zip(self._ids, self._names, strict=True))
            if all(word in label or word in name for word in words)
        ]
        return sorted(found, key=lambda number: (self._distance(number, query), -self._counts[number]))

    def _distance(self, number: int, query: str) -> int:
        label, name = self._ids[number], self._names[number]
        if label == query:
            return 0
        return 1 if label.startswith(query) else 2 if name.startswith(query) else 3
