"""`larix suggest`: labels for texts."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from larix.cli.errors import UserError
from larix.last_run import find_last_run

if TYPE_CHECKING:
    from larix.serving.suggester import Suggester, Suggestion

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
    "--top-k", type=click.IntRange(min=1), default=5, show_default=True, help="Labels for each text."
)
@click.option("--explain", is_flag=True, help="Tell why: the way through the tree, features, documents.")
@click.option(
    "--label", "labels", metavar="LABEL", multiple=True, help="Explain this label, suggested or not."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def suggest(
    texts: tuple[str, ...],
    model: Path | None,
    file: BinaryIO | None,
    top_k: int,
    explain: bool,
    labels: tuple[str, ...],
    as_json: bool,
) -> None:
    """Suggest labels for each TEXT, with names and scores.

    Without TEXT and --file, texts are read from standard input, one a line.

    \b
    Examples:
      larix suggest "sudden chest pain radiating to the left arm"
      larix suggest --top-k=3 "broken wrist" "hay fever"
      larix suggest --file=notes.txt --json > suggestions.json
      echo "hay fever" | larix suggest
      larix suggest --explain --top-k=1 "bitten by a dog"
    """
    wanted, classifier = _texts(texts, file), load_classifier(model)
    if explain or labels:
        found = [classifier.explain(text, labels=labels or None, top_k=top_k) for text in wanted]
        _tell_why(wanted, found, as_json=as_json)
        return
    suggestions = classifier.suggest(wanted, top_k=top_k)
    if as_json:
        click.echo(json.dumps(_plain(wanted, suggestions), indent=2, ensure_ascii=False))
    else:
        _print(wanted, suggestions)


def load_classifier(model: Path | None) -> "Suggester":
    """The classifier in a folder, or that of the last run.

    Raises
    ------
    UserError
        If the folder holds something else.
    """
    from larix.serving.suggester import Suggester, load

    folder = model or find_last_run().path("classifier")
    loaded = load(folder)
    if not isinstance(loaded, Suggester):
        raise UserError(f"{folder} must hold a whole classifier, but holds a {type(loaded).__name__}")
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
            "suggestions": [{"label": s.label, "name": s.name, "score": round(s.score, 6)} for s in found],
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
            click.echo("  no suggestion: nothing in this text is known to the model")


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
