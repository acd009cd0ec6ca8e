"""One module for each competitor, with a class `Adapter`; and one for each vectorizer, with `vectorize`.

An adapter is made in a fresh process of the competitor's environment, trains or loads, and predicts.
"""

from pathlib import Path
from typing import Any, Protocol


class ModelAdapter(Protocol):
    """What a stage asks of a competitor."""

    def __init__(self, n_threads: int) -> None:
        """Only keep the number of threads."""

    def warm_up(self) -> None:
        """Load compiled code, so that it isn't measured; a cold start skips this."""

    def prepare(self, matrices: Path, work: Path, /) -> None:
        """Convert the training data to the form the library reads; not measured."""

    def fit(self, X: Any, Y: Any, seed: int, /) -> dict[str, float]:
        """Train, the tree by this seed; return seconds of parts."""

    def save(self, folder: Path) -> None:
        """Write the model."""

    def load(self, folder: Path) -> None:
        """Read it."""

    def use_threads(self, n_threads: int) -> None:
        """Predict with so many from now on."""

    def predict(self, X: Any, top_k: int) -> Any:
        """Scores of a batch, sparse N x L."""

    def row(self, x: Any) -> Any:
        """A row (sparse 1 x D) in the form that `predict_one` takes; not measured."""

    def predict_one(self, row: Any, top_k: int) -> Any:
        """Best labels of one row, in whatever form the library gives them."""
