"""Kernels of beam search over chunked weights."""

import numpy as np
from numba import njit

from larix.xmc.prefetch import prefetch

MAX, MEAN, SUM, LOGSUMEXP = range(4)
"""How the values of a label's slots are merged; -1 where no label has several."""


@njit(nogil=True, cache=True)
def search_rows(
    indptr, indices, data, start_indptr, start_parents, start_values,
    first_chunk, first_node, first_row, first_pair, features, first_entry, siblings, weights, bias_weights,
    shift, first_bucket, bucket_row, bias, kinds, exponentiate, first_parent, beam_size, node_label, n_labels,
    merge, allowed, begin, end, out_labels, out_scores, out_found,
):  # fmt: skip
    """Search rows begin..end together, level by level.

    All (row, chunk) pairs of a level are worked off chunk by chunk, so that a chunk's weights are fetched
    once for all rows that reach it; every row's candidates keep the order of its beam.
    """
    n_rows, top_k, depth = end - begin, out_labels.shape[1], len(kinds)
    first_slot = len(bias_weights) - len(node_label)
    beam, values, n_beam = _first_beams(
        start_indptr, start_parents, start_values, first_parent, beam_size, begin, end
    )
    margins = np.empty(256, np.float32)
    longest = np.max(indptr[begin + 1 : end + 1] - indptr[begin:end])
    low, high = np.empty(longest, np.int32), np.empty(longest, np.int32)
    for level in range(depth):
        chunks, rows, above, places, first_candidate = _pairs(beam, values, n_beam, first_chunk, first_node)
        nodes = np.empty(first_candidate[-1], np.int32)
        room = np.empty(first_candidate[-1], np.float32)
        for pair in np.argsort(chunks, kind="mergesort") if n_rows > 1 else np.arange(len(chunks)):
            chunk, row = chunks[pair], begin + rows[pair]
            a, z = first_node[chunk], first_node[chunk + 1]
            margins[: z - a] = bias * bias_weights[a:z]
            _add_margins(
                indices, data, indptr[row], indptr[row + 1], shift[chunk], bucket_row, first_bucket[chunk],
                features, first_row[chunk], first_entry, first_row[chunk] + chunk, siblings, weights,
                first_pair[chunk], margins, low, high,
            )  # fmt: skip
            at = places[pair]
            for node in range(a, z):
                nodes[at + node - a] = node if len(allowed) == 0 or allowed[node] else -1
                room[at + node - a] = _combine(margins[node - a], above[pair], kinds[level])
        if level < depth - 1:
            for row in range(n_rows):
                c, d = first_candidate[row], first_candidate[row + 1]
                n_beam[row] = _select(room[c:d], nodes[c:d], d - c, beam_size, values[row], beam[row])
                beam[row, : n_beam[row]] += first_parent
    if exponentiate and merge > MAX:
        for c in range(len(room)):
            room[c] = np.exp(room[c])
    slot_of_label = np.full(n_labels if merge >= 0 else 0, -1, np.int32)
    for row in range(n_rows):
        c, d = first_candidate[row], first_candidate[row + 1]
        for e in range(c, d):
            if nodes[e] >= 0:
                nodes[e] = node_label[nodes[e] - first_slot]
        n = _merge(room[c:d], nodes[c:d], d - c, slot_of_label, merge) if merge >= 0 else d - c
        out = begin + row
        out_found[out] = _select(room[c:d], nodes[c:d], n, top_k, out_scores[out], out_labels[out])
        if exponentiate and merge <= MAX:  # monotone: only what is returned needs it
            for e in range(out_found[out]):
                out_scores[out, e] = np.exp(out_scores[out, e])


@njit(nogil=True, cache=True)
def _first_beams(start_indptr, start_parents, start_values, first_parent, beam_size, begin, end):
    """Parents to begin with, their values, and how many each row has; all parents where none are given."""
    n_rows = end - begin
    beam = np.empty((n_rows, max(beam_size, first_parent)), np.int32)
    values = np.zeros(beam.shape, np.float32)
    n_beam = np.full(n_rows, first_parent)
    for row in range(n_rows):
        if len(start_indptr):
            a, z = start_indptr[begin + row], start_indptr[begin + row + 1]
            n_beam[row] = z - a
            beam[row, : z - a] = start_parents[a:z]
            values[row, : z - a] = start_values[a:z]
        else:
            beam[row, :first_parent] = np.arange(first_parent)
    return beam, values, n_beam


@njit(nogil=True, cache=True)
def _pairs(beam, values, n_beam, first_chunk, first_node):
    """Every (chunk, row) of a level, the value above it, where its candidates go, and each row's first."""
    n_rows = len(n_beam)
    n = 0
    for row in range(n_rows):
        for b in range(n_beam[row]):
            n += first_chunk[beam[row, b] + 1] - first_chunk[beam[row, b]]
    chunks, rows, above = np.empty(n, np.int32), np.empty(n, np.int32), np.empty(n, np.float32)
    places, first_candidate = np.empty(n, np.int64), np.zeros(n_rows + 1, np.int64)
    n = at = 0
    for row in range(n_rows):
        for b in range(n_beam[row]):
            for chunk in range(first_chunk[beam[row, b]], first_chunk[beam[row, b] + 1]):
                chunks[n], rows[n], above[n], places[n] = chunk, row, values[row, b], at
                at += first_node[chunk + 1] - first_node[chunk]
                n += 1
        first_candidate[row + 1] = at
    return chunks, rows, above, places, first_candidate


@njit(nogil=True, cache=True)
def score_nodes(
    indptr, indices, data, _first_chunk, first_node, first_row, first_pair, features, first_entry, siblings,
    weights, bias_weights, shift, first_bucket, bucket_row, bias, kinds, first_of_level, parent, n_indptr,
    nodes, begin, end, values,
):  # fmt: skip
    """Values of chosen nodes (ascending in a row, ancestors included), in the domain of the search."""
    margins = np.empty(256, np.float32)
    longest = np.max(indptr[begin + 1 : end + 1] - indptr[begin:end])
    low, high = np.empty(longest, np.int32), np.empty(longest, np.int32)
    for row in range(begin, end):
        first = n_indptr[row]
        a = z = 0
        for e in range(first, n_indptr[row + 1]):
            node = nodes[e]
            if node >= z:
                chunk = np.searchsorted(first_node, node, side="right") - 1
                a, z = first_node[chunk], first_node[chunk + 1]
                margins[: z - a] = bias * bias_weights[a:z]
                _add_margins(
                    indices, data, indptr[row], indptr[row + 1],
                    shift[chunk], bucket_row, first_bucket[chunk], features, first_row[chunk],
                    first_entry, first_row[chunk] + chunk, siblings, weights, first_pair[chunk], margins,
                    low, high,
                )  # fmt: skip
            above = np.float32(0)
            if parent[node] >= 0:
                above = values[first + np.searchsorted(nodes[first:e], parent[node])]
            level = np.searchsorted(first_of_level, node, side="right") - 1
            values[e] = _combine(margins[node - a], above, kinds[level])


@njit(nogil=True, cache=True)
def index_rows(first_row, features, n_features):
    """A directory of every chunk's rows by the high bits of their features.

    Returns
    -------
    shift : int64, one a chunk
        The bucket of feature f is f >> shift; about two rows share one.
    first_bucket : int64, one a chunk and the end
    bucket_row : int32
        The first row (of the chunk) whose bucket isn't lower; one more a chunk than it has buckets.
    """
    n_chunks = len(first_row) - 1
    shift = np.zeros(n_chunks, np.int64)
    first_bucket = np.zeros(n_chunks + 1, np.int64)
    for chunk in range(n_chunks):
        n_rows = first_row[chunk + 1] - first_row[chunk]
        while (n_features >> shift[chunk]) > max(n_rows // 2, 1):
            shift[chunk] += 1
        first_bucket[chunk + 1] = first_bucket[chunk] + (n_features >> shift[chunk]) + 2
    bucket_row = np.empty(first_bucket[-1], np.int32)
    for chunk in range(n_chunks):
        begin, n_rows = first_row[chunk], first_row[chunk + 1] - first_row[chunk]
        at = first_bucket[chunk]
        row = 0
        for bucket in range(first_bucket[chunk + 1] - at):
            while row < n_rows and (features[begin + row] >> shift[chunk]) < bucket:
                row += 1
            bucket_row[at + bucket] = row
    return shift, first_bucket, bucket_row


@njit(nogil=True, cache=True)
def _add_margins(
    indices, data, begin, end, shift, bucket_row, first_bucket, features, row_base, first_entry, entry_base,
    siblings, weights, pair_base, margins, low, high,
):  # fmt: skip
    """margins += W x over one chunk, looking up the instance's features begin..end in its directory.

    Nearly every access misses the cache, so each step is done for all features before the next one, and asks
    for the memory that the next one reads. `low` and `high` are scratch of the length of the instance.
    """
    n = end - begin
    for e in range(n):
        prefetch(bucket_row, first_bucket + (indices[begin + e] >> shift))
    for e in range(n):
        bucket = first_bucket + (indices[begin + e] >> shift)
        low[e] = bucket_row[bucket]
        high[e] = bucket_row[bucket + 1]
        prefetch(features, row_base + low[e])
    n_found = 0
    for e in range(n):
        feature = indices[begin + e]
        row, length = low[e], high[e] - low[e]
        if length == 0:
            continue
        while length > 1:
            half = length >> 1
            row += half if features[row_base + row + half - 1] < feature else 0
            length -= half
        if features[row_base + row] == feature:
            low[n_found] = row
            high[n_found] = e
            n_found += 1
            prefetch(first_entry, entry_base + row)
    for f in range(n_found):
        pair = pair_base + first_entry[entry_base + low[f]]
        prefetch(siblings, pair)
        prefetch(weights, pair)
    for f in range(n_found):
        x = data[begin + high[f]]
        row = entry_base + low[f]
        for pair in range(pair_base + first_entry[row], pair_base + first_entry[row + 1]):
            margins[siblings[pair]] += x * weights[pair]


@njit(nogil=True, cache=True, inline="always")
def _combine(margin, parent, kind):
    """Value of a node: its margin's log transform on top of its parent's value."""
    if kind == -1:
        return margin
    if kind == 0:
        return parent + (-np.log1p(np.exp(-margin)) if margin > 0 else margin - np.log1p(np.exp(margin)))
    lack = max(np.float32(1) - margin, np.float32(0))
    power = lack
    for _ in range(kind - 1):
        power *= lack
    return parent - power


@njit(nogil=True, cache=True)
def _select(values, items, n, k, best_values, best_items):
    """The k largest of the first n values, descending, ties by position; return how many there are.

    Items below zero are not there.
    """
    n_best = 0
    for c in range(n):
        value = values[c]
        if items[c] < 0:
            continue
        if n_best == k:
            if not value > best_values[k - 1]:
                continue
        else:
            n_best += 1
        at = n_best - 1
        while at > 0 and best_values[at - 1] < value:
            best_values[at] = best_values[at - 1]
            best_items[at] = best_items[at - 1]
            at -= 1
        best_values[at] = value
        best_items[at] = items[c]
    return n_best


@njit(nogil=True, cache=True)
def _merge(values, labels, n, slot_of_label, how):
    """Merge values of equal labels in place; `slot_of_label` is scratch, -1 before and after."""
    counts = np.ones(n, np.int32)
    n_merged = 0
    for c in range(n):
        if labels[c] < 0:
            continue
        at = slot_of_label[labels[c]]
        if at < 0:
            slot_of_label[labels[c]] = n_merged
            labels[n_merged], values[n_merged] = labels[c], values[c]
            n_merged += 1
            continue
        counts[at] += 1
        if how == MAX:
            values[at] = max(values[at], values[c])
        elif how == LOGSUMEXP:
            high, low = max(values[at], values[c]), min(values[at], values[c])
            values[at] = high + np.log1p(np.exp(low - high))
        else:
            values[at] += values[c]
    for c in range(n_merged):
        slot_of_label[labels[c]] = -1
        if how == MEAN:
            values[c] /= counts[c]
    return n_merged
