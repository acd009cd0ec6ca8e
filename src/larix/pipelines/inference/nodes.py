"""Suggest labels for new texts."""

from dataclasses import dataclass
from typing import Any

from larix.pipelines.stage_params import StageParams
from larix.serving.suggester import Suggester


@dataclass(frozen=True)
class InferenceParams(StageParams):
    """What is asked of the classifier.

    Parameters
    ----------
    top_k : int
        Labels for each text.
    """

    top_k: int = 5

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.top_k < 1:
            raise ValueError(f"top_k must be at least 1, but is {self.top_k}")


def suggest(classifier: Suggester, new_texts: list[str], params: InferenceParams) -> list[dict[str, Any]]:
    """One row for every suggested label, best first."""
    suggestions = classifier.suggest(new_texts, top_k=params.top_k)
    return [
        {"text": text, "rank": rank, "label": found.label, "name": found.name, "score": round(found.score, 6)}
        for text, row in zip(new_texts, suggestions, strict=True)
        for rank, found in enumerate(row, start=1)
    ]
