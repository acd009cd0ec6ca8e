"""Options of the commands that read a corpus file, and what they mean together."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

import click

if TYPE_CHECKING:
    from larix.corpora.params import ColumnParams

_FORMATS = ("jsonl", "csv", "tsv", "parquet", "xc", "pecos", "pecos-npz", "arff", "wordnet")
_ENCODINGS = ("utf-8", "latin-1", "cp1252")

FILE = click.argument("file", type=click.Path(path_type=Path))
FORMAT = click.option(
    "--format", "file_format", type=click.Choice(_FORMATS), help="Format of FILE [default: by its ending]."
)
TEXT = click.option(
    "--text",
    metavar="COLUMN",
    multiple=True,
    help="Column of a table with text [default: text]; may be given more than once.",
)
LABELS = click.option(
    "--labels", metavar="COLUMN", default="labels", show_default=True, help="Column of a table with labels."
)
DELIMITER = click.option(
    "--delimiter",
    metavar="TEXT",
    help="What separates labels in one text, as in 'a; b' [default: found out].",
)
FIELD_DELIMITER = click.option(
    "--field-delimiter",
    metavar="MARK",
    help="What separates fields [default: a comma in .csv, a tab in .tsv].",
)
ENCODING = click.option(
    "--encoding",
    type=click.Choice(_ENCODINGS),
    default="utf-8",
    show_default=True,
    help="Encoding of a text file.",
)
LABEL_FILE = click.option(
    "--label-file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="XML file of arff, label matrix of pecos-npz, label names of pecos.",
)


class Reading(TypedDict):
    """The values of the options above."""

    file_format: str | None
    text: tuple[str, ...]
    labels: str
    delimiter: str | None
    field_delimiter: str | None
    encoding: str
    label_file: Path | None


def reading_arguments(file: Path, reading: Reading) -> dict[str, Any]:
    """Arguments for `check_file` and `read_labelled_file`.

    Raises
    ------
    ValueError
        If the format is not given and the file's ending does not tell it.
    """
    from larix.corpora.environment import format_of

    file_format = reading["file_format"] or format_of(file)
    return {
        "file_format": file_format,
        "columns": _columns(file, file_format, reading),
        "label_file": reading["label_file"],
        "encoding": reading["encoding"],
    }


def _columns(file: Path, file_format: str, reading: Reading) -> "ColumnParams":
    from larix.corpora.environment import with_label_delimiter
    from larix.corpora.params import TABLE_FORMATS, ColumnParams

    columns = ColumnParams(
        text=reading["text"] or ("text",),
        labels=reading["labels"],
        field_delimiter=reading["field_delimiter"],
    )
    if file_format not in TABLE_FORMATS:
        return columns
    return with_label_delimiter(
        file, file_format, columns, reading["delimiter"], encoding=reading["encoding"]
    )
