"""`larix runs`: the runs of a project, and clearing of old ones."""

import json
from datetime import timedelta
from typing import Any

import click

from larix.runs.ledger import find_ledger
from larix.runs.record import RunRecord

_KEPT_BY_DEFAULT = 3


@click.command()
@click.option("--env", "environment", metavar="ENV", help="Runs of this environment.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, with fractions instead of percent.")
@click.option("--prune", is_flag=True, help="Delete old runs with all that they made.")
@click.option(
    "--keep",
    type=click.IntRange(min=1),
    metavar="N",
    help="With --prune: leave the newest of every environment [default: 3].",
)
@click.option(
    "--older-than",
    type=click.FloatRange(min=0),
    metavar="DAYS",
    help="With --prune: leave runs that are younger.",
)
@click.option("--yes", is_flag=True, help="With --prune: don't ask.")
def runs(
    environment: str | None,
    as_json: bool,
    prune: bool,
    keep: int | None,
    older_than: float | None,
    yes: bool,
) -> None:
    """List the finished runs, newest first, or delete old ones.

    \b
    Examples:
      larix runs
      larix runs --env=tibkat --json
      larix runs --prune --keep=2
      larix runs --prune --older-than=30 --yes
    """
    if prune:
        if environment or as_json:
            raise click.UsageError("--prune takes --keep, --older-than and --yes")
        _prune(keep, older_than, yes=yes)
        return
    if keep or older_than is not None or yes:
        raise click.UsageError("--keep, --older-than and --yes go with --prune")
    found = [run for run in find_ledger().runs() if environment in (None, run.environment)]
    if as_json:
        click.echo(json.dumps([_plain(run) for run in found], indent=2, ensure_ascii=False))
    else:
        _print(found)


def _plain(run: RunRecord) -> dict[str, Any]:
    return run.to_dict() | {"model": run.model, "size_mb": round(run.size_bytes() / 1e6, 1)}


def _print(found: list[RunRecord]) -> None:
    from rich.console import Console

    from larix.runs.table import render_runs_table

    Console(highlight=False).print(render_runs_table(found))


def _prune(keep: int | None, older_than: float | None, *, yes: bool) -> None:
    from larix.runs.pruning import plan_pruning, prune

    ledger = find_ledger()
    if keep is None and older_than is None:
        keep = _KEPT_BY_DEFAULT
    plan = plan_pruning(ledger, keep=keep, older_than=None if older_than is None else timedelta(older_than))
    if not plan.folders and not plan.runs:
        click.echo("nothing to delete")
        return
    if plan.runs:
        _print(list(plan.runs))
    if plan.left_over:
        click.echo(f"and {len(plan.left_over):,} folders that runs left which did not finish")
    runs = "1 run" if len(plan.runs) == 1 else f"{len(plan.runs):,} runs"
    what = f"{runs}, {plan.size_bytes() / 1e6:,.0f} MB"
    if yes or click.confirm(f"delete {what}?"):
        prune(ledger, plan)
        click.echo(f"deleted {what}")
