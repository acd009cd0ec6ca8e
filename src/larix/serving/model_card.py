"""The model card that lies in a classifier's folder: what it was trained on, how well it does, with what."""

import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any

import larix

CARD = "MODEL_CARD.md"
"""Name of the card within a classifier's folder."""

_PACKAGES = ("numpy", "scipy", "scikit-learn", "numba")
_BANDS = ("all labels", "head", "torso", "tail")


def _versions() -> dict[str, str]:
    packages = {package: version(package) for package in _PACKAGES}
    return {"larix": larix.__version__, "python": platform.python_version(), **packages}


@dataclass(frozen=True)
class ModelCard:
    """Facts about a classifier, as plain values.

    Parameters
    ----------
    corpus : dict
        The corpus' summary: `name`, `n_train`, `n_test`, `n_labels`, ...
    metrics : dict
        `metrics` and `by_frequency` as `larix.xmc.metrics.Evaluation.to_dict` gives them; empty if unknown.
    parameters : dict
        Parameters by stage.
    versions : dict of str to str
        Of Python and packages, at training.
    """

    corpus: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, Any] = field(default_factory=dict)
    parameters: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=_versions)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for the folder's manifest."""
        return {
            "corpus": dict(self.corpus),
            "metrics": dict(self.metrics),
            "parameters": dict(self.parameters),
            "versions": dict(self.versions),
        }

    def to_markdown(self) -> str:
        """The card as a Markdown page."""
        name = self.corpus.get("name", "an unnamed corpus")
        sections = [
            f"# Model card: extreme multi-label classifier for {name}",
            "Trained with larix (label tree, linear one-vs-rest models, beam search). It takes texts, or the "
            "feature rows it was trained on, and gives labels with names and scores. " + self._meaning(),
            _bullets("Corpus", self.corpus),
            self._metrics_table(),
            _bullets("Parameters", _flat(self.parameters)),
            _bullets("Versions", self.versions),
        ]
        return "\n\n".join(section for section in sections if section) + "\n"

    def _meaning(self) -> str:
        """What a score is."""
        if (self.parameters.get("refinement") or {}).get("calibration"):
            return (
                "Scores are probabilities of being right, calibrated on held-out training documents; they "
                "hold for documents like those."
            )
        return "Scores rank labels and are not calibrated probabilities."

    def _metrics_table(self) -> str:
        if not self.metrics:
            return ""
        columns = [self.metrics["metrics"], *(self.metrics["by_frequency"][band] for band in _BANDS[1:])]
        rows = [f"| metric | {' | '.join(_BANDS)} |", "|---|" + "---:|" * len(_BANDS)]
        rows += [
            f"| {name} | {' | '.join(_percent(column[name]) for column in columns)} |" for name in columns[0]
        ]
        note = (
            "Percent, on the test documents. "
            "Head, torso and tail labels hold a third of the training occurrences each."
        )
        return "\n".join(["## Metrics", "", note, "", *rows])


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.2f}"


def _bullets(title: str, values: Mapping[str, Any]) -> str:
    lines = [f"- {name}: {_words(value)}" for name, value in values.items()]
    return "\n".join([f"## {title}", "", *lines]) if lines else ""


def _words(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in values.items():
        inner = isinstance(value, Mapping) and value
        flat |= _flat(value, f"{prefix}{name}.") if inner else {f"{prefix}{name}": value}
    return flat
