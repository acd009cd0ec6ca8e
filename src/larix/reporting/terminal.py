"""Tables for the terminal."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from larix.reporting.content import (
    TREE_METRICS,
    Example,
    headline_columns,
    metrics_rows,
    percent,
    score_text,
    words,
)

if TYPE_CHECKING:
    from rich.console import RenderableType


def render_metrics_table(metrics: Mapping[str, Any]) -> "RenderableType":
    """The headline metrics in percent for all, head, torso and tail labels.

    Parameters
    ----------
    metrics : mapping
        What `Evaluation.to_dict` gives: `metrics`, `by_frequency` and `counts`; the last two may lack.

    Returns
    -------
    rich renderable
    """
    from rich import box
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    columns = headline_columns(metrics["metrics"])
    rows = metrics_rows(metrics, columns)
    table = Table(
        box=box.SIMPLE_HEAD, title="Metrics in percent", title_justify="left", collapse_padding=True
    )
    table.add_column("")
    for column in columns:
        table.add_column(column, justify="right", no_wrap=True)
    if rows[0].n_labels is not None:
        table.add_column("labels", justify="right", style="dim")
        table.add_column("occurrences", justify="right", style="dim")
    for row in rows:
        cells = [percent(value) for value in row.values]
        if rows[0].n_labels is not None:
            cells += [_count(row.n_labels), _count(row.n_true)]
        table.add_row(row.name, *cells, style="bold" if row.name == "all" else None)
    return Group(table, *[Text(line, style="dim") for line in remarks(metrics)])


def _count(value: int | None) -> str:
    return "–" if value is None else f"{value:,}"


def remarks(evaluation: Mapping[str, Any]) -> list[str]:
    """What a reader should know beside the numbers: sizes, unseen labels, documents that were left out."""
    counts = evaluation.get("counts") or {}
    lines = []
    if counts.get("documents"):
        lines.append(
            f"{_several(counts['documents'], 'document')} with {counts['true_occurrences']:,} labels."
        )
    if missed := counts.get("true_occurrences_unseen_in_training"):
        labels = _several(counts["true_labels_unseen_in_training"], "label")
        lines.append(f"Unseen in training: {labels}; {_several(missed, 'occurrence')} counted as missed.")
    if empty := counts.get("documents_without_labels"):
        lines.append(f"{_several(empty, 'document')} without labels, left out of R and nDCG.")
    if silent := counts.get("documents_without_predictions"):
        lines.append(f"{_several(silent, 'document')} without suggestions.")
    return lines


def _several(n: int, noun: str) -> str:
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


def render_seconds_table(seconds: Mapping[str, float]) -> "RenderableType":
    """Seconds of each stage in the order given, with bars and their sum.

    Parameters
    ----------
    seconds : mapping of str to float
        Seconds of each stage.
    """
    from rich import box
    from rich.bar import Bar
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, title="Time", title_justify="left", pad_edge=False, show_footer=True)
    total, longest = sum(seconds.values()), max(seconds.values(), default=0.0)
    table.add_column("stage", footer="all")
    table.add_column("seconds", footer=f"{total:,.1f}", justify="right")
    table.add_column("")
    for stage, time in seconds.items():
        table.add_row(words(stage), f"{time:,.1f}", Bar(longest, 0, time, width=30, color="green"))
    return table


def render_trees_table(compared: Mapping[str, Any]) -> "RenderableType":
    """The plain tree beside the disentangled one: percent, clusters a label, inner products a query.

    Parameters
    ----------
    compared : mapping
        `plain` and `disentangled`, each with `metrics`, `inner_products` and `slots_per_label`.
    """
    from rich import box
    from rich.table import Table

    table = Table(
        box=box.SIMPLE_HEAD, title="Labels in several clusters, trees alone", title_justify="left",
        collapse_padding=True,
    )  # fmt: skip
    table.add_column("", no_wrap=True)
    for column in (*TREE_METRICS, "clusters", "products"):
        table.add_column(column, justify="right", no_wrap=True)
    for tree in ("plain", "disentangled"):
        found = compared[tree]
        cells = [percent(found["metrics"][metric]) for metric in TREE_METRICS]
        table.add_row(tree, *cells, f"{found['slots_per_label']:.2f}", f"{found['inner_products']:,.0f}")
    return table


def render_examples(examples: Sequence[Example]) -> "RenderableType":
    """Documents with their suggestions; right ones are marked, missed labels follow.

    Parameters
    ----------
    examples : sequence of Example
        What to show.
    """
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    parts: list[RenderableType] = []
    for example in examples:
        table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 1))
        for suggestion in example.suggestions:
            mark = Text("✓", "green") if suggestion.correct else Text("·", "dim")
            score = Text(score_text(suggestion.score), "dim")
            table.add_row(" ", mark, score, Text(suggestion.label, "bold"), Text(suggestion.name))
        for label, name in example.missed:
            table.add_row(" ", Text("○", "yellow"), Text("missed", "dim"), Text(label, "bold"), Text(name))
        parts += [Text(example.text, "italic"), table, Text()]
    return Group(*parts)
