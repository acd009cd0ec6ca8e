"""`larix compare`: two runs side by side."""

import json
from pathlib import Path

import click

from larix.cli.errors import UserError
from larix.runs.ledger import find_ledger, find_run


@click.command(short_help="Compare two runs on the same test documents.")
@click.argument("run_a", metavar="RUN_A")
@click.argument("run_b", metavar="RUN_B")
@click.option(
    "--html",
    "page",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write a page with more labels and documents.",
)
@click.option(
    "--k",
    type=click.IntRange(min=1),
    default=5,
    show_default=True,
    help="Suggestions that count for labels and documents.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, with fractions instead of percent.")
def compare(run_a: str, run_b: str, page: Path | None, k: int, as_json: bool) -> None:
    """Compare the suggestions of RUN_B with those of RUN_A for the same test documents.

    A run is called by any part of its version that no other run has (larix runs lists them), by `last`
    or `previous`, or by a model, pipeline or environment, which means the newest run of it.

    \b
    Examples:
      larix compare previous last
      larix compare linear frozen_memory --html comparison.html
      larix compare 2026-11-22T20.04 2026-11-22T21.31 --json
    """
    runs = find_ledger().runs()
    first, second = (find_run(runs, name) for name in (run_a, run_b))
    if first == second:
        raise UserError(f"{run_a} and {run_b} must be two runs, but both are {first.version}")
    from larix.runs.comparison import compare_runs

    comparison = compare_runs(first, second, k=k)
    if page is not None:
        from larix.atomic_file import write_atomically
        from larix.reporting import render_comparison_page

        write_atomically(page, render_comparison_page(comparison).encode())
    if as_json:
        click.echo(json.dumps(comparison.to_dict(), indent=2, ensure_ascii=False))
        return
    from rich.console import Console

    from larix.reporting import render_comparison

    Console(highlight=False).print(render_comparison(comparison))
    if page is not None:
        click.echo(f"\npage: {page}")
