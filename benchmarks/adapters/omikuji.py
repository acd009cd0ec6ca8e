"""omikuji through its Python interface, which predicts one row at a time."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import omikuji

from benchmarks.adapters.rows import sparse_rows
from benchmarks.matrices import read_part

BEAM = 10
DENSITY = 0.1
"""Above it weights are kept dense, as its own command does before it predicts."""
_NUMBER_OF_LABELS = "n_labels.txt"


class Adapter:
    """A forest of label trees at its default parameters, which are Parabel's."""

    def __init__(self, n_threads: int) -> None:
        self.n_threads = n_threads

    def warm_up(self) -> None:
        """Nothing to do: its library is loaded when it is imported."""

    def prepare(self, matrices: Path, work: Path) -> None:
        """Write the text file that it trains on; it reads that within `fit`."""
        X, Y = read_part(matrices, "train")
        self.path = work / "train.txt"
        with self.path.open("w", encoding="ascii") as file:
            file.write(f"{X.shape[0]} {X.shape[1]} {Y.shape[1]}\n")
            for i in range(X.shape[0]):
                labels = ",".join(map(str, Y.indices[Y.indptr[i] : Y.indptr[i + 1]]))
                features = " ".join(f"{feature}:{value:.7g}" for feature, value in self.row(X[[i]]))
                file.write(f"{labels} {features}\n")

    def fit(self, _X: Any, Y: Any, _seed: int) -> dict[str, float]:
        """Read the text file and train."""
        self.n_labels = Y.shape[1]
        self.model = omikuji.Model.train_on_data(str(self.path), n_threads=self.n_threads)
        self.path.unlink()
        return {}

    def save(self, folder: Path) -> None:
        """Write the model folder."""
        self.model.save(str(folder))
        (folder / _NUMBER_OF_LABELS).write_text(str(self.n_labels))

    def load(self, folder: Path) -> None:
        """Read it and spread out weights."""
        self.model = omikuji.Model.load(str(folder))
        self.model.densify_weights(DENSITY, n_threads=self.n_threads)
        self.n_labels = int((folder / _NUMBER_OF_LABELS).read_text())

    def use_threads(self, n_threads: int) -> None:
        """Threads of a batch; a row has one for its trees."""
        self.n_threads = n_threads
        self.model.init_prediction_thread_pool(1)

    def predict(self, X: Any, top_k: int) -> Any:
        """Scores of a batch, row after row in threads."""
        with ThreadPoolExecutor(self.n_threads) as pool:
            found: Iterable[Any] = pool.map(
                lambda i: self.predict_one(self.row(X[[i]]), top_k), range(X.shape[0]), chunksize=64
            )
            return sparse_rows(found, self.n_labels)

    def row(self, x: Any) -> Any:
        """Pairs of feature and value."""
        return list(zip(x.indices.tolist(), np.asarray(x.data).tolist(), strict=True))

    def predict_one(self, row: Any, top_k: int) -> Any:
        """Pairs of label and score."""
        return self.model.predict(row, beam_size=BEAM, top_k=top_k)
