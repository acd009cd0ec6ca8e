"""A whole classifier in one folder: texts in, label names and scores out."""

import json
import os
from collections.abc import Mapping, Sequence
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any, Self

import numpy as np

from larix.serving.classifier import Classifier
from larix.serving.explained import explain_suggestions
from larix.serving.given_features import GivenFeatures
from larix.serving.learning import learn
from larix.serving.model_card import CARD, ModelCard
from larix.xmc.ensemble import Ensemble
from larix.xmc.label_frequency import LabelFrequencies
from larix.xmc.persistence import ModelFolderError, SavedFolder, is_whole, load_folder, save_folder
from larix.xmc.refinement import Refinement
from larix.xmc.sparse import CSR, check_csr
from larix.xmc.text_features import TextFeatures
from larix.xmc.transformer.joint_features import JointFeatures
from larix.xmc.xr_linear import XRLinear

_LABELS = "labels.json"
_FEATURES: Mapping[str, Any] = {
    "TextFeatures": TextFeatures,
    "JointFeatures": JointFeatures,
    "GivenFeatures": GivenFeatures,
}
_MODELS: Mapping[str, Any] = {"XRLinear": XRLinear, "Ensemble": Ensemble}
_HOMES = {
    "Suggester": "larix.serving.suggester",
    "SuggesterEnsemble": "larix.serving.suggester_ensemble",
    "XRLinear": "larix.xmc.xr_linear",
    "Ensemble": "larix.xmc.ensemble",
    "LinearMatcher": "larix.xmc.linear_stages",
    "LinearRanker": "larix.xmc.linear_stages",
    "LabelTree": "larix.xmc.label_tree",
    "TextFeatures": "larix.xmc.text_features",
    "JointFeatures": "larix.xmc.transformer.joint_features",
    "GivenFeatures": "larix.serving.given_features",
    "EncoderFiles": "larix.xmc.transformer.encoder_files",
    "TopLayers": "larix.xmc.transformer.top_layers",
    "Corpus": "larix.corpora.corpus",
    "Refinement": "larix.xmc.refinement",
    "DocumentMemory": "larix.xmc.document_memory",
}


class Suggester(Classifier):
    """Vectorizer, model and label names as one classifier.

    Parameters
    ----------
    features : TextFeatures, JointFeatures or GivenFeatures
        Turns documents into rows.
    model : XRLinear or Ensemble
    label_ids, label_names : sequence of str
        Of the L columns of the model.
    frequencies : LabelFrequencies
        Of the labels in training, for evaluation.
    card : ModelCard, optional
    refinement : Refinement, optional
        What is done to the model's scores: votes of training documents, calibration, a threshold.

    Raises
    ------
    ValueError
        If the parts do not fit together.

    Examples
    --------
    >>> import larix
    >>> classifier = larix.load("data/06_models/classifier")  # doctest: +SKIP
    >>> classifier.suggest(["broken left wrist"], top_k=3)  # doctest: +SKIP
    """

    def __init__(
        self,
        *,
        features: TextFeatures | JointFeatures | GivenFeatures,
        model: XRLinear | Ensemble,
        label_ids: Sequence[str],
        label_names: Sequence[str],
        frequencies: LabelFrequencies,
        card: ModelCard | None = None,
        refinement: Refinement | None = None,
    ) -> None:
        self.features = features
        self.model = model
        self.label_ids = list(label_ids)
        self.label_names = list(label_names)
        self.frequencies = frequencies
        self.card = card or ModelCard()
        self.refinement = refinement or Refinement()
        self._check_parts()

    def _check_parts(self) -> None:
        features = self.features
        n_joint = features.n_joint_ if isinstance(features, JointFeatures) else features.n_features_
        if n_joint != self.model.n_features_in_:
            raise ValueError(
                f"the model takes {self.model.n_features_in_} features, but the vectorizer gives "
                f"{n_joint}; join parts of the same run"
            )
        n_labels = self.model.tree_.n_labels
        for name, count in (
            ("label_ids", len(self.label_ids)),
            ("label_names", len(self.label_names)),
            ("frequencies", self.frequencies.n_labels),
        ):
            if count != n_labels:
                raise ValueError(f"{name} must describe the model's {n_labels} labels, but describes {count}")
        memory = self.refinement.memory
        if memory is not None and (memory.n_features_in_, memory.Y_.shape[1]) != (
            features.n_features_, n_labels
        ):  # fmt: skip
            raise ValueError(
                f"the memory has {memory.n_features_in_} features and {memory.Y_.shape[1]} labels, but the "
                f"vectorizer gives {features.n_features_} and the model {n_labels}; join parts of one run"
            )

    @property
    def takes_texts(self) -> bool:
        """Whether it was trained on texts."""
        return not isinstance(self.features, GivenFeatures)

    @property
    def top_k(self) -> int:
        """That of the model's search."""
        return self.model.search.top_k

    def predict(self, documents: Any, *, top_k: int | None = None, beam_size: int | None = None) -> CSR:
        """Scores of the best labels, N x L; see `larix.serving.classifier.Classifier.predict`."""
        rows = self.rows(documents)
        return self.refinement.predict(self.model, rows, top_k=top_k or self.top_k, beam_size=beam_size)

    def rows(self, documents: Any) -> CSR:
        """Feature rows of documents, N x D."""
        is_texts = isinstance(documents, list | tuple) and all(isinstance(text, str) for text in documents)
        if isinstance(self.features, GivenFeatures) or is_texts:
            return self.features.transform(documents)
        return check_csr(documents, name="documents", n_columns=self.features.n_features_)

    def _shown(self, P: CSR, threshold: float | None) -> CSR:
        return self.refinement.shown(P, threshold)

    def explain(
        self, document: Any, *, labels: Sequence[str] | None = None, top_k: int = 1, n_features: int = 8
    ) -> list[dict[str, Any]]:
        """Why labels are suggested for a document; see `larix.serving.explained.explain_suggestions`."""
        return explain_suggestions(self, document, labels=labels, top_k=top_k, n_features=n_features)

    def learn(
        self, documents: Any, labels: Sequence[Sequence[str]], *, names: Mapping[str, str] | None = None
    ) -> "Suggester":
        """A classifier that knows these documents and labels too; see `larix.serving.learning.learn`."""
        return learn(self, documents, labels, names=names)

    def limit_threads(self, n_threads: int | None) -> None:
        """Predict with as many threads; None is all processors."""
        trees = self.model.models_ if isinstance(self.model, Ensemble) else [self.model]
        inner = [getattr(self.features, name, None) for name in ("text_features", "encoder")]
        for part in (*trees, self.features, *inner, self.refinement.memory):
            if hasattr(part, "n_threads"):
                part.n_threads = n_threads

    @cached_property
    def feature_names(self) -> list[str] | None:
        """What each feature is, in words; None for given features."""
        return self.features.feature_names() if self.takes_texts else None

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the classifier as one folder, model card included."""
        labels = json.dumps({"ids": self.label_ids, "names": self.label_names}, ensure_ascii=False)
        parts = {"features": self.features, "model": self.model, "refinement": self.refinement}
        save_folder(
            path,
            kind="Suggester",
            metadata={"n_train": self.frequencies.n_documents, "card": self.card.to_dict()},
            arrays={"label_counts": self.frequencies.counts},
            files={_LABELS: labels.encode(), CARD: self.card.to_markdown().encode()},
            children={name: part.save for name, part in parts.items()},
        )

    @classmethod
    def _from_folder(cls, folder: SavedFolder) -> Self:
        labels = json.loads(folder.file(_LABELS).read_bytes())
        features, model = folder.child("features"), folder.child("model")
        return cls(
            features=_FEATURES[features.kind].load(features.path, verify=False),
            model=_MODELS[model.kind].load(model.path, verify=False),
            label_ids=labels["ids"],
            label_names=labels["names"],
            frequencies=LabelFrequencies(
                np.asarray(folder.arrays["label_counts"]), folder.metadata["n_train"]
            ),
            card=ModelCard(**folder.metadata["card"]),
            refinement=(
                Refinement.load(folder.child("refinement").path, verify=False)
                if "refinement" in folder.children
                else None
            ),
        )


def load(path: str | os.PathLike[str], *, verify: bool = True) -> Any:
    """Read whatever a model folder holds: a classifier, or one of its parts.

    Parameters
    ----------
    path : path-like
        A model folder, or the folder in which Kedro keeps its versions; then the newest whole one is read.
    verify : bool, default True
        Compare the digest of every file.

    Raises
    ------
    larix.xmc.persistence.ModelFolderError
        If there is no model, or it is damaged; the message names the file.
    """
    folder = find_model_folder(path)
    kind = load_folder(folder, verify=False).kind
    if kind not in _HOMES:
        raise ModelFolderError(f"{folder} holds a {kind}; known are {', '.join(_HOMES)}")
    model_class = getattr(import_module(_HOMES[kind]), kind)
    return model_class.load(folder) if kind == "Corpus" else model_class.load(folder, verify=verify)


def load_classifier(path: str | os.PathLike[str], *, verify: bool = True) -> Classifier:
    """Read a whole classifier, of whatever kind; see `load`.

    Raises
    ------
    larix.xmc.persistence.ModelFolderError
        If there is none, or it is damaged.
    """
    loaded = load(path, verify=verify)
    if not isinstance(loaded, Classifier):
        raise ModelFolderError(f"{path} must hold a whole classifier, but holds a {type(loaded).__name__}")
    return loaded


def find_model_folder(path: str | os.PathLike[str]) -> Path:
    """The model folder at `path`, or the newest whole version in it (`path/VERSION/classifier`).

    Versions are named by their time, so that the last name is the newest. `path` may have another name, as
    where a container mounts it.
    """
    folder = Path(path)
    if (folder / "model.json").exists():
        return folder
    versions = sorted({*folder.glob(f"*/{folder.name}"), *folder.glob("*/classifier")}, reverse=True)
    return next((version for version in versions if is_whole(version)), folder)
