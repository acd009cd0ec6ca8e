"""TF-IDF of word and character n-grams, counted in parallel, stored as plain arrays.

The weights are scikit-learn's (smooth idf, optional sublinear term frequency, l2 norm): for n-gram t in
N training texts, idf = ln((1 + N) / (1 + df)) + 1. Each part is normalised on its own, multiplied by its
weight, and the joined row is normalised again. Features are numbered by descending document frequency.

Salton and Buckley, Information Processing & Management 24 (1988).
"""

import itertools
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, Self, get_args

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from larix.xmc import ngrams
from larix.xmc.choice import check_choice
from larix.xmc.estimator import Estimator, check_is_fitted
from larix.xmc.ngram_names import arrange, spell_ngrams
from larix.xmc.parallel import thread_map
from larix.xmc.persistence import load_folder, save_folder
from larix.xmc.sparse import CSR, csr_from_parts, normalize_rows, read_only

Analyzer = Literal["word", "char_wb"]
_TEXTS_PER_JOB = 1024


@dataclass(frozen=True)
class NgramParams:
    """One kind of n-grams.

    Parameters
    ----------
    analyzer : {"word", "char_wb"}
        Runs of word characters, or characters within white-space borders.
    shortest, longest : int
        Lengths of n-grams.
    min_df : int
        Fewest training texts of a feature.
    max_features : int or None
        Keep this many with the highest document frequency.
    sublinear_tf : bool
        Use 1 + ln(tf).
    lowercase : bool
    weight : float
        Of this part beside others.
    """

    analyzer: Analyzer = "word"
    shortest: int = 1
    longest: int = 2
    min_df: int = 1
    max_features: int | None = None
    sublinear_tf: bool = True
    lowercase: bool = True
    weight: float = 1.0

    def __post_init__(self) -> None:
        check_choice("analyzer", self.analyzer, get_args(Analyzer))
        if not 1 <= self.shortest <= self.longest:
            raise ValueError(
                f"n-gram lengths must rise from at least 1, but are {self.shortest} to {self.longest}"
            )
        if (
            self.min_df < 1
            or (self.max_features is not None and self.max_features < 1)
            or not self.weight > 0
        ):
            raise ValueError(
                "min_df, max_features and weight must be positive, but are "
                f"{self.min_df}, {self.max_features} and {self.weight}"
            )


@dataclass(frozen=True)
class TextFeaturesParams:
    """The parts of a text's feature vector; None leaves a part out."""

    word: NgramParams | None = field(default_factory=NgramParams)
    char: NgramParams | None = field(
        default_factory=lambda: NgramParams(analyzer="char_wb", shortest=3, longest=5, min_df=2)
    )

    def __post_init__(self) -> None:
        if not self.parts:
            raise ValueError("text features need at least one part, but word and char are both None")

    @property
    def parts(self) -> list[NgramParams]:
        """The parts in use."""
        return [part for part in (self.word, self.char) if part is not None]


@dataclass(frozen=True, eq=False)
class _Vocabulary:
    """What one part learnt: hash and idf of every feature, their texts end to end in UTF-8."""

    keys: NDArray[np.uint64]
    idf: NDArray[np.float32]
    names: NDArray[np.uint8]
    name_ends: NDArray[np.int64]

    table: NDArray[np.int32] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        for name, dtype in (("keys", np.uint64), ("idf", np.float32)):
            object.__setattr__(self, name, read_only(getattr(self, name), dtype))
        object.__setattr__(self, "table", read_only(ngrams.build_table(self.keys), np.int32))


class TextFeatures(Estimator):
    """Texts to sparse TF-IDF rows.

    Parameters
    ----------
    params : TextFeaturesParams
    n_threads : int or None
        None uses all processors; results don't depend on it.

    Attributes
    ----------
    n_features_ : int
        D.

    Examples
    --------
    >>> from larix import TextFeatures
    >>> X = TextFeatures().fit_transform(["chest pain", "back pain"])
    >>> X.shape[0]
    2
    """

    def __init__(self, params: TextFeaturesParams | None = None, *, n_threads: int | None = None) -> None:
        self.params = params
        self.n_threads = n_threads

    def fit(self, texts: Sequence[str]) -> Self:
        """Learn vocabulary and document frequencies of the training texts."""
        self.fit_transform(texts)
        return self

    def fit_transform(self, texts: Sequence[str]) -> CSR:
        """Fit and return the rows of the training texts, counting them once; N x D."""
        texts = _check_texts(texts)
        parts = self._params().parts
        fitted = [_fit_part(texts, part, self.n_threads) for part in parts]
        self.vocabularies_ = [vocabulary for vocabulary, _ in fitted]
        self.n_features_ = sum(len(vocabulary.keys) for vocabulary in self.vocabularies_)
        if not self.n_features_:
            raise ValueError("no n-gram is left of the training texts: they are empty, or min_df is too high")
        return _join([rows for _, rows in fitted], parts)

    def transform(self, texts: Sequence[str]) -> CSR:
        """Rows of texts, N x D; texts without a known n-gram give empty rows."""
        check_is_fitted(self)
        texts, parts = _check_texts(texts), self._params().parts

        def rows(batch: list[str]) -> CSR:
            blocks = []
            for part, vocabulary in zip(parts, self.vocabularies_, strict=True):
                indptr, keys, counts, _ = _count(batch, part)
                positions = ngrams.look_up(vocabulary.table, vocabulary.keys, keys)
                weighed = ngrams.weigh_rows(indptr, positions, counts, vocabulary.idf, part.sublinear_tf)
                blocks.append(_csr(weighed, len(vocabulary.keys)))
            return _join(blocks, parts)

        blocks = thread_map(rows, _batches(texts), n_threads=self.n_threads)
        return blocks[0] if len(blocks) == 1 else sp.vstack(blocks, format="csr")

    def feature_names(self) -> list[str]:
        """The n-gram of every feature, shape (D,); character n-grams between angle quotes."""
        check_is_fitted(self)
        names = []
        for part, vocabulary in zip(self._params().parts, self.vocabularies_, strict=True):
            blob = vocabulary.names.tobytes()
            begins = np.concatenate([[0], vocabulary.name_ends])
            own = [blob[a:b].decode("utf-8", "surrogatepass") for a, b in itertools.pairwise(begins)]
            names += own if part.analyzer == "word" else [f"‹{name}›" for name in own]
        return names

    def save(self, path: Path | str) -> None:
        """Write the fitted vectorizer as a folder of plain arrays."""
        check_is_fitted(self)
        arrays: dict[str, NDArray[Any]] = {}
        for i, vocabulary in enumerate(self.vocabularies_):
            for name in ("keys", "idf", "names", "name_ends"):
                arrays[f"{name}_{i}"] = getattr(vocabulary, name)
        save_folder(path, kind="TextFeatures", metadata={"params": asdict(self._params())}, arrays=arrays)

    @classmethod
    def load(cls, path: Path | str, *, verify: bool = True) -> Self:
        """Read a vectorizer that `save` wrote."""
        folder = load_folder(path, kind="TextFeatures", verify=verify)
        stored = folder.metadata["params"]
        params = TextFeaturesParams(**{k: None if v is None else NgramParams(**v) for k, v in stored.items()})
        features = cls(params)
        features.vocabularies_ = [
            _Vocabulary(*(folder.arrays[f"{name}_{i}"] for name in ("keys", "idf", "names", "name_ends")))
            for i in range(len(params.parts))
        ]
        features.n_features_ = sum(len(vocabulary.keys) for vocabulary in features.vocabularies_)
        return features

    def _params(self) -> TextFeaturesParams:
        return self.params or TextFeaturesParams()


def _check_texts(texts: Sequence[str]) -> list[str]:
    if isinstance(texts, str):
        raise TypeError("texts must be a list of strings, but is one string; put it in a list")
    texts = list(texts)
    for i, text in enumerate(texts):
        if not isinstance(text, str):
            raise TypeError(f"texts must be strings, but text {i} is {type(text).__name__}: {text!r:.60}")
    return texts


def _batches(texts: list[str]) -> list[list[str]]:
    return [texts[i : i + _TEXTS_PER_JOB] for i in range(0, max(len(texts), 1), _TEXTS_PER_JOB)]


def _code_points(texts: list[str], part: NgramParams) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    return ngrams.code_points([text.lower() for text in texts] if part.lowercase else texts)


def _count(texts: list[str], part: NgramParams) -> tuple[NDArray[Any], ...]:
    counted: tuple[NDArray[Any], ...] = ngrams.count_ngrams(
        *_code_points(texts, part),
        ngrams.character_classes(),
        part.analyzer == "word",
        part.shortest,
        part.longest,
    )
    return counted


def _fit_part(texts: list[str], part: NgramParams, n_threads: int | None) -> tuple[_Vocabulary, CSR]:
    """Vocabulary of one part, and the rows of the texts it was learnt from."""
    batches = _batches(texts)
    counted = thread_map(
        lambda batch: _count(batch, part),
        batches,
        n_threads=n_threads,
        description=f"counting {part.analyzer} n-grams",
    )
    table, known, n_known = np.full(1 << 16, -1, np.int32), np.empty(1 << 16, np.uint64), 0
    numbers, places = [], []
    for indptr, keys, _, spans in counted:
        n_before = n_known
        own, table, known, n_known = ngrams.add_keys(table, known, n_known, keys)
        numbers.append(own)
        places.append(_first_places(own, n_before, indptr, spans))
    df = np.bincount(np.concatenate(numbers), minlength=n_known)
    kept = np.lexsort((np.arange(n_known), -df))
    kept = kept[df[kept] >= part.min_df][: part.max_features]
    idf = (np.log((1 + len(texts)) / (1 + df[kept])) + 1).astype(np.float32)
    vocabulary = _Vocabulary(known[kept], idf, *_names(batches, places, kept, part, n_threads))
    position = np.full(n_known, -1, np.int32)
    position[kept] = np.arange(len(kept))

    def rows(batch: int) -> CSR:
        (indptr, _, counts, _), own = counted[batch], position[numbers[batch]]
        return _csr(ngrams.weigh_rows(indptr, own, counts, idf, part.sublinear_tf), len(kept))

    blocks = thread_map(rows, range(len(batches)), n_threads=n_threads)
    return vocabulary, sp.vstack(blocks, format="csr")


def _first_places(
    numbers: NDArray[np.int32], n_before: int, indptr: NDArray[np.int64], spans: NDArray[np.int32]
) -> NDArray[np.int32]:
    """(text of the batch, begin, length) of the first occurrence of the n-grams new in this batch."""
    highest = np.maximum.accumulate(np.append(np.int32(n_before - 1), numbers))
    entries = np.flatnonzero(np.diff(highest))  # numbers rise by one with every new n-gram
    text = np.searchsorted(indptr, entries, side="right") - 1
    return np.column_stack([text.astype(np.int32), spans[entries]])


def _names(
    batches: list[list[str]],
    places: list[NDArray[np.int32]],
    kept: NDArray[np.int64],
    part: NgramParams,
    n_threads: int | None,
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """The kept n-grams in UTF-8 end to end, and where each ends."""

    def spelled(batch: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        points, begins = _code_points(batches[batch], part)
        by_word, classes = part.analyzer == "word", ngrams.character_classes()
        names: tuple[NDArray[np.uint8], NDArray[np.int64]] = spell_ngrams(
            points, begins, places[batch], classes, by_word
        )
        return names

    names, ends = zip(*thread_map(spelled, range(len(batches)), n_threads=n_threads), strict=True)
    shifts = np.cumsum([0, *(len(own) for own in names[:-1])])
    shifted = [own + shift for own, shift in zip(ends, shifts, strict=True)]
    arranged: tuple[NDArray[np.uint8], NDArray[np.int64]] = arrange(
        np.concatenate(names), np.concatenate(shifted), kept
    )
    return arranged


def _csr(parts: tuple[NDArray[Any], ...], n_features: int) -> CSR:
    indptr, indices, data = parts
    return csr_from_parts(data, indices, indptr, (len(indptr) - 1, n_features))


def _join(blocks: list[CSR], parts: list[NgramParams]) -> CSR:
    if len(blocks) == 1:
        return blocks[0]
    weighted = [csr_from_parts(b.data * np.float32(p.weight), b.indices, b.indptr, b.shape)
                for b, p in zip(blocks, parts, strict=True)]  # fmt: skip
    return normalize_rows(sp.hstack(weighted, format="csr"))
