"""Rejected labels as user-supplied negatives."""

from collections.abc import Sequence

from larix.xmc.negative_sampling import Negatives, asks_for
from larix.xmc.sparse import CSR


def rejected_labels(
    rejected: CSR | None, negatives: Negatives | Sequence[Negatives]
) -> dict[int, CSR] | None:
    """What `fit` takes as `user_negatives`; None if no level asks for it.

    Parameters
    ----------
    rejected : csr_array, N x L, or None
    negatives : `tfn`, `man`, `usn` or several joined by `+`; or one for each level

    Raises
    ------
    ValueError
        If a level asks for labels that were rejected, and there are none.
    """
    if not asks_for("usn", negatives):
        return None
    if rejected is None or not rejected.nnz:
        raise ValueError(
            f"negatives {negatives!r} need labels that are known to be wrong, but the corpus has none; "
            "name their column in ingestion.columns.rejected, or leave usn out"
        )
    return {0: rejected}
