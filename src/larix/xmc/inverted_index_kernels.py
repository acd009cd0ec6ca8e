"""Kernel of exact nearest-neighbour search through an inverted index."""

import numpy as np
from numba import njit


@njit(nogil=True, cache=True)
def nearest_rows(
    indptr, indices, data, first_posting, posting_rows, posting_values, block_begins, begin, end,
    out_rows, out_scores, out_found,
):  # fmt: skip
    """Rows of the largest positive inner products with queries begin..end, ties to the lower row.

    Rows come in blocks, so that a block's scores stay in cache; rows within a block are numbered from 0.
    """
    score = np.empty(np.max(np.diff(block_begins)), np.float32)
    for query in range(begin, end):
        n_found = 0
        for block in range(len(block_begins) - 1):
            n_rows = block_begins[block + 1] - block_begins[block]
            score[:n_rows] = 0
            for e in range(indptr[query], indptr[query + 1]):
                feature, x = indices[e], data[e]
                for p in range(first_posting[block, feature], first_posting[block, feature + 1]):
                    score[posting_rows[p]] += x * posting_values[p]
            n_found = _keep_best(
                score[:n_rows], block_begins[block], out_rows[query], out_scores[query], n_found
            )
        out_found[query] = n_found


@njit(nogil=True, cache=True)
def _keep_best(score, first_row, rows, scores, n_found):
    """Insert a block's positive scores into the best so far, descending; return how many there are."""
    k = len(rows)
    low = scores[k - 1] if n_found == k else np.float32(0)
    for i in range(len(score)):
        s = score[i]
        if s > low:
            if n_found < k:
                n_found += 1
            at = n_found - 1
            while at > 0 and scores[at - 1] < s:
                scores[at], rows[at] = scores[at - 1], rows[at - 1]
                at -= 1
            scores[at], rows[at] = s, first_row + i
            if n_found == k:
                low = scores[k - 1]
    return n_found
