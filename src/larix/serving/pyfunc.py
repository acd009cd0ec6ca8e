"""A classifier as MLflow loads it: texts in, names and scores out.

MLflow's record of a model names this module and the folder of the classifier, which it copies as it is. So
nothing is pickled, and reading it back runs no code but that of larix.
"""

from collections.abc import Mapping
from typing import Any

from larix.serving.suggester import Suggester

DEFAULT_TOP_K = 5


class TextClassifier:
    """What `mlflow.pyfunc.load_model` wraps.

    Parameters
    ----------
    classifier : Suggester
        Of texts.
    """

    def __init__(self, classifier: Suggester) -> None:
        self.classifier = classifier

    def predict(
        self, model_input: Any, params: Mapping[str, Any] | None = None
    ) -> list[list[dict[str, Any]]]:
        """The best labels of every text, best first, each with `label`, `name` and `score`.

        Parameters
        ----------
        model_input : pandas.DataFrame
            Texts in its first column; MLflow makes it of lists.
        params : mapping, optional
            `top_k` (5) and `threshold`, as `Suggester.suggest` takes them.
        """
        texts, given = model_input.iloc[:, 0].tolist(), params or {}
        suggested = self.classifier.suggest(
            texts, top_k=int(given.get("top_k", DEFAULT_TOP_K)), threshold=given.get("threshold")
        )
        return [[suggestion.to_dict() for suggestion in suggestions] for suggestions in suggested]


def _load_pyfunc(path: str) -> TextClassifier:
    """What MLflow calls by this name, with the folder of the classifier."""
    return TextClassifier(Suggester.load(path))
