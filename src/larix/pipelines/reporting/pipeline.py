"""Reporting: predictions, labels -> findings -> figures, tables, report; classifier -> page of its tree."""

from kedro.pipeline import Pipeline, node

from larix.pipelines.reporting.nodes import (
    browse_tree,
    draw_findings,
    examine,
    explain_examples,
    tabulate,
    write_report,
)


def create_pipeline() -> Pipeline:
    """Nodes that examine, draw and write."""
    return Pipeline(
        [
            node(
                examine,
                [
                    "predictions",
                    "test_labels",
                    "train_labels",
                    "corpus",
                    "label_tree",
                    "params:reporting",
                    "params:random_state",
                ],
                "findings",
                name="examine_predictions",
            ),
            node(
                draw_findings,
                "findings",
                ["curves_figure", "frequency_figure", "cluster_sizes_figure"],
                name="draw_figures",
            ),
            node(
                tabulate,
                "findings",
                ["worst_labels", "example_suggestions"],
                name="tabulate_findings",
            ),
            node(
                explain_examples,
                ["classifier", "findings", "params:reporting"],
                "explanations",
                name="explain_examples",
            ),
            node(
                browse_tree,
                [
                    "classifier",
                    "corpus",
                    "train_instances",
                    "train_labels",
                    "test_instances",
                    "test_labels",
                ],
                "tree_page",
                name="browse_tree",
            ),
            node(
                write_report,
                [
                    "findings",
                    "explanations",
                    "metrics",
                    "model_card",
                    "disentanglement",
                    "disentangled_labels",
                    "stage_seconds",
                ],
                ["report", "stage_seconds_figure"],
                name="write_report",
            ),
        ],
        namespace="reporting",
        prefix_datasets_with_namespace=False,
        tags="reporting",
    )
