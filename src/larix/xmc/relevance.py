"""Cost-sensitive learning: how much an instance matters to a label.

PECOS (Yu et al., JMLR 2022), section 4.3. The values of Y are relevances; those of a node above the labels
are the sums over its descendants, normalised for every instance. They multiply the cost of positives.
"""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from larix.xmc.choice import check_choice
from larix.xmc.sparse import CSR, csr_from_parts, row_norms

Mode = Literal["none", "induced", "ranker-only"]
Norm = Literal["none", "l1", "l2", "max"]


@dataclass(frozen=True)
class RelevanceParams:
    """Where relevance counts, and how an instance's values are normalised.

    Parameters
    ----------
    mode : {"none", "induced", "ranker-only"}
        Nowhere, on every level, or on the last alone.
    norm : {"none", "l1", "l2", "max"}
        What every instance's values of a level are divided by.
    """

    mode: Mode = "none"
    norm: Norm = "l1"

    def __post_init__(self) -> None:
        check_choice("mode", self.mode, get_args(Mode))
        check_choice("norm", self.norm, get_args(Norm))

    def counts(self, *, last_level: bool) -> bool:
        """Whether relevance weighs the positives of a level."""
        return self.mode == "induced" or (last_level and self.mode == "ranker-only")

    def normalize(self, R: CSR) -> CSR:
        """Divide every row by its norm; N x n_nodes."""
        if self.norm == "none":
            return R
        if self.norm == "max":
            norms = R.max(axis=1).toarray().ravel() if R.nnz else np.ones(R.shape[0], np.float32)
        else:
            norms = row_norms(R, 1 if self.norm == "l1" else 2)
        data = R.data / np.repeat(norms, np.diff(R.indptr))
        return csr_from_parts(data.astype(np.float32), R.indices, R.indptr, R.shape)
