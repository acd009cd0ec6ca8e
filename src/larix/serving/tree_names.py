"""What the nodes of a classifier's label tree are called."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from larix.xmc.text_features import TextFeatures
from larix.xmc.tree_export import TreeNames
from larix.xmc.tree_keywords import tree_keywords

if TYPE_CHECKING:
    from larix.serving.suggester import Suggester


def tree_names(classifier: "Suggester", n_keywords: int = 3) -> TreeNames:
    """Identifiers and names of labels, and for nodes the words that tell their labels' names from others'.

    A classifier of given features knows no words, and its nodes have no keywords.
    """
    keywords = None
    features = getattr(classifier.features, "text_features", classifier.features)  # without an embedding
    if n_keywords and isinstance(features, TextFeatures):
        Z = features.transform(classifier.label_names)
        words = _words(features.feature_names())
        keywords = tree_keywords(classifier.model.tree_, Z, words, n_keywords)
    return TreeNames(classifier.label_ids, classifier.label_names, keywords)


def _words(feature_names: Sequence[str]) -> list[str]:
    """Single words as they are, everything else as nothing."""
    return [name if name.isalnum() else "" for name in feature_names]
