"""Counts that describe a corpus: sizes, labels per document, and what is dirty about it."""

from typing import TYPE_CHECKING, Any

import numpy as np

from larix.corpora.split import repeated_rows, repeated_texts

if TYPE_CHECKING:
    from larix.corpora.corpus import Corpus, CorpusPart


def summarize(corpus: "Corpus") -> dict[str, Any]:
    """Describe a corpus by plain JSON values.

    Returns
    -------
    dict
        `name`; numbers of documents `n_train`, `n_test`, of labels `n_labels`, of features `n_features`
        (None for texts); `labels_per_document` and `labels_per_test_document`; `documents_per_label`
        (training documents, labels without any left out); `words_per_document` (texts) or
        `features_per_document` of the training part; `n_labels_unseen_in_training`, and those among them
        that a test document has, `n_test_labels_unseen_in_training`; and for each part how many documents
        are empty and how many have no label; `n_test_repeating_train`, `n_test_dropped`. Where senses are
        known, also their number `n_senses`, and `n_labels_of_several_senses` in the training part; where
        labels are rejected, their number in the training part, `n_train_rejected`.
    """
    train, test = corpus.train, corpus.test
    frequency = np.bincount(train.labels.indices, minlength=corpus.n_labels)
    in_test = np.bincount(test.labels.indices, minlength=corpus.n_labels) > 0
    n_seen = int((frequency > 0).sum())
    return {
        "name": corpus.name,
        "n_train": len(train),
        "n_test": len(test),
        "n_labels": corpus.n_labels,
        "n_features": corpus.n_features,
        "labels_per_document": _mean(train.labels.nnz, len(train)),
        "labels_per_test_document": _mean(test.labels.nnz, len(test)),
        "documents_per_label": _mean(train.labels.nnz, n_seen),
        **_size(train),
        "n_labels_unseen_in_training": corpus.n_labels - n_seen,
        "n_test_labels_unseen_in_training": int((in_test & (frequency == 0)).sum()),
        "n_train_empty": _n_empty(train),
        "n_test_empty": _n_empty(test),
        "n_train_without_labels": int((np.diff(train.labels.indptr) == 0).sum()),
        "n_test_without_labels": int((np.diff(test.labels.indptr) == 0).sum()),
        "n_test_repeating_train": _n_repeating(train, test),
        "n_test_dropped": corpus.n_test_dropped,
        **_senses(corpus),
        **({"n_train_rejected": train.rejected.nnz} if train.rejected.nnz else {}),
    }


def _mean(total: int, count: int) -> float:
    return round(total / count, 2) if count else 0.0


def _size(part: "CorpusPart") -> dict[str, float]:
    if part.texts is None:
        return {"features_per_document": _mean(part.features.nnz, len(part))}
    return {"words_per_document": _mean(sum(len(text.split()) for text in part.texts), len(part))}


def _senses(corpus: "Corpus") -> dict[str, int]:
    if corpus.sense_labels is None:
        return {}
    seen = corpus.sense_labels[np.unique(corpus.train.senses.indices)]
    return {
        "n_senses": len(corpus.sense_labels),
        "n_labels_of_several_senses": int((np.bincount(seen) > 1).sum()),
    }


def _n_empty(part: "CorpusPart") -> int:
    if part.texts is None:
        return int((np.diff(part.features.indptr) == 0).sum())
    return sum(not text.strip() for text in part.texts)


def _n_repeating(train: "CorpusPart", test: "CorpusPart") -> int:
    if train.texts is not None and test.texts is not None:
        return int(repeated_texts(train.texts, test.texts).sum())
    return int(repeated_rows(train.features, test.features).sum())
