"""Corpora of Mulan (https://mulan.sourceforge.net): an ARFF file, and an XML file that names the labels.

The attributes that the XML file names are labels, with values 0 and 1; all others are features. A hierarchy
of labels in the XML file is read as a flat list.
"""

import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import scipy.sparse as sp

from larix.corpora.arff import ArffFile, open_arff
from larix.corpora.arff_rows import Attribute
from larix.corpora.documents import Documents, LabelVocabulary, feature_documents, require_documents
from larix.corpora.format_error import CorpusFormatError, Quoted
from larix.corpora.nearest import nearest_hint
from larix.corpora.oddities import Oddities
from larix.corpora.sparse_rows import canonical_matrix
from larix.corpora.text_file import read_whole


def read_label_header(path: Path) -> list[str]:
    """Names of the labels, in the order of the XML file.

    Raises
    ------
    CorpusFormatError
        If the file is no XML, names no label or one twice.
    """
    raw = read_whole(path)
    try:
        root = ET.fromstring(raw)
    except ET.ParseError as error:
        line, column = error.position
        raise CorpusFormatError(
            path,
            line,
            column + 1,
            rule="the label header is XML",
            found=str(error),
            remedy="correct it there",
        ) from None
    except (ValueError, LookupError) as error:  # an encoding that does not exist
        raise CorpusFormatError(
            path, 1, 1, rule="the label header is XML", found=str(error), remedy="save it as UTF-8"
        ) from None
    elements = [element for element in root.iter() if _local_name(element) == "label"]
    names = [element.get("name", "") for element in elements]
    for at, name in enumerate(names):
        if not name or name in names[:at]:
            raise CorpusFormatError(
                path,
                *_place_of(raw, name, occurrence=names[: at + 1].count(name)),
                rule="a label has a name of its own",
                found=f"{name!r} in label {at + 1}",
                remedy="correct its attribute `name`",
            )
    if not names:
        raise CorpusFormatError(
            path, 1, 1, rule="the label header has elements <label name=...>", found="none", remedy="add them"
        )
    return names


def read_mulan(
    path: Path,
    label_header: Path,
    vocabulary: LabelVocabulary,
    *,
    like: list[str] | None = None,
    encoding: str = "utf-8",
) -> tuple[list[str], Documents]:
    """Read an ARFF file whose labels are named by an XML file.

    Parameters
    ----------
    path, label_header : Path
        The two files.
    vocabulary : LabelVocabulary
        Receives all labels of the header.
    like : list of str, optional
        Attributes of the training file, which this one must have in the same order.
    encoding : str
        Of the ARFF file.

    Returns
    -------
    list of str
        Names of all attributes.
    Documents
        Features in the order of the file.

    Raises
    ------
    CorpusFormatError
        At the first place that breaks a rule.
    """
    oddities = Oddities()
    labels = read_label_header(label_header)
    file = open_arff(path, oddities, encoding=encoding)
    names = [attribute.name for attribute in file.attributes]
    if like is not None:
        _require_like(file, like)
    _require_labels(file, label_header, labels)
    documents = _documents(
        file, {label: vocabulary.code(label) for label in labels}, len(vocabulary), oddities
    )
    oddities.log(path)
    return names, documents


def _documents(file: ArffFile, codes: dict[str, int], n_labels: int, oddities: Oddities) -> Documents:
    is_label = [attribute.name in codes for attribute in file.attributes]
    feature_of = (np.cumsum(~np.array(is_label)) - 1).tolist()
    labels: tuple[list[int], list[int]] = ([], [0])
    values: list[float] = []
    indices: list[int] = []
    ends = [0]
    lines: list[int] = []
    for row in file.rows:
        for attribute, value in zip(row.attributes, row.values, strict=True):
            if not is_label[attribute]:
                indices.append(feature_of[attribute])
                values.append(value)
            elif value:
                _require_one(file, row.line, file.attributes[attribute], value)
                labels[0].append(codes[file.attributes[attribute].name])
        ends.append(len(indices))
        lines.append(row.line)
        labels[1].append(len(labels[0]))
    n_rows = len(ends) - 1
    require_documents(file.path, n_rows)
    ones = np.ones(len(labels[0]), np.float32)
    label_matrix = sp.csr_array((ones, np.array(labels[0], np.int64), labels[1]), shape=(n_rows, n_labels))
    label_matrix.sum_duplicates()
    oddities["labels repeated in a document"] += len(ones) - label_matrix.nnz
    label_matrix.data[:] = 1
    features = canonical_matrix(
        file.path,
        (np.array(values, np.float32), np.array(indices, np.int64), np.array(ends)),
        (n_rows, len(is_label) - len(codes)),
        oddities,
        line_of=lines.__getitem__,
    )
    return feature_documents(features, label_matrix, oddities)


def _require_one(file: ArffFile, line: int, attribute: Attribute, value: float) -> None:
    if value != 1:
        raise CorpusFormatError(
            file.path,
            line,
            1,
            rule=f"a label is 0 or 1, and {attribute.name!r} is a label",
            found=f"{value:g}",
            remedy="correct the value, or the names in the label header",
        )


def _require_like(file: ArffFile, like: list[str]) -> None:
    for at, attribute in enumerate(file.attributes):
        if at >= len(like) or attribute.name != like[at]:
            wanted = repr(like[at]) if at < len(like) else "the end"
            raise CorpusFormatError(
                file.path,
                attribute.line,
                1,
                rule=f"the attributes are those of the training file, here {wanted}",
                found=Quoted(attribute.name),
                remedy="take both files from the same corpus",
            )
    if len(file.attributes) < len(like):
        raise CorpusFormatError(
            file.path,
            file.attributes[-1].line + 1,
            1,
            rule=f"the attributes are those of the training file, here {like[len(file.attributes)]!r}",
            found="the last attribute before it",
            remedy="take both files from the same corpus",
        )


def _require_labels(file: ArffFile, label_header: Path, labels: list[str]) -> None:
    names = {attribute.name for attribute in file.attributes}
    for label in labels:
        if label not in names:
            raise CorpusFormatError(
                label_header,
                *_place_of(read_whole(label_header), label),
                rule=f"a label is an attribute of {file.path.name}",
                found=Quoted(label),
                remedy=nearest_hint(label, names),
            )
    if len(labels) == len(names):
        raise CorpusFormatError(
            file.path,
            1,
            1,
            rule="some attributes are features",
            found="labels only",
            remedy="name in the label header only those attributes that are labels",
        )


def _local_name(element: ET.Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _place_of(raw: bytes, name: str, occurrence: int = 1) -> tuple[int, int]:
    """Line and column of the n-th attribute `name` with this value; (1, 1) if it is written another way."""
    text = raw.decode("utf-8", errors="replace")
    at = -1
    for _ in range(occurrence):
        at = text.find(f'name="{name}"', at + 1)
    if at < 0:
        return 1, 1
    return text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)
