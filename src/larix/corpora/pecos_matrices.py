"""Matrices of PECOS: features X.npz (n x D) and labels Y.npz (n x L) whose rows are the same documents."""

from pathlib import Path

from larix.corpora.documents import Documents, feature_documents
from larix.corpora.format_error import CorpusFormatError
from larix.corpora.npz_matrix import read_npz_matrix
from larix.corpora.oddities import Oddities
from larix.corpora.sparse_rows import require_plausible_labels


def read_pecos_matrices(
    features_path: Path, labels_path: Path, *, like: Documents | None = None
) -> Documents:
    """Read a pair of matrices; stored values of the label matrix are relevance.

    Parameters
    ----------
    features_path, labels_path : Path
        Files in the format of `scipy.sparse.save_npz`.
    like : Documents, optional
        Documents with which these must agree on D and L.

    Raises
    ------
    CorpusFormatError
        If a matrix breaks a rule or the two don't belong together.
    """
    odd_features, odd_labels = Oddities(), Oddities()
    features = read_npz_matrix(features_path, odd_features)
    labels = read_npz_matrix(labels_path, odd_labels, allow_negative=False)
    _require(labels_path, 0, labels.shape[0], features.shape[0], f"rows, as {features_path.name} has")
    if like is not None:
        _require(
            features_path, 1, features.shape[1], like.features.shape[1], "columns, as the training file has"
        )
        _require(labels_path, 1, labels.shape[1], like.labels.shape[1], "columns, as the training file has")
    require_plausible_labels(labels_path, labels.shape[1], labels.nnz, line="shape", column=1)
    odd_features.log(features_path)
    odd_labels.log(labels_path)
    return feature_documents(features, labels, Oddities(odd_features + odd_labels))


def _require(path: Path, axis: int, found: int, wanted: int, what: str) -> None:
    if found != wanted:
        raise CorpusFormatError(
            path,
            "shape",
            axis,
            rule=f"the matrix has {wanted} {what}",
            found=str(found),
            remedy="take files that belong together",
        )
