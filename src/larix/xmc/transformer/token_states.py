"""Token vectors between two layers of an encoder, in 16 bits: ragged, and kept by content of the texts.

A text of t tokens takes 2 t d bytes. States that are kept in a folder are read through memory maps.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from larix.xmc.persistence import save_folder
from larix.xmc.transformer.embedding_cache import Keys, match_keys, read_piece

_KIND = "TokenStates"


@dataclass(frozen=True, eq=False)
class TokenStates:
    """States of n texts, wherever these lie.

    Parameters
    ----------
    chunks : sequence of float16 array, n_tokens x d
        Of texts end to end.
    chunk, begin, lengths : int array, shape (n,)
        Which chunk has a text, where it begins there, and its tokens; a text without a chunk has -1.
    """

    chunks: Sequence[NDArray[np.float16]]
    chunk: NDArray[np.int64]
    begin: NDArray[np.int64]
    lengths: NDArray[np.int64]

    @classmethod
    def of(cls, states: NDArray[np.float16], lengths: NDArray[np.int64]) -> Self:
        """States of texts that lie end to end."""
        return cls([states], np.zeros(len(lengths), np.int64), np.cumsum(lengths) - lengths, lengths)

    def __len__(self) -> int:
        return len(self.lengths)

    def filled(self, other: "TokenStates") -> "TokenStates":
        """With the texts of another in the place of those without a chunk, in their order."""
        missing = np.flatnonzero(self.chunk < 0)
        chunk, begin, lengths = self.chunk.copy(), self.begin.copy(), self.lengths.copy()
        chunk[missing] = other.chunk + len(self.chunks)
        begin[missing], lengths[missing] = other.begin, other.lengths
        return TokenStates([*self.chunks, *other.chunks], chunk, begin, lengths)

    def batch(self, rows: NDArray[np.integer[Any]]) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """States of some texts, (len(rows), longest, d), padded with zeros at the right, and their mask."""
        lengths = self.lengths[rows]
        mask = np.arange(lengths.max(initial=1)) < lengths[:, None]
        padded = np.zeros((*mask.shape, self.chunks[0].shape[1]), np.float32)
        places = zip(self.chunk[rows], self.begin[rows], lengths, strict=True)
        for row, (chunk, begin, length) in zip(padded, places, strict=True):
            row[:length] = self.chunks[chunk][begin : begin + length]
        return padded, mask.astype(np.int64)

    def take(self, rows: NDArray[np.integer[Any]]) -> "TokenStates":
        """States of some texts."""
        return TokenStates(self.chunks, self.chunk[rows], self.begin[rows], self.lengths[rows])

    def length_sorted_batches(self, size: int) -> list[NDArray[np.int64]]:
        """All texts in batches of similar length, the longest first, so that little is padded."""
        order = np.argsort(-self.lengths, kind="stable")
        return [order[begin : begin + size] for begin in range(0, len(order), size)]


class TokenStateCache:
    """States of one encoder, one setting and one boundary between layers, by content of the texts.

    Parameters
    ----------
    folder : Path or None
        Belongs to the cache alone, and is made when there is something to keep; None keeps states in memory.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        paths = [] if folder is None else sorted(folder.glob("*"))
        pieces = (read_piece(path, _KIND, "ends") for path in paths)
        self._pieces = [piece for piece in pieces if piece is not None]

    def find(self, keys: Keys) -> TokenStates:
        """States of those texts that are known; the others have no chunk."""
        chunk, begin, lengths = (np.full(len(keys), value, np.int64) for value in (-1, 0, 0))
        for number, piece in enumerate(self._pieces):
            found, at = match_keys(piece["keys"], keys)
            own = np.diff(piece["ends"], prepend=0)
            chunk[found], begin[found], lengths[found] = number, piece["ends"][at] - own[at], own[at]
        return TokenStates([piece["states"] for piece in self._pieces], chunk, begin, lengths)

    def add(self, keys: Keys, states: NDArray[np.float16], lengths: NDArray[np.int64]) -> None:
        """Keep states of texts, which lie end to end."""
        piece: dict[str, NDArray[Any]] = {"keys": keys, "states": states, "ends": np.cumsum(lengths)}
        if self._folder is not None:
            path = self._folder / hashlib.sha256(keys.tobytes()).hexdigest()[:32]
            save_folder(path, kind=_KIND, arrays=piece)
            piece = read_piece(path, _KIND, "ends") or piece
        self._pieces.append(piece)
