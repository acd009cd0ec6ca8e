"""Kernels that spell n-grams in UTF-8 from where they were seen.

Words of an n-gram are joined by one space, whatever stood between them; white space and the padding of
character n-grams are spaces.
"""

import numpy as np
from numba import njit

from larix.xmc.ngrams import PADDING, SPACE, WORD

_MOST_BYTES = 4


@njit(nogil=True, cache=True)
def spell_ngrams(points, begins, places, classes, by_word):
    """UTF-8 of every n-gram end to end, and where each ends.

    `places` has one row (text, begin, length) for each; `points`, `begins` and `classes` are those of
    `larix.xmc.ngrams`.
    """
    # Words need no more room than they had: what is left out between two is at least the space put there.
    names = np.empty(_MOST_BYTES * places[:, 2].sum(), np.uint8)
    ends = np.empty(len(places), np.int64)
    at = 0
    for i in range(len(places)):
        text, begin, length = places[i]
        own = points[begins[text] : begins[text + 1]]
        if by_word:
            at = _spell_words(own[begin : begin + length], classes, names, at)
        else:
            for position in range(begin, begin + length):
                outside = position < 0 or position >= len(own)
                blank = outside or classes[own[position]] & SPACE
                at = _put(PADDING if blank else own[position], names, at)
        ends[i] = at
    return names[:at].copy(), ends


@njit(nogil=True, cache=True)
def arrange(names, ends, order):
    """Names in another order: bytes end to end, and where each ends."""
    own_ends, at = np.empty(len(order), np.int64), 0
    for i in range(len(order)):
        at += ends[order[i]] - (ends[order[i] - 1] if order[i] else 0)
        own_ends[i] = at
    arranged, at = np.empty(at, np.uint8), 0
    for i in range(len(order)):
        begin = ends[order[i] - 1] if order[i] else 0
        for source in range(begin, ends[order[i]]):
            arranged[at] = names[source]
            at += 1
    return arranged, own_ends


@njit(nogil=True, cache=True)
def _spell_words(points, classes, names, at):
    first, end = at, 0
    while end < len(points):
        begin = end
        while end < len(points) and classes[points[end]] & WORD:
            end += 1
        if end - begin >= 2:
            if at > first:
                at = _put(PADDING, names, at)
            for position in range(begin, end):
                at = _put(points[position], names, at)
        if end == begin:
            end += 1
    return at


@njit(nogil=True, cache=True)
def _put(point, names, at):
    """Write a code point, a lone surrogate like any other; return where the next one goes."""
    if point < 0x80:
        names[at] = point
        return at + 1
    n_more = 1 if point < 0x800 else 2 if point < 0x10000 else 3
    names[at] = (0xF0 << 3 - n_more) & 0xFF | point >> 6 * n_more
    for k in range(1, n_more + 1):
        names[at + k] = 0x80 | point >> 6 * (n_more - k) & 0x3F
    return at + n_more + 1
