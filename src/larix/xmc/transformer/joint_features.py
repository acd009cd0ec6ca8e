"""Texts as TF-IDF joined with the embedding of a frozen encoder.

A row is [t, w e] scaled to unit length, with t the TF-IDF row and e the embedding, both of unit length
(XR-Transformer, Zhang et al., NeurIPS 2021, section 3.3, joins them with w = 1). The embedding is in the last
columns. Where top layers of the encoder were tuned for a memory, their embedding, of unit length, follows in
further columns, which no tree is trained on.
"""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from larix.xmc.matrix import join_columns, unit_rows
from larix.xmc.persistence import ModelFolderError, load_folder, save_folder
from larix.xmc.sparse import CSR, check_csr
from larix.xmc.text_features import TextFeatures, TextFeaturesParams
from larix.xmc.transformer.encoder import SentenceEncoder
from larix.xmc.transformer.layered_encoder import LayeredEncoder
from larix.xmc.transformer.top_layers import TopLayers

_KIND = "JointFeatures"
_SETTINGS = ("pooling", "batch_size", "max_tokens", "precision")


class JointFeatures:
    """Texts to rows of TF-IDF and embedding.

    Parameters
    ----------
    text_features : TextFeatures
        Fitted, or to be fitted.
    encoder : SentenceEncoder
    weight : float
        w, of the embedding beside TF-IDF.
    carries_encoder : bool
        Whether a saved folder holds a copy of the encoder, or only its place and digest.
    top_layers : TopLayers, optional
        Tuned for a memory.

    Attributes
    ----------
    n_features_ : int
        D, embeddings included.
    n_joint_ : int
        Columns before those of the top layers, on which models are trained.
    """

    def __init__(
        self,
        text_features: TextFeatures,
        encoder: SentenceEncoder,
        *,
        weight: float = 1.0,
        carries_encoder: bool = True,
        top_layers: TopLayers | None = None,
    ) -> None:
        if not weight > 0:
            raise ValueError(f"weight must be positive, but is {weight}")
        self.text_features, self.encoder = text_features, encoder
        self.weight, self.carries_encoder, self.top_layers = weight, carries_encoder, top_layers

    @property
    def params(self) -> TextFeaturesParams | None:
        """Of the TF-IDF part."""
        return self.text_features.params

    @property
    def dimension(self) -> int:
        """d, the length of an embedding."""
        return self.encoder.dimension

    @property
    def n_joint_(self) -> int:
        """Columns of text features and the encoder's own embedding."""
        return self.text_features.n_features_ + self.dimension

    @property
    def n_features_(self) -> int:
        """D."""
        return self.n_joint_ + (0 if self.top_layers is None else self.dimension)

    def fit_transform(self, texts: Sequence[str]) -> CSR:
        """Learn the vocabulary of the training texts and return their rows, N x D."""
        return self._joined(self.text_features.fit_transform(texts), texts)

    def transform(self, texts: Sequence[str]) -> CSR:
        """Rows of texts, N x D."""
        return self._joined(self.text_features.transform(texts), texts)

    def _joined(self, rows: CSR, texts: Sequence[str]) -> CSR:
        own, *tuned = self._layered.embed(texts) if self._layered else [self.encoder.embed(texts)]
        joint = unit_rows(join_columns([rows, own * np.float32(self.weight)]))
        return check_csr(join_columns([joint, *tuned]))

    @cached_property
    def _layered(self) -> LayeredEncoder | None:
        top = self.top_layers
        return None if top is None else LayeredEncoder(self.encoder, top.n_layers, top)

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """The encoder's own embeddings alone, N x d, of unit length."""
        return self.encoder.embed(texts)

    def with_top_layers(self, top_layers: TopLayers) -> Self:
        """The same with further columns, of tuned layers."""
        return type(self)(
            self.text_features,
            self.encoder,
            weight=self.weight,
            carries_encoder=self.carries_encoder,
            top_layers=top_layers,
        )

    def feature_names(self) -> list[str]:
        """The n-gram of every feature, and `[embedding]` for each dimension of embeddings; shape (D,)."""
        words = self.text_features.feature_names()
        return [*words, *(["[embedding]"] * (self.n_features_ - len(words)))]

    def save(self, path: Path | str) -> None:
        """Write vectorizer and encoder as one folder."""
        children: dict[str, Any] = {"text_features": self.text_features.save}
        if self.carries_encoder:
            children["encoder"] = self.encoder.files.save
        if self.top_layers is not None:
            children["top_layers"] = self.top_layers.save
        save_folder(
            path,
            kind=_KIND,
            metadata={
                "weight": self.weight,
                "encoder": {
                    "folder": None if self.carries_encoder else str(self.encoder.files.folder.resolve()),
                    "digest": self.encoder.files.digest,
                    **{name: getattr(self.encoder, name) for name in _SETTINGS},
                },
            },
            children=children,
        )

    @classmethod
    def load(cls, path: Path | str, *, verify: bool = True) -> Self:
        """Read what `save` wrote. Neither torch nor the encoder's weights are loaded before there is a text.

        Raises
        ------
        larix.xmc.persistence.ModelFolderError
            If the folder is damaged, or names an encoder elsewhere that is missing or has changed.
        """
        folder = load_folder(path, kind=_KIND, verify=verify)
        settings = dict(folder.metadata["encoder"])
        place, digest = settings.pop("folder"), settings.pop("digest")
        encoder = _encoder(folder.child("encoder").path if place is None else Path(place), settings)
        if place is not None and encoder.files.digest != digest:
            raise ModelFolderError(
                f"{path} was trained with another encoder than {place} holds now; put that one back"
            )
        text_features = TextFeatures.load(folder.child("text_features").path, verify=False)
        top_layers = (
            TopLayers.load(folder.child("top_layers").path, verify=False)
            if "top_layers" in folder.children
            else None
        )
        return cls(
            text_features,
            encoder,
            weight=folder.metadata["weight"],
            carries_encoder=place is None,
            top_layers=top_layers,
        )


def _encoder(folder: Path, settings: dict[str, Any]) -> SentenceEncoder:
    try:
        return SentenceEncoder(folder, **settings)
    except FileNotFoundError as error:
        raise ModelFolderError(f"the encoder of this model is missing: {error}") from None
