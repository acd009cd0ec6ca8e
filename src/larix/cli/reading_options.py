"""Options of the commands that read a corpus file, and what they mean together."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

import click

if TYPE_CHECKING:
    from larix.corpora.params import ColumnParams

_FORMATS = ("jsonl", "csv", "tsv", "parquet", "xc", "pecos", "pecos-npz", "arff", "wordnet")

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
    "--delimiter", metavar="TEXT", help="What separates labels that stand in one text, as in 'a; b'."
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
    label_file: Path | None


def reading_arguments(file: Path, reading: Reading) -> dict[str, Any]:
    """Arguments for `check_file` and `read_labelled_file`.

    Raises
    ------
    ValueError
        If the format is not given and the file's ending does not tell it.
    """
    from larix.corpora.environment import format_of

    return {
        "file_format": reading["file_format"] or format_of(file),
        "columns": _columns(reading),
        "label_file": reading["label_file"],
    }


def _columns(reading: Reading) -> "ColumnParams":
    from larix.corpora.params import ColumnParams

    given = {"label_delimiter": reading["delimiter"]} if reading["delimiter"] else {}
    return ColumnParams(text=reading["text"] or ("text",), labels=reading["labels"], **given)
