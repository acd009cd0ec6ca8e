"""The corpora of the benchmarks, as folders of matrices (and texts) in the cache."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.environments import CannotTakePart, cache_folder
from benchmarks.matrices import Matrices, read_description
from benchmarks.synthetic import SIZES, generate

TEXTS = "texts.json"
N_TEST = 10_000
FORMAT = 2
"""Raised when folders that are already in a cache must be made anew."""


@dataclass(frozen=True)
class TextCorpus:
    """A corpus of texts.

    Parameters
    ----------
    title : str
    ingestion : dict
        Parameters of `read_corpus`.
    tfidf : dict
        Parameters of scikit-learn's TfidfVectorizer; the others are its defaults.
    """

    title: str
    ingestion: dict[str, Any]
    tfidf: dict[str, Any]

    def make(self, folder: Path, made_from: dict[str, Any]) -> None:
        """Read, weigh words, save matrices and texts; test documents at most N_TEST, drawn at random."""
        from sklearn.feature_extraction.text import TfidfVectorizer

        from larix.corpora import CorpusParams, read_corpus

        try:
            corpus = read_corpus(CorpusParams(**self.ingestion))
        except FileNotFoundError as error:
            raise CannotTakePart(str(error)) from error
        train, test = corpus.train, corpus.test
        chosen = np.sort(np.random.default_rng(0).permutation(len(test.texts))[:N_TEST])
        test_texts = [test.texts[i] for i in chosen]
        vectorizer = TfidfVectorizer(dtype=np.float32, **self.tfidf)
        X_train = vectorizer.fit_transform(train.texts)
        matrices = Matrices(X_train, train.labels, vectorizer.transform(test_texts), test.labels[chosen])
        matrices.without_unseen_labels().save(folder, made_from)
        texts = {"train": list(train.texts), "test": test_texts}
        (folder / TEXTS).write_text(json.dumps(texts, ensure_ascii=False), encoding="utf-8")


TEXT_CORPORA = {
    "icd": TextCorpus(
        "ICD-10-CM",
        {"format": "icd10cm", "name": "ICD-10-CM"},
        {"ngram_range": (1, 2), "sublinear_tf": True},
    ),
    "tibkat": TextCorpus(
        "TIBKAT",
        {
            "format": "jsonl",
            "name": "TIBKAT",
            "files": {"train": "tibkat/train.jsonl.gz", "test": "tibkat/dev.jsonl.gz"},
            "columns": {"text": ["title", "abstract"], "labels": "labels", "id": "id"},
            "split": {"drop_test_duplicates": True},
        },
        {"ngram_range": (1, 1), "min_df": 3, "sublinear_tf": True},
    ),
}
NAMES = (*TEXT_CORPORA, *SIZES)
DEFAULT = ("icd", "tibkat", "syn-s", "syn-m")


def title(name: str) -> str:
    """What pages call a corpus."""
    return TEXT_CORPORA[name].title if name in TEXT_CORPORA else name


def matrices_folder(name: str) -> Path:
    """The folder of a corpus, made if it isn't there.

    Raises
    ------
    CannotTakePart
        If the corpus' files are not there.
    """
    folder = cache_folder() / "matrices" / name
    make: Callable[[Path, dict[str, Any]], None]
    if name in TEXT_CORPORA:
        corpus = TEXT_CORPORA[name]
        made_from, make = {"format": FORMAT, **asdict(corpus)}, corpus.make
    else:
        params = SIZES[name]
        made_from, make = {"format": FORMAT, **asdict(params)}, lambda *where: generate(params).save(*where)
    made_from = json.loads(json.dumps(made_from))
    if (read_description(folder) or {}).get("made_from") != made_from:
        print(f"making the matrices of {name} in {folder}", flush=True)
        make(folder, made_from)
    return folder
