"""What is told of labels that live in several clusters."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from larix.corpora import Corpus
from larix.xmc.label_clusters import SlotView
from larix.xmc.label_tree import LabelTree

_LETTERS = 120


def most_gained(tree: LabelTree, gain: NDArray[np.float32], n: int) -> list[int]:
    """The labels whose clusters beside the best one gain most, in that order."""
    best, total = np.zeros(tree.n_labels), np.zeros(tree.n_labels)
    np.maximum.at(best, tree.slot_label, gain)
    np.add.at(total, tree.slot_label, gain)
    order = np.argsort(best - total, kind="stable")[:n]
    return [label for label in order.tolist() if total[label] > best[label]]


def told_of_label(
    label: int, views: list[SlotView], corpus: Corpus, feature_names: list[str] | None
) -> dict[str, Any]:
    """A label in each of its clusters, in words."""
    texts = corpus.train.texts or corpus.train.ids

    def feature(number: int) -> str:
        return str(number) if feature_names is None else feature_names[number]

    clusters = [
        {
            "cluster": view.cluster,
            "gain": view.gain,
            "neighbours": [corpus.label_names[label] for label in view.neighbours],
            "features": [feature(number) for number, _ in view.features],
            "documents": [texts[row][:_LETTERS] for row in view.documents],
        }
        for view in views
    ]
    return {"label": corpus.label_ids[label], "name": corpus.label_names[label], "clusters": clusters}
