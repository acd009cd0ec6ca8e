"""Disentanglement: label_tree, matcher, ranker -> rounds, each with beams, matcher and ranker of its own.

Round 0 is the plain tree's, on held-out documents. A round is a modular pipeline `round_1`, `round_2`, ...
that takes what the one before made. Stages that follow read the last round's matcher and ranker.
"""

from kedro.pipeline import Pipeline, node

from larix.pipelines.disentanglement.nodes import (
    compare_on_test,
    draw_rounds,
    find_beams,
    match_beam,
    show_labels,
    train_round,
    train_without_held_out,
    try_round,
)
from larix.pipelines.disentanglement.rounds import n_rounds

_PASSED_ON = ("matcher", "ranker", "held_out_model", "held_out_assessment")


def last_round() -> dict[str, str]:
    """The datasets of the last round in the place of the plain tree's, for the stages that follow."""
    n = n_rounds()
    return {name: _of_round(n, name) for name in _PASSED_ON} if n else {}


def _of_round(n: int, name: str) -> str:
    return f"round_{n}_{name}" if n else name


def create_pipeline() -> Pipeline:
    """The plain model of all but the held-out documents, the rounds, and how the last tree is searched."""
    rounds = sum((_round(n) for n in range(1, n_rounds() + 1)), Pipeline([]))
    return Pipeline([_plain_round() + rounds + _conclusion()], tags="disentanglement")


def _plain_round() -> Pipeline:
    return Pipeline(
        [
            node(
                train_without_held_out,
                [
                    "train_instances",
                    "train_labels",
                    "label_tree",
                    "params:matcher_training",
                    "params:ranking",
                    "params:search",
                    "params:refinement",
                    "params:disentanglement",
                    "params:random_state",
                    "params:n_threads",
                    "train_rejected",
                ],
                ["held_out_model", "held_out_assessment"],
                name="train_without_held_out",
            ),
        ],
        namespace="round_0",
        prefix_datasets_with_namespace=False,
    )


def _round(n: int) -> Pipeline:
    nodes = Pipeline(
        [
            node(
                find_beams,
                [
                    "train_instances",
                    "train_labels",
                    "given_matcher",
                    "label_tree",
                    "given_held_out_assessment",
                    "params:disentanglement",
                    "params:random_state",
                    "train_rejected",
                ],
                "beams",
                name="find_beams",
            ),
            node(
                try_round,
                [
                    "train_instances",
                    "train_labels",
                    "label_tree",
                    "beams",
                    "given_held_out_model",
                    "given_held_out_assessment",
                    "params:search",
                    "params:refinement",
                    "params:disentanglement",
                    "params:random_state",
                    "params:n_threads",
                    "train_rejected",
                ],
                ["held_out_model", "held_out_assessment"],
                name="try_on_held_out",
            ),
            node(
                train_round,
                [
                    "train_instances",
                    "train_labels",
                    "label_tree",
                    "given_matcher",
                    "given_ranker",
                    "beams",
                    "held_out_assessment",
                    "params:disentanglement",
                    "params:n_threads",
                    "train_rejected",
                ],
                ["matcher", "ranker", "slot_gain"],
                name="train_round",
            ),
        ]
    )
    return Pipeline(
        nodes,
        namespace=f"round_{n}",
        prefix_datasets_with_namespace=False,
        inputs={f"given_{name}": _of_round(n - 1, name) for name in _PASSED_ON},
        outputs={name: _of_round(n, name) for name in ("beams", "slot_gain", *_PASSED_ON)},
    )


def _conclusion() -> Pipeline:
    nodes = Pipeline(
        [
            node(
                match_beam,
                [
                    "train_instances",
                    "label_tree",
                    "matcher",
                    "last_matcher",
                    "last_ranker",
                    "params:search",
                    "params:disentanglement",
                ],
                "search_settings",
                name="match_beam",
            ),
            node(
                compare_on_test,
                [
                    "corpus",
                    "matcher",
                    "ranker",
                    "last_matcher",
                    "last_ranker",
                    "train_labels",
                    "test_instances",
                    "test_labels",
                    "params:search",
                    "search_settings",
                    "params:disentanglement",
                    *(_of_round(n, "held_out_assessment") for n in range(n_rounds() + 1)),
                ],
                "disentanglement",
                name="compare_on_test",
            ),
            node(draw_rounds, "disentanglement", "rounds_figure", name="draw_rounds"),
            node(
                show_labels,
                [
                    "corpus",
                    "text_features",
                    "train_instances",
                    "train_labels",
                    "last_matcher",
                    "last_ranker",
                    "params:disentanglement",
                    *(["last_slot_gain"] if n_rounds() else []),
                ],
                "disentangled_labels",
                name="show_labels",
            ),
        ],
        namespace="disentanglement",
        prefix_datasets_with_namespace=False,
    )
    last = {f"last_{name}": _of_round(n_rounds(), name) for name in ("slot_gain", *_PASSED_ON)}
    return Pipeline(nodes, inputs={name: last[name] for name in last if name in nodes.inputs()})
