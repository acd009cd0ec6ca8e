"""larix' text features."""

from typing import Any

from larix import TextFeatures
from larix.xmc.text_features import NgramParams, TextFeaturesParams

PARAMS = {
    "word 1-2": TextFeaturesParams(NgramParams(analyzer="word", shortest=1, longest=2), char=None),
    "char_wb 3-5": TextFeaturesParams(
        word=None, char=NgramParams(analyzer="char_wb", shortest=3, longest=5, min_df=2)
    ),
}


class Vectorizer:
    """TF-IDF in threads."""

    def __init__(self, setting: str, n_threads: int) -> None:
        self.features = TextFeatures(PARAMS[setting], n_threads=n_threads)
        TextFeatures(PARAMS[setting], n_threads=n_threads).fit(["a few words", "a few others"]).transform(
            ["few"]
        )

    def fit_transform(self, texts: list[str]) -> Any:
        """Learn the vocabulary, weigh the training texts."""
        return self.features.fit_transform(texts)

    def transform(self, texts: list[str]) -> Any:
        """Weigh other texts."""
        return self.features.transform(texts)
