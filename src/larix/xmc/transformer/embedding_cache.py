"""Vectors of texts by content, so that no text is encoded twice.

A cache is a folder of pieces, each a model folder with the keys of some texts and their vectors. Pieces are
only added, whole or not at all; encoding that was cut short goes on after the last of them. A damaged piece
counts as missing.
"""

import hashlib
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from larix.xmc.persistence import ModelFolderError, load_folder, save_folder

logger = logging.getLogger(__name__)
_KIND = "Embeddings"

Keys = NDArray[np.uint64]


def text_keys(texts: Sequence[str]) -> Keys:
    """A digest of 128 bits for every text, shape (n, 2)."""
    digests = [
        hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest() for text in texts
    ]
    return np.frombuffer(b"".join(digests), "<u8").reshape(-1, 2).astype(np.uint64, copy=False)


class EmbeddingCache:
    """Vectors made by one encoder with one setting.

    Parameters
    ----------
    folder : Path
        Belongs to the cache alone. It is made when there is something to keep.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        pieces = (read_piece(path, _KIND, "vectors") for path in sorted(folder.glob("[!.]*")))
        self._pieces = [piece for piece in pieces if piece is not None]

    def fill(self, keys: Keys, vectors: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Write the vectors of known texts into the rows of `vectors`; return which rows these are."""
        known = np.zeros(len(keys), np.bool_)
        for piece in self._pieces:
            if piece["vectors"].shape[1] == vectors.shape[1]:
                found, at = match_keys(piece["keys"], keys)
                vectors[found] = piece["vectors"][at]
                known[found] = True
        return known

    def add(self, keys: Keys, vectors: NDArray[np.float32]) -> None:
        """Keep vectors of texts."""
        path = self._folder / hashlib.sha256(keys.tobytes()).hexdigest()[:32]
        save_folder(path, kind=_KIND, arrays={"keys": keys, "vectors": vectors})
        self._pieces.append({"keys": keys, "vectors": vectors})


def read_piece(path: Path, kind: str, rows: str) -> dict[str, NDArray[Any]] | None:
    """Arrays of a piece, of which `rows` has as many rows as there are keys; None if it can't be used."""
    try:
        piece = dict(load_folder(path, kind=kind).arrays)
    except (ModelFolderError, OSError) as error:
        logger.warning("a piece of the embedding cache is not used: %s", error)
        return None
    fits = piece["keys"].dtype == np.uint64 and piece["keys"].shape == (len(piece[rows]), 2)
    return piece if fits else None


def match_keys(own: Keys, wanted: Keys) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Positions of wanted keys that a piece has, and where it has them."""
    order = np.argsort(own[:, 0], kind="stable")
    at = order[np.minimum(np.searchsorted(own[order, 0], wanted[:, 0]), len(own) - 1)]
    found = np.flatnonzero((own[at] == wanted).all(axis=1))
    return found, at[found]
