"""`larix check` and `larix init`: before a first run on one's own data."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from larix.cli.errors import UserError

if TYPE_CHECKING:
    from larix.corpora.labelled_file import LabelledFile

_FORMATS = ("jsonl", "csv", "tsv", "parquet", "xc", "pecos", "pecos-npz", "arff")
_LISTED = ", ".join(_FORMATS)
_BY_ENDING = {
    ".jsonl": "jsonl",
    ".csv": "csv",
    ".tsv": "tsv",
    ".parquet": "parquet",
    ".arff": "arff",
    ".npz": "pecos-npz",
}

FILE_ARGUMENT = click.argument("file", type=click.Path(path_type=Path))
FORMAT_OPTION = click.option(
    "--format", "file_format", type=click.Choice(_FORMATS), help="Format of FILE [default: by its ending]."
)
TEXT_OPTION = click.option(
    "--text",
    metavar="COLUMN",
    multiple=True,
    help="Column with text, of a table [default: text]; may be repeated.",
)
LABELS_OPTION = click.option(
    "--labels", metavar="COLUMN", default="labels", show_default=True, help="Column with labels, of a table."
)
DELIMITER_OPTION = click.option(
    "--delimiter", default=",", show_default=True, help="What separates labels that stand in one text."
)
LABEL_FILE_OPTION = click.option(
    "--label-file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="XML file of arff, label matrix of pecos-npz, label names of pecos.",
)


def guess_format(file: Path, file_format: str | None) -> str:
    """The format given, or the one that the file's ending tells.

    Raises
    ------
    UserError
        If the ending tells nothing.
    """
    ending = Path(file.name.removesuffix(".gz")).suffix.lower()
    known = file_format or _BY_ENDING.get(ending)
    if known is None:
        raise UserError(
            f"the ending of {file} must tell its format, but does not; give --format, one of {_LISTED}"
        )
    return known


@click.command()
@FILE_ARGUMENT
@FORMAT_OPTION
@TEXT_OPTION
@LABELS_OPTION
@DELIMITER_OPTION
@LABEL_FILE_OPTION
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def check(
    file: Path,
    file_format: str | None,
    text: tuple[str, ...],
    labels: str,
    delimiter: str,
    label_file: Path | None,
    as_json: bool,
) -> None:
    """Say what a corpus FILE holds, or what is wrong with it.

    A valid file gives exit status 0. The first place that breaks a rule of the format is told as
    FILE:LINE:COLUMN with the rule, what was found and a remedy, and the exit status is 2.

    \b
    Examples:
      larix check papers.csv --text=title --text=abstract --labels=keywords --delimiter=";"
      larix check --format=xc train.txt
      larix check bibtex-train.arff
    """
    from larix.corpora.check import check_file
    from larix.corpora.params import ColumnParams

    report = check_file(
        file,
        guess_format(file, file_format),
        columns=ColumnParams(text=text or ("text",), labels=labels, delimiter=delimiter),
        label_file=label_file,
    )
    click.echo(json.dumps(report.to_dict(), indent=2) if as_json else "\n".join(report.lines()))


def read_documents(
    file: Path,
    file_format: str | None,
    text: tuple[str, ...],
    labels: str,
    delimiter: str,
    label_file: Path | None,
) -> "LabelledFile":
    """The labelled documents of one file."""
    from larix.corpora.labelled_file import read_labelled_file
    from larix.corpora.params import ColumnParams

    columns = ColumnParams(text=text or ("text",), labels=labels, delimiter=delimiter)
    return read_labelled_file(file, guess_format(file, file_format), columns=columns, label_file=label_file)
