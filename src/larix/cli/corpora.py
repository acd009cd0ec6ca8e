"""`larix check` and `larix init`: before a first run on one's own data."""

import json
from pathlib import Path
from typing import Unpack

import click

from larix.cli import reading_options as options
from larix.cli.errors import UserError
from larix.cli.reading_options import Reading, reading_arguments


@click.command()
@options.FILE
@options.FORMAT
@options.TEXT
@options.LABELS
@options.DELIMITER
@options.FIELD_DELIMITER
@options.ENCODING
@options.LABEL_FILE
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def check(file: Path, as_json: bool, **reading: Unpack[Reading]) -> None:
    """Say what a corpus FILE holds, or what is wrong with it.

    A valid file gives exit status 0. The first place that breaks a rule of the format is told as
    FILE:LINE:COLUMN with the rule, what was found and a remedy, and the exit status is 2.

    \b
    Examples:
      larix check papers.csv --text=title --text=abstract --labels=keywords
      larix check --format=xc train.txt
      larix check bibtex-train.arff
    """
    from larix.corpora.check import check_file

    report = check_file(file, **reading_arguments(file, reading))
    click.echo(json.dumps(report.to_dict(), indent=2) if as_json else "\n".join(report.lines()))


@click.command()
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    required=True,
    metavar="FILE",
    help="JSONL, CSV, TSV or Parquet.",
)
@click.option(
    "--text",
    metavar="COLUMN",
    multiple=True,
    required=True,
    help="Column with text; may be given more than once.",
)
@click.option(
    "--labels", metavar="COLUMN", required=True, help="Column with labels: a list, or one text as in 'a; b'."
)
@click.option("--name", metavar="NAME", help="Name of the environment [default: by the file's name].")
@options.FORMAT
@options.DELIMITER
@options.FIELD_DELIMITER
@options.ENCODING
@click.option("--force", is_flag=True, help="Overwrite an environment of this name.")
def init(
    data: Path,
    text: tuple[str, ...],
    labels: str,
    name: str | None,
    file_format: str | None,
    delimiter: str | None,
    field_delimiter: str | None,
    encoding: str,
    force: bool,
) -> None:
    """Write a Kedro environment for your own data.

    The file is read whole first; then conf/NAME holds what kedro run --env=NAME needs to know.

    \b
    Examples:
      larix init --data papers.csv --text abstract --labels keywords
      larix init --data notes.jsonl --text title --text body --labels codes --name notes
    """
    from larix.corpora.environment import write_environment

    try:
        environment = write_environment(
            data,
            text,
            labels,
            name=name,
            file_format=file_format,
            label_delimiter=delimiter,
            field_delimiter=field_delimiter,
            encoding=encoding,
            force=force,
        )
    except FileExistsError as error:
        raise UserError(f"{error}: --name, or --force") from error
    click.echo("\n".join(environment.lines()))
