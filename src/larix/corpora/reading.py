"""`read_corpus`: from parameters to a corpus, whatever its format."""

import logging
import time
from collections.abc import Callable
from dataclasses import replace

from larix.corpora.assembly import assemble
from larix.corpora.corpus import Corpus
from larix.corpora.documents import Documents, LabelVocabulary
from larix.corpora.format_error import CorpusFormatError
from larix.corpora.icd10cm import read_icd10cm
from larix.corpora.label_files import read_label_files, read_numbered_labels
from larix.corpora.label_pairs import pair_labels
from larix.corpora.mulan import read_mulan
from larix.corpora.params import TABLE_FORMATS, WHOLE_FORMATS, CorpusParams, data_folder
from larix.corpora.pecos import read_pecos
from larix.corpora.pecos_matrices import read_pecos_matrices
from larix.corpora.tables import read_table
from larix.corpora.wordnet import read_wordnet
from larix.corpora.xc_repository import read_split, read_xc

logger = logging.getLogger(__name__)

Parts = tuple[Documents, Documents | None]


def read_corpus(params: CorpusParams) -> Corpus:
    """Read, split and limit a corpus as the parameters say.

    Parameters
    ----------
    params : CorpusParams
        Format, files, columns, split.

    Raises
    ------
    CorpusFormatError
        If a file breaks a rule of its format; the message begins with `FILE:LINE:COLUMN:`.
    FileNotFoundError
        If a file or the data folder does not exist.

    Examples
    --------
    >>> corpus = read_corpus(CorpusParams(format="icd10cm", max_documents=100))
    >>> len(corpus.train) + len(corpus.test)
    100
    """
    start = time.perf_counter()
    if params.format in WHOLE_FORMATS:
        corpus = read_icd10cm() if params.format == "icd10cm" else read_wordnet(data_folder(params.folder))
        corpus = replace(corpus, name=params.name or corpus.name)
    else:
        vocabulary = LabelVocabulary()
        train, test = _reader(params.format)(params, vocabulary)
        corpus = assemble(
            params.title,
            train,
            test,
            vocabulary,
            names=_label_texts(params, params.labels.names, vocabulary),
            label_texts=_label_texts(params, params.labels.texts, vocabulary)
            if params.labels.texts
            else None,
            split=params.split,
        )
        _require_labels(corpus, params)
    if params.max_documents is not None:
        corpus = corpus.limit(params.max_documents, random_state=params.split.random_state)
    if params.pair_labels is not None:
        corpus = pair_labels(corpus, params.pair_labels)
    logger.info(
        "corpus %s: %d training and %d test documents, %d labels, %.1f s",
        corpus.name,
        len(corpus.train),
        len(corpus.test),
        corpus.n_labels,
        time.perf_counter() - start,
    )
    return corpus


def _require_labels(corpus: Corpus, params: CorpusParams) -> None:
    if not corpus.train.labels.nnz:
        raise CorpusFormatError(
            params.path(params.files.train),
            1,
            1,
            rule="some training document has a label",
            found="none that has one",
            remedy="name the column, or the file, that holds the labels",
        )


def _reader(name: str) -> Callable[[CorpusParams, LabelVocabulary], Parts]:
    if name in TABLE_FORMATS:
        return _read_tables
    return {"xc": _read_xc, "pecos": _read_pecos, "pecos-npz": _read_matrices, "arff": _read_mulan}[name]


def _read_tables(params: CorpusParams, vocabulary: LabelVocabulary) -> Parts:
    def read(file: str | None) -> Documents:
        return read_table(
            params.path(file), params.format, params.columns, vocabulary, encoding=params.encoding
        )

    return read(params.files.train), read(params.files.test) if params.files.test else None


def _read_xc(params: CorpusParams, vocabulary: LabelVocabulary) -> Parts:
    files = params.files
    header, train = read_xc(params.path(files.train), encoding=params.encoding)
    vocabulary.add_numbers(header.n_labels)
    if files.test:
        return train, read_xc(params.path(files.test), like=header, encoding=params.encoding)[1]
    if files.train_split and files.test_split:
        train_rows, test_rows = read_split(
            params.path(files.train_split), params.path(files.test_split), len(train), params.split.fold
        )
        return train.take(train_rows), train.take(test_rows)
    return train, None


def _read_pecos(params: CorpusParams, vocabulary: LabelVocabulary) -> Parts:
    label_files = params.labels.names or params.labels.texts
    if label_files:
        names = read_numbered_labels(params.path(label_files[0]), None, encoding=params.encoding)
        vocabulary.add_numbers(len(names))
    n_labels = len(vocabulary) or None

    def read(file: str | None) -> Documents:
        return read_pecos(params.path(file), vocabulary, n_labels=n_labels, encoding=params.encoding)

    return read(params.files.train), read(params.files.test) if params.files.test else None


def _read_matrices(params: CorpusParams, vocabulary: LabelVocabulary) -> Parts:
    files = params.files
    train = read_pecos_matrices(params.path(files.train), params.path(files.train_labels))
    vocabulary.add_numbers(train.labels.shape[1])
    if not files.test:
        return train, None
    return train, read_pecos_matrices(params.path(files.test), params.path(files.test_labels), like=train)


def _read_mulan(params: CorpusParams, vocabulary: LabelVocabulary) -> Parts:
    files = params.files
    header = params.path(files.label_header)
    attributes, train = read_mulan(params.path(files.train), header, vocabulary, encoding=params.encoding)
    if not files.test:
        return train, None
    _, test = read_mulan(
        params.path(files.test), header, vocabulary, like=attributes, encoding=params.encoding
    )
    return train, test


def _label_texts(params: CorpusParams, files: tuple[str, ...], vocabulary: LabelVocabulary) -> dict[str, str]:
    """Names or texts of labels from their files; numbered formats may have one in a line."""
    paths = [params.path(file) for file in files]
    if params.format in ("xc", "pecos", "pecos-npz") and paths:
        names = read_numbered_labels(paths[0], len(vocabulary), encoding=params.encoding)
        return {str(label): name for label, name in enumerate(names)}
    return read_label_files(paths, prefixes=params.labels.prefixes, encoding=params.encoding)
