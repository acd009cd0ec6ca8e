"""Records of a Parquet file."""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from larix.corpora.format_error import CorpusFormatError
from larix.corpora.nearest import nearest_hint
from larix.corpora.record import ParquetRecord
from larix.corpora.text_file import require_file

_BATCH_ROWS = 4096
_DAMAGE = (pa.ArrowException, OSError, ValueError, OverflowError, MemoryError)


def parquet_columns(path: Path) -> list[str]:
    """Names of the columns of a Parquet file."""
    require_file(path)
    try:
        return list(pq.read_schema(path).names)
    except _DAMAGE as error:
        raise _damaged(path, 0, error) from None


def parquet_records(path: Path, needed: tuple[str, ...]) -> Iterator[ParquetRecord]:
    """Yield the rows of a Parquet file with the needed columns.

    Raises
    ------
    CorpusFormatError
        If the file is damaged or lacks a needed column.
    """
    names = parquet_columns(path)
    for name in needed:
        if names.count(name) != 1:
            raise CorpusFormatError(
                path,
                "schema",
                name,
                rule=f"the table has one column {name!r}",
                found=f"{names.count(name)}",
                remedy=nearest_hint(name, names),
            )
    for row, values in enumerate(chain.from_iterable(_batches(path, needed)), 1):
        yield ParquetRecord(values, row)


def _batches(path: Path, needed: tuple[str, ...]) -> Iterator[list[dict[str, Any]]]:
    n_read = 0
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            for batch in file.iter_batches(_BATCH_ROWS, columns=list(needed)):
                batch.validate(full=True)
                yield batch.to_pylist()
                n_read += batch.num_rows
    except _DAMAGE as error:
        raise _damaged(path, n_read, error) from None


def _damaged(path: Path, n_read: int, error: BaseException) -> CorpusFormatError:
    return CorpusFormatError(
        path,
        n_read + 1,
        "row",
        rule="a Parquet file is whole",
        found=(str(error) or type(error).__name__).splitlines()[0],
        remedy="write or copy it again",
    )
