"""The corpora of the study: features, labels, and the senses of labels where they are known."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from larix import Corpus, TextFeatures
from larix.corpora import CorpusParams, read_corpus
from larix.corpora.corpus import CorpusPart
from larix.corpora.label_pairs import pair_labels
from larix.corpora.params import LabelPairParams
from larix.xmc.held_out import hold_out
from larix.xmc.sparse import CSR, check_csr
from larix.xmc.text_features import NgramParams, TextFeaturesParams

logger = logging.getLogger(__name__)

N_TIBKAT = 45_000
FEWEST_ROWS = 5


@dataclass(frozen=True, eq=False)
class Documents:
    """Features, labels and senses of some documents."""

    X: CSR
    Y: CSR
    senses: CSR | None

    def take(self, rows: NDArray[Any]) -> "Documents":
        """These rows."""
        return Documents(self.X[rows], self.Y[rows], None if self.senses is None else self.senses[rows])

    def of_labels(self, kept: NDArray[Any], kept_senses: NDArray[Any] | None) -> "Documents":
        """These labels (and senses) alone, and the documents that have one."""
        senses = None if self.senses is None else self.senses[:, kept_senses]
        documents = Documents(self.X, check_csr(self.Y[:, kept], name="Y"), senses)
        return documents.take(np.flatnonzero(np.diff(documents.Y.indptr)))


@dataclass(frozen=True, eq=False)
class StudyCorpus:
    """Training documents and those that metrics are about; every label has a training document."""

    train: Documents
    test: Documents
    sense_labels: NDArray[np.int64] | None

    @classmethod
    def of(cls, train: Documents, test: Documents, sense_labels: NDArray[Any] | None) -> "StudyCorpus":
        """Leave out labels without a training document, then documents without a label."""
        kept = np.unique(train.Y.indices)
        senses = None if sense_labels is None else np.flatnonzero(np.isin(sense_labels, kept))
        owners = None if sense_labels is None else np.searchsorted(kept, sense_labels[senses])
        return cls(train.of_labels(kept, senses), test.of_labels(kept, senses), owners)

    def held_out(self, share: float) -> "StudyCorpus":
        """A part of the training documents in place of the test documents."""
        held = hold_out(self.train.Y, share)
        return StudyCorpus.of(self.train.take(~held), self.train.take(held), self.sense_labels)

    def describe(self) -> dict[str, Any]:
        """Sizes."""
        train = self.train
        return {
            "n_train": train.X.shape[0],
            "n_test": self.test.X.shape[0],
            "n_labels": train.Y.shape[1],
            "n_features": train.X.shape[1],
            "labels_per_document": train.Y.nnz / train.Y.shape[0],
            "documents_per_label": train.Y.nnz / train.Y.shape[1],
        }


@dataclass(frozen=True)
class Source:
    """Where a corpus comes from and how it is studied.

    Parameters
    ----------
    title : str
    read : callable
        Returns the Corpus.
    words : NgramParams
        Word features.
    leaf : int
        Labels of a cluster of the plain tree.
    max_cost : float
        Inner products that a query may cost, times those of the plain tree.
    """

    title: str
    read: Callable[[], Corpus]
    words: NgramParams
    leaf: int = 100
    max_cost: float = 1.2

    def load(self, features: str = "words") -> StudyCorpus:
        """Read and weigh.

        Raises
        ------
        FileNotFoundError
            If the corpus' files are not there.
        """
        corpus = self.read()
        params = TextFeaturesParams(self.words, None) if features == "words" else TextFeaturesParams()
        text_features = TextFeatures(params)
        X_train = text_features.fit_transform(corpus.train.texts)
        X_test = text_features.transform(corpus.test.texts)
        train, test = (
            Documents(check_csr(X), check_csr(part.labels, name="Y"), part.senses)
            for X, part in ((X_train, corpus.train), (X_test, corpus.test))
        )
        return StudyCorpus.of(train, test, corpus.sense_labels)


def _read_tibkat() -> Corpus:
    """A random half of the training documents with the labels that five of them have."""
    files = {"train": "tibkat/train.jsonl.gz", "test": "tibkat/dev.jsonl.gz"}
    columns = {"text": ["title", "abstract"], "labels": "labels", "id": "id"}
    split = {"drop_test_duplicates": True}
    params: dict[str, Any] = {"files": files, "columns": columns, "split": split}
    corpus = read_corpus(CorpusParams(format="jsonl", name="TIBKAT", **params))
    rows = np.sort(np.random.default_rng(0).permutation(len(corpus.train))[:N_TIBKAT])
    corpus = corpus.select(rows, np.arange(len(corpus.test)))
    n_rows = np.bincount(corpus.train.labels.indices, minlength=corpus.n_labels)
    kept = np.flatnonzero(n_rows >= FEWEST_ROWS)
    return replace(
        corpus,
        train=_with_labels(corpus.train, kept),
        test=_with_labels(corpus.test, kept),
        label_table=corpus.label_table.take(kept),
    )


def _with_labels(part: CorpusPart, kept: NDArray[Any]) -> CorpusPart:
    """The documents that have one of these labels, with no others."""
    labels = sp.csr_array(part.labels[:, kept])
    rows = np.flatnonzero(np.diff(labels.indptr))
    part = part.take(rows)
    return CorpusPart.from_columns(ids=part.ids, texts=part.texts, labels=check_csr(labels[rows]))


SOURCES = {
    "icd": Source("ICD-10-CM", lambda: read_corpus(CorpusParams(format="icd10cm")), NgramParams()),
    "wordnet": Source(
        "WordNet lemmas",
        lambda: read_corpus(CorpusParams(format="wordnet", folder="/usr/share/wordnet")),
        NgramParams(min_df=2),
        max_cost=1.3,
    ),
    "tibkat": Source("TIBKAT, a subset", _read_tibkat, NgramParams(longest=1, min_df=3)),
    "pairs": Source(
        "TIBKAT, labels in pairs",
        lambda: pair_labels(_read_tibkat(), LabelPairParams()),
        NgramParams(longest=1, min_df=3),
        leaf=50,
    ),
}
