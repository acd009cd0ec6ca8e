"""Texts as TF-IDF joined with the embedding of a frozen encoder.

A row is [t, w e] scaled to unit length, with t the TF-IDF row and e the embedding, both of unit length
(XR-Transformer, Zhang et al., NeurIPS 2021, section 3.3, joins them with w = 1). The embedding is in the last
columns.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from larix.xmc.matrix import join_columns, unit_rows
from larix.xmc.persistence import ModelFolderError, load_folder, save_folder
from larix.xmc.sparse import CSR
from larix.xmc.text_features import TextFeatures, TextFeaturesParams
from larix.xmc.transformer.encoder import SentenceEncoder

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

    Attributes
    ----------
    n_features_ : int
        D, embedding included.
    """

    def __init__(
        self,
        text_features: TextFeatures,
        encoder: SentenceEncoder,
        *,
        weight: float = 1.0,
        carries_encoder: bool = True,
    ) -> None:
        if not weight > 0:
            raise ValueError(f"weight must be positive, but is {weight}")
        self.text_features, self.encoder = text_features, encoder
        self.weight, self.carries_encoder = weight, carries_encoder

    @property
    def params(self) -> TextFeaturesParams | None:
        """Of the TF-IDF part."""
        return self.text_features.params

    @property
    def dimension(self) -> int:
        """d: the last columns of a row are the embedding."""
        return self.encoder.dimension

    @property
    def n_features_(self) -> int:
        """D."""
        return self.text_features.n_features_ + self.dimension

    def fit_transform(self, texts: Sequence[str]) -> CSR:
        """Learn the vocabulary of the training texts and return their rows, N x D."""
        return self._joined(self.text_features.fit_transform(texts), texts)

    def transform(self, texts: Sequence[str]) -> CSR:
        """Rows of texts, N x D."""
        return self._joined(self.text_features.transform(texts), texts)

    def _joined(self, rows: CSR, texts: Sequence[str]) -> CSR:
        embeddings = self.encoder.embed(texts) * np.float32(self.weight)
        return unit_rows(join_columns([rows, embeddings]))

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embeddings alone, N x d, of unit length."""
        return self.encoder.embed(texts)

    def feature_names(self) -> list[str]:
        """The n-gram of every feature, and `[embedding]` for each of its dimensions; shape (D,)."""
        return [*self.text_features.feature_names(), *(["[embedding]"] * self.dimension)]

    def save(self, path: Path | str) -> None:
        """Write vectorizer and encoder as one folder."""
        children: dict[str, Any] = {"text_features": self.text_features.save}
        if self.carries_encoder:
            children["encoder"] = self.encoder.files.save
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
        return cls(text_features, encoder, weight=folder.metadata["weight"], carries_encoder=place is None)


def _encoder(folder: Path, settings: dict[str, Any]) -> SentenceEncoder:
    try:
        return SentenceEncoder(folder, **settings)
    except FileNotFoundError as error:
        raise ModelFolderError(f"the encoder of this model is missing: {error}") from None
