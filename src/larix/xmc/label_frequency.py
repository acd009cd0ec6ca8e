"""How often each label occurs in training: head, torso and tail, and propensities.

Most labels of an extreme data set are rare, and averages over documents hide how they fare. Labels are
therefore split into bands that hold a third of the training occurrences each, and true labels are weighted by
the inverse of their propensity, the estimated chance that a relevant label was annotated at all.

References
----------
Jain, Prabhu, Varma. Extreme Multi-label Loss Functions for Recommendation, Tagging, Ranking & Other Missing
Label Applications. KDD 2016 (the propensity model).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from larix.xmc.sparse import binarize, check_csr

BANDS = ("head", "torso", "tail")


@dataclass(frozen=True)
class PropensityParams:
    """Constants of the propensity model.

    Parameters
    ----------
    A, B : float, default 0.55 and 1.5
        These are in use for most data sets; published results use 0.6 and 2.6 for Amazon's product data, and
        0.5 and 0.4 for WikiLSHTC.
    """

    A: float = 0.55
    B: float = 1.5

    def __post_init__(self) -> None:
        for name in ("A", "B"):
            if not 0 < getattr(self, name) < np.inf:
                raise ValueError(f"{name} must be positive and finite, but is {getattr(self, name)}")


@dataclass(frozen=True, eq=False)
class LabelFrequencies:
    """Training occurrences of every label.

    Parameters
    ----------
    counts : ndarray of int, shape (L,)
        Number of training documents that carry each label.
    n_documents : int
        Number of training documents.
    """

    counts: NDArray[np.int64]
    n_documents: int

    def __post_init__(self) -> None:
        counts = np.asarray(self.counts)
        if counts.ndim != 1 or counts.dtype.kind not in "iu":
            raise ValueError(
                f"counts must be one row of integers, but is {counts.dtype} of shape {counts.shape}"
            )
        if self.n_documents < 0 or (
            len(counts) and not 0 <= counts.min() <= counts.max() <= self.n_documents
        ):
            raise ValueError(
                f"counts must lie in 0..n_documents = {self.n_documents}, but span "
                f"{counts.min(initial=0)}..{counts.max(initial=0)}"
            )
        object.__setattr__(self, "counts", counts.astype(np.int64))

    @classmethod
    def of(cls, Y: Any) -> "LabelFrequencies":
        """Count the labels of a training matrix `Y` (N x L); stored zeros are no labels."""
        labels = binarize(check_csr(Y, name="Y_train"))
        return cls(np.bincount(labels.indices, minlength=labels.shape[1]), labels.shape[0])

    @property
    def n_labels(self) -> int:
        """Number of labels L, those without an occurrence too."""
        return len(self.counts)

    def bands(self) -> dict[str, NDArray[np.bool_]]:
        """Masks, shape (L,), of head, torso and tail; every label is in one of them.

        With labels ordered by falling frequency (equals by number), a label belongs to the head while those
        before it hold less than a third of the occurrences, to the torso while they hold less than two
        thirds, and else to the tail. Labels without an occurrence belong to the tail.
        """
        order = np.argsort(-self.counts, kind="stable")
        ordered = self.counts[order]
        before = np.cumsum(ordered) - ordered
        total = int(self.counts.sum())
        band = np.empty(self.n_labels, np.int64)
        band[order] = np.where(ordered == 0, 2, np.minimum(3 * before // max(total, 1), 2))
        return {name: band == number for number, name in enumerate(BANDS)}

    def inverse_propensities(self, params: PropensityParams | None = None) -> NDArray[np.float64]:
        """One over the propensity of every label, shape (L,).

        1 / p_l = 1 + C (n_l + B)^-A with C = (log N - 1)(B + 1)^A, for label l in n_l of N documents. C is
        taken as zero where it would be negative, with fewer than three documents.
        """
        params = params or PropensityParams()
        C = max(np.log(max(self.n_documents, 1)) - 1, 0.0) * (params.B + 1) ** params.A
        inverse: NDArray[np.float64] = 1 + C * (self.counts + params.B) ** -params.A
        return inverse
