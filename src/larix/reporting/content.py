"""The content of a report, as plain values that no longer know where they came from."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from larix.xmc.label_frequency import BANDS
from larix.xmc.label_quality import FrequencyBin

TREE_METRICS = ("P@1", "P@3", "P@5", "nDCG@5", "PSP@5", "R@10")
"""Metrics by which two trees are compared."""


@dataclass(frozen=True)
class Suggested:
    """A label suggested for a document.

    Attributes
    ----------
    label, name : str
        Identifier and human-readable name.
    score : float
        Score of the model.
    correct : bool
        Whether the document has the label.
    """

    label: str
    name: str
    score: float
    correct: bool


@dataclass(frozen=True)
class Example:
    """A document with its suggestions.

    Attributes
    ----------
    text : str
        Text of the document, or a stand-in where only features are known.
    suggestions : tuple of Suggested
        By falling score.
    missed : tuple of (str, str)
        Label and name of the true labels that are not among the suggestions.
    """

    text: str
    suggestions: tuple[Suggested, ...]
    missed: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class LabelRow:
    """How one label fared: documents that have it, and how often it was rightly suggested.

    Attributes
    ----------
    label, name : str
        Identifier and human-readable name.
    n_training : int
        Training documents with the label.
    n_true, n_predicted, n_correct : int
        Evaluated documents that have it, that had it suggested, and both.
    """

    label: str
    name: str
    n_training: int
    n_true: int
    n_predicted: int
    n_correct: int

    @property
    def recall(self) -> float:
        """Share of true occurrences that were suggested; NaN if there is none."""
        return self.n_correct / self.n_true if self.n_true else math.nan


@dataclass(frozen=True)
class RunReport:
    """Everything that the page of a run shows.

    Attributes
    ----------
    title : str
        Name of the corpus.
    evaluation : mapping
        What `Evaluation.to_dict` gives: `metrics`, `by_frequency` and `counts`, as fractions.
    curves : mapping of str to sequence
        What `larix.xmc.metrics.curves` gives: `k`, `P`, `R`, `nDCG`, ...
    frequency_bins : sequence of FrequencyBin
        Quality by training frequency.
    k : int
        Cut-off of the frequency bins and of the worst labels.
    cluster_sizes : sequence of int
        Number of labels in each cluster.
    stage_seconds : mapping of str to float
        Wall-clock seconds of each stage.
    corpus, parameters, versions : mapping
        Facts, parameters (may be nested) and versions, shown as they are.
    worst_labels : sequence of LabelRow
        Labels with the most missed occurrences.
    right, wrong : sequence of Example
        Documents whose first suggestion is right, and is wrong.
    reliability : mapping or None
        What `larix.xmc.reliability.Reliability.to_dict` gives for the first `k` suggestions; None where
        scores are no probabilities.
    explained : sequence of mapping
        Examples whose first suggestion is explained: `text`, `correct`, and what
        `larix.serving.suggester.Suggester.explain` gives.
    disentanglement : mapping or None
        `plain` and `disentangled`, each with `metrics`, `inner_products`, `beam_size`, `slots_per_label` and
        `size_mb`, and `sense_recall` and `sense_separation` where senses are known; `rounds`, such a mapping
        for each on held-out documents; `metric`, which decided on them. None where labels live in one cluster
        each.
    disentangled_labels : sequence of mapping
        Labels in each of their clusters: `label`, `name` and `clusters`, each with `cluster`, `gain`,
        `neighbours`, `features` and `documents`.
    made : str
        When the run was made, in words; nothing is shown for an empty one.
    """

    title: str
    evaluation: Mapping[str, Any]
    curves: Mapping[str, Sequence[float]]
    frequency_bins: Sequence[FrequencyBin]
    k: int
    cluster_sizes: Sequence[int]
    stage_seconds: Mapping[str, float]
    corpus: Mapping[str, Any] = field(default_factory=dict)
    parameters: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, Any] = field(default_factory=dict)
    worst_labels: Sequence[LabelRow] = ()
    right: Sequence[Example] = ()
    wrong: Sequence[Example] = ()
    reliability: Mapping[str, Any] | None = None
    explained: Sequence[Mapping[str, Any]] = ()
    disentanglement: Mapping[str, Any] | None = None
    disentangled_labels: Sequence[Mapping[str, Any]] = ()
    made: str = ""


@dataclass(frozen=True)
class MetricsRow:
    """A line of the metrics table: one group of labels.

    Attributes
    ----------
    name : str
        `"all"`, `"head"`, `"torso"` or `"tail"`.
    n_labels, n_true : int or None
        Labels of the group, and their true occurrences.
    values : tuple of (float or None)
        One fraction for each column; None where it is undefined.
    """

    name: str
    n_labels: int | None
    n_true: int | None
    values: tuple[float | None, ...]


def headline_columns(metrics: Mapping[str, Any]) -> list[str]:
    """The metrics worth a column: every P and R, and the last cut-off of nDCG and PSP."""
    cutoffs: dict[str, list[int]] = {}
    for key in metrics:
        name, _, k = key.partition("@")
        if k.isdigit():
            cutoffs.setdefault(name, []).append(int(k))
    columns = [f"P@{k}" for k in sorted(cutoffs.get("P", []))]
    columns += [f"{name}@{max(cutoffs[name])}" for name in ("nDCG", "PSP") if name in cutoffs]
    return columns + [f"R@{k}" for k in sorted(cutoffs.get("R", []))]


def metrics_rows(evaluation: Mapping[str, Any], columns: Sequence[str]) -> list[MetricsRow]:
    """Lines of the metrics table: all labels, then head, torso and tail as far as they are there."""
    counts = evaluation.get("counts", {})
    groups = {"all": evaluation["metrics"], **evaluation.get("by_frequency", {})}
    rows = []
    for name in ("all", *BANDS):
        if name in groups:
            prefix = "" if name == "all" else f"{name}_"
            rows.append(
                MetricsRow(
                    name=name,
                    n_labels=counts.get(f"{prefix}labels"),
                    n_true=counts.get(f"{prefix}true_occurrences"),
                    values=tuple(groups[name].get(column) for column in columns),
                )
            )
    return rows


def percent(value: float | None, digits: int = 2) -> str:
    """A fraction in percent without the sign, or a dash where it is undefined."""
    return "–" if value is None or math.isnan(value) else f"{100 * value:.{digits}f}"


def points(difference: float | None, digits: int = 2) -> str:
    """A difference of fractions in percentage points with its sign, or a dash where it is undefined."""
    return "–" if difference is None or math.isnan(difference) else f"{100 * difference:+.{digits}f}"


def score_text(score: float) -> str:
    """A score with three decimals; one too small for them is told from zero."""
    if 0 < abs(score) < 0.0005:
        return "<0.001" if score > 0 else ">-0.001"
    return f"{score:.3f}"


def dotted(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Nested parameters as dotted names with their values."""
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from dotted(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def words(key: str) -> str:
    """A key of a record as words: `n_train` becomes "train", `label_indexing` "label indexing"."""
    return key.removeprefix("n_").replace("_", " ")


def fact(value: Any) -> str:
    """A value as a reader expects it: separators between thousands, few digits, words for truth."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return "–" if math.isnan(value) else f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"
    return "–" if value is None else str(value)
