"""scikit-learn's TfidfVectorizer at the settings of `larix_text`; it works in one thread."""

from typing import Any

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer

PARAMS: dict[str, dict[str, Any]] = {
    "word 1-2": {"analyzer": "word", "ngram_range": (1, 2), "min_df": 1},
    "char_wb 3-5": {"analyzer": "char_wb", "ngram_range": (3, 5), "min_df": 2},
}


class Vectorizer:
    """TF-IDF."""

    def __init__(self, setting: str, n_threads: int) -> None:
        del n_threads
        self.features = TfidfVectorizer(sublinear_tf=True, dtype=np.float32, **PARAMS[setting])

    def fit_transform(self, texts: list[str]) -> Any:
        """Learn the vocabulary, weigh the training texts."""
        return self.features.fit_transform(texts)

    def transform(self, texts: list[str]) -> Any:
        """Weigh other texts."""
        return self.features.transform(texts)
