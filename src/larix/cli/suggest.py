"""`larix suggest`: labels for texts."""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from larix.cli.errors import UserError
from larix.cli.reading_options import ENCODING, FIELD_DELIMITER
from larix.last_run import find_last_run

if TYPE_CHECKING:
    from larix.corpora.texts import TextFile
    from larix.serving.classifier import Classifier, Suggestion

_NOTHING = "  no suggestion: nothing in this text is known to the model, or no score is high enough"
MODEL_OPTION = click.option(
    "--model",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="The classifier's folder [default: that of the last run].",
)


@click.command()
@click.argument("texts", metavar="[TEXT]...", nargs=-1)
@MODEL_OPTION
@click.option("--file", type=click.File("rb"), help="A file with one text a line; - is standard input.")
@click.option(
    "--top-k", type=click.IntRange(min=1), default=5, show_default=True, help="Most labels for each text."
)
@click.option(
    "--threshold", type=float, help="Leave out labels with a lower score [default: the classifier's own]."
)
@click.option("--explain", is_flag=True, help="Tell why: the way through the tree, features, documents.")
@click.option(
    "--label", "labels", metavar="LABEL", multiple=True, help="Explain this label, suggested or not."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option(
    "--input", "source", type=click.Path(path_type=Path), metavar="FILE",
    help="Many texts: .csv, .tsv, .jsonl, .parquet, or .txt with one a line.",
)  # fmt: skip
@click.option(
    "--text", "columns", metavar="COLUMN", multiple=True,
    help="Column of --input with text [default: text]; may be given more than once.",
)  # fmt: skip
@click.option(
    "--id", "id_column", metavar="COLUMN", help="Column of --input to know texts by [default: 1, 2, ...]."
)
@FIELD_DELIMITER
@ENCODING
@click.option(
    "--output", type=click.Path(path_type=Path), metavar="FILE",
    help="Where the labels of --input go: .csv, .tsv, .jsonl, .parquet.",
)  # fmt: skip
def suggest(
    texts: tuple[str, ...],
    model: Path | None,
    file: BinaryIO | None,
    top_k: int,
    threshold: float | None,
    explain: bool,
    labels: tuple[str, ...],
    as_json: bool,
    source: Path | None,
    columns: tuple[str, ...],
    id_column: str | None,
    field_delimiter: str | None,
    encoding: str,
    output: Path | None,
) -> None:
    """Suggest labels for each TEXT, with names and scores.

    Without TEXT and --file, texts are read from standard input, one a line. With --input and --output
    files of any length are labelled; the output appears when it is whole.

    \b
    Examples:
      larix suggest "sudden chest pain radiating to the left arm"
      larix suggest --top-k=3 --threshold=0.2 "broken wrist" "hay fever"
      larix suggest --file=notes.txt --json > suggestions.json
      echo "hay fever" | larix suggest
      larix suggest --explain --top-k=1 "bitten by a dog"
      larix suggest --input=reports.csv --text=report --id=case --output=codes.parquet
    """
    asked = {"top_k": top_k, "threshold": threshold}
    if source or output or columns or id_column:
        if texts or file or labels or as_json:
            raise click.UsageError("--input and --output go without TEXT, --file, --label and --json")
        if source is None or output is None:
            raise click.UsageError("a file of texts needs both --input and --output")
        from larix.corpora.texts import TextFile

        given = TextFile(source, columns or ("text",), id_column, field_delimiter, encoding)
        label_file(given, output, model, explain=explain, **asked)
        return
    wanted, classifier = _texts(texts, file), load_classifier(model)
    if explain or labels:
        found = [_explained(classifier, text, labels, **asked) for text in wanted]
        _tell_why(wanted, found, as_json=as_json)
        return
    suggestions = classifier.suggest(wanted, **asked)
    if as_json:
        click.echo(json.dumps(_plain(wanted, suggestions), indent=2, ensure_ascii=False))
    else:
        _print(wanted, suggestions)


def label_file(given: "TextFile", output: Path, model: Path | None, **asked: Any) -> None:
    """Label the texts of a file a batch at a time, and write them as they come."""
    from larix.corpora.suggestion_file import check_ending, write_suggestions
    from larix.serving.file_labelling import LabelledTexts
    from larix.xmc.progress import reporting

    check_ending(output)
    if asked["explain"] and output.suffix != ".jsonl":
        raise click.UsageError(f"reasons are written to .jsonl, but --output is {output.name}")
    if output.resolve() == given.path.resolve():
        raise click.UsageError(f"--output must be another file than --input, but both are {given.path}")
    with reporting(_progress_bar):
        n_texts = write_suggestions(output, LabelledTexts(load_classifier(model), given, **asked))
    click.echo(f"{output}: labels of {n_texts:,} texts", err=True)


@contextmanager
def _progress_bar(description: str, total: int) -> Iterator[Callable[..., None]]:
    """A bar on the standard error stream, if that is a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        yield partial(progress.advance, progress.add_task(description, total=total))


def _explained(
    classifier: "Classifier", text: str, labels: Sequence[str], *, top_k: int, threshold: float | None
) -> list[dict[str, Any]]:
    """Why these labels, or else those suggested."""
    from larix.serving.explained import reasons

    if labels:
        return classifier.explain(text, labels=labels)
    (row,) = classifier.suggest([text], top_k=top_k, threshold=threshold)
    told = reasons(classifier, text, row)
    return [{**vars(suggested), **why} for suggested, why in zip(row, told, strict=True)]


def load_classifier(model: Path | None) -> "Classifier":
    """The classifier in a folder, or that of the last run."""
    from larix.serving import suggester

    folder = model or find_last_run().path("classifier")
    loaded = suggester.load_classifier(folder)
    if model is None and sys.stderr.isatty():
        click.echo(f"model: {folder}", err=True)
    return loaded


def _texts(texts: Sequence[str], file: BinaryIO | None) -> list[str]:
    if texts and file:
        raise click.UsageError("give TEXT or --file, not both")
    if texts:
        return list(texts)
    if file is None and sys.stdin.isatty():
        raise click.UsageError('give a TEXT, a --file, or texts on standard input: larix suggest "hay fever"')
    try:
        lines = (file or sys.stdin.buffer).read().decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        byte = error.object[error.start]
        raise UserError(f"texts must be UTF-8, but byte {error.start} is {byte:#04x}; convert them") from None
    if not any(line.strip() for line in lines):
        raise UserError("texts must not all be empty, but there is no line with text; give one")
    return [line.strip() for line in lines if line.strip()]


def _plain(texts: list[str], suggestions: list[list["Suggestion"]]) -> list[dict[str, Any]]:
    return [
        {
            "text": text,
            "suggestions": [suggested.to_dict() for suggested in found],
        }
        for text, found in zip(texts, suggestions, strict=True)
    ]


def _print(texts: list[str], suggestions: list[list["Suggestion"]]) -> None:
    width = max((len(s.label) for found in suggestions for s in found), default=0)
    for number, (text, found) in enumerate(zip(texts, suggestions, strict=True)):
        click.echo(("\n" if number else "") + click.style(text, bold=True))
        for s in found:
            click.echo(
                f"  {s.score:5.3f}  {s.label:<{width}}  {s.name if s.name != s.label else ''}".rstrip()
            )
        if not found:
            click.echo(_NOTHING)


def _tell_why(texts: list[str], explanations: list[list[dict[str, Any]]], *, as_json: bool) -> None:
    if as_json:
        documents = [
            {"text": text, "explanations": found} for text, found in zip(texts, explanations, strict=True)
        ]
        click.echo(json.dumps(documents, indent=2, ensure_ascii=False))
        return
    from rich.console import Console

    from larix.reporting import render_explanation

    console = Console(highlight=False)
    for number, (text, found) in enumerate(zip(texts, explanations, strict=True)):
        click.echo(("\n" if number else "") + click.style(text, bold=True))
        for explanation in found:
            console.print(render_explanation(explanation))
        if not found:
            click.echo(_NOTHING)
