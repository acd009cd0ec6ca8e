"""Kernels of beam search over chunked weights."""

import numpy as np
from numba import njit

MAX, MEAN, SUM, LOGSUMEXP = range(4)
"""How the values of a label's slots are merged; -1 where no label has several."""


@njit(nogil=True, cache=True)
def search_rows(
    indptr, indices, data, start_indptr, start_parents, start_values,
    first_chunk, first_node, first_row, first_pair, features, first_entry, siblings, weights, bias_weights,
    shift, first_bucket, bucket_row, bias, kinds, exponentiate, first_parent, beam_size, node_label, n_labels,
    merge, allowed, begin, end, out_labels, out_scores, out_found,
):  # fmt: skip
    top_k = out_labels.shape[1]
    depth = len(kinds)
    first_slot = len(bias_weights) - len(node_label)
    slot_of_label = np.full(n_labels if merge >= 0 else 0, -1, np.int32)
    room = np.empty(1024, np.float32)
    candidates = np.empty(1024, np.int32)
    margins = np.empty(256, np.float32)
    beam = np.empty(max(beam_size, first_parent), np.int32)
    values = np.empty(len(beam), np.float32)
    for row in range(begin, end):
        if len(start_indptr):
            n_beam = start_indptr[row + 1] - start_indptr[row]
            beam[:n_beam] = start_parents[start_indptr[row] : start_indptr[row + 1]]
            values[:n_beam] = start_values[start_indptr[row] : start_indptr[row + 1]]
        else:
            n_beam = first_parent
            beam[:n_beam] = np.arange(n_beam)
            values[:n_beam] = 0
        for level in range(depth):
            n = 0
            for b in range(n_beam):
                for chunk in range(first_chunk[beam[b]], first_chunk[beam[b] + 1]):
                    a, z = first_node[chunk], first_node[chunk + 1]
                    margins[: z - a] = bias * bias_weights[a:z]
                    _add_margins(
                        indices, data, indptr[row], indptr[row + 1],
                        shift[chunk], bucket_row, first_bucket[chunk], features, first_row[chunk],
                        first_entry, first_row[chunk] + chunk, siblings, weights, first_pair[chunk], margins,
                    )  # fmt: skip
                    while n + z - a > len(room):
                        room, candidates = np.append(room, room), np.append(candidates, candidates)
                    for node in range(a, z):
                        if len(allowed) and not allowed[node]:
                            continue
                        candidates[n] = node
                        room[n] = _combine(margins[node - a], values[b], kinds[level])
                        n += 1
            if level < depth - 1:
                n_beam = _select(room, candidates, n, beam_size, values, beam)
                for b in range(n_beam):
                    beam[b] += first_parent
        if exponentiate and merge > MAX:
            for c in range(n):
                room[c] = np.exp(room[c])
        for c in range(n):
            candidates[c] = node_label[candidates[c] - first_slot]
        if merge >= 0:
            n = _merge(room, candidates, n, slot_of_label, merge)
        n_found = _select(room, candidates, n, top_k, out_scores[row], out_labels[row])
        if exponentiate and merge <= MAX:  # monotone: only what is returned needs it
            for c in range(n_found):
                out_scores[row, c] = np.exp(out_scores[row, c])
        out_found[row] = n_found


@njit(nogil=True, cache=True)
def score_nodes(
    indptr, indices, data, _first_chunk, first_node, first_row, first_pair, features, first_entry, siblings,
    weights, bias_weights, shift, first_bucket, bucket_row, bias, kinds, first_of_level, parent, n_indptr,
    nodes, begin, end, values,
):  # fmt: skip
    """Values of chosen nodes (ascending in a row, ancestors included), in the domain of the search."""
    margins = np.empty(256, np.float32)
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
    siblings, weights, pair_base, margins,
):  # fmt: skip
    """margins += W x over one chunk, looking up the instance's features begin..end in its directory."""
    for e in range(begin, end):
        feature = indices[e]
        bucket = first_bucket + (feature >> shift)
        low, high = row_base + bucket_row[bucket], row_base + bucket_row[bucket + 1]
        last = high
        while low < high:
            middle = (low + high) >> 1
            if features[middle] < feature:
                low = middle + 1
            else:
                high = middle
        if low < last and features[low] == feature:
            row = low - row_base + entry_base
            for pair in range(pair_base + first_entry[row], pair_base + first_entry[row + 1]):
                margins[siblings[pair]] += data[e] * weights[pair]


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
    """The k largest of the first n values, descending, ties by position; return how many there are."""
    n_best = 0
    for c in range(n):
        value = values[c]
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
