"""One file of labelled documents by itself: to check it, or to evaluate a model on it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp

from larix.corpora.corpus import Corpus
from larix.corpora.documents import Documents, LabelVocabulary
from larix.corpora.icd10cm import corpus_of_codes, tabular_codes, tabular_list
from larix.corpora.label_files import read_numbered_labels
from larix.corpora.mulan import read_mulan
from larix.corpora.nearest import nearest_hint
from larix.corpora.params import FORMATS, TABLE_FORMATS, ColumnParams
from larix.corpora.pecos import read_pecos
from larix.corpora.pecos_matrices import read_pecos_matrices
from larix.corpora.tables import read_table
from larix.corpora.wordnet import read_wordnet
from larix.corpora.xc_repository import read_xc


@dataclass(frozen=True)
class LabelledFile:
    """The documents of a file.

    Attributes
    ----------
    documents : Documents
        Texts or features, and labels.
    label_ids : list of str
        Identifier of every column of `documents.labels`.
    """

    documents: Documents
    label_ids: list[str]

    @property
    def texts(self) -> list[str] | None:
        """Text of every document, or None if the file gives features."""
        return self.documents.texts

    @property
    def features(self) -> Any:
        """Features as csr_array (n x D), or None if the file gives texts."""
        return self.documents.features

    def labels_as(self, label_ids: Sequence[str]) -> tuple[Any, list[str]]:
        """Labels with the columns of another label set.

        Parameters
        ----------
        label_ids : sequence of str
            The labels of a model, in its order.

        Returns
        -------
        csr_array (n x (L + U))
            Relevance; the first L columns follow `label_ids`, then come the U labels that only the file has.
        list of str
            These U labels.
        """
        place = {label: column for column, label in enumerate(label_ids)}
        unknown = [label for label in self.label_ids if label not in place]
        place |= {label: len(label_ids) + column for column, label in enumerate(unknown)}
        columns = np.array([place[label] for label in self.label_ids], np.int32)
        given = self.documents.labels
        labels = sp.csr_array(
            (given.data, columns[given.indices], given.indptr), shape=(given.shape[0], len(place))
        )
        labels.sort_indices()
        return labels, unknown


def read_labelled_file(
    path: Path | str | None,
    file_format: str,
    *,
    columns: ColumnParams | None = None,
    label_file: Path | str | None = None,
    encoding: str = "utf-8",
) -> LabelledFile:
    """Read one file of labelled documents.

    Parameters
    ----------
    path : path-like or None
        The file; None with `icd10cm` for the installed list, and a folder with `wordnet`. Of these two the
        training documents are returned.
    file_format : str
        One of `larix.corpora.params.FORMATS`.
    columns : ColumnParams, optional
        Columns of a table; by default `text` and `labels`.
    label_file : path-like, optional
        The XML file of `arff`, the label matrix of `pecos-npz`, the label names of `pecos`. Without it the
        first two are looked for beside the file: bibtex.xml for bibtex-train.arff, Y.trn.npz for X.trn.npz.
    encoding : str
        Of a text file.

    Raises
    ------
    CorpusFormatError
        At the first place that breaks a rule.
    FileNotFoundError
        If a file does not exist.
    ValueError
        If the format is unknown.
    """
    if file_format not in FORMATS:
        raise ValueError(
            f"a format is one of the known ones, but is {file_format!r}; {nearest_hint(file_format, FORMATS)}"
        )
    if file_format == "icd10cm":
        return _training_documents(corpus_of_codes(tabular_codes(Path(path) if path else tabular_list())))
    if path is None:
        raise ValueError(f"format {file_format!r} needs a file, but none is given; name it")
    if file_format == "wordnet":
        return _training_documents(read_wordnet(Path(path), encoding=encoding))
    vocabulary = LabelVocabulary()
    documents = _documents(
        Path(path),
        file_format,
        columns or ColumnParams(),
        Path(label_file) if label_file else None,
        vocabulary,
        encoding,
    )
    return LabelledFile(documents, vocabulary.labels())


def _training_documents(corpus: Corpus) -> LabelledFile:
    train = corpus.train
    return LabelledFile(Documents(train.ids, train.texts, None, train.labels), corpus.label_ids)


def _documents(
    path: Path,
    file_format: str,
    columns: ColumnParams,
    label_file: Path | None,
    vocabulary: LabelVocabulary,
    encoding: str,
) -> Documents:
    if file_format in TABLE_FORMATS:
        return read_table(path, file_format, columns, vocabulary, encoding=encoding)
    if file_format == "xc":
        header, documents = read_xc(path, encoding=encoding)
        vocabulary.add_numbers(header.n_labels)
        return documents
    if file_format == "pecos":
        if label_file is not None:
            vocabulary.add_numbers(len(read_numbered_labels(label_file, None, encoding=encoding)))
        return read_pecos(path, vocabulary, n_labels=len(vocabulary) or None, encoding=encoding)
    if file_format == "pecos-npz":
        documents = read_pecos_matrices(path, label_file or _label_matrix_of(path))
        vocabulary.add_numbers(documents.labels.shape[1])
        return documents
    return read_mulan(path, label_file or _label_header_of(path), vocabulary, encoding=encoding)[1]


def _label_matrix_of(path: Path) -> Path:
    """Y.trn.npz beside X.trn.npz."""
    found = path.with_name("Y" + path.name[1:])
    if not path.name.startswith("X") or not found.is_file():
        raise FileNotFoundError(
            f"the label matrix of {path.name} should be beside it as {found.name}, but is not; "
            "name the file of labels"
        )
    return found


def _label_header_of(path: Path) -> Path:
    """bibtex.xml beside bibtex.arff, bibtex-train.arff or bibtex-test.arff."""
    stem = path.name.removesuffix(".gz").removesuffix(".arff")
    stem = stem.removesuffix("-train").removesuffix("-test")
    found = path.with_name(f"{stem}.xml")
    if not found.is_file():
        raise FileNotFoundError(
            f"the label header of {path.name} should be beside it as {found.name}, but is not; "
            "name the file of labels"
        )
    return found
