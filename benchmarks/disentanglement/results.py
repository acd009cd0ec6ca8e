"""The figures of the study, on disk: for a row and a seed a file of figures and one of gains by document."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.disentanglement.measures import METRICS, Shares
from benchmarks.results import REPOSITORY

FOLDER = REPOSITORY / "data" / "08_reporting" / "disentanglement"


@dataclass(frozen=True)
class Study:
    """One corpus with one kind of features.

    Parameters
    ----------
    corpus, features : str
    held_out : bool
        About training documents that were held out instead of test documents.
    root : Path
    """

    corpus: str
    features: str = "words"
    held_out: bool = False
    root: Path = FOLDER

    @property
    def folder(self) -> Path:
        """Where its results are."""
        return self.root / "-".join((self.corpus, self.features, *["held-out"] * self.held_out))

    def has(self, row: str, seed: int) -> bool:
        """Whether a row was measured."""
        return self._path(row, seed, "json").exists()

    def save(self, row: str, seed: int, figures: dict[str, Any], shares: Shares) -> None:
        """Keep a row; its figures last, which say that it is whole."""
        self.folder.mkdir(parents=True, exist_ok=True)
        arrays = {name: np.stack(shares[name]).astype(np.float32) for name in METRICS}
        np.savez_compressed(self._path(row, seed, "npz"), **arrays)
        self._path(row, seed, "json").write_text(json.dumps(figures, indent=1), encoding="utf-8")

    def save_description(self, description: dict[str, Any]) -> None:
        """Keep the corpus' sizes."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "corpus.json").write_text(json.dumps(description, indent=1), encoding="utf-8")

    def description(self) -> dict[str, Any] | None:
        """Sizes of the corpus; None if nothing was measured."""
        path = self.folder / "corpus.json"
        return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None

    def seeds(self, row: str) -> list[int]:
        """Seeds with which a row was measured, rising."""
        return sorted(int(path.stem.rsplit(".", 1)[1]) for path in self.folder.glob(f"{row}.*.json"))

    def figures(self, row: str, seed: int) -> dict[str, Any]:
        """Figures of a row."""
        figures: dict[str, Any] = json.loads(self._path(row, seed, "json").read_text(encoding="utf-8"))
        return figures

    def shares(self, row: str, seed: int) -> Shares:
        """Gains by document of a row."""
        with np.load(self._path(row, seed, "npz")) as arrays:
            return {name: (arrays[name][0].astype(float), arrays[name][1].astype(float)) for name in METRICS}

    def _path(self, row: str, seed: int, suffix: str) -> Path:
        return self.folder / f"{row}.{seed}.{suffix}"
