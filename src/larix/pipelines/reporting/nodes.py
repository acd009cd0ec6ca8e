"""Look closer at the predictions, draw what was found, and write the page of the run."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from larix.corpora import Corpus
from larix.pipelines.stage_params import StageParams
from larix.reporting import (
    Example,
    LabelRow,
    RunReport,
    cluster_sizes_figure,
    curves_figure,
    frequency_figure,
    pick_examples,
    pick_worst_labels,
    render_page,
    stage_seconds_figure,
)
from larix.serving.model_card import ModelCard
from larix.xmc.label_quality import FrequencyBin, label_quality, quality_by_frequency
from larix.xmc.label_tree import LabelTree
from larix.xmc.metrics import curves
from larix.xmc.sparse import CSR

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
    """

    k: int = 5
    max_k: int = 10
    n_examples: int = 8
    n_worst_labels: int = 20

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("k", "max_k", "n_examples", "n_worst_labels"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, but is {getattr(self, name)}")


@dataclass(frozen=True)
class Findings:
    """What a closer look at the predictions shows; see `larix.reporting.content.RunReport`."""

    k: int
    curves: Mapping[str, Sequence[float]]
    frequency_bins: Sequence[FrequencyBin]
    cluster_sizes: Sequence[int]
    worst_labels: Sequence[LabelRow]
    right: Sequence[Example]
    wrong: Sequence[Example]


def examine(
    predictions: CSR,
    test_labels: CSR,
    train_labels: CSR,
    corpus: Corpus,
    label_tree: LabelTree,
    params: ReportingParams,
    random_state: int,
) -> Findings:
    """Curves by k, quality by label frequency, worst labels, examples right and wrong."""
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
    return Findings(
        k=params.k,
        curves=curves(predictions, test_labels, train_labels, params.max_k),
        frequency_bins=quality_by_frequency(quality),
        cluster_sizes=label_tree.cluster_sizes().tolist(),
        worst_labels=pick_worst_labels(quality, ids, names, params.n_worst_labels),
        right=right,
        wrong=wrong,
    )


def draw_findings(findings: Findings) -> tuple[Figure, Figure, Figure]:
    """Quality by k, quality by label frequency, cluster sizes."""
    return (
        curves_figure(findings.curves),
        frequency_figure(findings.frequency_bins, findings.k),
        cluster_sizes_figure(findings.cluster_sizes),
    )


def tabulate(findings: Findings) -> tuple[list[dict[str, Any]], list[dict[str, Any]], dict[str, Any]]:
    """Worst labels and example suggestions as tables, and everything that was found as plain values."""
    examples = [_example_row(example) for example in (*findings.wrong, *findings.right)]
    return [asdict(row) for row in findings.worst_labels], examples, asdict(findings)


def _example_row(example: Example) -> dict[str, Any]:
    return {
        "text": example.text,
        "right": "; ".join(f"{s.label} {s.name}" for s in example.suggestions if s.correct),
        "wrong": "; ".join(f"{s.label} {s.name}" for s in example.suggestions if not s.correct),
        "missed": "; ".join(f"{label} {name}" for label, name in example.missed),
    }


def write_report(
    findings: Findings, model_card: ModelCard, stage_seconds: dict[str, Any]
) -> tuple[str, Figure]:
    """One self-contained HTML page, and a figure of the seconds by stage."""
    report = RunReport(
        title=model_card.corpus["name"],
        evaluation=model_card.metrics,
        stage_seconds=stage_seconds["stages"],
        corpus=model_card.corpus,
        parameters=model_card.parameters,
        versions=model_card.versions,
        **{name: getattr(findings, name) for name in Findings.__dataclass_fields__},
    )
    return render_page(report), stage_seconds_figure(report.stage_seconds)
