"""Batches of texts of similar length in random order, each known by its number alone.

Training can therefore go on at any batch after an interruption, with the batches that it would have had.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

_BATCHES_PER_BUCKET = 32


@dataclass(frozen=True, eq=False)
class LengthBuckets:
    """Batches over and over through all texts.

    Parameters
    ----------
    lengths : int array, shape (n,)
        Tokens of each text.
    batch_size : int
    random_state : int
        Of the orders, which differ from epoch to epoch.

    Raises
    ------
    ValueError
        If there is no text, or the batch size isn't positive.
    """

    lengths: NDArray[np.int64]
    batch_size: int
    random_state: int = 0

    def __post_init__(self) -> None:
        if not len(self.lengths) or self.batch_size < 1:
            raise ValueError(
                f"batches need a text and a size of at least 1, but there are {len(self.lengths)} texts and "
                f"the size is {self.batch_size}"
            )
        object.__setattr__(self, "_order", lru_cache(maxsize=1)(self._order))

    @property
    def batches_per_epoch(self) -> int:
        """Batches in which every text occurs once."""
        return -(-len(self.lengths) // self.batch_size)

    def batch(self, number: int) -> NDArray[np.int64]:
        """Texts of a batch; the last one of an epoch may be smaller."""
        epoch, place = divmod(number, self.batches_per_epoch)
        return self._order(epoch)[place]

    def _order(self, epoch: int) -> list[NDArray[np.int64]]:
        """The batches of an epoch: texts at random in buckets, by length in a bucket, batches at random."""
        rng = np.random.default_rng([self.random_state, epoch])
        order = rng.permutation(len(self.lengths))
        bucket = np.arange(len(order)) // (self.batch_size * _BATCHES_PER_BUCKET)
        order = order[np.lexsort((self.lengths[order], bucket))]
        begins = range(0, len(order), self.batch_size)
        batches = [order[begin : begin + self.batch_size] for begin in begins]
        return [batches[i] for i in rng.permutation(len(batches))]
