"""napkinXC's probabilistic label tree."""

from pathlib import Path
from typing import Any

from napkinxc.models import PLT
from scipy.sparse import csr_matrix

from benchmarks.adapters.rows import sparse_rows

_NUMBER_OF_LABELS = "n_labels.txt"


class Adapter:
    """One tree at its default parameters."""

    def __init__(self, n_threads: int) -> None:
        self.n_threads = n_threads

    def warm_up(self) -> None:
        """Nothing to do: its library is loaded when it is imported."""

    def prepare(self, _matrices: Path, work: Path) -> None:
        """It writes its model while it trains."""
        self.folder = work / "model"
        self.folder.mkdir()

    def fit(self, X: Any, Y: Any, seed: int) -> dict[str, float]:
        """Train and write."""
        self.n_labels = Y.shape[1]
        PLT(str(self.folder), seed=seed, threads=self.n_threads).fit(csr_matrix(X), csr_matrix(Y))
        return {}

    def save(self, folder: Path) -> None:
        """What is left to write."""
        (folder / _NUMBER_OF_LABELS).write_text(str(self.n_labels))

    def load(self, folder: Path) -> None:
        """Read the model folder."""
        self.n_labels = int((folder / _NUMBER_OF_LABELS).read_text())
        self.model = PLT(str(folder), seed=0, threads=self.n_threads)
        self.model.load()

    def use_threads(self, n_threads: int) -> None:
        """Threads of prediction."""
        self.model.set_params(threads=n_threads)

    def predict(self, X: Any, top_k: int) -> Any:
        """Probabilities of a batch."""
        return sparse_rows(self.model.predict_proba(csr_matrix(X), top_k=top_k), self.n_labels)

    def row(self, x: Any) -> Any:
        """The class of matrix it takes."""
        return csr_matrix(x)

    def predict_one(self, row: Any, top_k: int) -> Any:
        """Pairs of label and probability."""
        return self.model.predict_proba(row, top_k=top_k)
