"""Documents in tables: JSONL, CSV, TSV and Parquet files with named columns for text and labels.

Several text columns are joined by line ends. Labels are a list, or a string that holds a JSON list or labels
with a delimiter between them.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from larix.corpora.delimited import DelimitedReader
from larix.corpora.documents import Documents, LabelVocabulary, TextDocumentsBuilder, require_documents
from larix.corpora.format_error import CorpusFormatError, Quoted
from larix.corpora.jsonl import jsonl_records
from larix.corpora.nearest import nearest_hint
from larix.corpora.number_fields import fits_float32, parse_value
from larix.corpora.oddities import Oddities
from larix.corpora.params import ColumnParams
from larix.corpora.parquet import parquet_records
from larix.corpora.record import Record


def read_table(
    path: Path,
    table_format: str,
    columns: ColumnParams,
    vocabulary: LabelVocabulary,
    *,
    encoding: str = "utf-8",
) -> Documents:
    """Read the documents of a table.

    Parameters
    ----------
    path : Path
        The file.
    table_format : str
        One of `larix.corpora.params.TABLE_FORMATS`.
    columns : ColumnParams
        Which columns hold what.
    vocabulary : LabelVocabulary
        Receives the labels.
    encoding : str
        Of a text file.

    Raises
    ------
    CorpusFormatError
        At the first place that breaks a rule.
    """
    oddities = Oddities()
    documents = _TableDocuments(path, columns, vocabulary, oddities)
    for record in table_records(path, table_format, columns, oddities, encoding=encoding):
        documents.add(record)
    found = documents.finish()
    oddities.log(path)
    return found


def table_records(
    path: Path, table_format: str, columns: ColumnParams, oddities: Oddities, *, encoding: str = "utf-8"
) -> Iterator[Record]:
    """Yield the records of a table."""
    if table_format == "jsonl":
        return jsonl_records(path, oddities, encoding=encoding)
    if table_format == "parquet":
        return parquet_records(path, columns.needed)
    return delimited_reader(path, table_format, columns, oddities, encoding=encoding).records(columns.needed)


def delimited_reader(
    path: Path, table_format: str, columns: ColumnParams, oddities: Oddities, *, encoding: str = "utf-8"
) -> DelimitedReader:
    """The reader of a CSV or TSV file."""
    return DelimitedReader(
        path,
        delimiter=columns.field_delimiter or {"csv": ",", "tsv": "\t"}[table_format],
        quoting=columns.quoting,
        oddities=oddities,
        encoding=encoding,
    )


class _TableDocuments:
    """Turns records into documents, and says where a record is wrong."""

    def __init__(
        self, path: Path, columns: ColumnParams, vocabulary: LabelVocabulary, oddities: Oddities
    ) -> None:
        self._path = path
        self._columns = columns
        self._oddities = oddities
        self._builder = TextDocumentsBuilder(vocabulary, oddities)
        # A record may lack some of its text columns, but none of these.
        self._strict = [
            name
            for name in (columns.labels, columns.id, columns.relevance, columns.rejected, *columns.where)
            if name
        ]
        self._unseen_text = set(columns.text)
        self._n_records = 0

    def add(self, record: Record) -> None:
        """Append the document of a record, unless `columns.where` leaves it out."""
        row = self._n_records
        self._n_records += 1
        self._require_columns(record)
        if not all(_equal(record.values[name], wanted) for name, wanted in self._columns.where.items()):
            self._oddities["records left out by columns.where"] += 1
            return
        labels, relevance = self._labels(record)
        self._builder.add(
            self._identifier(record, row), self._text(record), labels, relevance, self._rejected(record)
        )

    def finish(self) -> Documents:
        """The documents, once it is clear that there are some and that every text column occurred."""
        require_documents(self._path, self._n_records)
        if self._unseen_text:
            name = min(self._unseen_text)
            raise CorpusFormatError(
                self._path,
                1,
                1,
                rule=f"some record has the text column {name!r}",
                found="none that has it",
                remedy="correct columns.text",
            )
        return self._builder.finish()

    def _require_columns(self, record: Record) -> None:
        text = [name for name in self._columns.text if name in record.values]
        self._unseen_text.difference_update(text)
        if not text:
            self._refuse_missing(record, self._columns.text[0])
        for name in self._strict:
            if name not in record.values:
                self._refuse_missing(record, name)

    def _refuse_missing(self, record: Record, name: str) -> NoReturn:
        self._refuse(
            record, name, f"a record has the column {name!r}", "none", nearest_hint(name, list(record.values))
        )

    def _refuse(self, record: Record, column: str, rule: str, found: object, remedy: str) -> NoReturn:
        line, place = record.place(column)
        raise CorpusFormatError(self._path, line, place, rule=rule, found=found, remedy=remedy)

    def _string(self, record: Record, column: str, value: Any, what: str) -> str:
        """A text that Arrow can store."""
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        if not isinstance(value, str):
            self._refuse(record, column, f"{what} is a string", value, "write it between quotes")
        if not value.isascii():
            try:
                value.encode()
            except UnicodeEncodeError as error:
                self._refuse(
                    record,
                    column,
                    f"{what} is made of Unicode characters",
                    f"half of a surrogate pair, {value[error.start]!a}",
                    "remove the broken character",
                )
        return value

    def _identifier(self, record: Record, row: int) -> str:
        if self._columns.id is None:
            return str(row)
        return self._string(record, self._columns.id, record.values[self._columns.id], "an identifier")

    def _text(self, record: Record) -> str:
        parts = []
        for name in self._columns.text:
            value = record.values.get(name)
            if value is not None and (text := self._string(record, name, value, "text").strip()):
                parts.append(text)
        return "\n".join(parts)

    def _labels(self, record: Record) -> tuple[list[str], list[float] | None]:
        labels = self._names(record, self._columns.labels)
        relevance = self._relevance(record, len(labels))
        if all(labels):
            return labels, relevance
        self._oddities["empty labels"] += labels.count("")
        kept = [place for place, label in enumerate(labels) if label]
        return [labels[place] for place in kept], relevance and [relevance[place] for place in kept]

    def _rejected(self, record: Record) -> list[str]:
        column = self._columns.rejected
        return [label for label in self._names(record, column) if label] if column else []

    def _names(self, record: Record, column: str) -> list[str]:
        return [self._string(record, column, item, "a label").strip() for item in self._items(record, column)]

    def _items(self, record: Record, column: str) -> list[Any]:
        """The items of a field that is a list, a string with delimiters, or null."""
        value = record.values[column]
        if isinstance(value, str):
            return self._split(record, column, value.strip())
        if isinstance(value, bool | dict):
            self._refuse(
                record, column, f"{column!r} is a list or a string", value, "write a list of strings"
            )
        return value if isinstance(value, list) else [] if value is None else [value]

    def _split(self, record: Record, column: str, text: str) -> list[Any]:
        if not (text.startswith("[") and text.endswith("]")):
            return text.split(self._columns.label_delimiter) if text else []
        try:
            items = json.loads(text)
        except (ValueError, RecursionError):
            self._refuse(
                record,
                column,
                "a string in brackets is a JSON list",
                Quoted(text),
                "write its items in double quotes, or join the labels with a delimiter",
            )
        return list(items)

    def _relevance(self, record: Record, n_labels: int) -> list[float] | None:
        column = self._columns.relevance
        if column is None:
            return None
        given = self._items(record, column)
        if len(given) != n_labels:
            self._refuse(
                record,
                column,
                f"there is one relevance for each label, {n_labels} in all",
                f"{len(given)}",
                "add or remove some",
            )
        return [self._number(record, column, item) for item in given]

    def _number(self, record: Record, column: str, item: Any) -> float:
        if isinstance(item, str):
            line, place = record.place(column)
            item = parse_value(self._path, line, place, item.strip(), "a relevance")
        if isinstance(item, bool) or not isinstance(item, int | float) or not _is_relevance(item):
            self._refuse(record, column, "a relevance is a number from 0 within float32", item, "correct it")
        return float(np.float32(item))


def _is_relevance(item: float) -> bool:
    try:
        return item >= 0 and fits_float32(item)
    except OverflowError:  # a whole number beyond float64
        return False


def _equal(value: Any, wanted: Any) -> bool:
    """Compare as values, or as text where the file has nothing but text."""
    return bool(value == wanted or (isinstance(value, str) and value == str(wanted)))
