"""Random pairs of labels merged into one: a corpus in which every ambiguity is known.

What becomes of a label that stands for two things that have nothing in common? Of natural labels one can
only guess; here it is known which of the two a document means. The labels that were merged become the senses
of their pair, and every other label has itself as its one sense, so that the senses of the corpus are its
labels before.
"""

from typing import Any

import numpy as np
import pyarrow as pa
import scipy.sparse as sp
from numpy.typing import NDArray

from larix.corpora.corpus import Corpus, CorpusPart
from larix.corpora.corpus_schema import sparse_columns
from larix.corpora.params import LabelPairParams

_JOINED_BY = {"id": " / ", "name": " / ", "text": "\n"}


def pair_labels(corpus: Corpus, params: LabelPairParams) -> Corpus:
    """Merge random pairs of the labels that have training documents.

    A document has a pair if it has either of its labels, with the higher relevance of the two. The pair takes
    the place of the one that comes first. Whether a rejected label's pair is wrong is not known, so rejected
    labels are forgotten.

    Parameters
    ----------
    corpus : Corpus
        Without senses.
    params : LabelPairParams
        Share of the labels, and seed.

    Raises
    ------
    ValueError
        If the corpus knows senses of its labels already, or the identifier of a pair is also that of a label.

    Examples
    --------
    >>> from larix.corpora import corpus_from_texts
    >>> corpus = corpus_from_texts(["red fox", "sky"], [["animal"], ["air"]])
    >>> paired = pair_labels(corpus, LabelPairParams())
    >>> paired.label_ids, paired.sense_table["id"].to_pylist()
    (['air / animal'], ['air', 'animal'])
    """
    if corpus.sense_table is not None:
        raise ValueError(
            f"labels are paired where no senses are known, but {corpus.name!r} knows "
            f"{len(corpus.sense_table)}; leave pair_labels out"
        )
    pairs = _draw_pairs(np.unique(corpus.train.labels.indices), params)
    first = np.arange(corpus.n_labels)
    first[pairs[:, 1]] = pairs[:, 0]
    kept, owners = np.unique(first, return_inverse=True)
    order = np.argsort(owners, kind="stable")  # the senses of a label are neighbours
    senses = corpus.label_table.select(["id", "name"]).take(pa.array(order))
    return Corpus(
        f"{corpus.name}, labels in pairs",
        _paired(corpus.train, owners, order),
        _paired(corpus.test, owners, order),
        _joined(corpus.label_table, pairs).take(pa.array(kept)),
        corpus.n_test_dropped,
        senses.append_column("label", pa.array(owners[order])),
    )


def _draw_pairs(labels: NDArray[Any], params: LabelPairParams) -> NDArray[np.int64]:
    """Random pairs without a label twice, the lower one first: n x 2."""
    n_pairs = int(params.share * len(labels)) // 2
    drawn = np.random.default_rng(params.random_state).permutation(labels)[: 2 * n_pairs]
    return np.sort(drawn.reshape(-1, 2), axis=1).astype(np.int64)


def _paired(part: CorpusPart, owners: NDArray[np.int64], order: NDArray[np.int64]) -> CorpusPart:
    """The same documents with pairs for labels and the old labels for senses."""
    n, n_pairs = len(part), int(owners.max(initial=-1)) + 1
    rows = np.repeat(np.arange(n), np.diff(part.labels.indptr))
    entries, of = np.unique(rows * n_pairs + owners[part.labels.indices], return_inverse=True)
    relevance = np.zeros(len(entries), np.float32)
    np.maximum.at(relevance, of, part.labels.data)
    row_of, column = np.divmod(entries, max(n_pairs, 1))
    labels = sp.csr_array((relevance, column, np.searchsorted(row_of, np.arange(n + 1))), shape=(n, n_pairs))
    columns = sparse_columns(labels, "labels", "relevance")
    table = part.table.drop_columns([name for name in part.table.column_names if name == "rejected"])
    for name in {"labels", "relevance"}.intersection(table.column_names):
        table = table.set_column(table.column_names.index(name), name, columns[name])
    senses = part.labels[:, order]
    senses.sort_indices()
    return CorpusPart(table, n_pairs, part.n_features).with_senses(senses)


def _joined(table: pa.Table, pairs: NDArray[np.int64]) -> pa.Table:
    """The label table with what both labels of a pair say in the row of the first."""
    columns = {name: table[name].to_pylist() for name in table.column_names}
    for name, texts in columns.items():
        for first, second in pairs.tolist():
            texts[first] = _JOINED_BY[name].join(filter(None, (texts[first], texts[second])))
    return pa.table(columns)
