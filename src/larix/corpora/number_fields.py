"""Numbers in text files: indices within bounds, and values finite in float32."""

import re
from pathlib import Path

import numpy as np

from larix.corpora.format_error import CorpusFormatError, Quoted

_WHOLE_NUMBER = re.compile(r"-?[0-9]+")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,6})?")
_MOST_DIGITS = 18

LARGEST_DIMENSION = 2**31 - 1
"""Columns are numbered by int32."""


def parse_whole(path: Path, line: int | str, column: int | str, text: str, what: str) -> int:
    """Read a whole number of at most 18 digits.

    Raises
    ------
    CorpusFormatError
        At this line and column.
    """
    digits = text.lstrip("-0")
    if not _WHOLE_NUMBER.fullmatch(text) or len(digits) > _MOST_DIGITS:
        raise CorpusFormatError(
            path,
            line,
            column,
            rule=f"{what} is a whole number of at most {_MOST_DIGITS} digits",
            found=Quoted(text) if text else "nothing",
            remedy="write its digits",
        )
    return int(digits or 0) * (-1 if text.startswith("-") else 1)


def parse_index(
    path: Path, line: int | str, column: int | str, text: str, bound: int, what: str, *, first: int = 0
) -> int:
    """Read a number out of `bound` numbers that count from `first`.

    Raises
    ------
    CorpusFormatError
        At this line and column.
    """
    value = parse_whole(path, line, column, text, what)
    if not first <= value < bound + first:
        shifted = value == (bound if first == 0 else 0)
        raise CorpusFormatError(
            path,
            line,
            column,
            rule=f"{what} lies in {first}..{bound + first - 1}",
            found=str(value),
            remedy=f"count from {first}, not from {1 - first}" if shifted else "correct it",
        )
    return value


def parse_value(path: Path, line: int | str, column: int | str, text: str, what: str) -> float:
    """Read a number that is finite in float32.

    Raises
    ------
    CorpusFormatError
        At this line and column.
    """
    if not _NUMBER.fullmatch(text):
        raise CorpusFormatError(
            path,
            line,
            column,
            rule=f"{what} is a finite number",
            found=Quoted(text) if text else "nothing",
            remedy="write a decimal number such as 0.25, or leave the entry out",
        )
    value = float(text)
    if not fits_float32(value):
        raise CorpusFormatError(
            path,
            line,
            column,
            rule=f"{what} lies within float32, up to 3.4e38",
            found=Quoted(text),
            remedy="rescale the values",
        )
    return value


def fits_float32(value: float) -> bool:
    """Tell whether a number is finite in float32."""
    with np.errstate(over="ignore"):
        return bool(np.isfinite(np.float32(value)))
