"""Divide documents into training and test documents, and find those that stand in both."""

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from larix.corpora.documents import Documents


def random_split(
    n_documents: int, test_fraction: float, random_state: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows of a random training and test part, each in rising order.

    The test part has `round(test_fraction * n_documents)` rows, but at least one if `test_fraction` is not 0,
    and it leaves at least one for training.
    """
    n_test = max(round(test_fraction * n_documents), int(test_fraction > 0))
    n_test = min(n_test, max(n_documents - 1, 0))
    order = np.random.default_rng(random_state).permutation(n_documents)
    return np.sort(order[n_test:]), np.sort(order[:n_test])


def repeats_training(train: Documents, test: Documents) -> NDArray[np.bool_]:
    """Tell for every test document whether its text (or its row of features) is that of a training document.

    Texts are compared word for word. Empty documents repeat nothing.
    """
    if test.texts is not None and train.texts is not None:
        return repeated_texts(train.texts, test.texts)
    return repeated_rows(train.features, test.features)


def repeated_texts(train: list[str], test: list[str]) -> NDArray[np.bool_]:
    """Tell for every test text whether it is also a training text; white space around it does not count."""
    known = {text.strip() for text in train} - {""}
    return np.fromiter((text.strip() in known for text in test), bool, len(test))


def repeated_rows(train: Any, test: Any) -> NDArray[np.bool_]:
    """Tell for every row of a canonical CSR matrix whether it is also a row of another one."""
    known = set(row_keys(train)) - {b""}
    return np.fromiter((key in known for key in row_keys(test)), bool, test.shape[0])


def row_keys(X: Any) -> list[bytes]:
    """Bytes that are equal for equal rows of a canonical CSR matrix only; none for a row without entries."""
    bounds = X.indptr.tolist()
    return [
        X.indices[begin:end].astype(np.int32).tobytes() + X.data[begin:end].tobytes()
        for begin, end in pairwise(bounds)
    ]
