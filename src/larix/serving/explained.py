"""Why a classifier suggests a label: the tree's reasons, the votes of documents, and the nearest of them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from larix.xmc.ensemble import Ensemble
from larix.xmc.explanation import explain
from larix.xmc.matrix import leading_columns

if TYPE_CHECKING:
    from larix.serving.classifier import Classifier, Suggestion
    from larix.serving.suggester import Suggester

_RANKS_SEARCHED = 100
_KNOWN = ("label", "name", "score")


def reasons(
    classifier: "Classifier", document: str, suggestions: Sequence["Suggestion"]
) -> list[dict[str, Any]]:
    """Why each of a document's suggestions was made.

    Parameters
    ----------
    classifier : Classifier
    document : str
    suggestions : sequence of Suggestion

    Returns
    -------
    list of dict
        What `Classifier.explain` tells of each suggestion beyond `label`, `name` and `score`.
    """
    if not suggestions:
        return []
    told = classifier.explain(document, labels=[suggested.label for suggested in suggestions])
    return [{key: value for key, value in entry.items() if key not in _KNOWN} for entry in told]


def with_reasons(
    classifier: "Classifier", document: str, suggestions: Sequence["Suggestion"]
) -> list[dict[str, Any]]:
    """A document's suggestions as plain values, each with `why`, the `reasons` for it."""
    told = reasons(classifier, document, suggestions)
    return [suggested.to_dict() | {"why": why} for suggested, why in zip(suggestions, told, strict=True)]


def explain_suggestions(
    suggester: "Suggester",
    document: Any,
    *,
    labels: Sequence[str] | None = None,
    top_k: int = 1,
    n_features: int = 8,
    n_nearest: int = 3,
) -> list[dict[str, Any]]:
    """Explain the labels suggested for one document, or labels one asks about.

    Parameters
    ----------
    suggester : Suggester
    document : str, or matrix 1 x D
    labels : sequence of str, optional
        Identifiers of labels to explain, suggested or not.
    top_k : int
        Suggestions explained if no labels are given.
    n_features : int
        Features told one by one at each level.
    n_nearest : int
        Training documents of the label told, if the classifier has a memory.

    Returns
    -------
    list of dict
        For each label: `label`, `name`, `score` as suggested (None beyond the first hundred), `trees` (for
        each, see `larix.xmc.explanation.Explanation.to_dict`), `rule` (how the scores of several trees become
        one; None for one tree), `votes` (share of the memory's votes and its weight; None without a memory)
        and `nearest` (documents and cosines).

    Raises
    ------
    ValueError
        If the classifier doesn't know a label.
    """
    x = suggester.rows([document] if isinstance(document, str) else document)
    P = suggester.predict(x, top_k=top_k if labels is None else _RANKS_SEARCHED)
    scores = dict(zip(P.indices.tolist(), P.data.tolist(), strict=True))
    numbers = list(scores) if labels is None else [suggester.number_of(label) for label in labels]
    model, memory = suggester.model, suggester.refinement.memory
    trees = model.models_ if isinstance(model, Ensemble) else [model]
    own = leading_columns(x, model.n_features_in_)  # the memory may read further ones
    votes = None if memory is None else memory.predict(x)
    found = []
    for number in numbers:
        told = [explain(tree, own, number) for tree in trees]
        names = {"feature_names": suggester.feature_names, "label_names": suggester.label_names}
        plain = [tree.to_dict(n_features=n_features, **names) for tree in told]
        entry = {
            "label": suggester.label_ids[number],
            "name": suggester.label_names[number],
            "score": scores.get(number),
            "trees": [{key: tree[key] for key in ("score", "rank", "paths")} for tree in plain],
            "rule": model.rule if isinstance(model, Ensemble) else None,
            "votes": None,
            "nearest": [],
        }
        if memory is not None and votes is not None:
            entry["votes"] = {"share": float(votes[0, number]), "weight": memory.weight}
            entry["nearest"] = [
                {"document": memory.names_[row], "cosine": cosine}
                for row, cosine in memory.nearest_of_label(x, number, n_nearest)
            ]
        found.append(entry)
    return found
