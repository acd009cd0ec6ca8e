"""Look closer at the predictions, draw what was found, and write the page of the run."""

from dataclasses import dataclass
from typing import Any

from larix.corpora import Corpus
from larix.pipelines.reporting.findings import Findings
from larix.pipelines.stage_params import StageParams
from larix.reporting import (
    Example,
    RunReport,
    cluster_sizes_figure,
    curves_figure,
    frequency_figure,
    pick_examples,
    pick_worst_labels,
    render_page,
    render_tree_page,
    stage_seconds_figure,
)
from larix.serving.given_features import GivenFeatures
from larix.serving.model_card import ModelCard
from larix.serving.suggester import Suggester
from larix.serving.tree_view import LabelledRows, view_tree
from larix.xmc.label_quality import label_quality, quality_by_frequency
from larix.xmc.label_tree import LabelTree
from larix.xmc.metrics import curves
from larix.xmc.ranges import check_least
from larix.xmc.reliability import reliability
from larix.xmc.sparse import CSR

_FEATURES_TOLD = 6
Figure = Any
"""A matplotlib figure. Kedro reads annotations, and matplotlib shall not be imported for that."""


@dataclass(frozen=True)
class ReportingParams(StageParams):
    """How much a report shows.

    Parameters
    ----------
    k : int
        Cut-off of quality by label frequency and of the worst labels.
    max_k : int
        Last cut-off of the curves.
    n_examples : int
        Documents with a right first suggestion, and as many with a wrong one.
    n_worst_labels : int
    n_explained : int
        Examples right, and as many wrong, of which the first suggestion is explained.
    """

    k: int = 5
    max_k: int = 10
    n_examples: int = 8
    n_worst_labels: int = 20
    n_explained: int = 2

    def __post_init__(self) -> None:
        super().__post_init__()
        check_least(self, 1, "k", "max_k", "n_examples", "n_worst_labels", "n_explained")


def examine(
    predictions: CSR,
    test_labels: CSR,
    train_labels: CSR,
    corpus: Corpus,
    label_tree: LabelTree,
    params: ReportingParams,
    random_state: int,
) -> dict[str, Any]:
    """Curves by k, quality by label frequency, reliability, worst labels, examples right and wrong."""
    ids, names = corpus.label_ids, corpus.label_names
    quality = label_quality(predictions, test_labels, train_labels, params.k)
    right, wrong = pick_examples(
        predictions,
        test_labels,
        corpus.test.texts,
        ids,
        names,
        n=params.n_examples,
        random_state=random_state,
    )
    findings = Findings(
        k=params.k,
        curves=curves(predictions, test_labels, train_labels, params.max_k),
        frequency_bins=quality_by_frequency(quality),
        cluster_sizes=label_tree.cluster_sizes().tolist(),
        worst_labels=pick_worst_labels(quality, ids, names, params.n_worst_labels),
        right=right,
        wrong=wrong,
        reliability=_reliability(predictions, test_labels, params.k),
    )
    return findings.to_dict()


def _reliability(predictions: CSR, test_labels: CSR, k: int) -> dict[str, Any] | None:
    """How well scores tell the chance of being right; None where they can't be read as probabilities."""
    scores = predictions.data
    readable = len(scores) and 0 <= scores.min() <= scores.max() <= 1
    return reliability(predictions, test_labels, k=k).to_dict() if readable else None


def draw_findings(findings: dict[str, Any]) -> tuple[Figure, Figure, Figure]:
    """Quality by k, quality by label frequency, cluster sizes."""
    found = Findings.from_dict(findings)
    return (
        curves_figure(found.curves),
        frequency_figure(found.frequency_bins, found.k),
        cluster_sizes_figure(found.cluster_sizes),
    )


def tabulate(findings: dict[str, Any]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Worst labels, and example suggestions, as tables."""
    found = Findings.from_dict(findings)
    examples = [_example_row(example) for example in (*found.wrong, *found.right)]
    return findings["worst_labels"], examples


def _example_row(example: Example) -> dict[str, Any]:
    return {
        "text": example.text,
        "right": "; ".join(f"{s.label} {s.name}" for s in example.suggestions if s.correct),
        "wrong": "; ".join(f"{s.label} {s.name}" for s in example.suggestions if not s.correct),
        "missed": "; ".join(f"{label} {name}" for label, name in example.missed),
    }


def explain_examples(
    classifier: Suggester, findings: dict[str, Any], params: ReportingParams
) -> list[dict[str, Any]]:
    """Why the first suggestion of some examples; none where documents have no texts."""
    if isinstance(classifier.features, GivenFeatures):
        return []
    found = Findings.from_dict(findings)
    examples = [*found.wrong[: params.n_explained], *found.right[: params.n_explained]]
    return [
        {"text": example.text, "correct": example.suggestions[0].correct, **told}
        for example in examples
        for told in classifier.explain(example.text, top_k=1, n_features=_FEATURES_TOLD)
    ]


def browse_tree(
    classifier: Suggester,
    corpus: Corpus,
    train_instances: CSR,
    train_labels: CSR,
    test_instances: CSR,
    test_labels: CSR,
) -> str:
    """One self-contained HTML page to search the label tree."""
    training = LabelledRows(train_instances, train_labels, corpus.train.texts)
    view = view_tree(classifier, training=training, unseen=LabelledRows(test_instances, test_labels))
    return render_tree_page(view, corpus.name)


def write_report(
    findings: dict[str, Any],
    explanations: list[dict[str, Any]],
    metrics: dict[str, Any],
    model_card: dict[str, Any],
    disentanglement: dict[str, Any],
    disentangled_labels: list[dict[str, Any]],
    stage_seconds: dict[str, Any],
) -> tuple[str, Figure]:
    """One self-contained HTML page, and a figure of the seconds by stage."""
    found, card = Findings.from_dict(findings), ModelCard(**model_card)
    report = RunReport(
        title=card.corpus["name"],
        evaluation=metrics,
        stage_seconds=stage_seconds["stages"],
        corpus=card.corpus,
        parameters=card.parameters,
        versions=card.versions,
        explained=explanations,
        disentanglement=disentanglement if disentanglement["rounds_kept"] else None,
        disentangled_labels=disentangled_labels,
        **vars(found),
    )
    return render_page(report), stage_seconds_figure(report.stage_seconds)
