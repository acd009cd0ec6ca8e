"""Several whole classifiers that answer together, each with features, trees and encoder of its own.

X-Transformer (Chang et al., KDD 2020) and XR-Transformer (Zhang et al., NeurIPS 2021) report three encoders
joined in this way.
"""

import os
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import Any, Self, get_args

from larix.serving.classifier import Classifier
from larix.serving.model_card import CARD, ModelCard
from larix.serving.suggester import load_classifier
from larix.xmc.choice import check_choice
from larix.xmc.ensemble import Rule, combine_predictions
from larix.xmc.persistence import SavedFolder, save_folder
from larix.xmc.sparse import CSR


class SuggesterEnsemble(Classifier):
    """Classifiers of the same labels whose predictions are joined by a rule.

    Each member is asked for as many labels as it gives by itself, or for `top_k` if that is more; a label
    that it doesn't name counts 0 there. Members' own thresholds are not applied, since they hold for the
    members' scores and not for the joined ones.

    Parameters
    ----------
    members : sequence of Classifier
        All of the same labels in the same order. Documents must suit all of them.
    names : sequence of str, optional
        What to call the members in explanations; by default `member_0`, `member_1`, ...
    rule : str
        See `larix.xmc.ensemble.combine_predictions`.
    card : ModelCard, optional
        By default one that tells the corpus of the first member, the rule and the members.

    Attributes
    ----------
    label_ids, label_names, frequencies
        Those of the first member.

    Raises
    ------
    ValueError
        If there is no member, labels differ, or there is not one name for each member.

    Examples
    --------
    >>> import larix
    >>> folders = ["words/classifier", "meanings/classifier"]
    >>> both = larix.SuggesterEnsemble([larix.load(folder) for folder in folders])  # doctest: +SKIP
    >>> both.suggest(["broken left wrist"], top_k=3)  # doctest: +SKIP
    """

    def __init__(
        self,
        members: Sequence[Classifier],
        *,
        names: Sequence[str] | None = None,
        rule: Rule = "average",
        card: ModelCard | None = None,
    ) -> None:
        check_choice("rule", rule, get_args(Rule))
        if not members:
            raise ValueError("an ensemble needs at least one member, but has none")
        self.members = list(members)
        self.names = list(names or _folders(len(members)))
        if len(self.names) != len(self.members):
            raise ValueError(f"names must be given for {len(members)} members, but are {len(self.names)}")
        self.rule: Rule = rule
        first = self.members[0]
        for member, name in zip(self.members[1:], self.names[1:], strict=True):
            _check_same_labels(first, member, (self.names[0], name))
        self.label_ids, self.label_names, self.frequencies = (
            first.label_ids, first.label_names, first.frequencies,
        )  # fmt: skip
        members_by_folder = dict(zip(_folders(len(members)), self.names, strict=True))
        self.card = card or ModelCard(first.card.corpus, parameters={"rule": rule, **members_by_folder})

    @property
    def takes_texts(self) -> bool:
        """Whether all members do."""
        return all(member.takes_texts for member in self.members)

    @property
    def top_k(self) -> int:
        """The most that a member gives."""
        return max(member.top_k for member in self.members)

    def predict(self, documents: Any, *, top_k: int | None = None, beam_size: int | None = None) -> CSR:
        """Joined scores of the best labels, N x L; see `larix.serving.classifier.Classifier.predict`."""
        top_k = top_k or self.top_k
        return combine_predictions(self._predictions(documents, top_k, beam_size), self.rule, top_k=top_k)

    def _predictions(self, documents: Any, top_k: int, beam_size: int | None = None) -> list[CSR]:
        return [
            member.predict(documents, top_k=max(top_k, member.top_k), beam_size=beam_size)
            for member in self.members
        ]

    def explain(
        self, document: Any, *, labels: Sequence[str] | None = None, top_k: int = 1, n_features: int = 8
    ) -> list[dict[str, Any]]:
        """Why labels are suggested for a document: the reasons of every member.

        Returns
        -------
        list of dict
            For each label `label`, `name`, the joined `score` (None if no member names the label), `rule`,
            and `members`: for each its name as `member`, its own `score` (None where it doesn't name the
            label, which counts 0), and its reasons as its own `explain` gives them.
        """
        predictions = self._predictions([document] if isinstance(document, str) else document, top_k)
        joined = combine_predictions(predictions, self.rule)
        wanted = [self.label_ids[number] for number in joined.indices[:top_k]] if labels is None else labels
        told = [member.explain(document, labels=wanted, n_features=n_features) for member in self.members]
        scores = _scores(joined)
        scores_of_members = [_scores(P) for P in predictions]
        return [
            {
                "label": label,
                "name": self.label_names[number],
                "score": scores.get(number),
                "rule": self.rule,
                "members": [
                    {"member": name, **_without_label(why[place]), "score": own.get(number)}
                    for name, why, own in zip(self.names, told, scores_of_members, strict=True)
                ],
            }
            for place, label in enumerate(wanted)
            for number in [self.number_of(label)]
        ]

    def learn(
        self, documents: Any, labels: Sequence[Sequence[str]], *, names: Mapping[str, str] | None = None
    ) -> "SuggesterEnsemble":
        """An ensemble whose members have all learnt; see `larix.serving.learning.learn`."""
        taught = [member.learn(documents, labels, names=names) for member in self.members]
        return SuggesterEnsemble(taught, names=self.names, rule=self.rule, card=self.card)

    def limit_threads(self, n_threads: int | None) -> None:
        """Predict with as many threads; None is all processors."""
        for member in self.members:
            member.limit_threads(n_threads)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the ensemble as one folder, with a folder `member_0`, `member_1`, ... for each member."""
        folders = _folders(len(self.members))
        save_folder(
            path,
            kind="SuggesterEnsemble",
            metadata={"rule": self.rule, "names": self.names, "card": self.card.to_dict()},
            files={CARD: self.card.to_markdown().encode()},
            children={name: member.save for name, member in zip(folders, self.members, strict=True)},
        )

    @classmethod
    def _from_folder(cls, folder: SavedFolder) -> Self:
        names = folder.metadata["names"]
        return cls(
            [load_classifier(folder.child(name).path, verify=False) for name in _folders(len(names))],
            names=names,
            rule=folder.metadata["rule"],
            card=ModelCard(**folder.metadata["card"]),
        )


def _folders(n_members: int) -> list[str]:
    return [f"member_{number}" for number in range(n_members)]


def _check_same_labels(first: Classifier, other: Classifier, names: tuple[str, str]) -> None:
    for number, pair in enumerate(zip_longest(first.label_ids, other.label_ids), start=1):
        if pair[0] != pair[1]:
            found = [
                f"{'none' if label is None else repr(label)} in {name}"
                for label, name in zip(pair, names, strict=True)
            ]
            raise ValueError(
                "members must have the same labels in the same order, but label "
                f"{number:,} is {found[0]} and {found[1]}; train them on one corpus"
            )


def _scores(P: CSR) -> dict[int, float]:
    return dict(zip(P.indices.tolist(), P.data.tolist(), strict=True))


def _without_label(why: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in why.items() if key not in ("label", "name")}
