"""Rows of an ARFF file: dense, `0,1,0.5`, or sparse, `{1 1,2 0.5}`, with attributes counted from 0.

A row of plain numbers is read the quick way; one that has quotes or breaks a rule is read again field by
field, which finds the place of the error. Missing values (`?`) are refused.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from larix.corpora.format_error import CorpusFormatError
from larix.corpora.number_fields import parse_index, parse_value

_FIELD = re.compile(r"""\s*('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[^,]*?)\s*(?:,|$)""")
_ESCAPED = re.compile(r"\\(.)")
_PLAIN_ROW = re.compile(r"[-+0-9.eE, \t]*")
_SURELY_FLOAT32 = 1e38


@dataclass(frozen=True)
class Attribute:
    """A column of the file.

    Attributes
    ----------
    name : str
        Without quotes.
    values : tuple of float, or None
        Values of a nominal attribute in their order, None for a numeric one.
    line : int
        Where it is declared.
    """

    name: str
    values: tuple[float, ...] | None
    line: int


@dataclass(frozen=True)
class ArffRow:
    """A row: those attributes that are given, and their values, which may be 0."""

    line: int
    attributes: list[int]
    values: list[float]


class ArffRowParser:
    """Reads rows over the declared attributes."""

    def __init__(self, path: Path, attributes: list[Attribute]) -> None:
        self._path = path
        self._attributes = attributes
        self._allowed = [None if a.values is None else frozenset(a.values) for a in attributes]
        self._not_sparse = next((a for a in attributes if a.values and a.values[0] != 0), None)

    def parse(self, number: int, line: str) -> ArffRow:
        """Read a row.

        Raises
        ------
        CorpusFormatError
            At the first field that breaks a rule.
        """
        text = line.strip()
        column = len(line) - len(line.lstrip()) + 1
        if text.startswith("{"):
            self._require_sparse(number, column, text)
            inner = text[1:-1]
            given = self._quick_sparse(inner) or self._sparse(number, column + 1, inner)
        else:
            given = self._quick_dense(text) or self._dense(number, column, text)
        return ArffRow(number, *given)

    def _quick_sparse(self, inner: str) -> tuple[list[int], list[float]] | None:
        if not _PLAIN_ROW.fullmatch(inner):
            return None
        try:
            pairs = [pair.split() for pair in inner.split(",")]
            attributes = [int(attribute) for attribute, _ in pairs]
            values = [float(value) for _, value in pairs]
        except ValueError:
            return None
        if min(attributes) < 0 or max(attributes) >= len(self._attributes):
            return None
        return (attributes, values) if self._are_allowed(attributes, values) else None

    def _quick_dense(self, text: str) -> tuple[list[int], list[float]] | None:
        if not _PLAIN_ROW.fullmatch(text):
            return None
        try:
            values = [float(value) for value in text.split(",")]
        except ValueError:
            return None
        attributes = list(range(len(self._attributes)))
        if len(values) != len(attributes) or not self._are_allowed(attributes, values):
            return None
        return attributes, values

    def _are_allowed(self, attributes: list[int], values: list[float]) -> bool:
        if max(map(abs, values)) > _SURELY_FLOAT32:
            return False
        allowed = self._allowed
        return all(
            allowed[attribute] is None or value in allowed[attribute]  # type: ignore[operator]
            for attribute, value in zip(attributes, values, strict=True)
        )

    def _dense(self, number: int, column: int, text: str) -> tuple[list[int], list[float]]:
        fields = list(fields_of(text))
        n_attributes = len(self._attributes)
        if len(fields) != n_attributes:
            raise CorpusFormatError(
                self._path,
                number,
                column + fields[min(len(fields) - 1, n_attributes)][0],
                rule=f"a row has a value for each of {n_attributes} attributes",
                found=f"{len(fields)} values",
                remedy="correct the row or the declarations",
            )
        values = [
            self._value(number, column + at, field, attribute) for attribute, (at, field) in enumerate(fields)
        ]
        return list(range(n_attributes)), values

    def _sparse(self, number: int, column: int, inner: str) -> tuple[list[int], list[float]]:
        attributes: list[int] = []
        values: list[float] = []
        for at, field in fields_of(inner) if inner.strip() else ():
            index, *rest = field.split(maxsplit=1) or [""]
            attributes.append(
                parse_index(self._path, number, column + at, index, len(self._attributes), "an attribute")
            )
            value = rest[0] if rest else ""
            values.append(self._value(number, column + at + len(field) - len(value), value, attributes[-1]))
        return attributes, values

    def _require_sparse(self, number: int, column: int, text: str) -> None:
        if not text.endswith("}"):
            raise CorpusFormatError(
                self._path,
                number,
                column + len(text),
                rule="a sparse row ends with a brace",
                found="the end of the line",
                remedy="copy the file again if it was cut",
            )
        if self._not_sparse is not None:
            raise CorpusFormatError(
                self._path,
                number,
                column,
                rule="a sparse row leaves out the first value of a nominal attribute, which is 0",
                found=f"another first value of {self._not_sparse.name!r} in line {self._not_sparse.line}",
                remedy="declare {0,1}, or write dense rows",
            )

    def _value(self, number: int, column: int, field: str, attribute: int) -> float:
        value = parse_value(self._path, number, column, unquoted(field), "a value")
        allowed, declared = self._allowed[attribute], self._attributes[attribute]
        if allowed is not None and value not in allowed:
            raise CorpusFormatError(
                self._path,
                number,
                column,
                rule=f"a value of {declared.name!r} is one of those declared in line {declared.line}",
                found=field,
                remedy="correct the value or the declaration",
            )
        return value


def fields_of(text: str) -> Iterator[tuple[int, str]]:
    """Yield (position, field) of fields with commas between them; quotes are kept."""
    at = 0
    while True:
        match = _FIELD.match(text, at)
        if match is None:  # text after a closing quote; the whole field is handed on as it is
            end = text.find(",", at)
            end = len(text) if end < 0 else end
            yield at, text[at:end].strip()
        else:
            yield match.start(1), match.group(1)
            end = match.end() - match.group().endswith(",")
        if end >= len(text):
            return
        at = end + 1


def unquoted(field: str) -> str:
    """A name or value without its quotes and backslashes."""
    if len(field) >= 2 and field[0] == field[-1] and field[0] in "'\"":
        return _ESCAPED.sub(r"\1", field[1:-1])
    return field
