"""Text files of PECOS (https://github.com/amzn/pecos): a document in a line, its labels, a tab, its text.

Labels are numbers counted from 0, joined by commas; `7::0.5` gives label 7 the relevance 0.5. A file of label
texts, if there is one, has the text of label l in its line l + 1 and bounds the numbers.
"""

from pathlib import Path

import numpy as np

from larix.corpora.documents import Documents, LabelVocabulary, TextDocumentsBuilder, require_documents
from larix.corpora.format_error import CorpusFormatError, Quoted
from larix.corpora.number_fields import LARGEST_DIMENSION, parse_index, parse_value
from larix.corpora.oddities import Oddities
from larix.corpora.text_file import is_blank, read_lines


def read_pecos(
    path: Path, vocabulary: LabelVocabulary, *, n_labels: int | None = None, encoding: str = "utf-8"
) -> Documents:
    """Read a PECOS text file.

    Parameters
    ----------
    path : Path
        Plain or gzip-compressed.
    vocabulary : LabelVocabulary
        Receives the numbers of labels, as text.
    n_labels : int, optional
        Bound of these numbers.
    encoding : str
        Of the file.

    Raises
    ------
    CorpusFormatError
        At the first place that breaks a rule.
    """
    oddities = Oddities()
    documents = TextDocumentsBuilder(vocabulary, oddities)
    for number, line in read_lines(path, oddities, encoding=encoding):
        if is_blank(line) and "\t" not in line:
            oddities["blank lines"] += 1
            continue
        head, tab, text = line.partition("\t")
        if not tab:
            raise CorpusFormatError(
                path,
                number,
                len(line) + 1,
                rule="a line is labels, a tab and a text",
                found="no tab",
                remedy="write a tab between labels and text; a document without labels begins with it",
            )
        labels, relevance = _labels(path, number, head, n_labels or LARGEST_DIMENSION)
        documents.add(str(len(documents)), text.strip(), labels, relevance)
    require_documents(path, len(documents))
    oddities.log(path)
    return documents.finish()


def _labels(path: Path, number: int, head: str, bound: int) -> tuple[list[str], list[float]]:
    labels: list[str] = []
    relevance: list[float] = []
    column = 1
    for part in head.split(",") if head.strip() else []:
        index, separator, value = part.partition("::")
        labels.append(str(parse_index(path, number, column, index.strip(), bound, "a label")))
        at = column + len(index) + 2
        relevance.append(_relevance(path, number, at, value.strip()) if separator else 1.0)
        column += len(part) + 1
    return labels, relevance


def _relevance(path: Path, number: int, column: int, text: str) -> float:
    value = parse_value(path, number, column, text, "a relevance")
    if value < 0:
        raise CorpusFormatError(
            path, number, column, rule="a relevance is positive", found=Quoted(text), remedy="correct it"
        )
    return float(np.float32(value))
