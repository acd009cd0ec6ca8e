"""`larix metrics`: the numbers of the last run."""

import json
from pathlib import Path
from typing import Any

import click

from larix.last_run import LastRun, NoRunError, find_last_run
from larix.runs.ledger import find_ledger, newest_models
from larix.runs.record import ENCODED, FROM_CACHE, RunRecord

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
    document, models = collect(run), _models(run)
    if as_json:
        told = {name: _plain(model) for name, model in models.items()}
        click.echo(json.dumps({**document, "models": told}, indent=2, ensure_ascii=False))
    else:
        _print_tables(run, document, models)


def _models(run: LastRun) -> dict[str, RunRecord]:
    """The newest run of every kind of model on the test documents of this one."""
    try:
        runs = find_ledger().runs()
    except NoRunError:
        return {}
    own = next((record for record in runs if record.results["metrics"] == run.results.get("metrics")), None)
    return {} if own is None else newest_models(runs, own.test_set)


def _plain(model: RunRecord) -> dict[str, Any]:
    return {
        "run": model.version,
        "environment": model.environment,
        "metrics": model.metrics,
        "cpu_seconds": model.cpu_seconds,
        "seconds": model.seconds,
        "texts_encoded": model.counts.get(ENCODED, 0),
        "texts_from_cache": model.counts.get(FROM_CACHE, 0),
    }


def collect(run: LastRun) -> dict[str, Any]:
    """Everything that is known of a run, as plain values; metrics are fractions.

    Keys: `environment`, `corpus` (its summary), `metrics` (over all labels), `head`, `torso`, `tail`,
    `counts`, `disentanglement` (the plain tree beside the disentangled one), `seconds` by stage,
    `total_seconds`, `cpu_seconds`, `peak_memory_mb`, and the folder of the `classifier`.
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
        "cpu_seconds": times.get("cpu_seconds"),
        "peak_memory_mb": times["peak_memory_mb"],
        "classifier": str(run.path("classifier")),
    }


def _disentanglement(run: LastRun) -> dict[str, Any] | None:
    """Both trees with their metrics and costs; None for a run that compared none."""
    if "disentanglement" not in run.results:
        return None
    compared: dict[str, Any] = run.read_json("disentanglement")
    return compared


def _print_tables(run: LastRun, document: dict[str, Any], models: dict[str, RunRecord]) -> None:
    from rich.console import Console

    from larix.reporting import render_metrics_table, render_seconds_table, render_trees_table
    from larix.runs.table import render_models_table

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
    if len(models) > 1:
        console.print(render_models_table(models))
        console.print()
    console.print(render_seconds_table(document["seconds"]))
    console.print(f"{'Peak memory:':12} {document['peak_memory_mb']:,.0f} MB")
    for name in ("classifier", "report"):
        if name in run.results:
            console.print(f"{name.capitalize() + ':':12} {_short(run.results[name])}", soft_wrap=True)


def _short(path: Path) -> Path:
    """The path from the current folder, if it lies below it."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
