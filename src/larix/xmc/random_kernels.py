"""A small random generator for kernels: the same numbers in every thread and process."""

import numpy as np
from numba import njit


@njit(nogil=True, cache=True)
def start_of(seed):
    """State of the xorshift generator; never zero."""
    return (seed * np.uint64(0x9E3779B97F4A7C15) + np.uint64(0xD1B54A32D192ED03)) | np.uint64(1)


@njit(nogil=True, cache=True)
def draw(state, low, high):
    """(next state, a number from low..high - 1): xorshift64 and a multiplication instead of a remainder."""
    state ^= state << np.uint64(13)
    state ^= state >> np.uint64(7)
    state ^= state << np.uint64(17)
    return state, low + np.int64(((state >> np.uint64(32)) * np.uint64(high - low)) >> np.uint64(32))
