"""Weights of many linear models, stored by families of siblings.

The storage of masked sparse chunk multiplication (Etter et al., WWW 2022): siblings under one parent
share a chunk, whose rows are the features that any of them uses, each row a short list of (sibling,
weight). One pass over an instance's features then scores all siblings. A chunk holds at most 255
siblings, so that a sibling is one byte; larger families own several chunks.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from larix.xmc.search_kernels import check_chunks, index_rows
from larix.xmc.sparse import CSR, read_only

MAX_SIBLINGS = 255
_DTYPES = {
    "scales": np.float32,
    "features": np.int32,
    "row_entries": np.uint8,
    "siblings": np.uint8,
    "bias_weights": np.float32,
}


class ChunkParts(NamedTuple):
    """One chunk: rows by ascending feature, and each row's entries one row after the other."""

    features: NDArray[np.int32]
    row_entries: NDArray[np.uint8]
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
    scales : float32 array, shape (n_chunks,)
        What the stored weights of a chunk are multiplied by.
    features : int32 array, shape (n_rows,)
        Ascending within a chunk.
    row_entries : uint8 array, shape (n_rows,)
        How many siblings use the feature.
    siblings : uint8 array, weights : float32 or int16 array, shape (n_entries,)
    bias_weights : float32 array, shape (n_nodes,)
    """

    n_features: int
    bias: float
    first_chunk: NDArray[np.int64]
    first_node: NDArray[np.int64]
    first_row: NDArray[np.int64]
    first_pair: NDArray[np.int64]
    scales: NDArray[np.float32]
    features: NDArray[np.int32]
    row_entries: NDArray[np.uint8]
    siblings: NDArray[np.uint8]
    weights: NDArray[np.float32] | NDArray[np.int16]
    bias_weights: NDArray[np.float32]

    def __post_init__(self) -> None:
        for name, array in self.arrays().items():
            dtype = array.dtype if name == "weights" else _DTYPES.get(name, np.int64)
            object.__setattr__(self, name, read_only(array, dtype))
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
        directory = index_rows(self.first_row, self.features, self.row_entries, self.n_features)
        return (*self.arrays().values(), *(read_only(array, array.dtype) for array in directory))

    @classmethod
    def from_chunks(
        cls, parts: list[ChunkParts], layout: ChunkLayout, *, n_features: int, bias: float
    ) -> "ChunkedWeights":
        """Put the chunks of one level together; a list of parts is emptied on the way, to save memory."""
        n_rows, n_pairs = (_ends([len(part[i]) for part in parts]) for i in (0, 2))
        joined = [_join(parts, i, dtype) for i, dtype in enumerate(_PART_DTYPES)]
        return cls(
            n_features, bias, layout.first_chunk, layout.first_node, n_rows, n_pairs,
            np.ones(len(parts), np.float32), *joined,
        )  # fmt: skip

    @classmethod
    def concatenate(cls, levels: Iterable["ChunkedWeights"]) -> "ChunkedWeights":
        """Stack levels, the root's children first; what only an iterator holds is let go on the way."""
        kinds, arrays_of = zip(*(((w.n_features, w.bias), w.arrays()) for w in levels), strict=True)
        if len(set(kinds)) != 1:
            raise ValueError("levels must agree in number of features and bias")
        arrays: dict[str, Any] = {}
        for name in list(arrays_of[0]):
            of_levels = [own.pop(name) for own in arrays_of]
            stack = _stack_offsets if name.startswith("first_") else np.concatenate
            arrays[name] = stack(of_levels)
            del of_levels
        return cls(*kinds[0], **arrays)

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
            scales=self.scales[first:last],
            features=self.features[slice(*rows)], row_entries=self.row_entries[slice(*rows)],
            siblings=self.siblings[slice(*pairs)], weights=self.weights[slice(*pairs)],
            bias_weights=self.bias_weights[slice(*nodes)],
        )  # fmt: skip

    def chunk(self, chunk: int) -> ChunkParts:
        """One chunk, its weights in float32."""
        rows, pairs, nodes = (
            slice(*offsets[chunk : chunk + 2])
            for offsets in (self.first_row, self.first_pair, self.first_node)
        )
        weights = self.weights[pairs] * self.scales[chunk]
        return ChunkParts(
            self.features[rows],
            self.row_entries[rows],
            self.siblings[pairs],
            weights,
            self.bias_weights[nodes],
        )

    def rounded(self) -> "ChunkedWeights":
        """The same models with weights of 16 bits: multiples of a 32,767th of each chunk's largest."""
        lengths = np.diff(self.first_pair)
        largest = np.zeros(len(lengths), np.float32)
        filled = lengths > 0
        if filled.any():
            largest[filled] = np.maximum.reduceat(np.abs(self.weights), self.first_pair[:-1][filled])
        scales = (largest / 32767).astype(np.float32)
        steps = np.repeat(np.where(scales > 0, scales, 1), lengths)
        return replace(
            self, scales=scales * self.scales, weights=np.rint(self.weights / steps).astype(np.int16)
        )

    def to_csc(self) -> CSR:
        """The usual weight matrix, (D + 1) x n_nodes, the last row the bias weights."""
        chunk_of_row = np.repeat(np.arange(len(self.scales)), np.diff(self.first_row))
        nodes = np.repeat(self.first_node[:-1][chunk_of_row], self.row_entries) + self.siblings
        rows = np.repeat(self.features, self.row_entries)
        weights = self.weights * np.repeat(self.scales, np.diff(self.first_pair))
        biased = np.flatnonzero(self.bias_weights)
        values = np.concatenate([weights, self.bias_weights[biased]])
        at = (np.concatenate([rows, np.full(len(biased), self.n_features)]), np.concatenate([nodes, biased]))
        return sp.csc_array((values, at), shape=(self.n_features + 1, self.n_nodes))

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
            counts = np.diff(block.indptr)[used]
            parts.append(ChunkParts(used.astype(np.int32), counts.astype(np.uint8),
                                    block.indices.astype(np.uint8), block.data, bias_weights))  # fmt: skip
        return cls.from_chunks(parts, layout, n_features=W.shape[0] - 1, bias=bias)


_PART_DTYPES = (np.int32, np.uint8, np.uint8, np.float32, np.float32)


def _join(parts: list[ChunkParts], field: int, dtype: Any) -> NDArray[Any]:
    """One field of all chunks end to end; the field's arrays are let go one by one."""
    joined = np.empty(sum(len(part[field]) for part in parts), dtype)
    at = 0
    for chunk, part in enumerate(parts):
        own = part[field]
        joined[at : at + len(own)] = own
        at += len(own)
        parts[chunk] = ChunkParts(*(None if i == field else array for i, array in enumerate(part)))  # type: ignore[arg-type]
    return joined


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
    n_chunks = len(W.first_node) - 1
    ends = {
        "first_chunk": n_chunks,
        "first_node": len(W.bias_weights),
        "first_row": len(W.features),
        "first_pair": len(W.weights),
    }
    for name, end in ends.items():
        array = getattr(W, name)
        if len(array) == 0 or array[0] != 0 or array[-1] != end or np.any(np.diff(array) < 0):
            raise ValueError(f"weights: {name} must rise from 0 to {end}, but doesn't")
    lengths: list[tuple[NDArray[Any], int]] = [
        (W.first_row, n_chunks + 1), (W.first_pair, n_chunks + 1), (W.scales, n_chunks),
        (W.row_entries, len(W.features)), (W.siblings, len(W.weights)),
    ]  # fmt: skip
    if any(len(array) != length for array, length in lengths):
        raise ValueError("weights: the arrays of chunks, rows and entries must agree in length, but don't")
    if W.weights.dtype not in (np.float32, np.int16):
        raise ValueError(f"weights: must be float32 or int16, but are {W.weights.dtype}")
    rule, chunk = check_chunks(
        W.first_node, W.first_row, W.first_pair, W.features, W.row_entries, W.siblings, W.n_features
    )
    if rule >= 0:
        raise ValueError(f"weights: {_RULES[rule]}, but those of chunk {chunk} don't")


_RULES = (
    "a chunk must have at most 255 siblings",
    "features must rise within 0..D-1",
    "every row must have an entry, and all rows together the chunk's entries",
    "entries must name siblings of their chunk",
)
