"""Label representations: what clustering sees of a label.

PECOS (Yu et al., JMLR 2022), section 3.1. Rows are l2-normalised; a label without a training
document has a zero row. Not here yet: graph spectrum and representations of label texts.
"""

from typing import Literal, get_args

from larix.xmc.sparse import CSR, binarize, normalize_rows

Representation = Literal["pifa", "pii"]


def pii(Y: CSR) -> CSR:
    """Positive instance indices: rownorm(Y^T), L x N."""
    return normalize_rows(Y.T.tocsr())


def pifa(X: CSR, Y: CSR) -> CSR:
    """Positive instance feature aggregation: rownorm(rownorm(Y)^T X), L x D.

    Instances with many labels weigh less, because each instance's row of Y is normalised first.
    """
    Z = normalize_rows(Y).T.tocsr() @ X
    Z.sort_indices()
    return normalize_rows(Z)


def represent_labels(X: CSR, Y: CSR, method: Representation = "pifa") -> CSR:
    """Representation Z of every label.

    Parameters
    ----------
    X : csr_array, N x D
        Instances.
    Y : csr_array, N x L
        Labels; relevance values are ignored.
    method : {"pifa", "pii"}

    Returns
    -------
    csr_array, L x D ("pifa") or L x N ("pii")

    Raises
    ------
    ValueError
        For an unknown method.
    """
    if method == "pifa":
        return pifa(X, binarize(Y))
    if method == "pii":
        return pii(binarize(Y))
    raise ValueError(
        f"representation must be one of {', '.join(get_args(Representation))}, but is {method!r}"
    )
