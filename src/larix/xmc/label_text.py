"""Features of the texts of labels: their names, or whatever describes them.

Four sources: the documents' TF-IDF vectorizer (so that labels and documents share their features), one that
is fitted to the labels' texts, static word vectors, and a sentence encoder. The last two come from a local
folder; nothing is downloaded.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from larix.xmc.choice import check_choice
from larix.xmc.matrix import Matrix, unit_rows
from larix.xmc.ranges import check_least
from larix.xmc.text_features import TextFeatures
from larix.xmc.transformer.encoder import Pooling, SentenceEncoder
from larix.xmc.transformer.joint_features import JointFeatures
from larix.xmc.word_vectors import WordVectors

Source = Literal["document_features", "own_features", "word_vectors", "sentence_encoder"]


@dataclass(frozen=True)
class LabelTextParams:
    """Where the features of labels' texts come from.

    Parameters
    ----------
    source : {"document_features", "own_features", "word_vectors", "sentence_encoder"}
    folder : str or None
        Of the word vectors or of the encoder.
    pooling : {"mean", "first", "pooler"}
        How the encoder's token vectors become one.
    batch_size : int
        Texts the encoder takes at once.
    max_tokens : int
        Longer texts are cut.
    """

    source: Source = "document_features"
    folder: str | None = None
    pooling: Pooling = "mean"
    batch_size: int = 64
    max_tokens: int = 64

    def __post_init__(self) -> None:
        check_choice("source", self.source, get_args(Source))
        check_choice("pooling", self.pooling, get_args(Pooling))
        check_least(self, 1, "batch_size", "max_tokens")
        if self.folder is None and self.source in ("word_vectors", "sentence_encoder"):
            raise ValueError(f"label text from {self.source} needs a local folder, but folder is None")

    def source_files(self) -> list[Path]:
        """Files that the features depend on."""
        folder = Path(self.folder) if self.folder is not None else None
        if folder is None or folder.is_file():
            return [] if folder is None else [folder]
        return sorted(file for file in folder.iterdir() if file.is_file()) if folder.is_dir() else []


def embed_label_texts(
    texts: Sequence[str],
    params: LabelTextParams = LabelTextParams(),
    *,
    text_features: TextFeatures | JointFeatures | None = None,
    n_threads: int | None = None,
) -> Matrix:
    """Features of the labels' texts.

    Parameters
    ----------
    texts : sequence of str, length L
    params : LabelTextParams
    text_features : TextFeatures or JointFeatures, optional
        The documents' fitted vectorizer; needed for "document_features". A vectorizer of the labels' own gets
        its parameters.
    n_threads : int or None

    Returns
    -------
    csr_array or float32 array, L x d
        Rows l2-normalised; zero where a text holds nothing known.

    Raises
    ------
    ValueError
        If the documents' vectorizer is needed and missing.
    FileNotFoundError, VectorFileError
        If the folder has no vectors, or they are damaged.
    ModuleNotFoundError
        If a sentence encoder's libraries are missing; the message has the command that installs them.
    """
    if params.source == "word_vectors":
        return WordVectors.read(str(params.folder)).embed(texts)
    if params.source == "sentence_encoder":
        encoder = SentenceEncoder(
            str(params.folder),
            pooling=params.pooling,
            batch_size=params.batch_size,
            max_tokens=params.max_tokens,
            n_threads=n_threads,
        )
        return encoder.embed(texts)
    if params.source == "own_features":
        known = text_features.params if text_features is not None else None
        return unit_rows(TextFeatures(known, n_threads=n_threads).fit_transform(texts))
    if text_features is None:
        raise ValueError(
            "label text as document_features needs the documents' vectorizer; pass text_features, or choose "
            "own_features if documents come as given features"
        )
    return unit_rows(text_features.transform(texts))
