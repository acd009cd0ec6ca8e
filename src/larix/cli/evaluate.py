"""`larix evaluate`: a classifier against a labelled file."""

import json
from pathlib import Path
from typing import Any, Unpack

import click

from larix.cli import reading_options as options
from larix.cli.errors import UserError
from larix.cli.reading_options import Reading, reading_arguments
from larix.cli.suggest import MODEL_OPTION, load_classifier


@click.command()
@options.FILE
@MODEL_OPTION
@options.FORMAT
@options.TEXT
@options.LABELS
@options.DELIMITER
@options.FIELD_DELIMITER
@options.ENCODING
@options.LABEL_FILE
@click.option("--json", "as_json", is_flag=True, help="Print JSON, with fractions instead of percent.")
def evaluate(file: Path, model: Path | None, as_json: bool, **reading: Unpack[Reading]) -> None:
    """Score a classifier on the labelled documents in FILE.

    Labels are matched by their identifiers; labels that the classifier does not know count as missed.

    \b
    Examples:
      larix evaluate new_reports.jsonl --text=report --labels=codes
      larix evaluate --model=data/06_models/classifier test.csv --text=title --text=abstract
    """
    from larix.corpora.labelled_file import read_labelled_file
    from larix.serving.evaluation import evaluate_suggester

    labelled = read_labelled_file(file, **reading_arguments(file, reading))
    documents = labelled.features if labelled.texts is None else labelled.texts
    if not labelled.documents.labels.shape[0]:
        raise UserError(f"{file} must hold a document, but holds none; name another file")
    classifier = load_classifier(model)
    labels, _ = labelled.labels_as(classifier.label_ids)
    evaluation = evaluate_suggester(classifier, documents, labels).to_dict()
    if as_json:
        click.echo(json.dumps(evaluation, indent=2))
    else:
        _print(evaluation)


def _print(evaluation: dict[str, Any]) -> None:
    from rich.console import Console

    from larix.reporting import render_metrics_table

    Console(highlight=False).print(render_metrics_table(evaluation))
