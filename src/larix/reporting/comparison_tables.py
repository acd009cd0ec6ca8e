"""A comparison of two runs for the terminal."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from larix.reporting.comparison import ChangedExample, LabelChange, RunComparison
from larix.reporting.content import fact, headline_columns, percent, points, score_text

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

_LABELS, _EXAMPLES = 5, 2


def render_comparison(comparison: RunComparison) -> "RenderableType":
    """Both runs, metrics with intervals, labels won and lost, documents that changed, parameters.

    Parameters
    ----------
    comparison : RunComparison
        Of labels and documents the first few are shown.
    """
    from rich.console import Group

    return Group(*_parts(comparison))


def _parts(comparison: RunComparison) -> Iterator["RenderableType"]:
    from rich.text import Text

    documents = f"{comparison.n_documents:,} test documents"
    yield Text(f"{comparison.title}: two runs on the same {documents}", "bold")
    for letter, run in (("A", comparison.first), ("B", comparison.second)):
        told = f"{run.model}, {run.environment}, {run.cpu_seconds:,.0f} CPU s, {run.size_mb:,.0f} MB"
        yield Text.assemble((f"{letter}  ", "bold"), f"{run.version}  ", (told, "dim"))
    yield Text()
    yield _metrics_table(comparison)
    yield Text("* the interval leaves zero out", "dim")
    yield Text()
    yield Text(_occurrences(comparison))
    for letter, verb, changes, n in (
        ("won", "more often", comparison.won, comparison.n_won),
        ("lost", "less often", comparison.lost, comparison.n_lost),
    ):
        if changes:
            yield Text()
            yield _labels_table(f"Labels {letter}: B found {n:,} {verb}", changes)
    for what, examples, n in (
        ("better", comparison.better, comparison.n_better),
        ("worse", comparison.worse, comparison.n_worse),
    ):
        if examples:
            yield Text()
            yield Text(f"Documents {what} in B: {n:,}", "italic")
            for example in examples[:_EXAMPLES]:
                yield from _example(example)
    yield Text()
    yield _parameters_table(comparison)


def _new_table(title: str) -> "Table":
    from rich import box
    from rich.table import Table

    return Table(box=box.SIMPLE_HEAD, title=title, title_justify="left", pad_edge=False)


def _metrics_table(comparison: RunComparison) -> "Table":
    table = _new_table("Metrics in percent")
    table.add_column("")
    for column in ("A", "B", "B - A", "95 % interval"):
        table.add_column(column, justify="right", no_wrap=True)
    for name in headline_columns(comparison.metrics):
        found = comparison.metrics[name]
        interval = f"{points(found.low)} to {points(found.high)} {'*' if found.beyond_chance else ' '}"
        table.add_row(name, percent(found.first), percent(found.second), points(found.difference), interval)
    return table


def _occurrences(comparison: RunComparison) -> str:
    found = comparison.occurrences
    return (
        f"True labels among the first {comparison.k} suggestions: {found.both:,} of both runs, "
        f"{found.first:,} of A alone, {found.second:,} of B alone, {found.neither:,} of neither."
    )


def _labels_table(title: str, changes: Sequence[LabelChange]) -> "Table":
    from rich.text import Text

    table = _new_table(title)
    table.add_column("label")
    table.add_column("name", max_width=44, no_wrap=True, overflow="ellipsis")
    for column in ("training", "true", "A", "B"):
        table.add_column(column, justify="right", min_width=len(column))
    for change in changes[:_LABELS]:
        numbers = (change.n_training, change.n_true, change.first, change.second)
        name = "" if change.name == change.label else change.name
        table.add_row(Text(change.label), Text(name), *(f"{number:,}" for number in numbers))
    return table


def _example(example: ChangedExample) -> Iterator["RenderableType"]:
    from rich.table import Table
    from rich.text import Text

    yield Text(example.text, "bold")
    yield Text(f"   true: {', '.join(label for label, _ in example.labels)}", "dim")
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 1))
    for letter, side in (("A", example.first), ("B", example.second)):
        for place, suggestion in enumerate(side.suggestions):
            mark = Text("✓", "green") if suggestion.correct else Text("·", "dim")
            score = Text(score_text(suggestion.score), "dim")
            name = "" if suggestion.name == suggestion.label else suggestion.name
            letter_cell = letter if place == 0 else ""
            table.add_row(" ", letter_cell, mark, score, Text(suggestion.label, "bold"), Text(name))
    yield table


def _parameters_table(comparison: RunComparison) -> "RenderableType":
    from rich.text import Text

    if not comparison.parameters:
        return Text("All parameters are the same.")
    table = _new_table("Parameters that differ")
    for column in ("", "A", "B"):
        table.add_column(column, overflow="fold")
    for name, first, second in comparison.parameters:
        table.add_row(Text(name), Text(fact(first)), Text(fact(second)))
    return table
