"""What a run looked like: figures, one HTML page, and tables for the terminal, drawn from plain data.

Matplotlib, Jinja and rich are imported when something is drawn, not before.
"""

from importlib import import_module

_HOMES = {
    "ChangedExample": "larix.reporting.comparison",
    "ComparedRun": "larix.reporting.comparison",
    "Example": "larix.reporting.content",
    "LabelChange": "larix.reporting.comparison",
    "LabelRow": "larix.reporting.content",
    "Occurrences": "larix.reporting.comparison",
    "RunComparison": "larix.reporting.comparison",
    "RunReport": "larix.reporting.content",
    "Suggested": "larix.reporting.content",
    "cluster_sizes_figure": "larix.reporting.figures",
    "curves_figure": "larix.reporting.figures",
    "frequency_figure": "larix.reporting.figures",
    "stage_seconds_figure": "larix.reporting.figures",
    "rounds_figure": "larix.reporting.figures",
    "reliability_figure": "larix.reporting.figures",
    "pick_examples": "larix.reporting.selection",
    "pick_worst_labels": "larix.reporting.selection",
    "render_comparison": "larix.reporting.comparison_tables",
    "render_comparison_page": "larix.reporting.comparison_page",
    "render_explanation": "larix.reporting.explanation",
    "render_examples": "larix.reporting.terminal",
    "render_metrics_table": "larix.reporting.terminal",
    "render_page": "larix.reporting.page",
    "render_tree_page": "larix.reporting.tree_page",
    "render_seconds_table": "larix.reporting.terminal",
    "render_trees_table": "larix.reporting.terminal",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(
            f"module 'larix.reporting' has no attribute {name!r}; it has {', '.join(_HOMES)}"
        )
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
