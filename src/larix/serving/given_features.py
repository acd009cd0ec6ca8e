"""The place of a vectorizer where documents come as feature rows."""

from pathlib import Path
from typing import Any, Self

from larix.xmc.persistence import load_folder, save_folder
from larix.xmc.sparse import CSR, check_csr, normalize_rows


class GivenFeatures:
    """Takes feature rows as they are given, checks them, and normalises them if asked to.

    Parameters
    ----------
    n_features : int
        D, the number of columns that rows must have.
    normalize : bool, default False
        Divide every row by its l2 norm.
    """

    def __init__(self, n_features: int, *, normalize: bool = False) -> None:
        self.n_features_ = n_features
        self.normalize = normalize

    def transform(self, X: Any) -> CSR:
        """The rows in canonical form, N x D.

        Raises
        ------
        TypeError
            If texts are given.
        ValueError
            If the matrix is malformed or has another number of columns.
        """
        if isinstance(X, list | tuple) and any(isinstance(row, str) for row in X):
            raise TypeError(
                "this model was trained on given features, not on texts; "
                f"pass a matrix of {self.n_features_} columns"
            )
        X = check_csr(X, n_columns=self.n_features_)
        return normalize_rows(X) if self.normalize else X

    def save(self, path: Path | str) -> None:
        """Write it as a model folder."""
        metadata = {"n_features": self.n_features_, "normalize": self.normalize}
        save_folder(path, kind="GivenFeatures", metadata=metadata)

    @classmethod
    def load(cls, path: Path | str, *, verify: bool = True) -> Self:
        """Read what `save` wrote."""
        metadata = load_folder(path, kind="GivenFeatures", verify=verify).metadata
        return cls(metadata["n_features"], normalize=metadata["normalize"])
