"""Weights of many linear models, stored by families of siblings.

The storage of masked sparse chunk multiplication (Etter et al., WWW 2022): siblings under one parent
share a chunk, whose rows are the features that any of them uses, each row a short list of (sibling,
weight). One pass over an instance's features then scores all siblings. A chunk holds at most 256
siblings, so that a sibling is one byte; larger families own several chunks.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from larix.xmc.search_kernels import index_rows
from larix.xmc.sparse import CSR, read_only

MAX_SIBLINGS = 256
_DTYPES = {
    "features": np.int32,
    "first_entry": np.int32,
    "siblings": np.uint8,
    "weights": np.float32,
    "bias_weights": np.float32,
}


class ChunkParts(NamedTuple):
    """One chunk: rows by ascending feature, entries of row r at `first_entry[r]:first_entry[r + 1]`."""

    features: NDArray[np.int32]
    first_entry: NDArray[np.int32]
    siblings: NDArray[np.uint8]
    weights: NDArray[np.float32]
    bias_weights: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class ChunkLayout:
    """Which nodes each chunk holds: `first_node[c]:first_node[c + 1]`, children of `parent[c]`."""

    first_chunk: NDArray[np.int64]  # of every parent, and the end
    parent: NDArray[np.int64]
    first_node: NDArray[np.int64]

    @classmethod
    def of_families(cls, child_offsets: NDArray[np.int64]) -> "ChunkLayout":
        """Cut the families of a level into chunks of at most MAX_SIBLINGS nodes, evenly."""
        sizes = np.diff(child_offsets)
        pieces = -(-sizes // MAX_SIBLINGS)
        parent = np.repeat(np.arange(len(sizes)), pieces)
        first_chunk = np.concatenate([[0], np.cumsum(pieces)])
        piece = np.arange(len(parent)) - first_chunk[parent]
        first_node = child_offsets[parent] + sizes[parent] * piece // pieces[parent]
        return cls(first_chunk, parent, np.append(first_node, child_offsets[-1]))


@dataclass(frozen=True, eq=False)
class ChunkedWeights:
    """Linear models of all nodes of one or more levels.

    Parents and nodes are numbered across the levels held: level after level. In a whole tree the root is
    parent 0 and node g is parent g + 1.

    Parameters
    ----------
    n_features : int
        D, without the bias.
    bias : float
        Value of the constant feature.
    first_chunk : int64 array, shape (n_parents + 1,)
        Chunks of each parent.
    first_node, first_row, first_pair : int64 arrays, shape (n_chunks + 1,)
        Nodes, rows and entries of each chunk.
    features : int32 array, shape (n_rows,)
        Ascending within a chunk.
    first_entry : int32 array, shape (n_rows + n_chunks,)
        Entries of the r-th row of chunk c, relative to the chunk: `first_entry[first_row[c] + c + r]` up
        to the next.
    siblings : uint8 array, weights : float32 array, shape (n_entries,)
    bias_weights : float32 array, shape (n_nodes,)
    """

    n_features: int
    bias: float
    first_chunk: NDArray[np.int64]
    first_node: NDArray[np.int64]
    first_row: NDArray[np.int64]
    first_pair: NDArray[np.int64]
    features: NDArray[np.int32]
    first_entry: NDArray[np.int32]
    siblings: NDArray[np.uint8]
    weights: NDArray[np.float32]
    bias_weights: NDArray[np.float32]

    def __post_init__(self) -> None:
        for name, array in self.arrays().items():
            object.__setattr__(self, name, read_only(array, _DTYPES.get(name, np.int64)))
        _check(self)

    @property
    def n_nodes(self) -> int:
        """Number of linear models."""
        return int(self.first_node[-1])

    @property
    def n_parents(self) -> int:
        """Number of families, empty ones included."""
        return len(self.first_chunk) - 1

    @property
    def size_bytes(self) -> int:
        """Bytes of all arrays."""
        return sum(array.nbytes for array in self.arrays().values())

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Every array by name, for storage."""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name not in ("n_features", "bias")}

    def kernel_arrays(self) -> tuple[NDArray[Any], ...]:
        """The arrays in the order the search kernels take them, the directory of rows last."""
        return self._kernel_arrays

    @cached_property
    def _kernel_arrays(self) -> tuple[NDArray[Any], ...]:
        directory = index_rows(self.first_row, self.features, self.n_features)
        return (*self.arrays().values(), *(read_only(array, array.dtype) for array in directory))

    @classmethod
    def from_chunks(
        cls, parts: Sequence[ChunkParts], layout: ChunkLayout, *, n_features: int, bias: float
    ) -> "ChunkedWeights":
        """Put the chunks of one level together."""
        empty = ChunkParts(
            np.empty(0, np.int32), np.empty(0, np.int32), np.empty(0, np.uint8),
            np.empty(0, np.float32), np.empty(0, np.float32),
        )  # fmt: skip
        joined = [np.concatenate(arrays) for arrays in zip(*parts, empty, strict=True)]
        return cls(
            n_features, bias, layout.first_chunk, layout.first_node,
            _ends([len(part.features) for part in parts]), _ends([len(part.weights) for part in parts]),
            *joined,
        )  # fmt: skip

    @classmethod
    def concatenate(cls, levels: Sequence["ChunkedWeights"]) -> "ChunkedWeights":
        """Stack levels, the root's children first."""
        if len({(level.n_features, level.bias) for level in levels}) != 1:
            raise ValueError("levels must agree in number of features and bias")
        arrays: dict[str, Any] = {}
        for name in levels[0].arrays():
            of_levels = [getattr(level, name) for level in levels]
            arrays[name] = (
                _stack_offsets(of_levels)
                if name.startswith("first_") and name != "first_entry"
                else (np.concatenate(of_levels))
            )
        return cls(levels[0].n_features, levels[0].bias, **arrays)

    def of_parents(self, begin: int, end: int) -> "ChunkedWeights":
        """The models of the children of parents `begin` to `end`, numbered from 0."""
        arrays: dict[str, Any] = {"first_chunk": self.first_chunk[begin : end + 1]}
        first, last = int(self.first_chunk[begin]), int(self.first_chunk[end])
        for name in ("first_node", "first_row", "first_pair"):
            arrays[name] = getattr(self, name)[first : last + 1]
        rows, pairs, nodes = (arrays[name][[0, -1]] for name in ("first_row", "first_pair", "first_node"))
        arrays = {name: offsets - offsets[0] for name, offsets in arrays.items()}
        return ChunkedWeights(
            self.n_features, self.bias, **arrays,
            features=self.features[slice(*rows)],
            first_entry=self.first_entry[rows[0] + first : rows[1] + last],
            siblings=self.siblings[slice(*pairs)], weights=self.weights[slice(*pairs)],
            bias_weights=self.bias_weights[slice(*nodes)],
        )  # fmt: skip

    def to_csc(self) -> CSR:
        """The usual weight matrix, (D + 1) x n_nodes, the last row the bias weights."""
        entries_of_row = self.entries_of_row()
        chunk_of_row = np.repeat(np.arange(len(self.first_row) - 1), np.diff(self.first_row))
        nodes = np.repeat(self.first_node[:-1][chunk_of_row], entries_of_row) + self.siblings
        rows = np.repeat(self.features, entries_of_row)
        shape = (self.n_features + 1, self.n_nodes)
        biased = np.flatnonzero(self.bias_weights)
        values = np.concatenate([self.weights, self.bias_weights[biased]])
        at = (np.concatenate([rows, np.full(len(biased), self.n_features)]), np.concatenate([nodes, biased]))
        return sp.csc_array((values, at), shape=shape)

    def entries_of_row(self) -> NDArray[np.int64]:
        """Number of entries of every row, shape (n_rows,)."""
        counts = np.diff(self.first_entry.astype(np.int64))
        between_chunks = self.first_row[1:-1] + np.arange(len(self.first_row) - 2)
        return np.delete(counts, between_chunks)

    @classmethod
    def from_csc(cls, W: CSR, child_offsets: NDArray[np.int64], *, bias: float) -> "ChunkedWeights":
        """Chunk the weights of one level given as (D + 1) x n_nodes, the last row the bias weights."""
        W = sp.csc_array(W).astype(np.float32)
        layout = ChunkLayout.of_families(np.asarray(child_offsets, np.int64))
        parts = []
        for begin, end in zip(layout.first_node[:-1], layout.first_node[1:], strict=True):
            block = W[:, begin:end].tocsr()
            block.sort_indices()
            block.eliminate_zeros()
            bias_weights = block[[-1]].toarray().ravel()
            block = block[:-1]
            used = np.flatnonzero(np.diff(block.indptr))
            ends = np.append(0, block.indptr[used + 1])
            parts.append(ChunkParts(used.astype(np.int32), ends.astype(np.int32),
                                    block.indices.astype(np.uint8), block.data, bias_weights))  # fmt: skip
        return cls.from_chunks(parts, layout, n_features=W.shape[0] - 1, bias=bias)


def _ends(lengths: Sequence[int]) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)


def _stack_offsets(offsets: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
    shift, parts = 0, [np.zeros(1, np.int64)]
    for level in offsets:
        parts.append(level[1:] + shift)
        shift += int(level[-1])
    return np.concatenate(parts)


def _check(W: ChunkedWeights) -> None:
    """Refuse arrays that the search kernels would follow out of bounds."""
    n_chunks, n_rows, n_entries = len(W.first_node) - 1, len(W.features), len(W.weights)
    ends = {
        "first_chunk": n_chunks,
        "first_node": len(W.bias_weights),
        "first_row": n_rows,
        "first_pair": n_entries,
    }
    for name, end in ends.items():
        array = getattr(W, name)
        if len(array) == 0 or array[0] != 0 or array[-1] != end or np.any(np.diff(array) < 0):
            raise ValueError(f"weights: {name} must rise from 0 to {end}, but doesn't")
    if len(W.first_row) != n_chunks + 1 or len(W.first_pair) != n_chunks + 1 or len(W.siblings) != n_entries:
        raise ValueError("weights: the arrays of chunks and entries must agree in length, but don't")
    if len(W.first_entry) != n_rows + n_chunks:
        raise ValueError(
            f"weights: first_entry must have {n_rows + n_chunks} entries, but has {len(W.first_entry)}"
        )
    if n_rows and not (W.features.min() >= 0 and W.features.max() < W.n_features):
        raise ValueError(
            f"weights: features must lie in 0..{W.n_features - 1}, "
            f"but span {W.features.min()}..{W.features.max()}"
        )
    starts = W.first_row[:-1] + np.arange(n_chunks)
    stops = W.first_row[1:] + np.arange(n_chunks)
    if n_chunks and (
        np.any(W.first_entry[starts] != 0)
        or np.any(W.first_entry[stops] != np.diff(W.first_pair))
        or np.any(W.entries_of_row() < 0)
    ):
        raise ValueError(
            "weights: first_entry must rise from 0 to the number of entries in every chunk, but doesn't"
        )
    chunk_of_entry = np.repeat(np.arange(n_chunks), np.diff(W.first_pair))
    if np.any(W.siblings >= np.diff(W.first_node)[chunk_of_entry]):
        raise ValueError("weights: an entry names a sibling that its chunk doesn't have")
