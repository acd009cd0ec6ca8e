"""Tuning: corpus, parameters -> tuning_trials -> front, chosen trial -> an environment that trains it."""

from kedro.pipeline import Pipeline, node

from larix.pipelines.tuning.nodes import (
    choose_trial,
    draw_front,
    find_front,
    report_study,
    search_parameters,
    write_environment,
)


def create_pipeline() -> Pipeline:
    """Nodes that run a study and tell of it."""
    return Pipeline(
        [
            node(
                search_parameters,
                [
                    "corpus",
                    "parameters",
                    "tuning_study",
                    "tuning_products",
                    "params:tuning",
                    "params:random_state",
                    "params:n_threads",
                    "params:engine",
                    "params:engines",
                ],
                "tuning_trials",
                name="search_parameters",
            ),
            node(find_front, ["tuning_trials", "params:tuning"], "pareto_front", name="find_front"),
            node(choose_trial, ["tuning_trials", "params:tuning"], "chosen_trial", name="choose_trial"),
            node(
                write_environment,
                ["chosen_trial", "params:tuning"],
                "tuned_environment",
                name="write_environment",
            ),
            node(
                draw_front,
                ["tuning_trials", "chosen_trial", "params:tuning"],
                "front_figure",
                name="draw_front",
            ),
            node(
                report_study,
                ["tuning_trials", "chosen_trial", "tuned_environment", "params:tuning"],
                "tuning_report",
                name="report_study",
            ),
        ],
        namespace="tuning",
        prefix_datasets_with_namespace=False,
        tags="tuning",
    )
