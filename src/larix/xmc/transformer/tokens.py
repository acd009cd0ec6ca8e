"""Token ids of texts, ragged: all ids end to end, padded only when a batch is taken."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from larix.xmc.persistence import load_folder, save_folder

TEXTS_AT_ONCE = 4096


@dataclass(frozen=True, eq=False)
class TokenIds:
    """Token ids of n texts.

    Parameters
    ----------
    ids : int32 array, shape (n_tokens,)
        Of all texts, end to end; special tokens are among them.
    ends : int64 array, shape (n,)
        Where each text ends in `ids`.
    padding_id : int

    Raises
    ------
    ValueError
        If an array has another type or shape, or the ends don't rise to the number of ids.
    """

    ids: NDArray[np.int32]
    ends: NDArray[np.int64]
    padding_id: int

    def __post_init__(self) -> None:
        for name, dtype in (("ids", np.dtype(np.int32)), ("ends", np.dtype(np.int64))):
            array = getattr(self, name)
            if array.dtype != dtype or array.ndim != 1:
                raise ValueError(
                    f"{name} must be a row of {dtype}, but is {array.dtype} of shape {array.shape}; make the "
                    "token ids anew"
                )
        falls = np.any(self.ends[1:] < self.ends[:-1]) or self.ends.min(initial=0) < 0
        if falls or self.ends.max(initial=0) != len(self.ids):
            raise ValueError(f"ends must rise from 0 to {len(self.ids)}, the number of ids, but don't")

    @classmethod
    def of(cls, texts: Sequence[str], tokenizer: Any, max_tokens: int) -> Self:
        """Tokenize texts, cutting each at `max_tokens`, or earlier if the model takes fewer."""
        none = np.empty(0, np.int32), np.empty(0, np.int64)
        ids, lengths = zip(none, *tokenize(texts, tokenizer, max_tokens), strict=True)
        return cls(np.concatenate(ids), np.cumsum(np.concatenate(lengths)), int(tokenizer.pad_token_id))

    def __len__(self) -> int:
        return len(self.ends)

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Tokens of each text, shape (n,)."""
        return np.diff(self.ends, prepend=0)

    def batch(self, rows: NDArray[np.integer[Any]]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Ids and attention mask of some texts, both (len(rows), longest), padded at the right."""
        begins = np.where(rows > 0, self.ends[rows - 1], 0)
        lengths = self.ends[rows] - begins
        mask = np.arange(lengths.max(initial=1)) < lengths[:, None]
        places = begins[:, None] + np.arange(mask.shape[1])
        ids = np.full(mask.shape, self.padding_id, np.int64)
        ids[mask] = self.ids[places[mask]]
        return ids, mask.astype(np.int64)

    def length_sorted_batches(self, size: int) -> list[NDArray[np.int64]]:
        """All texts in batches of similar length, the longest first, so that little is padded."""
        order = np.argsort(-self.lengths, kind="stable")
        return [order[begin : begin + size] for begin in range(0, len(order), size)]

    def save(self, path: Path | str) -> None:
        """Write the ids as a folder; `load` maps them into memory."""
        save_folder(
            path,
            kind="TokenIds",
            metadata={"padding_id": self.padding_id},
            arrays={"ids": self.ids, "ends": self.ends},
        )

    @classmethod
    def load(cls, path: Path | str, *, verify: bool = True) -> Self:
        """Map ids that `save` wrote."""
        folder = load_folder(path, kind="TokenIds", verify=verify)
        return cls(folder.arrays["ids"], folder.arrays["ends"], folder.metadata["padding_id"])


def tokenize(
    texts: Sequence[str], tokenizer: Any, max_tokens: int
) -> Iterator[tuple[NDArray[np.int32], NDArray[np.int64]]]:
    """Ids of texts end to end, and the tokens of each, for `TEXTS_AT_ONCE` at a time."""
    limit = min(max_tokens, tokenizer.model_max_length)
    for begin in range(0, len(texts), TEXTS_AT_ONCE):
        rows = tokenizer(
            list(texts[begin : begin + TEXTS_AT_ONCE]), truncation=True, max_length=limit, padding=False,
            return_attention_mask=False, return_token_type_ids=False,
        )["input_ids"]  # fmt: skip
        ids = np.fromiter((token for row in rows for token in row), np.int32)
        yield ids, np.array([len(row) for row in rows], np.int64)
