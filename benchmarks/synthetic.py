"""Synthetic corpora with the traits that make extreme multi-label data hard: Zipf's law and topics.

Labels lie in topics of 32, topics in fields of 20. A label's popularity falls as one over its rank, beside a
share of draws that treat all alike; the labels of a document come mostly from the topic of its first one.
A word of a document comes from the language at large, or from a small lexicon of the field, the topic or
the label that it speaks of. Lexicons are drawn from one vocabulary, so that labels share words. Some labels
of a document are missed and some are wrong, as annotators do it.

Rows are TF-IDF: (1 + ln tf) (ln((1 + n) / (1 + df)) + 1) with df of the training part, of unit length.
The same parameters give the same matrices.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, vstack

from benchmarks.matrices import Matrices

LABELS_PER_TOPIC, TOPICS_PER_FIELD = 32, 20
LEXICON_OF_LABEL, LEXICON_OF_TOPIC, LEXICON_OF_FIELD = 12, 60, 200
_DOCUMENTS_PER_PIECE = 20_000

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class SyntheticParams:
    """Size and character of a corpus.

    Parameters
    ----------
    n_train, n_test : int
        Documents.
    n_labels : int
        Labels before those that no training document has are dropped.
    n_words : int
        Vocabulary.
    words, labels : float
        Of a document on average.
    uniform : float
        Share of first labels drawn evenly instead of by popularity.
    seed : int
    """

    n_train: int
    n_test: int
    n_labels: int
    n_words: int
    words: float = 120.0
    labels: float = 4.0
    uniform: float = 0.5
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("n_train", "n_test", "n_labels", "n_words"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, but is {getattr(self, name)}")
        if self.words < 1 or self.labels < 1:
            raise ValueError(
                f"words and labels of a document must be at least 1, but are {self.words} and {self.labels}"
            )
        if not 0 <= self.uniform <= 1:
            raise ValueError(f"uniform is a share from 0 to 1, but is {self.uniform}")


SIZES = {
    "syn-xs": SyntheticParams(2_000, 500, 500, 20_000),
    "syn-s": SyntheticParams(15_000, 4_000, 4_000, 100_000, words=160),
    "syn-m": SyntheticParams(100_000, 10_000, 30_000, 200_000, words=120),
    "syn-l": SyntheticParams(300_000, 10_000, 300_000, 300_000, words=80),
}


def generate(params: SyntheticParams) -> Matrices:
    """Training and test part as matrices."""
    world = _World(params)
    X_train, Y_train = world.documents(params.n_train, np.random.default_rng([params.seed, 1]))
    X_test, Y_test = world.documents(params.n_test, np.random.default_rng([params.seed, 2]))
    df = np.bincount(X_train.indices, minlength=params.n_words)
    idf = (np.log((1 + params.n_train) / (1 + df)) + 1).astype(np.float32)
    return Matrices(_weigh(X_train, idf), Y_train, _weigh(X_test, idf), Y_test).without_unseen_labels()


class _World:
    """What all documents share: which words belong to whom, and who is popular."""

    def __init__(self, params: SyntheticParams) -> None:
        self.params = params
        rng = np.random.default_rng([params.seed, 0])
        n_topics = -(-params.n_labels // LABELS_PER_TOPIC)
        n_fields = -(-n_topics // TOPICS_PER_FIELD)
        self.lexicons = [
            _content_words(rng, params.n_words, (n, size))
            for n, size in (
                (n_fields, LEXICON_OF_FIELD),
                (n_topics, LEXICON_OF_TOPIC),
                (params.n_labels, LEXICON_OF_LABEL),
            )
        ]
        self.label_of_rank = rng.permutation(params.n_labels)
        self.shown_word = rng.permutation(params.n_words)  # so that a word's number tells nothing
        self.shown_label = rng.permutation(params.n_labels)

    def documents(self, n: int, rng: np.random.Generator) -> tuple[csr_array, csr_array]:
        """Counts of words as 1 + ln tf, n x n_words, and labels, n x n_labels."""
        sizes = [min(_DOCUMENTS_PER_PIECE, n - a) for a in range(0, n, _DOCUMENTS_PER_PIECE)]
        pieces = [self._piece(size, rng) for size in sizes]
        words, labels = (vstack(blocks, format="csr") for blocks in zip(*pieces, strict=True))
        return words, labels

    def _piece(self, n: int, rng: np.random.Generator) -> tuple[csr_array, csr_array]:
        document, label = self._label_sets(n, rng)
        first = np.searchsorted(document, np.arange(n + 1))
        words = self._words(label, first, rng)
        return words, self._annotate(document, label, first[:-1], n, rng)

    def _label_sets(self, n: int, rng: np.random.Generator) -> tuple[Ints, Ints]:
        """True labels as (document, label) pairs, each once, in order."""
        params = self.params
        popular = self.label_of_rank[_zipf(rng, params.n_labels, n)]
        first = np.where(rng.random(n) < params.uniform, rng.integers(0, params.n_labels, n), popular)
        further = np.repeat(np.arange(n), rng.poisson(params.labels - 1, n))
        topic = first[further] // LABELS_PER_TOPIC
        nearness = rng.random(len(further))
        beside = (topic // TOPICS_PER_FIELD) * TOPICS_PER_FIELD + rng.integers(
            0, TOPICS_PER_FIELD, len(further)
        )
        topic = np.where(nearness < 0.75, topic, beside)
        near = topic * LABELS_PER_TOPIC + _zipf(rng, LABELS_PER_TOPIC, len(further))
        anywhere = self.label_of_rank[_zipf(rng, params.n_labels, len(further))]
        other = np.where((nearness < 0.92) & (near < params.n_labels), near, anywhere)
        return _pairs(np.append(np.arange(n), further), np.append(first, other), params.n_labels)

    def _words(self, label: Ints, first: Ints, rng: np.random.Generator) -> csr_array:
        """1 + ln of the frequency of every word of every document."""
        params, n = self.params, len(first) - 1
        lengths = np.maximum(5, rng.lognormal(np.log(params.words) - 0.125, 0.5, n)).astype(np.int64)
        document = np.repeat(np.arange(n), lengths)
        n_labels = np.diff(first)[document]
        about = label[first[document] + (rng.random(len(document)) * n_labels).astype(np.int64)]
        topic = about // LABELS_PER_TOPIC
        owners = (topic // TOPICS_PER_FIELD, topic, about)
        word = _zipf(rng, params.n_words, len(document))
        source = rng.random(len(document))
        bounds = (0.55, 0.67, 0.85, 1.0)
        for lexicon, owner, low, high in zip(self.lexicons, owners, bounds, bounds[1:], strict=False):
            at = np.flatnonzero((source >= low) & (source < high))
            word[at] = lexicon[owner[at], _zipf(rng, lexicon.shape[1], len(at))]
        keys, counts = np.unique(document * params.n_words + self.shown_word[word], return_counts=True)
        values = (1 + np.log(counts)).astype(np.float32)
        return csr_array((values, (keys // params.n_words, keys % params.n_words)), shape=(n, params.n_words))

    def _annotate(
        self, document: Ints, label: Ints, first: Ints, n: int, rng: np.random.Generator
    ) -> csr_array:
        """Recorded labels: a quarter of the further ones missed, one in twenty added by error."""
        found = rng.random(len(label)) < 0.75
        found[first + (rng.random(n) * np.diff(np.append(first, len(label)))).astype(np.int64)] = True
        n_wrong = len(label) // 20
        wrong = self.label_of_rank[_zipf(rng, self.params.n_labels, n_wrong)]
        document, label = _pairs(
            np.append(document[found], rng.integers(0, n, n_wrong)),
            np.append(label[found], wrong),
            self.params.n_labels,
        )
        ones = np.ones(len(label), np.float32)
        return csr_array((ones, (document, self.shown_label[label])), shape=(n, self.params.n_labels))


def _zipf(rng: np.random.Generator, n: int, size: int) -> Ints:
    """Ranks 0..n-1 with probability falling as one over rank + 1: their logarithm is spread evenly."""
    return np.minimum((n + 1.0) ** rng.random(size) - 1, n - 1).astype(np.int64)


def _content_words(rng: np.random.Generator, n_words: int, shape: tuple[int, int]) -> Ints:
    """Words of lexicons: as language has them, without the most frequent ones."""
    low = min(0.4 * np.log(n_words), np.log(n_words))
    ranks = np.exp(low + rng.random(shape) * (np.log(n_words) - low))
    return np.minimum(ranks, n_words - 1).astype(np.int64)


def _pairs(document: Ints, label: Ints, n_labels: int) -> tuple[Ints, Ints]:
    keys = np.unique(document * n_labels + label)
    return keys // n_labels, keys % n_labels


def _weigh(X: csr_array, idf: NDArray[np.float32]) -> csr_array:
    data = X.data * idf[X.indices]
    lengths = np.sqrt(np.add.reduceat(np.square(data), X.indptr[:-1]))
    data /= np.repeat(lengths, np.diff(X.indptr))
    return csr_array((data, X.indices, X.indptr), shape=X.shape)
