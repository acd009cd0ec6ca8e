"""Kernels that count word and character n-grams of texts.

An n-gram is a 64-bit hash inside (with a million features, two share one with probability 3e-8); its
text is recovered from where it was first seen. Texts arrive as arrays of code points, already lower-cased
where that is wanted. Tokens follow scikit-learn: a word is a run of at least two word characters; `char_wb`
pads each run between white space with one space and never crosses it.
"""

import re
from functools import cache

import numpy as np
from numba import njit
from numpy.typing import NDArray

from larix.xmc.sort_kernels import enlarged, stable_order

WORD, SPACE = 1, 2
PADDING = np.uint32(ord(" "))


@cache
def character_classes() -> NDArray[np.uint8]:
    """Flags of every code point: WORD for a word character, SPACE for white space."""
    everything = "".join(map(chr, range(0x110000)))
    classes = np.zeros(len(everything), np.uint8)
    for flag, pattern in ((WORD, r"\w+"), (SPACE, r"\s+")):
        for run in re.finditer(pattern, everything):
            classes[run.start() : run.end()] |= flag
    return classes


def code_points(texts: list[str]) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """Texts end to end, and where each begins."""
    joined = "".join(texts).encode("utf-32-le", "surrogatepass")
    begins = np.concatenate([[0], np.cumsum([len(text) for text in texts])])
    return np.frombuffer(joined, np.uint32), begins.astype(np.int64)


@njit(nogil=True, cache=True)
def count_ngrams(points, begins, classes, by_word, shortest, longest):
    """Distinct n-grams of every text, in order of first appearance.

    Returns
    -------
    indptr : int64, one entry more than texts
    keys : uint64 hash of each n-gram
    counts : int32 how often the text has it
    spans : int32 pairs (begin, length) in the text's code points; begin may be -1 (padding)
    """
    n_texts = len(begins) - 1
    indptr = np.zeros(n_texts + 1, np.int64)
    capacity = max(1024, len(points))
    keys, counts = np.empty(capacity, np.uint64), np.empty(capacity, np.int32)
    spans = np.empty(2 * capacity, np.int32)
    longest_text = np.max(begins[1:] - begins[:-1]) if n_texts else 0
    occurrences = np.empty((longest_text + 2) * (longest - shortest + 1), np.uint64)
    places = np.empty((len(occurrences), 2), np.int32)
    table = np.empty(_table_size(len(occurrences)), np.int64)
    total = 0
    for text in range(n_texts):
        own = points[begins[text] : begins[text + 1]]
        if by_word:
            n = _word_ngrams(own, classes, shortest, longest, occurrences, places)
        else:
            n = _char_ngrams(own, classes, shortest, longest, occurrences, places)
        while total + n > len(keys):
            keys, counts, spans = enlarged(keys), enlarged(counts), enlarged(spans)
        total = _count_distinct(occurrences, places, n, table, keys, counts, spans, total)
        indptr[text + 1] = total
    return indptr, keys[:total].copy(), counts[:total].copy(), spans[: 2 * total].copy().reshape(-1, 2)


@njit(nogil=True, cache=True)
def _word_ngrams(points, classes, shortest, longest, occurrences, places):
    n_words = 0
    words = np.empty((len(points) // 2 + 1, 2), np.int32)
    hashes = np.empty(len(words), np.uint64)
    at = 0
    while at < len(points):
        if not classes[points[at]] & WORD:
            at += 1
            continue
        begin = at
        key = np.uint64(0)
        while at < len(points) and classes[points[at]] & WORD:
            key = _extend(key, np.uint64(points[at]))
            at += 1
        if at - begin >= 2:
            words[n_words, 0], words[n_words, 1] = begin, at
            hashes[n_words] = key
            n_words += 1
    n = 0
    for length in range(shortest, longest + 1):
        for first in range(n_words - length + 1):
            key = np.uint64(length)
            for word in range(first, first + length):
                key = _extend(key, hashes[word])
            occurrences[n] = _finish(key)
            places[n, 0], places[n, 1] = words[first, 0], words[first + length - 1, 1] - words[first, 0]
            n += 1
    return n


@njit(nogil=True, cache=True)
def _char_ngrams(points, classes, shortest, longest, occurrences, places):
    n = at = 0
    while at < len(points):
        if classes[points[at]] & SPACE:
            at += 1
            continue
        begin = at - 1  # the padding before the word
        while at < len(points) and not classes[points[at]] & SPACE:
            at += 1
        end = at + 1  # the padding after it
        for length in range(shortest, longest + 1):
            length = min(length, end - begin)
            for first in range(begin, end - length + 1):
                key = np.uint64(length)
                for position in range(first, first + length):
                    outside = position == begin or position == end - 1
                    key = _extend(key, np.uint64(PADDING if outside else points[position]))
                occurrences[n] = _finish(key)
                places[n, 0], places[n, 1] = first, length
                n += 1
            if length == end - begin:
                break  # a word shorter than the n-gram counts once, as a whole
    return n


@njit(nogil=True, cache=True)
def _count_distinct(occurrences, places, n, table, keys, counts, spans, total):
    """Append the distinct n-grams of one text, with counts; return the new total."""
    mask = _table_size(n) - 1
    table[: mask + 1] = -1
    for o in range(n):
        at = np.int64(occurrences[o]) & mask
        while table[at] >= 0 and keys[table[at]] != occurrences[o]:
            at = (at + 1) & mask
        if table[at] < 0:
            table[at] = total
            keys[total], counts[total] = occurrences[o], 0
            spans[2 * total], spans[2 * total + 1] = places[o, 0], places[o, 1]
            total += 1
        counts[table[at]] += 1
    return total


@njit(nogil=True, cache=True)
def build_table(keys):
    """Open-addressing table from key to its position in `keys`."""
    table = np.full(_table_size(len(keys)), -1, np.int32)
    for position in range(len(keys)):
        at = np.int64(keys[position]) & (len(table) - 1)
        while table[at] >= 0:
            at = (at + 1) & (len(table) - 1)
        table[at] = position
    return table


@njit(nogil=True, cache=True)
def look_up(table, known, keys):
    """Position of every key in `known`, -1 where unknown."""
    positions = np.full(len(keys), -1, np.int32)
    mask = len(table) - 1
    for k in range(len(keys)):
        at = np.int64(keys[k]) & mask
        while table[at] >= 0:
            if known[table[at]] == keys[k]:
                positions[k] = table[at]
                break
            at = (at + 1) & mask
    return positions


@njit(nogil=True, cache=True)
def add_keys(table, known, n_known, keys):
    """Number keys in order of first appearance: (numbers, table, known, n_known), grown as needed."""
    numbers = np.empty(len(keys), np.int32)
    for k in range(len(keys)):
        if 2 * n_known >= len(table):
            table = np.full(2 * len(table), -1, np.int32)
            for position in range(n_known):
                at = np.int64(known[position]) & (len(table) - 1)
                while table[at] >= 0:
                    at = (at + 1) & (len(table) - 1)
                table[at] = position
            known = enlarged(known)
        at = np.int64(keys[k]) & (len(table) - 1)
        while table[at] >= 0 and known[table[at]] != keys[k]:
            at = (at + 1) & (len(table) - 1)
        if table[at] < 0:
            table[at] = n_known
            known[n_known] = keys[k]
            n_known += 1
        numbers[k] = table[at]
    return numbers, table, known, n_known


@njit(nogil=True, cache=True)
def weigh_rows(indptr, positions, counts, idf, sublinear):
    """Rows of the known n-grams as sorted, l2-normalised TF-IDF: (indptr, indices, data)."""
    out_indptr = np.zeros(len(indptr), np.int64)
    indices = np.empty(len(positions), np.int32)
    data = np.empty(len(positions), np.float32)
    total = 0
    for row in range(len(indptr) - 1):
        begin = total
        for e in range(indptr[row], indptr[row + 1]):
            if positions[e] >= 0:
                indices[total] = positions[e]
                frequency = 1.0 + np.log(counts[e]) if sublinear else np.float64(counts[e])
                data[total] = frequency * idf[positions[e]]
                total += 1
        order = stable_order(indices[begin:total])
        indices[begin:total] = indices[begin:total][order]
        data[begin:total] = data[begin:total][order]
        squared = 0.0
        for e in range(begin, total):
            squared += np.float64(data[e]) * data[e]
        if squared > 0:
            data[begin:total] *= np.float32(1 / np.sqrt(squared))
        out_indptr[row + 1] = total
    return out_indptr, indices[:total].copy(), data[:total].copy()


@njit(nogil=True, cache=True, inline="always")
def _extend(key, unit):
    """Append a unit to a running hash (multiply-xorshift)."""
    key = (key ^ unit) * np.uint64(0x9E3779B97F4A7C15)
    return key ^ (key >> np.uint64(29))


@njit(nogil=True, cache=True, inline="always")
def _finish(key):
    """Spread the bits: the low ones address tables."""
    key = (key ^ (key >> np.uint64(32))) * np.uint64(0xD6E8FEB86659FD93)
    return key ^ (key >> np.uint64(32))


@njit(nogil=True, cache=True)
def _table_size(n):
    size = 16
    while size < 2 * n:
        size *= 2
    return size
