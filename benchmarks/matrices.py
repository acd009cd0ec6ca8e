"""A corpus as four sparse matrices, on disk as a folder that every competitor can read."""

import json
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import csr_array, load_npz, save_npz

DESCRIPTION = "description.json"


@dataclass(frozen=True)
class Matrices:
    """X is N x D, Y is N x L; float32 with sorted indices."""

    X_train: csr_array
    Y_train: csr_array
    X_test: csr_array
    Y_test: csr_array

    def without_unseen_labels(self) -> "Matrices":
        """Drop labels without a training document, and then documents without a label."""
        seen = np.flatnonzero(np.bincount(self.Y_train.indices, minlength=self.Y_train.shape[1]))
        parts = []
        for X, Y in ((self.X_train, self.Y_train), (self.X_test, self.Y_test)):
            Y = Y[:, seen]
            labelled = np.flatnonzero(np.diff(Y.indptr))
            parts += [_canonical(X[labelled]), _canonical(Y[labelled])]
        return Matrices(*parts)

    def description(self) -> dict[str, Any]:
        """Sizes."""
        return {
            "n_train": self.X_train.shape[0],
            "n_test": self.X_test.shape[0],
            "n_features": self.X_train.shape[1],
            "n_labels": self.Y_train.shape[1],
            "features_per_document": self.X_train.nnz / self.X_train.shape[0],
            "labels_per_document": self.Y_train.nnz / self.Y_train.shape[0],
            "documents_per_label": self.Y_train.nnz / self.Y_train.shape[1],
        }

    def save(self, folder: Path, made_from: dict[str, Any]) -> None:
        """Write the folder; its description last, which says that it is whole."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / DESCRIPTION).unlink(missing_ok=True)
        for field in fields(self):
            save_npz(folder / f"{field.name}.npz", getattr(self, field.name), compressed=False)
        text = json.dumps({**self.description(), "made_from": made_from}, indent=1)
        (folder / DESCRIPTION).write_text(text, encoding="utf-8")


def read_description(folder: Path) -> dict[str, Any] | None:
    """Sizes and origin of a whole folder; None if there is none."""
    path = folder / DESCRIPTION
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def read_part(folder: Path, part: str) -> tuple[csr_array, csr_array]:
    """X and Y of "train" or "test"."""
    X, Y = (csr_array(load_npz(folder / f"{name}_{part}.npz")) for name in "XY")
    for matrix in (X, Y):  # as scipy has them where they fit
        matrix.indices, matrix.indptr = matrix.indices.astype(np.int32), matrix.indptr.astype(np.int32)
    return X, Y


def _canonical(matrix: csr_array) -> csr_array:
    matrix = csr_array(matrix, dtype=np.float32)
    matrix.sort_indices()
    return matrix
