"""Suggestions in files, written as a stream; a file appears whole or not at all.

========  ==========================================================================
ending    form
========  ==========================================================================
.jsonl    a line for each text: `id`, and `suggestions` with `label`, `name`, `score`
.parquet  a row for each text with the same columns
.csv      a row for each suggestion: `id`, `rank`, `label`, `name`, `score`
.tsv      the same with tabs
========  ==========================================================================
"""

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from larix.atomic_file import writing_atomically
from larix.corpora.delimited import DelimitedReader
from larix.corpora.jsonl import jsonl_records
from larix.corpora.oddities import Oddities
from larix.corpora.parquet import parquet_records
from larix.corpora.record import Record

Labelled = Mapping[str, Any]
Write = Callable[[Sequence[Labelled]], None]
_COLUMNS = ("id", "rank", "label", "name", "score")


def check_ending(path: Path) -> None:
    """Refuse a file whose ending tells no format.

    Raises
    ------
    ValueError
        If it is another than those above.
    """
    if path.suffix.lower() not in _WRITERS:
        raise ValueError(f"suggestions are written to {', '.join(_WRITERS)}, but the file is {path.name!r}")


def write_suggestions(path: Path, batches: Iterable[Sequence[Labelled]]) -> int:
    """Write batches of labelled texts as they come.

    Parameters
    ----------
    path : Path
        An older file is replaced.
    batches : iterable of sequences of mappings
        Each mapping has `id` and `suggestions`, a list of mappings with `label`, `name` and `score`. Other
        keys are kept in JSONL and left out elsewhere.

    Returns
    -------
    int
        Number of texts.

    Raises
    ------
    ValueError
        If the ending is another than those above.
    """
    check_ending(path)
    n_texts = 0
    open_writer = _WRITERS[path.suffix.lower()]
    with writing_atomically(path) as file, open_writer(file) as write:
        for batch in batches:
            write(batch)
            n_texts += len(batch)
    return n_texts


def read_suggestions(path: Path) -> Iterator[Mapping[str, Any]]:
    """Yield the rows of such a file, as they stand in it.

    Raises
    ------
    CorpusFormatError
        If the file is damaged.
    ValueError
        If the ending is another than those above.
    """
    check_ending(path)
    records: Iterable[Record]
    if path.suffix == ".jsonl":
        records = jsonl_records(path, Oddities())
    elif path.suffix == ".parquet":
        records = parquet_records(path, ("id", "suggestions"))
    else:
        delimiter = "," if path.suffix == ".csv" else "\t"
        reader = DelimitedReader(path, delimiter=delimiter, quoting=True, oddities=Oddities())
        records = reader.records(_COLUMNS)
    return (record.values for record in records)


@contextmanager
def _jsonl(file: BinaryIO) -> Iterator[Write]:
    def write(batch: Sequence[Labelled]) -> None:
        file.writelines(f"{json.dumps(labelled, ensure_ascii=False)}\n".encode() for labelled in batch)

    yield write


@contextmanager
def _delimited(file: BinaryIO, delimiter: str) -> Iterator[Write]:
    text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
    rows = csv.writer(text, delimiter=delimiter, lineterminator="\n")
    rows.writerow(_COLUMNS)

    def write(batch: Sequence[Labelled]) -> None:
        rows.writerows(
            (labelled["id"], rank, found["label"], found["name"], found["score"])
            for labelled in batch
            for rank, found in enumerate(labelled["suggestions"], start=1)
        )

    try:
        yield write
    finally:
        text.detach()


@contextmanager
def _parquet(file: BinaryIO) -> Iterator[Write]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    found = pa.struct({"label": pa.string(), "name": pa.string(), "score": pa.float32()})
    schema = pa.schema({"id": pa.string(), "suggestions": pa.list_(found)})
    with pq.ParquetWriter(file, schema) as writer:
        yield lambda batch: writer.write_table(pa.Table.from_pylist(list(batch), schema=schema))


_WRITERS: Mapping[str, Callable[[BinaryIO], AbstractContextManager[Write]]] = {
    ".jsonl": _jsonl,
    ".csv": partial(_delimited, delimiter=","),
    ".tsv": partial(_delimited, delimiter="\t"),
    ".parquet": _parquet,
}
