"""A record: one row of a table, whatever its file format, and where its fields are."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol


class Record(Protocol):
    """One row of a table."""

    @property
    def values(self) -> Mapping[str, Any]:
        """Fields by the names of their columns; only those that the record has."""

    def place(self, column: str) -> tuple[int | str, int | str]:
        """Line and column at which a field, or a record without that field, begins."""


@dataclass(slots=True)
class JsonRecord:
    """An object in a line of a JSONL file."""

    values: dict[str, Any]
    line: int
    source: str

    def place(self, column: str) -> tuple[int, int]:
        """Line, and where the key stands in it."""
        from json import dumps

        at = max(self.source.find(dumps(column)), self.source.find(dumps(column, ensure_ascii=False)))
        return self.line, max(at, 0) + 1


@dataclass(slots=True)
class DelimitedRecord:
    """A record of a CSV or TSV file."""

    values: dict[str, str]
    places: dict[str, tuple[int, int]]

    def place(self, column: str) -> tuple[int, int]:
        """Line and column at which the field begins; it may be another line than the record's first."""
        return self.places[column]


@dataclass(slots=True)
class ParquetRecord:
    """A row of a Parquet file."""

    values: dict[str, Any]
    row: int

    def place(self, column: str) -> tuple[int, str]:
        """Row counted from 1, and the column's name."""
        return self.row, column
