"""Put together a `Corpus` from what the readers hand over: documents, vocabulary, label names."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import scipy.sparse as sp

from larix.corpora.corpus import Corpus, CorpusPart
from larix.corpora.documents import Documents, LabelVocabulary, TextDocumentsBuilder
from larix.corpora.oddities import Oddities
from larix.corpora.params import SplitParams
from larix.corpora.split import random_split, repeats_training

logger = logging.getLogger(__name__)


def assemble(
    name: str,
    train: Documents,
    test: Documents | None,
    vocabulary: LabelVocabulary,
    *,
    names: Mapping[str, str] | None = None,
    label_texts: Mapping[str, str] | None = None,
    split: SplitParams | None = None,
) -> Corpus:
    """Build a corpus; without test documents a random part of the training documents becomes the test part.

    Parameters
    ----------
    name : str
        Name of the corpus.
    train, test : Documents
        With label columns numbered by `vocabulary`.
    vocabulary : LabelVocabulary
        All labels that get a column.
    names, label_texts : mapping from label id, optional
        Names and longer texts of labels; entries for labels outside the vocabulary are ignored.
    split : SplitParams, optional
        How to split, and whether to drop test documents that repeat a training document.

    Raises
    ------
    ValueError
        If there are no documents.
    """
    split = split or SplitParams()
    if not len(train):
        raise ValueError(f"a corpus needs training documents, but {name!r} has none; check files and filter")
    if test is None:
        train_rows, test_rows = random_split(len(train), split.test_fraction, split.random_state)
        train, test = train.take(train_rows), train.take(test_rows)
    n_dropped = 0
    if split.drop_test_duplicates:
        repeated = repeats_training(train, test)
        n_dropped = int(repeated.sum())
        test = test.take(np.flatnonzero(~repeated))
        logger.info("%s: dropped %d test documents that repeat a training document", name, n_dropped)
    order = vocabulary.order()
    return Corpus(
        name,
        _part(train, order),
        _part(test, order),
        _label_table(vocabulary, order, names or {}, label_texts),
        n_dropped,
    )


def corpus_from_texts(
    train_texts: Sequence[str],
    train_labels: Sequence[Sequence[str]],
    test_texts: Sequence[str] = (),
    test_labels: Sequence[Sequence[str]] = (),
    *,
    name: str = "corpus",
    label_names: Mapping[str, str] | None = None,
) -> Corpus:
    """Build a corpus from Python lists of texts and of their labels.

    Examples
    --------
    >>> corpus = corpus_from_texts(["red fox", "blue sky"], [["animal"], ["air"]])
    >>> len(corpus.train), len(corpus.test), corpus.label_ids
    (2, 0, ['air', 'animal'])
    """
    vocabulary = LabelVocabulary()
    train, test = (
        _documents(texts, labels, vocabulary)
        for texts, labels in ((train_texts, train_labels), (test_texts, test_labels))
    )
    return assemble(name, train, test, vocabulary, names=label_names)


def _documents(
    texts: Sequence[str], labels: Sequence[Sequence[str]], vocabulary: LabelVocabulary
) -> Documents:
    if len(texts) != len(labels):
        raise ValueError(
            f"each text needs a list of labels, but there are {len(texts)} texts and {len(labels)} lists"
        )
    builder = TextDocumentsBuilder(vocabulary, Oddities())
    for row, (text, row_labels) in enumerate(zip(texts, labels, strict=True)):
        builder.add(str(row), text, row_labels)
    return builder.finish()


def _part(documents: Documents, order: np.ndarray) -> CorpusPart:
    """The part of a corpus whose label columns follow `order`."""
    return CorpusPart.from_columns(
        ids=documents.ids,
        texts=documents.texts,
        features=documents.features,
        labels=_in_order(documents.labels, order),
        rejected=None if documents.rejected is None else _in_order(documents.rejected, order),
    )


def _in_order(labels: Any, order: np.ndarray) -> Any:
    """A matrix with the columns of a vocabulary's labels in their final order."""
    place = np.empty(len(order), np.int32)
    place[order] = np.arange(len(order), dtype=np.int32)
    ordered = sp.csr_array(
        (labels.data, place[labels.indices], labels.indptr), shape=(labels.shape[0], len(order))
    )
    ordered.sort_indices()
    return ordered


def _label_table(
    vocabulary: LabelVocabulary, order: np.ndarray, names: Mapping[str, str], texts: Mapping[str, str] | None
) -> pa.Table:
    labels = vocabulary.labels()
    ids = [labels[code] for code in order.tolist()]
    columns = {"id": ids, "name": [names.get(label) or label for label in ids]}
    if texts is not None:
        columns["text"] = [texts.get(label, "") for label in ids]
    return pa.table({name: pa.array(column, pa.large_string()) for name, column in columns.items()})
