"""Kernels of beam search over chunked weights."""

import numpy as np
from numba import njit

from larix.xmc.prefetch import prefetch
from larix.xmc.sort_kernels import stable_order

MAX, MEAN, SUM, LOGSUMEXP = range(4)
"""How the values of a label's slots are merged; -1 where no label has several."""


@njit(nogil=True, cache=True)
def search_rows(
    instances, start, weights_of_all, bias, kinds, exponentiate, first_parent, beam_size, node_label,
    n_labels, merge, allowed, begin, end, out_labels, out_scores, out_found,
):  # fmt: skip
    """Search rows begin..end together, level by level.

    All (row, chunk) pairs of a level are worked off chunk by chunk, so that a chunk's weights are fetched
    once for all rows that reach it; every row's candidates keep the order of its beam.
    """
    n_rows, top_k, depth = end - begin, out_labels.shape[1], len(kinds)
    first_chunk, first_node = weights_of_all[0], weights_of_all[1]
    first_slot = first_node[-1] - len(node_label)
    beam, values, n_beam = _first_beams(start, first_parent, beam_size, begin, end)
    margins, scratch = _scratch(instances[0], begin, end)
    for level in range(depth):
        chunks, rows, above, places, first_candidate = _pairs(beam, values, n_beam, first_chunk, first_node)
        nodes = np.empty(first_candidate[-1], np.int32)
        room = np.empty(first_candidate[-1], np.float32)
        for pair in stable_order(chunks) if n_rows > 1 else np.arange(len(chunks)):
            chunk = chunks[pair]
            a, z = first_node[chunk], first_node[chunk + 1]
            _score_chunk(chunk, begin + rows[pair], instances, weights_of_all, bias, margins, scratch)
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
def _scratch(indptr, begin, end):
    """Room for the margins of a chunk and for the lookups of the longest row."""
    longest = np.max(indptr[begin + 1 : end + 1] - indptr[begin:end])
    places = np.empty((3, longest), np.int32)
    return np.empty(256, np.float32), (places[0], places[1], places[2])


@njit(nogil=True, cache=True)
def _first_beams(start, first_parent, beam_size, begin, end):
    """Parents to begin with, their values, and how many each row has; all parents where none are given."""
    start_indptr, start_parents, start_values = start
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
    instances, weights_of_all, bias, kinds, first_of_level, parent, n_indptr, nodes, begin, end, values
):  # fmt: skip
    """Values of chosen nodes (ascending in a row, ancestors included), in the domain of the search."""
    first_node = weights_of_all[1]
    margins, scratch = _scratch(instances[0], begin, end)
    for row in range(begin, end):
        first = n_indptr[row]
        a = z = 0
        for e in range(first, n_indptr[row + 1]):
            node = nodes[e]
            if node >= z:
                chunk = np.searchsorted(first_node, node, side="right") - 1
                a, z = first_node[chunk], first_node[chunk + 1]
                _score_chunk(chunk, row, instances, weights_of_all, bias, margins, scratch)
            above = np.float32(0)
            if parent[node] >= 0:
                above = values[first + np.searchsorted(nodes[first:e], parent[node])]
            level = np.searchsorted(first_of_level, node, side="right") - 1
            values[e] = _combine(margins[node - a], above, kinds[level])


@njit(nogil=True, cache=True)
def check_chunks(first_node, first_row, first_pair, features, row_entries, siblings, n_features):
    """(broken rule, chunk) of the first chunk that would lead a search out of bounds, or (-1, -1)."""
    for chunk in range(len(first_node) - 1):
        n_siblings = first_node[chunk + 1] - first_node[chunk]
        if n_siblings > 255:
            return 0, chunk
        last, n_entries = np.int64(-1), np.int64(0)
        for row in range(first_row[chunk], first_row[chunk + 1]):
            if features[row] <= last or features[row] >= n_features:
                return 1, chunk
            last = features[row]
            if row_entries[row] == 0:
                return 2, chunk
            n_entries += row_entries[row]
        if n_entries != first_pair[chunk + 1] - first_pair[chunk]:
            return 2, chunk
        largest = np.uint8(0)
        for pair in range(first_pair[chunk], first_pair[chunk + 1]):
            largest = max(largest, siblings[pair])
        if n_entries and largest >= n_siblings:
            return 3, chunk
    return -1, -1


@njit(nogil=True, cache=True)
def index_rows(first_row, features, row_entries, n_features):
    """A directory of every chunk's rows by the high bits of their features.

    Returns
    -------
    shift : int64, one a chunk
        The bucket of feature f is f >> shift; about two rows share one.
    first_bucket : int64, one a chunk and the end
    buckets : int32
        Two numbers a bucket, and one bucket more a chunk: the first row (of the chunk) whose bucket isn't
        lower, and that row's first entry.
    """
    n_chunks = len(first_row) - 1
    shift = np.zeros(n_chunks, np.int64)
    first_bucket = np.zeros(n_chunks + 1, np.int64)
    for chunk in range(n_chunks):
        n_rows = first_row[chunk + 1] - first_row[chunk]
        while (n_features >> shift[chunk]) > max(n_rows // 2, 1):
            shift[chunk] += 1
        first_bucket[chunk + 1] = first_bucket[chunk] + (n_features >> shift[chunk]) + 2
    buckets = np.empty(2 * first_bucket[-1], np.int32)
    for chunk in range(n_chunks):
        begin, n_rows = first_row[chunk], first_row[chunk + 1] - first_row[chunk]
        at = first_bucket[chunk]
        row = entry = 0
        for bucket in range(first_bucket[chunk + 1] - at):
            while row < n_rows and (features[begin + row] >> shift[chunk]) < bucket:
                entry += row_entries[begin + row]
                row += 1
            buckets[2 * (at + bucket)] = row
            buckets[2 * (at + bucket) + 1] = entry
    return shift, first_bucket, buckets


@njit(nogil=True, cache=True)
def _score_chunk(chunk, row, instances, weights_of_all, bias, margins, scratch):
    """margins = W x + bias of one chunk's siblings, looking up the row's features in the chunk's directory.

    Nearly every access misses the cache, so each step is done for all features before the next one, and asks
    for the memory that the next one reads. `scratch` has three lines as long as the longest row.
    """
    indptr, indices, data = instances
    (_, first_node, first_row, first_pair, scales, features, row_entries, siblings, weights, bias_weights,
     shifts, first_bucket, buckets) = weights_of_all  # fmt: skip
    a, z = first_node[chunk], first_node[chunk + 1]
    margins[: z - a] = 0
    begin, n = indptr[row], indptr[row + 1] - indptr[row]
    shift, bucket_base, row_base = shifts[chunk], 2 * first_bucket[chunk], first_row[chunk]
    low, high, pair = scratch
    for e in range(n):
        prefetch(buckets, bucket_base + 2 * (indices[begin + e] >> shift))
    for e in range(n):
        bucket = bucket_base + 2 * (indices[begin + e] >> shift)
        low[e], pair[e] = buckets[bucket], buckets[bucket + 1]
        high[e] = buckets[bucket + 2]
        prefetch(features, row_base + low[e])
        prefetch(row_entries, row_base + low[e])
    n_found = 0
    for e in range(n):
        feature = indices[begin + e]
        first, length = row_base + low[e], high[e] - low[e]
        if length == 0:
            continue
        at = first
        while length > 1:
            half = length >> 1
            at += half if features[at + half - 1] < feature else 0
            length -= half
        if features[at] == feature:
            entry = first_pair[chunk] + pair[e]
            for r in range(first, at):
                entry += row_entries[r]
            pair[n_found], high[n_found], low[n_found] = entry - first_pair[chunk], row_entries[at], e
            n_found += 1
            prefetch(siblings, entry)
            prefetch(weights, entry)
    for f in range(n_found):
        x = data[begin + low[f]]
        entry = first_pair[chunk] + pair[f]
        for p in range(entry, entry + high[f]):
            margins[siblings[p]] += x * weights[p]
    for node in range(a, z):
        margins[node - a] = margins[node - a] * scales[chunk] + bias * bias_weights[node]


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
