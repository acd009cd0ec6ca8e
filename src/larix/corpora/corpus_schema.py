"""The Arrow form of a corpus: columns of its tables, what they may hold, sparse rows as list columns."""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

_STRING = pa.large_string()
_INDICES = pa.large_list(pa.int32())
_VALUES = pa.large_list(pa.float32())

DOCUMENT_FIELDS = {
    "id": _STRING,
    "text": _STRING,
    "labels": _INDICES,
    "relevance": _VALUES,
    "feature_index": _INDICES,
    "feature_value": _VALUES,
    "senses": _INDICES,
    "rejected": _INDICES,
}
LABEL_FIELDS = {"id": _STRING, "name": _STRING, "text": _STRING}
SENSE_FIELDS = {"label": pa.int32(), "id": _STRING, "name": _STRING}


def sparse_columns(matrix: Any, index: str, value: str) -> dict[str, pa.Array]:
    """Two list columns that hold the rows of a CSR matrix: column numbers and values."""
    offsets = pa.array(matrix.indptr, pa.int64())
    return {
        index: pa.LargeListArray.from_arrays(offsets, pa.array(matrix.indices, pa.int32())),
        value: pa.LargeListArray.from_arrays(offsets, pa.array(matrix.data, pa.float32())),
    }


def sparse_column(column: pa.ChunkedArray) -> tuple[NDArray[np.int64], NDArray[Any]]:
    """Row offsets from 0 and flat values of a list column without nulls."""
    lists = column.combine_chunks()
    if isinstance(lists, pa.ChunkedArray):  # older Arrow keeps a column without rows chunked
        lists = pa.concat_arrays(lists.chunks) if lists.num_chunks else pa.array([], column.type)
    offsets = lists.offsets.to_numpy()
    return offsets - offsets[0], lists.flatten().to_numpy(zero_copy_only=False)


def check_part_table(
    table: pa.Table, n_labels: int, n_features: int | None, n_senses: int | None
) -> pa.Table:
    """Bring the table of a corpus part to its schema and check all that it holds.

    Parameters
    ----------
    table : pyarrow.Table
        See `CorpusPart`.
    n_labels, n_features, n_senses : int, int or None, int or None
        Bounds of `labels`, `feature_index` and `senses`.

    Returns
    -------
    pyarrow.Table
        The same rows with the columns in the order of `DOCUMENT_FIELDS`.

    Raises
    ------
    ValueError
        If a column is missing, unknown, of another type, or holds a null or a value that breaks a rule.
    """
    given = ("feature_index", "feature_value") if n_features is not None else ("text",)
    known = ("senses",) if n_senses is not None else ()
    table = _conform(table, DOCUMENT_FIELDS, required=("id", *given, "labels", *known))
    if n_senses is None and "senses" in table.column_names:
        raise ValueError("a corpus part with senses needs n_senses, but it is None; give their number")
    if n_features is None and "feature_index" in table.column_names:
        raise ValueError(
            "a corpus part with features needs n_features, but it is None; give the number of columns"
        )
    _check_rows(table, "labels", "relevance", n_labels)
    if "relevance" in table.column_names:
        _check_values(table, "relevance", positive=True)
    if n_features is not None:
        _check_rows(table, "feature_index", "feature_value", n_features)
        _check_values(table, "feature_value", positive=False)
    if n_senses is not None:
        _check_rows(table, "senses", None, n_senses)
    if "rejected" in table.column_names:
        _check_rows(table, "rejected", None, n_labels)
        _check_apart(table, n_labels)
    return table


def check_labels_table(table: pa.Table) -> pa.Table:
    """Bring a label table to its schema; label ids must be unique.

    Raises
    ------
    ValueError
        If a column is missing, unknown or of another type, or an id occurs twice.
    """
    table = _conform(table, LABEL_FIELDS, required=("id", "name"))
    counts = pc.value_counts(table["id"])
    repeated = (
        [entry["values"].as_py() for entry in counts if entry["counts"].as_py() > 1][:1]
        if (len(counts) < table.num_rows)
        else []
    )
    if repeated:
        raise ValueError(
            f"label ids must be unique, but {repeated[0]!r} occurs twice in label_table; merge the rows"
        )
    return table


def check_senses_table(table: pa.Table, n_labels: int) -> pa.Table:
    """Bring a table of senses to its schema; labels must rise, so that the senses of one are neighbours.

    Raises
    ------
    ValueError
        If a column is missing, unknown or of another type, or a label is out of range or out of order.
    """
    table = _conform(table, SENSE_FIELDS, required=tuple(SENSE_FIELDS))
    labels = table["label"].to_numpy()
    bad = np.flatnonzero((labels < 0) | (labels >= n_labels) | (np.diff(labels, prepend=0) < 0))
    if len(bad):
        raise ValueError(
            f"label of a table of senses must rise within 0..{n_labels - 1}, but row {bad[0]} has "
            f"{labels[bad[0]]}; sort the senses by label"
        )
    return table


def _conform(table: pa.Table, fields: dict[str, pa.DataType], required: tuple[str, ...]) -> pa.Table:
    names = table.column_names
    if unknown := [name for name in names if name not in fields]:
        raise ValueError(
            f"a corpus table has the columns {', '.join(fields)}, but has {unknown[0]!r}; rename or drop it"
        )
    if missing := [name for name in required if name not in names]:
        raise ValueError(
            f"a corpus table needs the column {missing[0]!r}, but has {', '.join(names)}; add it"
        )
    schema = pa.schema([(name, kind) for name, kind in fields.items() if name in names])
    try:
        table = table.select(schema.names).cast(schema)
    except pa.ArrowException as error:
        raise ValueError(f"the columns of a corpus table are {schema.to_string()!r}, but: {error}") from None
    for name in schema.names:
        column = table[name]
        if column.null_count or (pa.types.is_large_list(column.type) and pc.list_flatten(column).null_count):
            raise ValueError(
                f"column {name!r} of a corpus table must be filled, but holds a null; drop or fill the row"
            )
    return table


def _check_rows(table: pa.Table, index: str, value: str | None, n_columns: int) -> None:
    """Every row of `index` rises strictly inside 0..n_columns-1 and is as long as the row of `value`."""
    indptr, indices = sparse_column(table[index])
    bad = np.flatnonzero((indices < 0) | (indices >= n_columns))
    if len(bad):
        row = _row_of(indptr, bad[0])
        raise ValueError(f"{index} must lie in 0..{n_columns - 1}, but row {row} has {indices[bad[0]]}")
    falling = np.flatnonzero(np.diff(indices) <= 0) + 1
    falling = falling[~np.isin(falling, indptr)]
    if len(falling):
        raise ValueError(
            f"{index} must be sorted and unique in a document, but row {_row_of(indptr, falling[0])} has "
            f"{indices[falling[0]]} after {indices[falling[0] - 1]}"
        )
    if value in table.column_names:
        lengths, wanted = np.diff(sparse_column(table[value])[0]), np.diff(indptr)
        if differing := np.flatnonzero(lengths != wanted).tolist():
            row = differing[0]
            raise ValueError(
                f"{value} must be as long as {index}, but row {row} has {lengths[row]} beside {wanted[row]}"
            )


def _check_apart(table: pa.Table, n_labels: int) -> None:
    """No document has a label that is rejected for it."""
    given, refused = (
        np.repeat(np.arange(table.num_rows), np.diff(indptr)) * np.int64(n_labels) + indices
        for indptr, indices in (sparse_column(table[name]) for name in ("labels", "rejected"))
    )
    if len(both := np.intersect1d(given, refused, assume_unique=True)):
        row, label = divmod(int(both[0]), n_labels)
        raise ValueError(
            f"a document has a label or rejects it, but row {row} does both with label {label}; drop one"
        )


def _check_values(table: pa.Table, name: str, *, positive: bool) -> None:
    indptr, values = sparse_column(table[name])
    bad = np.flatnonzero(~np.isfinite(values) | ((values <= 0) if positive else False))
    if len(bad):
        rule = "positive and finite" if positive else "finite"
        raise ValueError(f"{name} must be {rule}, but row {_row_of(indptr, bad[0])} has {values[bad[0]]}")


def _row_of(indptr: NDArray[np.int64], position: int) -> int:
    return int(np.searchsorted(indptr, position, side="right")) - 1
