"""The page of a comparison of two runs: one HTML file that needs nothing else."""

from typing import Any

from larix.reporting.comparison import RunComparison
from larix.reporting.comparison_figures import differences_figure, recall_figure
from larix.reporting.content import headline_columns
from larix.reporting.figure_style import inline_svg
from larix.reporting.page import report_environment


def render_comparison_page(comparison: RunComparison) -> str:
    """Render the HTML page of a comparison.

    Texts, names and parameters are escaped: they are data, never markup.

    Parameters
    ----------
    comparison : RunComparison

    Returns
    -------
    str
        A whole HTML document. The same comparison gives the same bytes.
    """
    columns = headline_columns(comparison.metrics)
    return (
        report_environment()
        .get_template("comparison.html")
        .render(comparison=comparison, columns=columns, figures=_figures(comparison, columns))
    )


def _figures(comparison: RunComparison, columns: list[str]) -> dict[str, Any]:
    """The figures as markup, which is all our own."""
    from markupsafe import Markup

    differences = differences_figure({name: comparison.metrics[name] for name in columns})
    recall = recall_figure(*comparison.frequency_bins, comparison.k)
    return {
        "differences": Markup(inline_svg(differences, "Differences of metrics with their intervals")),
        "recall": Markup(inline_svg(recall, "Recall of both runs by frequency")),
    }
