"""Lines of the form `label,label index:value index:value`, read into index and value arrays.

Two parsers of one grammar. `parse_line` is the readable one: it knows every rule and raises an error that
names line, column and value. `parse_block` reads a whole block through Arrow's compiled string kernels,
accepts plain well-formed lines only, and returns None for everything else, which is then read line by line.

A line without labels begins with white space or with `index:value`, or is empty.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from larix.corpora.format_error import CorpusFormatError, Quoted
from larix.corpora.number_fields import parse_index, parse_value

_TOKEN = re.compile(r"\S+")
_NOT_PLAIN = r"[^-0-9.,:eE \t]"


@dataclass(frozen=True, eq=False)
class SparseRows:
    """Rows of labels and of features as flat arrays; neither sorted nor unique in a row yet.

    Attributes
    ----------
    n_labels, n_features : int64 array (n,)
        How many entries each row has.
    labels : int32 array
    indices, values : int32 and float32 array
        Of the features.
    """

    n_labels: NDArray[np.int64]
    labels: NDArray[np.int32]
    n_features: NDArray[np.int64]
    indices: NDArray[np.int32]
    values: NDArray[np.float32]

    @classmethod
    def concatenate(cls, blocks: "list[SparseRows]") -> Self:
        """All rows of some blocks, one block after the other."""
        fields = ("n_labels", "labels", "n_features", "indices", "values")
        return cls(*(np.concatenate([getattr(block, name) for block in blocks]) for name in fields))


@dataclass(frozen=True)
class SparseLineParser:
    """Reads lines of a file whose header announced `n_features` and `n_labels`."""

    path: Path
    n_features: int
    n_labels: int

    def parse(self, first_line: int, lines: list[str]) -> SparseRows:
        """Read consecutive lines, the fast way if they are plain."""
        rows = self.parse_block(lines)
        if rows is None:
            rows = _flatten([self.parse_line(number, line) for number, line in enumerate(lines, first_line)])
        return rows

    def parse_line(self, number: int, line: str) -> tuple[list[int], list[int], list[float]]:
        """Read one line; the reference.

        Returns
        -------
        tuple
            Labels, feature indices, feature values.

        Raises
        ------
        CorpusFormatError
            At the first field that breaks a rule.
        """
        tokens = [(match.start() + 1, match.group()) for match in _TOKEN.finditer(line)]
        labels: list[int] = []
        if tokens and tokens[0][0] == 1 and ":" not in tokens[0][1]:
            labels = self._labels(number, tokens.pop(0)[1])
        pairs = [self._feature(number, column, token) for column, token in tokens]
        return labels, [index for index, _ in pairs], [value for _, value in pairs]

    def _labels(self, number: int, token: str) -> list[int]:
        labels, column = [], 1
        for part in token.split(","):
            labels.append(parse_index(self.path, number, column, part, self.n_labels, "a label"))
            column += len(part) + 1
        return labels

    def _feature(self, number: int, column: int, token: str) -> tuple[int, float]:
        index, colon, value = token.partition(":")
        if not colon:
            raise CorpusFormatError(
                self.path,
                number,
                column,
                rule="features are written index:value",
                found=Quoted(token),
                remedy="add the value; labels stand at the beginning, joined by commas without spaces",
            )
        return (
            parse_index(self.path, number, column, index, self.n_features, "a feature's index"),
            parse_value(self.path, number, column + len(index) + 1, value, "a feature's value"),
        )

    def parse_block(self, lines: list[str]) -> SparseRows | None:
        """Read plain lines at once; None if a line is not plain or breaks a rule."""
        text = pa.array(lines, pa.large_string())
        if pc.any(pc.match_substring_regex(text, _NOT_PLAIN)).as_py():
            return None
        tokens = pc.ascii_split_whitespace(pc.ascii_rtrim_whitespace(text))
        offsets, flat = tokens.offsets.to_numpy(), tokens.flatten()
        # White space at the beginning of a line makes an empty first token, and so does an empty line.
        first = flat.take(pa.array(offsets[:-1]))
        if pc.any(pc.match_substring(first, ":")).as_py():
            return None
        is_feature = np.ones(len(flat), bool)
        is_feature[offsets[:-1]] = False
        try:
            n_labels, labels = self._block_labels(first)
            indices, values = self._block_features(flat.filter(pa.array(is_feature)))
        except (pa.ArrowInvalid, _NotPlain):
            return None
        return SparseRows(n_labels, labels, np.diff(offsets) - 1, indices, values)

    def _block_labels(self, first: pa.Array) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        parts = pc.split_pattern(first, ",")
        counts = np.diff(parts.offsets.to_numpy())
        filled = pc.not_equal(first, "").to_numpy(zero_copy_only=False)
        labels = parts.flatten().filter(pa.array(np.repeat(filled, counts)))
        return np.where(filled, counts, 0), _in_range(labels, self.n_labels)

    def _block_features(self, tokens: pa.Array) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        parts = pc.split_pattern(tokens, ":")
        if np.any(np.diff(parts.offsets.to_numpy()) != 2):
            raise _NotPlain
        flat = parts.flatten()
        index_places = np.arange(0, len(flat), 2)
        # Through float64 as in the line parser, so that both round alike.
        with np.errstate(over="ignore"):
            values = flat.take(pa.array(index_places + 1)).cast(pa.float64()).to_numpy().astype(np.float32)
        if not np.isfinite(values).all():
            raise _NotPlain
        return _in_range(flat.take(pa.array(index_places)), self.n_features), values


class _NotPlain(Exception):
    """A block needs the line parser."""


def _in_range(texts: pa.Array, bound: int) -> NDArray[np.int32]:
    numbers = texts.cast(pa.int64()).to_numpy()
    if len(numbers) and not (numbers.min() >= 0 and numbers.max() < bound):
        raise _NotPlain
    return np.asarray(numbers, np.int32)


def _flatten(parsed: list[tuple[list[int], list[int], list[float]]]) -> SparseRows:
    return SparseRows(
        np.array([len(labels) for labels, _, _ in parsed], np.int64),
        np.array([label for labels, _, _ in parsed for label in labels], np.int32),
        np.array([len(indices) for _, indices, _ in parsed], np.int64),
        np.array([index for _, indices, _ in parsed for index in indices], np.int32),
        np.array([value for _, _, values in parsed for value in values], np.float32),
    )
