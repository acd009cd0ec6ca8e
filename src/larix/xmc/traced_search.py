"""The beam search of one instance in readable code, which remembers what it looked at.

It does what the compiled search does (`larix.xmc.beam_search`), with margins in double precision, so that
near-ties may fall differently.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from larix.xmc.beam_search import PostProcessor
from larix.xmc.choice import per_level
from larix.xmc.sparse import CSR
from larix.xmc.xr_linear import XRLinear

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Candidates:
    """Nodes that a search looked at on a level with their values, the best first."""

    nodes: Ints
    values: Floats

    def rank_of(self, node: int) -> int | None:
        """Place of a node, from 1; None if the search didn't look at it."""
        at = np.flatnonzero(self.nodes == node)
        return int(at[0]) + 1 if len(at) else None


class TracedSearch:
    """Search one instance.

    Nodes are numbered within their level. Values are in the search's own domain: logarithms of scores, but
    margins at levels with `noop`.

    Parameters
    ----------
    model : XRLinear
    x : csr_array, 1 x D
    beam_size : int

    Attributes
    ----------
    levels : list of Candidates
    """

    def __init__(self, model: XRLinear, x: CSR, beam_size: int) -> None:
        self.x, self.beam_size = x, beam_size
        self._tree, self._weights, self._merge = model.tree_, model.weights_, model.search.merge
        self.depth = self._tree.depth
        self._post_processors: tuple[PostProcessor, ...] = per_level(
            model.search.post_processor, self.depth, "post_processor"
        )
        self._first = self._tree.first_of_level()
        self.levels = self._descend()

    def _descend(self) -> list[Candidates]:
        levels: list[Candidates] = []
        beam: list[tuple[int, float]] = [(0, 0.0)]
        for level in range(self.depth):
            nodes = np.concatenate([self.children(level, parent) for parent, _ in beam])
            values = np.concatenate(
                [self.combine(level, self.margins(level, parent), above) for parent, above in beam]
            )
            order = np.argsort(-values, kind="stable")
            levels.append(Candidates(nodes[order], values[order]))
            best = order[: self.beam_size]
            beam = list(zip(nodes[best].tolist(), values[best].tolist(), strict=True))
        return levels

    def children(self, level: int, parent: int) -> Ints:
        """Nodes of a level below a node of the level above."""
        return np.arange(*self._tree.offsets[level][parent : parent + 2])

    def margins(self, level: int, parent: int) -> Floats:
        """Margins of the children of a node."""
        children = self.children(level, parent)
        if not len(children):
            return np.empty(0)
        nodes, places, weights = self.shared_weights(level, parent)
        products = self.x.data[places].astype(np.float64) * weights
        sums = np.bincount(nodes - children[0], products, minlength=len(children))
        biases = self._weights.bias_weights[self._first[level] + children].astype(np.float64)
        margins: Floats = sums + self._weights.bias * biases
        return margins

    def margin(self, level: int, parent: int, node: int) -> Floats:
        """Margin of a child of a node, shape (1,)."""
        at = node - self._tree.offsets[level][parent]
        return self.margins(level, parent)[at : at + 1]

    def bias(self, level: int, node: int) -> float:
        """What the constant feature adds to a margin."""
        return float(self._weights.bias * self._weights.bias_weights[self._first[level] + node])

    def shared_weights(self, level: int, parent: int) -> tuple[Ints, Ints, Floats]:
        """(node, place in x, weight) of the weights of a node's children on features that x has."""
        W, family = self._weights, 0 if level == 0 else int(self._first[level - 1]) + parent + 1
        nodes, places, weights = [np.empty(0, np.int64)], [np.empty(0, np.int64)], [np.empty(0)]
        for chunk in range(W.first_chunk[family], W.first_chunk[family + 1]):
            part = W.chunk(chunk)
            rows = np.searchsorted(part.features, self.x.indices)
            known = np.flatnonzero(np.append(part.features, -1)[rows] == self.x.indices)
            ends = np.append(0, np.cumsum(part.row_entries, dtype=np.int64))
            lengths = part.row_entries[rows[known]].astype(np.int64)
            pairs = _ranges(ends[rows[known]], lengths)
            nodes.append(W.first_node[chunk] - self._first[level] + part.siblings[pairs])
            places.append(np.repeat(known, lengths))
            weights.append(part.weights[pairs].astype(np.float64))
        return np.concatenate(nodes), np.concatenate(places), np.concatenate(weights)

    def factor(self, level: int, margins: Floats) -> Floats:
        """What margins count by the post-processor of a level: a logarithm, with `noop` themselves."""
        kind = self._post_processors[level].removeprefix("log-")
        if kind == "noop":
            return margins
        lack = np.logaddexp(0, -margins) if kind == "sigmoid" else np.maximum(1 - margins, 0) ** int(kind[1])
        return np.negative(lack)

    def combine(self, level: int, margins: Floats, above: float) -> Floats:
        """Values of nodes below a node with value `above`."""
        own = self.factor(level, margins)
        return own if self._post_processors[level] == "noop" else above + own

    def shown(self, level: int, value: float) -> float:
        """A value as a score: exponentiated where scores are products."""
        kind = self._post_processors[level]
        return float(value) if kind == "noop" or kind.startswith("log-") else float(np.exp(value))

    def nodes_to(self, slot: int) -> list[int]:
        """The nodes from the root's child to a slot."""
        nodes = [slot]
        for level in range(self.depth - 1, 0, -1):
            nodes.insert(0, int(np.searchsorted(self._tree.offsets[level], nodes[0], side="right")) - 1)
        return nodes

    def labels_below(self, level: int, node: int) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Labels of the slots below a node: those that were looked at, the best first, and all."""
        begin, end = node, node + 1
        for offsets in self._tree.offsets[level + 1 :]:
            begin, end = int(offsets[begin]), int(offsets[end])
        seen = self.levels[-1].nodes
        labels = self._tree.slot_label
        return labels[seen[(seen >= begin) & (seen < end)]], labels[begin:end]

    @cached_property
    def label_scores(self) -> dict[int, float]:
        """Scores of all labels that were looked at, their slots merged."""
        of_label: dict[int, list[float]] = {}
        for slot, value in zip(self.levels[-1].nodes, self.levels[-1].values, strict=True):
            label = int(self._tree.slot_label[slot])
            of_label.setdefault(label, []).append(self.shown(self.depth - 1, value))
        return {label: self._merged(values) for label, values in of_label.items()}

    def _merged(self, scores: list[float]) -> float:
        if self._merge == "max":
            return max(scores)
        if self._merge == "logsumexp":
            return float(np.logaddexp.reduce(scores))
        return sum(scores) / (len(scores) if self._merge == "mean" else 1)

    def score_and_rank(self, label: int) -> tuple[float | None, int | None]:
        """The score of a label and its place from 1; None if the search didn't look at it."""
        scores = self.label_scores
        if label not in scores:
            return None, None
        return scores[label], 1 + sum(score > scores[label] for score in scores.values())


def _ranges(begins: NDArray[np.int32], lengths: NDArray[np.int32]) -> Ints:
    """The integers from each begin on, `lengths` of them, end to end."""
    before = np.cumsum(lengths) - lengths
    ranges: Ints = np.repeat(begins - before, lengths) + np.arange(lengths.sum())
    return ranges
