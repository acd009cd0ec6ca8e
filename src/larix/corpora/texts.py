"""Texts of a file, one after another, for a classifier to label: no labels are read, and little is held.

A table (JSONL, CSV, TSV, Parquet) has columns with text, joined by line ends, and perhaps one with
identifiers. A plain file has one text a line; blank lines are left out.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from larix.corpora.environment import format_of
from larix.corpora.format_error import CorpusFormatError
from larix.corpora.nearest import nearest_hint
from larix.corpora.oddities import Oddities
from larix.corpora.params import TABLE_FORMATS, ColumnParams
from larix.corpora.record import Record
from larix.corpora.tables import table_records
from larix.corpora.text_file import check_encoding, is_blank, open_binary, read_lines

_LINES = ".txt"
_COUNTED_BYTES = 2**20


@dataclass(frozen=True, slots=True)
class TextRecord:
    """A text to label.

    Attributes
    ----------
    id : str
        What the identifier column holds, or the number of the text, counted from 1.
    text : str
    row : int
        Line in which the record begins, or the row of a Parquet file, counted from 1.
    """

    id: str
    text: str
    row: int


@dataclass(frozen=True)
class TextFile:
    """A file with texts.

    Parameters
    ----------
    path : Path
        Its ending tells the format: .txt, .jsonl, .csv, .tsv or .parquet, and .gz behind all but the last.
    text : tuple of str
        Columns with text.
    id : str, optional
        Column with identifiers.
    field_delimiter : str, optional
        What separates the fields of a CSV or TSV file; by default a comma or a tab.
    encoding : str
        Of a text file.

    Raises
    ------
    ValueError
        If the ending or the encoding is another, or a column is named for a file of lines.
    """

    path: Path
    text: tuple[str, ...] = ("text",)
    id: str | None = None
    field_delimiter: str | None = None
    encoding: str = "utf-8"

    def __post_init__(self) -> None:
        check_encoding(self.encoding)
        if not self.text:
            raise ValueError("text must name a column, but names none")
        if self._has_lines and (self.text != ("text",) or self.id):
            raise ValueError(f"{self.path} has one text a line and no columns, but columns are named")
        if not self._has_lines and format_of(self.path) not in TABLE_FORMATS:
            raise ValueError(
                f"texts are read from .txt, .jsonl, .csv, .tsv or .parquet, but the file is {self.path.name}"
            )

    def __iter__(self) -> Iterator[TextRecord]:
        """Yield the texts.

        Raises
        ------
        CorpusFormatError
            At the first place that breaks a rule of the format.
        FileNotFoundError
            If there is no such file.
        """
        if self._has_lines:
            rows = read_lines(self.path, Oddities(), encoding=self.encoding)
            lines = ((n, line.strip()) for n, line in rows if not is_blank(line))
            yield from (TextRecord(str(i), line, n) for i, (n, line) in enumerate(lines, start=1))
            return
        for number, record in enumerate(self._table(), start=1):
            yield TextRecord(self._id(record, number), self._text(record), self._row(record))

    def n_rows(self) -> int:
        """How far `TextRecord.row` will go, for progress: lines, or rows of a Parquet file."""
        if not self._has_lines and format_of(self.path) == "parquet":
            import pyarrow.parquet as pq

            return int(pq.read_metadata(self.path).num_rows)
        with open_binary(self.path) as file:
            return sum(block.count(b"\n") for block in iter(lambda: file.read(_COUNTED_BYTES), b"")) + 1

    @property
    def _has_lines(self) -> bool:
        return self.path.name.lower().removesuffix(".gz").endswith(_LINES)

    def _table(self) -> Iterator[Record]:
        columns = ColumnParams(
            text=self.text, labels=self.text[0], id=self.id, field_delimiter=self.field_delimiter
        )
        return table_records(self.path, format_of(self.path), columns, Oddities(), encoding=self.encoding)

    def _text(self, record: Record) -> str:
        if not any(name in record.values for name in self.text):
            self._field(record, self.text[0], "")  # which tells that it is missing
        parts = (self._field(record, name, "text") for name in self.text if name in record.values)
        return "\n".join(part for part in parts if part)

    def _id(self, record: Record, number: int) -> str:
        return str(number) if self.id is None else self._field(record, self.id, "an identifier")

    def _field(self, record: Record, name: str, what: str) -> str:
        if name not in record.values:
            raise self._error(
                record,
                name,
                f"a record has the column {name!r}",
                "none",
                nearest_hint(name, list(record.values)),
            )
        value = record.values[name]
        if value is None:
            return ""
        if isinstance(value, bool | float | list | dict):
            raise self._error(record, name, f"{what} is a string", value, "write it between quotes")
        return str(value).strip()

    def _error(self, record: Record, name: str, rule: str, found: Any, remedy: str) -> CorpusFormatError:
        line, place = record.place(name)
        return CorpusFormatError(self.path, line, place, rule=rule, found=found, remedy=remedy)

    def _row(self, record: Record) -> int:
        return int(record.place(self.text[0])[0])
