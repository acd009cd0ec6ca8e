"""What every whole classifier can do: documents in, labels with names and scores out."""

import os
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from larix.serving.model_card import ModelCard
from larix.xmc.conformal import above
from larix.xmc.label_frequency import LabelFrequencies
from larix.xmc.persistence import ModelFolderError, SavedFolder, load_folder
from larix.xmc.sparse import CSR


@dataclass(frozen=True)
class Suggestion:
    """A suggested label."""

    label: str
    name: str
    score: float

    def to_dict(self) -> dict[str, Any]:
        """Plain values, the score to six digits."""
        return {"label": self.label, "name": self.name, "score": round(self.score, 6)}


class Classifier(ABC):
    """Documents in, labels with names and scores out; what commands and the service work with.

    Attributes
    ----------
    label_ids, label_names : list of str
        Of L labels.
    frequencies : LabelFrequencies
        Of the labels in training, for evaluation.
    card : ModelCard
    """

    label_ids: list[str]
    label_names: list[str]
    frequencies: LabelFrequencies
    card: ModelCard

    @property
    @abstractmethod
    def takes_texts(self) -> bool:
        """Whether documents may be texts; else they are rows of features."""

    @property
    @abstractmethod
    def top_k(self) -> int:
        """Labels that `predict` gives for a document if no other number is asked for."""

    @abstractmethod
    def predict(self, documents: Any, *, top_k: int | None = None, beam_size: int | None = None) -> CSR:
        """Scores of the best labels of every document.

        Parameters
        ----------
        documents : list of str, or matrix N x D
        top_k, beam_size : int, optional
            Instead of the classifier's own.

        Returns
        -------
        csr_array, N x L
            `top_k` entries a row by descending score; no threshold is applied.
        """

    def suggest(
        self, documents: Any, *, top_k: int = 5, threshold: float | None = None
    ) -> list[list[Suggestion]]:
        """The best labels of every document with their names, best first.

        Parameters
        ----------
        documents : list of str, or matrix N x D
        top_k : int, default 5
        threshold : float, optional
            Labels with lower scores are left out; by default those below the classifier's own threshold, if
            it has one.
        """
        P = self._shown(self.predict(documents, top_k=top_k), threshold)
        return [
            [
                Suggestion(self.label_ids[label], self.label_names[label], float(score))
                for label, score in zip(P.indices[begin:end], P.data[begin:end], strict=True)
            ]
            for begin, end in zip(P.indptr[:-1], P.indptr[1:], strict=True)
        ]

    def _shown(self, P: CSR, threshold: float | None) -> CSR:
        """The predictions that reach a threshold."""
        return P if threshold is None else above(P, threshold)

    @abstractmethod
    def explain(
        self, document: Any, *, labels: Sequence[str] | None = None, top_k: int = 1, n_features: int = 8
    ) -> list[dict[str, Any]]:
        """Why labels are suggested for a document.

        Parameters
        ----------
        document : str, or matrix 1 x D
        labels : sequence of str, optional
            Identifiers of labels to explain instead of the `top_k` suggested.
        top_k : int
        n_features : int
            Features told one by one at each level.

        Returns
        -------
        list of dict
            For each label `label`, `name`, `score`, and the reasons.
        """

    @abstractmethod
    def learn(
        self, documents: Any, labels: Sequence[Sequence[str]], *, names: Mapping[str, str] | None = None
    ) -> "Classifier":
        """A classifier that knows these documents and labels too; this one stays as it is.

        Parameters
        ----------
        documents : list of str, or matrix N x D
        labels : sequence of sequences of str
            Identifiers of each document's labels, known or new.
        names : mapping of str to str, optional
            Names of new labels.
        """

    @abstractmethod
    def limit_threads(self, n_threads: int | None) -> None:
        """Predict with as many threads; None is all processors."""

    def number_of(self, label: str) -> int:
        """Column of a label.

        Raises
        ------
        ValueError
            If the classifier doesn't know it.
        """
        try:
            return self.label_ids.index(label)
        except ValueError:
            raise ValueError(
                f"the classifier knows {len(self.label_ids)} labels, but not {label!r}"
            ) from None

    @abstractmethod
    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the classifier as one folder, model card included."""

    @classmethod
    def load(cls, path: str | os.PathLike[str], *, verify: bool = True) -> Self:
        """Read a classifier that `save` wrote.

        Raises
        ------
        larix.xmc.persistence.ModelFolderError
            If a file is missing or damaged; the message names it.
        """
        folder = load_folder(path, kind=cls.__name__, verify=verify)
        try:
            return cls._from_folder(folder)
        except (KeyError, TypeError, ValueError) as error:
            if isinstance(error, ModelFolderError):
                raise
            raise ModelFolderError(f"{path} holds no valid classifier: {error}; write it again") from error

    @classmethod
    @abstractmethod
    def _from_folder(cls, folder: SavedFolder) -> Self: ...
