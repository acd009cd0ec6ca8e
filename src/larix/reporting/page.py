"""The page of a run: one HTML file that needs nothing else, no network and no scripts."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from larix.html_page import page_environment
from larix.reporting.content import (
    TREE_METRICS,
    RunReport,
    dotted,
    fact,
    headline_columns,
    metrics_rows,
    percent,
    points,
    score_text,
    words,
)
from larix.reporting.figure_style import inline_svg
from larix.reporting.figures import (
    cluster_sizes_figure,
    curves_figure,
    frequency_figure,
    reliability_figure,
    rounds_figure,
    stage_seconds_figure,
)
from larix.reporting.terminal import remarks

if TYPE_CHECKING:
    from jinja2 import Environment

_TILES = {
    "P@1": "of first suggestions are right",
    "nDCG@": "ranking quality, best is 100",
    "PSP@": "precision weighted towards rare labels",
    "R@": "of true labels found",
}


_FACTS = {
    "n_train": "training documents",
    "n_test": "test documents",
    "n_test_labels_unseen_in_training": "labels of test documents unseen in training",
    "n_train_empty": "empty training documents",
    "n_test_empty": "empty test documents",
    "n_train_without_labels": "training documents without labels",
    "n_test_without_labels": "test documents without labels",
    "n_test_repeating_train": "test documents that repeat a training document",
    "n_test_dropped": "test documents dropped",
}


def render_page(report: RunReport) -> str:
    """Render the HTML page of a run.

    Texts, names and parameters are escaped: they are data, never markup.

    Parameters
    ----------
    report : RunReport
        What to show.

    Returns
    -------
    str
        A whole HTML document. The same report gives the same bytes.
    """
    columns = headline_columns(report.evaluation["metrics"])
    return (
        report_environment()
        .get_template("report.html")
        .render(
            report=report,
            columns=columns,
            rows=metrics_rows(report.evaluation, columns),
            tiles=list(_tiles(report.evaluation["metrics"], columns)),
            remarks=remarks(report.evaluation),
            trees_compared=TREE_METRICS,
            figures=_figures(report),
            corpus=[
                (_FACTS.get(key, words(key)), value)
                for key, value in report.corpus.items()
                if value is not None
            ],
            parameters=list(dotted(report.parameters)),
        )
    )


def report_environment(*packages: str) -> "Environment":
    """Templates of reports, and of further packages, with the filters they use."""
    environment = page_environment(*packages, "larix.reporting")
    environment.filters.update(percent=percent, points=points, score=score_text, fact=fact)
    return environment


def _tiles(metrics: Mapping[str, Any], columns: list[str]) -> Iterator[tuple[str, float | None, str]]:
    for prefix, meaning in _TILES.items():
        if found := [column for column in columns if column.startswith(prefix)]:
            yield found[-1], metrics[found[-1]], meaning


def _figures(report: RunReport) -> dict[str, Any]:
    """The figures as markup. It is our own but for stage names, which matplotlib escapes."""
    from markupsafe import Markup

    figures = {
        "curves": (
            curves_figure(report.curves),
            "Precision, recall and nDCG against the number of suggestions",
        ),
        "frequency": (frequency_figure(report.frequency_bins, report.k), "Recall and precision by frequency"),
        "clusters": (cluster_sizes_figure(report.cluster_sizes), "Histogram of cluster sizes"),
        "seconds": (stage_seconds_figure(report.stage_seconds), "Seconds of each stage"),
    }
    if report.disentanglement is not None:
        figures["rounds"] = (
            rounds_figure(report.disentanglement["rounds"], report.disentanglement["metric"]),
            "Quality and cost by round",
        )
    if report.reliability is not None:
        figures["reliability"] = (
            reliability_figure(report.reliability),
            "Share of right suggestions by score",
        )
    return {name: Markup(inline_svg(figure, text)) for name, (figure, text) in figures.items()}
