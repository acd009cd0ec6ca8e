"""The content of a comparison of two runs, as plain values."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from larix.reporting.content import Example
from larix.xmc.label_quality import FrequencyBin
from larix.xmc.paired_bootstrap import PairedDifference


@dataclass(frozen=True)
class ComparedRun:
    """One of the two runs.

    Attributes
    ----------
    version, environment, model : str
        Save version, Kedro environment, kind of classifier.
    seconds, cpu_seconds, size_mb : float
    """

    version: str
    environment: str
    model: str
    seconds: float
    cpu_seconds: float
    size_mb: float


@dataclass(frozen=True)
class LabelChange:
    """A label that one run found in more documents than the other.

    Attributes
    ----------
    label, name : str
        Identifier and human-readable name.
    n_training, n_true : int
        Training documents with the label, and test documents.
    first, second : int
        Test documents with the label in which each run found it.
    """

    label: str
    name: str
    n_training: int
    n_true: int
    first: int
    second: int


@dataclass(frozen=True)
class ChangedExample:
    """A document for which two runs suggest other labels.

    Attributes
    ----------
    labels : tuple of (str, str)
        Identifier and name of its true labels.
    first, second : Example
        The document with the suggestions of each run.
    """

    labels: tuple[tuple[str, str], ...]
    first: Example
    second: Example

    @property
    def text(self) -> str:
        """Text of the document."""
        return self.first.text


@dataclass(frozen=True)
class Occurrences:
    """True (document, label) pairs by who suggests them: both runs, one of them, or neither."""

    both: int
    first: int
    second: int
    neither: int


@dataclass(frozen=True)
class RunComparison:
    """Everything that is told about two runs on the same test documents.

    Attributes
    ----------
    title : str
        Name of the corpus.
    n_documents : int
        Test documents.
    first, second : ComparedRun
    metrics : mapping of str to PairedDifference
    k : int
        How many suggestions count for `occurrences`, `frequency_bins`, labels and examples.
    occurrences : Occurrences
    frequency_bins : pair of sequences of FrequencyBin
        Quality of each run by training frequency.
    won, lost : sequence of LabelChange
        Labels that the second run found more often, and less often; those that changed most.
    n_won, n_lost : int
        How many there are of each.
    better, worse : sequence of ChangedExample
        Documents for which the second run's suggestions are better, and worse; those that changed most.
    n_better, n_worse : int
    parameters : sequence of (str, Any, Any)
        Name and both values of parameters in which the runs differ.
    """

    title: str
    n_documents: int
    first: ComparedRun
    second: ComparedRun
    metrics: Mapping[str, PairedDifference]
    k: int
    occurrences: Occurrences
    frequency_bins: tuple[Sequence[FrequencyBin], Sequence[FrequencyBin]]
    won: Sequence[LabelChange]
    lost: Sequence[LabelChange]
    n_won: int
    n_lost: int
    better: Sequence[ChangedExample]
    worse: Sequence[ChangedExample]
    n_better: int
    n_worse: int
    parameters: Sequence[tuple[str, Any, Any]]

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self) | {"metrics": {name: found.to_dict() for name, found in self.metrics.items()}}
