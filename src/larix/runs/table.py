"""Runs as tables for the terminal."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from larix.reporting.content import headline_columns, percent
from larix.runs.record import ENCODED, FROM_CACHE, RunRecord

if TYPE_CHECKING:
    from rich.console import RenderableType

_HEADLINES = ("P@1", "R@10")
_LEAST_WIDTH = 7


def render_runs_table(runs: Sequence[RunRecord]) -> "RenderableType":
    """One line a run: when, where, what, headline metrics in percent, costs.

    Parameters
    ----------
    runs : sequence of RunRecord
        Metrics that none of them has are left out.
    """
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=0)
    table.add_column("run", no_wrap=True)
    for column in ("env", "model", "corpus"):
        table.add_column(column, overflow="fold", min_width=_LEAST_WIDTH)
    headlines = [name for name in _HEADLINES if any(name in run.metrics for run in runs)]
    for column in ("seed", *headlines, "CPU s", "s", "MB"):
        table.add_column(column, justify="right", no_wrap=True)
    for run in runs:
        words = (Text(text) for text in (run.environment, run.model, run.corpus["name"]))
        costs = (run.cpu_seconds, run.seconds, run.size_bytes() / 1e6)
        table.add_row(
            run.short_version,
            *words,
            str(run.parameters.get("random_state", "")),
            *(percent(run.metrics.get(name)) for name in headlines),
            *(f"{cost:,.0f}" for cost in costs),
        )
    return table


def render_models_table(models: Mapping[str, RunRecord]) -> "RenderableType":
    """Models of one corpus side by side: headline metrics in percent, CPU seconds.

    Parameters
    ----------
    models : mapping of str to RunRecord
        Runs on the same test documents.
    """
    from rich import box
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    runs = list(models.values())
    columns = headline_columns(runs[0].metrics)
    table = Table(
        box=box.SIMPLE_HEAD,
        title="Models of this corpus, percent",
        title_justify="left",
        collapse_padding=True,
    )
    table.add_column("", no_wrap=True)
    for column in (*columns, "CPU s"):
        table.add_column(column, justify="right", no_wrap=True)
    for name, run in models.items():
        values = (percent(run.metrics.get(column)) for column in columns)
        table.add_row(name, *values, f"{run.cpu_seconds:,.0f}")
    return Group(table, *[Text(line, style="dim") for line in _remarks(models)])


def render_ensemble_table(
    runs: Mapping[str, RunRecord], evaluations: Mapping[str, Mapping[str, Any]], chosen: str
) -> "RenderableType":
    """Runs on the same test documents, and below them what they score together by each rule, in percent.

    Parameters
    ----------
    runs : mapping of str to RunRecord
    evaluations : mapping of str to mapping
        What `larix.runs.joining.evaluate_together` gives.
    chosen : str
        The rule that is taken.
    """
    from rich import box
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    together = {rule: evaluation["metrics"] for rule, evaluation in evaluations.items()}
    columns = headline_columns(together[chosen])
    table = Table(
        box=box.SIMPLE_HEAD, title="Alone and together, percent", title_justify="left",
        collapse_padding=True, pad_edge=False,
    )  # fmt: skip
    table.add_column("", no_wrap=True)
    for column in columns:
        table.add_column(column, justify="right", no_wrap=True)
    for name, run in runs.items():
        table.add_row(name, *(percent(run.metrics.get(column)) for column in columns))
    table.add_section()
    for rule, metrics in together.items():
        values = (percent(metrics[column]) for column in columns)
        table.add_row(rule, *values, style="bold" if rule == chosen else None)
    remark = "A rule chosen by these test documents would look better here than on others."
    return Group(table, Text(remark, style="dim"))


def _remarks(models: Mapping[str, RunRecord]) -> Iterator[str]:
    for name, run in models.items():
        if spared := run.counts.get(FROM_CACHE, 0):
            encoded = run.counts.get(ENCODED, 0)
            yield f"{name}: {spared:,} vectors of texts came from the cache, {encoded:,} were encoded."
