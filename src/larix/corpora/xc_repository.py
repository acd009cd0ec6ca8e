"""Files of the Extreme Classification Repository (http://manikvarma.org/downloads/XC/XMLRepository.html).

The first line is `N D L`, the numbers of documents, features and labels; each of the N lines after it is a
document, `label,label index:value index:value`, all numbers counted from 0. Old corpora come as one file with
two split files, whose column f lists the rows (counted from 1) of the training or test documents of fold f.

Features given twice in a document are summed, labels given twice count once, zeros are dropped.
"""

from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from larix.corpora.documents import Documents, feature_documents, require_documents
from larix.corpora.format_error import CorpusFormatError, Quoted
from larix.corpora.number_fields import LARGEST_DIMENSION, parse_index, parse_whole
from larix.corpora.oddities import Oddities
from larix.corpora.sparse_lines import SparseLineParser, SparseRows
from larix.corpora.sparse_rows import canonical_matrix, require_plausible_labels
from larix.corpora.text_file import Block, is_blank, read_blocks


class Header(NamedTuple):
    """First line of a file."""

    n_documents: int
    n_features: int
    n_labels: int
    label_column: int
    """Where the number of labels stands in the line."""


def read_xc(path: Path, *, like: Header | None = None, encoding: str = "utf-8") -> tuple[Header, Documents]:
    """Read a file of features and labels.

    Parameters
    ----------
    path : Path
        Plain or gzip-compressed.
    like : Header, optional
        Header of the training file, with which this one must agree on features and labels.
    encoding : str
        Of the file.

    Raises
    ------
    CorpusFormatError
        At the first place that breaks a rule.
    """
    oddities = Oddities()
    blocks = read_blocks(path, oddities, encoding=encoding)
    first = next(blocks)
    header = _header(path, first.lines[0])
    if like is not None:
        _require_like(path, first.lines[0], header, like)
    without_header = chain([Block(2, first.lines[1:])], blocks)
    parser = SparseLineParser(path, header.n_features, header.n_labels)
    parsed = [
        parser.parse(block.first_line, block.lines)
        for block in _document_blocks(path, header.n_documents, without_header, oddities)
    ]
    documents = _documents(path, header, SparseRows.concatenate(parsed), oddities)
    oddities.log(path)
    return header, documents


def _header(path: Path, line: str) -> Header:
    fields = line.split()
    if len(fields) != 3:
        raise CorpusFormatError(
            path,
            1,
            1,
            rule="the first line has three numbers: documents, features, labels",
            found=Quoted(line),
            remedy="add the line `N D L`",
        )
    numbers, column = [], 0
    for field, what in zip(fields, ("documents", "features", "labels"), strict=True):
        column = line.index(field, column)
        number = parse_whole(path, 1, column + 1, field, f"the number of {what} in the header `N D L`")
        if not 1 <= number <= LARGEST_DIMENSION:
            raise CorpusFormatError(
                path,
                1,
                column + 1,
                rule=f"the number of {what} lies in 1..{LARGEST_DIMENSION}",
                found=str(number),
                remedy="correct the header `N D L`",
            )
        numbers.append(number)
        column += len(field)
    return Header(numbers[0], numbers[1], numbers[2], line.rindex(fields[2]) + 1)


def _require_like(path: Path, line: str, header: Header, like: Header) -> None:
    for place, what in ((1, "features"), (2, "labels")):
        if header[place] != like[place]:
            before = " ".join(line.split()[:place])
            raise CorpusFormatError(
                path,
                1,
                len(before) + 2,
                rule=f"the test file has as many {what} as the training file, {like[place]}",
                found=str(header[place]),
                remedy="take both files from the same corpus, or correct the header",
            )


def _document_blocks(
    path: Path, n_documents: int, blocks: Iterable[Block], oddities: Oddities
) -> Iterator[Block]:
    """Yield the lines of the `n_documents` documents; after them only blank lines may come."""
    end = 2 + n_documents
    next_line = 2
    for block in blocks:
        next_line = block.first_line + len(block.lines)
        n_kept = max(end - block.first_line, 0)
        yield Block(block.first_line, block.lines[:n_kept])
        for number, line in enumerate(block.lines[n_kept:], block.first_line + n_kept):
            _require_blank(path, number, line, n_documents)
            oddities["blank lines at the end"] += 1
    if next_line < end:
        raise CorpusFormatError(
            path,
            next_line,
            1,
            rule=f"the header announces {n_documents} documents, one in a line",
            found=f"the end of the file after {next_line - 2}",
            remedy="copy the file again if it was cut, or correct the header",
        )


def _require_blank(path: Path, number: int, line: str, n_documents: int) -> None:
    if not is_blank(line):
        raise CorpusFormatError(
            path,
            number,
            1,
            rule=f"the header announces {n_documents} documents, one in a line",
            found=f"a further line {line.strip()[:40]!r}",
            remedy="correct the header, or remove the line",
        )


def _documents(path: Path, header: Header, rows: SparseRows, oddities: Oddities) -> Documents:
    shape = (header.n_documents, header.n_labels)
    ones = np.ones(len(rows.labels), np.float32)
    labels = sp.csr_array((ones, rows.labels, np.concatenate([[0], np.cumsum(rows.n_labels)])), shape=shape)
    labels.sum_duplicates()
    oddities["labels repeated in a document"] += len(ones) - labels.nnz
    labels.data[:] = 1
    require_plausible_labels(path, header.n_labels, len(ones), line=1, column=header.label_column)
    features = canonical_matrix(
        path,
        (rows.values, rows.indices, np.concatenate([[0], np.cumsum(rows.n_features)])),
        (header.n_documents, header.n_features),
        oddities,
        line_of=lambda row: row + 2,
    )
    return feature_documents(features, labels, oddities)


def read_split(
    train_path: Path, test_path: Path, n_documents: int, fold: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows (from 0) of the training and the test documents of a fold, read from a pair of split files.

    Raises
    ------
    CorpusFormatError
        If a row number is out of range or repeated, in one file or across both.
    """
    seen: dict[int, str] = {}
    return _split_rows(train_path, n_documents, fold, seen), _split_rows(test_path, n_documents, fold, seen)


def _split_rows(path: Path, n_documents: int, fold: int, seen: dict[int, str]) -> NDArray[np.int64]:
    oddities = Oddities()
    rows = []
    for block in read_blocks(path, oddities):
        for number, line in enumerate(block.lines, block.first_line):
            if is_blank(line):
                oddities["blank lines"] += 1
                continue
            rows.append(_split_row(path, number, line, n_documents, fold))
            place = f"{path.name}:{number}"
            if (other := seen.setdefault(rows[-1], place)) != place:
                raise CorpusFormatError(
                    path,
                    number,
                    1,
                    rule="a document is in one part, once",
                    found=f"document {rows[-1] + 1}, which {other} lists already",
                    remedy="remove one of the two",
                )
    require_documents(path, len(rows))
    oddities.log(path)
    return np.array(rows, np.int64)


def _split_row(path: Path, number: int, line: str, n_documents: int, fold: int) -> int:
    fields = line.split()
    if fold >= len(fields):
        raise CorpusFormatError(
            path,
            number,
            len(line.rstrip()) + 1,
            rule=f"fold {fold} is column {fold + 1} of a split file",
            found=f"{len(fields)} columns",
            remedy="choose a smaller split.fold, counted from 0",
        )
    column = 0
    for field in fields[:fold]:
        column = line.index(field, column) + len(field)
    column = line.index(fields[fold], column) + 1
    return parse_index(path, number, column, fields[fold], n_documents, "a row", first=1) - 1
