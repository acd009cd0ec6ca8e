"""`larix metrics`: the numbers of the last run."""

import json
from pathlib import Path
from typing import Any

import click

from larix.last_run import LastRun, find_last_run

_BANDS = ("head", "torso", "tail")


@click.command()
@click.option("--env", "environment", metavar="ENV", help="The last run of this environment.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, with fractions instead of percent.")
def metrics(environment: str | None, as_json: bool) -> None:
    """Print the metrics and times of the last run.

    \b
    Examples:
      larix metrics
      larix metrics --env=tibkat
      larix metrics --json | jq '.metrics["P@1"]'
    """
    run = find_last_run(environment)
    document = collect(run)
    if as_json:
        click.echo(json.dumps(document, indent=2, ensure_ascii=False))
    else:
        _print_tables(run, document)


def collect(run: LastRun) -> dict[str, Any]:
    """Everything that is known of a run, as plain values; metrics are fractions.

    Keys: `environment`, `corpus` (its summary), `metrics` (over all labels), `head`, `torso`, `tail`,
    `counts`, `disentanglement` (the plain tree beside the disentangled one), `seconds` by stage,
    `total_seconds`, `peak_memory_mb`, and the folder of the `classifier`.
    """
    evaluation = run.read_json("metrics")
    times = run.read_json("stage_seconds")
    return {
        "environment": run.environment,
        "corpus": run.read_json("corpus_summary"),
        "metrics": evaluation["metrics"],
        **{band: evaluation["by_frequency"][band] for band in _BANDS},
        "counts": evaluation["counts"],
        "disentanglement": _disentanglement(run),
        "seconds": times["stages"],
        "total_seconds": times["total"],
        "peak_memory_mb": times["peak_memory_mb"],
        "classifier": str(run.path("classifier")),
    }


def _disentanglement(run: LastRun) -> dict[str, Any] | None:
    """Both trees with their metrics and costs; None for a run that compared none."""
    if "disentanglement" not in run.results:
        return None
    compared: dict[str, Any] = run.read_json("disentanglement")
    return compared


def _print_tables(run: LastRun, document: dict[str, Any]) -> None:
    from rich.console import Console

    from larix.reporting import render_metrics_table, render_seconds_table, render_trees_table

    corpus = document["corpus"]
    console = Console(highlight=False)
    sizes = f"{corpus['n_train']:,} training and {corpus['n_test']:,} test documents"
    console.print(f"{corpus['name']}: {sizes}, {corpus['n_labels']:,} labels", style="bold", markup=False)
    console.print()
    by_frequency = {band: document[band] for band in _BANDS}
    console.print(render_metrics_table({**document, "by_frequency": by_frequency}))
    console.print()
    if document["disentanglement"] and document["disentanglement"]["rounds_kept"]:
        console.print(render_trees_table(document["disentanglement"]))
        console.print()
    console.print(render_seconds_table(document["seconds"]))
    console.print(f"{'Peak memory:':12} {document['peak_memory_mb']:,.0f} MB")
    for name in ("classifier", "report"):
        if name in run.results:
            console.print(f"{name.capitalize() + ':':12} {_short(run.results[name])}", soft_wrap=True)


def _short(path: Path) -> Path:
    """The path from the current folder, if it lies below it."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
