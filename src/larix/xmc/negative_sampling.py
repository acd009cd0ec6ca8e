"""Which instances take part in the problems of a parent's children.

PECOS (Yu et al., JMLR 2022), section 4.2. Teacher-forced negatives (`tfn`) are the instances whose true
labels lie under the parent; matcher-aware negatives (`man`) those whose beam reaches it. Positives of a
child always take part.
"""

from typing import Literal

from larix.xmc.sparse import CSR, binarize

Negatives = Literal["tfn", "man", "tfn+man"]


def sample_negatives(scheme: Negatives, true_parents: CSR, beams: CSR | None) -> CSR:
    """M of a level: N x n_parents, stored where an instance takes part.

    Parameters
    ----------
    scheme : {"tfn", "man", "tfn+man"}
    true_parents : csr_array, N x n_parents
    beams : csr_array or None
        The matcher's scores of parents on the same instances; needed for `man`.
    """
    if scheme == "tfn":
        return true_parents
    if beams is None:
        raise ValueError(
            f"negatives {scheme!r} need the matcher's cluster scores of the training instances; pass them"
        )
    reached = binarize(beams)
    return reached if scheme == "man" else binarize(reached + true_parents)
