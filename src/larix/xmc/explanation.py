"""Why this label? The path through the tree, and what each feature added to the margins on it.

A label's score is made on the way from the root to its slot: at every level the margin of the path's node,

    s = bias w_b + sum_f x_f w_f,

is transformed by the level's post-processor and combined with the value above it. Features' contributions
x_f w_f and that of the bias add up to the margin, so that they tell why the node was taken or left.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from larix.xmc.document_memory import DocumentMemory
from larix.xmc.sparse import check_csr
from larix.xmc.traced_search import TracedSearch
from larix.xmc.xr_linear import XRLinear

_EXAMPLES = 3


@dataclass(frozen=True)
class Contribution:
    """What one feature adds to a margin."""

    feature: int
    value: float
    weight: float

    @property
    def amount(self) -> float:
        """value * weight."""
        return self.value * self.weight


@dataclass(frozen=True)
class Step:
    """One node of a path.

    Attributes
    ----------
    level, node : int
        The node's place in the tree; level 0 are the root's children.
    margin : float
        The bias and all contributions together.
    bias : float
        What the constant feature adds.
    contributions : tuple of Contribution
        Of the features that the instance and the node's model share, the largest amounts first.
    factor : float
        The margin after the level's post-processor: a factor of the score, a summand of its logarithm, or
        with `noop` the margin itself.
    score : float
        Of the path so far.
    rank : int or None
        Place among the candidates of the level; None when the search had lost the path above.
    kept : bool
        Whether the search went on from here; of a slot, whether it was scored.
    n_labels : int
        Labels below the node, itself if it is a slot.
    labels : tuple of int
        A few of them: the best for this instance, or the first where the search didn't come.
    """

    level: int
    node: int
    margin: float
    bias: float
    contributions: tuple[Contribution, ...]
    factor: float
    score: float
    rank: int | None
    kept: bool
    n_labels: int
    labels: tuple[int, ...]


@dataclass(frozen=True)
class Path:
    """From the root to a slot of the label.

    Attributes
    ----------
    slot, cluster : int
    steps : tuple of Step
        Downwards, the slot last.
    wins : bool
        Whether no other slot of the label has a higher score, among those that the search found if any.
    """

    slot: int
    cluster: int
    steps: tuple[Step, ...]
    wins: bool

    @property
    def score(self) -> float:
        """Of the slot."""
        return self.steps[-1].score

    @property
    def found(self) -> bool:
        """Whether the search reached the slot."""
        return self.steps[-1].kept


@dataclass(frozen=True)
class Explanation:
    """Why a label has its score.

    Attributes
    ----------
    label : int
    score : float or None
        As the search gives it; None if no slot of the label was reached.
    rank : int or None
        Place among the labels that were scored.
    paths : tuple of Path
        One for each slot, the winning one first; none for a label without training documents.
    nearest : tuple of (document, cosine)
        The label's most similar training documents, if a memory was given.
    """

    label: int
    score: float | None
    rank: int | None
    paths: tuple[Path, ...]
    nearest: tuple[tuple[int, float], ...] = ()

    def to_dict(
        self,
        *,
        n_features: int = 10,
        feature_names: Sequence[str] | None = None,
        label_names: Sequence[str] | None = None,
    ) -> dict[str, Any]:
        """Plain values.

        Parameters
        ----------
        n_features : int
            Features told one by one at each step, those of the largest amounts; the others as one sum.
        feature_names, label_names : sequence of str, optional
            By default numbers. Features of one name, as those of an embedding, are told as their sum.
        """
        features, labels = _namer(feature_names), _namer(label_names)
        return {
            "label": labels(self.label),
            "score": self.score,
            "rank": self.rank,
            "paths": [
                {
                    "slot": path.slot,
                    "cluster": path.cluster,
                    "wins": path.wins,
                    "found": path.found,
                    "score": path.score,
                    "steps": [_plain_step(step, n_features, features, labels) for step in path.steps],
                }
                for path in self.paths
            ],
            "nearest": [{"document": document, "cosine": cosine} for document, cosine in self.nearest],
        }


def explain(
    model: XRLinear,
    x: Any,
    label: int,
    *,
    beam_size: int | None = None,
    memory: DocumentMemory | None = None,
    n_nearest: int = 3,
) -> Explanation:
    """Explain the score of a label for one instance.

    Parameters
    ----------
    model : XRLinear
    x : matrix, 1 x D
    label : int
    beam_size : int, optional
        Instead of that of the model's `search`.
    memory : DocumentMemory, optional
        Of the training documents.
    n_nearest : int
        Documents of the label to find in it.

    Raises
    ------
    ValueError
        For more than one instance, or a label that the model doesn't have.
    """
    tree = model.tree_
    x = check_csr(x, name="x", n_rows=1, n_columns=model.n_features_in_)
    if not 0 <= label < tree.n_labels:
        raise ValueError(f"label must lie in 0..{tree.n_labels - 1}, but is {label}")
    search = TracedSearch(model, x, beam_size or model.search.beam_size)
    ways = [_steps(search, slot) for slot in np.flatnonzero(tree.slot_label == label).tolist()]
    ways.sort(key=lambda steps: (not steps[-1].kept, -steps[-1].score))
    score, rank = search.score_and_rank(label)
    return Explanation(
        label,
        score,
        rank,
        tuple(
            Path(steps[-1].node, steps[-2].node if len(steps) > 1 else 0, steps, wins=place == 0)
            for place, steps in enumerate(ways)
        ),
        tuple(memory.nearest_of_label(x, label, n_nearest)) if memory is not None else (),
    )


def _steps(search: TracedSearch, slot: int) -> tuple[Step, ...]:
    """From the root to a slot."""
    steps: list[Step] = []
    parent, value = 0, 0.0
    for level, node in enumerate(search.nodes_to(slot)):
        margin = search.margin(level, parent, node)
        factor, value = search.factor(level, margin).item(), search.combine(level, margin, value).item()
        seen, labels = search.labels_below(level, node)
        rank = search.levels[level].rank_of(node)
        step = Step(
            level=level,
            node=node,
            margin=margin.item(),
            bias=search.bias(level, node),
            contributions=_contributions(search, level, parent, node),
            factor=search.shown(level, factor),
            score=search.shown(level, value),
            rank=rank,
            kept=rank is not None and (level == search.depth - 1 or rank <= search.beam_size),
            n_labels=len(np.unique(labels)),
            labels=tuple(dict.fromkeys((seen if len(seen) else labels).tolist()))[:_EXAMPLES],
        )
        steps.append(step)
        parent = node
    return tuple(steps)


def _contributions(search: TracedSearch, level: int, parent: int, node: int) -> tuple[Contribution, ...]:
    nodes, places, weights = search.shared_weights(level, parent)
    own, x = nodes == node, search.x
    found = [
        Contribution(int(x.indices[at]), float(x.data[at]), float(weight))
        for at, weight in zip(places[own], weights[own], strict=True)
    ]
    return tuple(sorted(found, key=lambda contribution: -abs(contribution.amount)))


def _namer(names: Sequence[str] | None) -> Callable[[int], int | str]:
    return (lambda number: number) if names is None else (lambda number: names[number])


def _by_name(contributions: Sequence[Contribution], name: Any) -> list[dict[str, Any]]:
    """Plain values of contributions, those of features of one name together, the largest amounts first."""
    groups: dict[Any, list[Contribution]] = {}
    for contribution in contributions:
        groups.setdefault(name(contribution.feature), []).append(contribution)
    told = []
    for feature, group in groups.items():
        value, weight = (group[0].value, group[0].weight) if len(group) == 1 else (None, None)
        amount = sum(contribution.amount for contribution in group)
        told.append({"feature": feature, "value": value, "weight": weight, "amount": amount})
    return sorted(told, key=lambda entry: -abs(entry["amount"]))


def _plain_step(step: Step, n_features: int, features: Any, labels: Any) -> dict[str, Any]:
    told = _by_name(step.contributions, features)
    others = told[n_features:]
    return {
        "level": step.level, "node": step.node, "rank": step.rank, "kept": step.kept,
        "n_labels": step.n_labels, "labels": [labels(label) for label in step.labels],
        "margin": step.margin, "factor": step.factor, "score": step.score, "bias": step.bias,
        "features": told[:n_features],
        "other_features": {"n": len(others), "amount": sum(entry["amount"] for entry in others)},
    }  # fmt: skip
