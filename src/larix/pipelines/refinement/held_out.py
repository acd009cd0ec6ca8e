"""The training documents that are held out: for choosing rounds, the weight of votes, and calibration."""

import logging

import numpy as np
from numpy.typing import NDArray

from larix.pipelines.refinement.params import RefinementParams
from larix.xmc.held_out import hold_out
from larix.xmc.sparse import CSR

logger = logging.getLogger(__name__)
FEWEST_HELD_OUT = 100


def held_out_documents(Y: CSR, params: RefinementParams, random_state: int) -> NDArray[np.bool_]:
    """Which documents are held out, the same for all who ask; none if that would be too few to learn from."""
    held = hold_out(Y, params.held_out_share, random_state=random_state)
    if held.sum() >= FEWEST_HELD_OUT:
        return held
    logger.warning(
        "nothing is learnt from held-out documents: that needs %d of them, but without losing a label "
        "only %d can be held out", FEWEST_HELD_OUT, held.sum(),
    )  # fmt: skip
    return np.zeros_like(held)
