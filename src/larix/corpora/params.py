"""Parameters of ingestion: which corpus to read, from which files, how to read, split and limit it.

In a Kedro project they stand in `parameters_ingestion.yml`::

    ingestion:
      format: jsonl
      files: {train: reports.jsonl}
      columns: {text: [title, abstract], labels: subjects}
      split: {test_fraction: 0.1, drop_test_duplicates: true}
"""

import dataclasses
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args

from larix.corpora.icd10cm_release import tabular_list
from larix.corpora.nearest import nearest_hint
from larix.corpora.text_file import check_encoding
from larix.corpora.wordnet_database import database_files

Format = Literal["icd10cm", "jsonl", "csv", "tsv", "parquet", "xc", "pecos", "pecos-npz", "arff", "wordnet"]
FORMATS: tuple[str, ...] = get_args(Format)
TABLE_FORMATS = ("jsonl", "csv", "tsv", "parquet")
WHOLE_FORMATS = ("icd10cm", "wordnet")
"""Formats that are whole corpora: their files have fixed names, and they bring their own split."""
DATA_VARIABLE = "LARIX_DATA"

Params = TypeVar("Params")


@dataclass(frozen=True)
class FileParams:
    """The files of a corpus. Relative paths are resolved as `CorpusParams.folder` says.

    Attributes
    ----------
    train, test : str, optional
        Documents. Without `test` a part of `train` becomes the test part.
    train_labels, test_labels : str, optional
        Label matrices (`pecos-npz`), where `train` and `test` are feature matrices.
    label_header : str, optional
        XML file that names the labels (`arff`).
    train_split, test_split : str, optional
        Rows of the documents in `train` that are for training and for testing (`xc`).
    """

    train: str | None = None
    test: str | None = None
    train_labels: str | None = None
    test_labels: str | None = None
    label_header: str | None = None
    train_split: str | None = None
    test_split: str | None = None


@dataclass(frozen=True)
class ColumnParams:
    """Which columns of a table (`jsonl`, `csv`, `tsv`, `parquet`) hold what.

    Attributes
    ----------
    text : tuple of str
        Columns whose texts are joined by line ends; one name may be given as it is.
    labels : str
        Column with a list of labels, or with labels in one string.
    id, relevance : str, optional
        Column with the identifier; column with a list of numbers beside the labels.
    rejected : str, optional
        Column with labels that someone judged to be wrong for the document, written as `labels` are.
    label_delimiter : str
        What separates labels in a string. A string that is a JSON list is read as such.
    where : mapping of str to value
        Keep only rows whose columns equal these values.
    field_delimiter : str, optional
        One character that separates the fields of a CSV or TSV file; by default a comma or a tab.
    quoting : bool
        Whether a field of a CSV or TSV file may stand in double quotes.
    """

    text: tuple[str, ...] = ("text",)
    labels: str = "labels"
    id: str | None = None
    relevance: str | None = None
    rejected: str | None = None
    label_delimiter: str = ","
    where: Mapping[str, Any] = field(default_factory=dict)
    field_delimiter: str | None = None
    quoting: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", (self.text,) if isinstance(self.text, str) else tuple(self.text))
        if not self.text or not all(isinstance(name, str) and name for name in self.text):
            raise ValueError(
                f"columns.text must name one column or more, but is {self.text!r}; give their names"
            )
        if not isinstance(self.labels, str) or not self.labels:
            raise ValueError(f"columns.labels must name a column, but is {self.labels!r}; give its name")
        if not isinstance(self.label_delimiter, str) or not self.label_delimiter:
            raise ValueError(
                f"columns.label_delimiter must be text, but is {self.label_delimiter!r}; give for example ';'"
            )
        if self.field_delimiter is not None and (
            len(self.field_delimiter) != 1 or self.field_delimiter in '"\r\n'
        ):
            raise ValueError(
                f"columns.field_delimiter must be one character other than a quote or a line end, "
                f"but is {self.field_delimiter!r}; give for example ';'"
            )
        if not isinstance(self.where, Mapping):
            raise ValueError(
                f"columns.where must map columns to values, but is {self.where!r}; write {{lang: en}}"
            )

    @property
    def needed(self) -> tuple[str, ...]:
        """All columns that a file must have, each once."""
        optional = (name for name in (self.id, self.relevance, self.rejected) if name)
        return tuple(dict.fromkeys((*self.text, self.labels, *optional, *self.where)))


@dataclass(frozen=True)
class LabelParams:
    """Files that tell more about labels.

    A line of such a file is `id<TAB>name`; or, for formats that number their labels, just the name, the
    line of label 0 first. Of several files the first that names a label counts.

    Attributes
    ----------
    names, texts : tuple of str
        Files with names, files with longer texts; one file may be given as it is.
    prefixes : mapping of str to str
        Beginnings of identifiers to replace in these files, so that they match those of the documents.
    """

    names: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    prefixes: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("names", "texts"):
            given = getattr(self, name)
            object.__setattr__(self, name, (given,) if isinstance(given, str) else tuple(given or ()))
        if not isinstance(self.prefixes, Mapping):
            raise ValueError(
                f"labels.prefixes must map old to new, but is {self.prefixes!r}; write {{old: new}}"
            )


@dataclass(frozen=True)
class SplitParams:
    """How documents are divided into training and test documents.

    Attributes
    ----------
    test_fraction : float
        Share of documents to test on where the corpus has no test part of its own, in [0, 1).
    random_state : int
        Seed of that split, and of the slice that `max_documents` asks for.
    drop_test_duplicates : bool
        Leave out test documents that repeat a training document.
    fold : int
        Column of the split files to use, counted from 0 (`xc`).
    """

    test_fraction: float = 0.1
    random_state: int = 0
    drop_test_duplicates: bool = False
    fold: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.test_fraction < 1:
            raise ValueError(
                f"split.test_fraction must lie in [0, 1), but is {self.test_fraction}; 0.1 is usual"
            )
        _check_whole("split.random_state", self.random_state)
        _check_whole("split.fold", self.fold)


@dataclass(frozen=True)
class LabelPairParams:
    """Random pairs of labels are merged into one, as a test of models on labels with two meanings.

    Attributes
    ----------
    share : float
        Of the labels that have training documents, in (0, 1].
    random_state : int
        Seed of the pairs.
    """

    share: float = 1.0
    random_state: int = 0

    def __post_init__(self) -> None:
        if not 0 < self.share <= 1:
            raise ValueError(
                f"pair_labels.share must lie in (0, 1], but is {self.share}; without pairs, leave it out"
            )
        _check_whole("pair_labels.random_state", self.random_state)


@dataclass(frozen=True)
class CorpusParams:
    """Everything that `read_corpus` needs to know.

    Attributes
    ----------
    format : str
        One of `FORMATS`.
    name : str, optional
        What reports call the corpus; by default the training file's name.
    folder : str, optional
        Where relative paths begin. Without it they begin in the folder that the environment variable
        `LARIX_DATA` names.
    files, columns, labels, split
        See `FileParams`, `ColumnParams`, `LabelParams`, `SplitParams`; mappings are converted.
    max_documents : int, optional
        Keep a random slice of this many documents, for quick tries.
    pair_labels : LabelPairParams, optional
        Merge random pairs of labels into one each; the labels before become its known senses.
    encoding : str
        Encoding of text files, one of `ENCODINGS`.

    Raises
    ------
    ValueError
        If a value breaks a rule, or files that the format needs are not given.
    TypeError
        If a key is unknown; the message names the nearest one.
    """

    format: Format = "icd10cm"
    name: str | None = None
    folder: str | None = None
    files: FileParams = field(default_factory=FileParams)
    columns: ColumnParams = field(default_factory=ColumnParams)
    labels: LabelParams = field(default_factory=LabelParams)
    split: SplitParams = field(default_factory=SplitParams)
    max_documents: int | None = None
    pair_labels: LabelPairParams | None = None
    encoding: str = "utf-8"

    def __post_init__(self) -> None:
        for group, kind in _GROUPS.items():
            object.__setattr__(self, group, _group(kind, getattr(self, group), group))
        if self.pair_labels is not None:
            pairs = _group(LabelPairParams, self.pair_labels, "pair_labels")
            object.__setattr__(self, "pair_labels", pairs)
        if self.format not in FORMATS:
            raise ValueError(
                f"format must be a known one, but is {self.format!r}; {nearest_hint(self.format, FORMATS)}"
            )
        check_encoding(self.encoding)
        if self.max_documents is not None and self.max_documents < 1:
            raise ValueError(
                f"max_documents must be at least 1, but is {self.max_documents}; leave it out to keep all"
            )
        self._check_files()

    def _check_files(self) -> None:
        needed, allowed = _FILES[self.format]
        given = [f.name for f in dataclasses.fields(self.files) if getattr(self.files, f.name)]
        for name in needed:
            if name not in given:
                raise ValueError(
                    f"format {self.format!r} needs files.{name}, but it is not given; name the file"
                )
        for name in given:
            if name not in (*needed, *allowed):
                raise ValueError(
                    f"format {self.format!r} has no use for files.{name}, but it is "
                    f"{getattr(self.files, name)!r}; leave it out"
                )
        for one, other in _TOGETHER:
            if (one in given) != (other in given) and {one, other} <= {*needed, *allowed}:
                raise ValueError(
                    f"files.{one} and files.{other} come together, but only one is given; give both"
                )
        if "test" in given and "train_split" in given:
            raise ValueError("a corpus has a test file or split files, but both are given; leave one out")

    def path(self, file: str | None) -> Path:
        """Where a file named in the parameters is.

        Raises
        ------
        FileNotFoundError
            If the path is relative and there is no folder that it could begin in.
        ValueError
            If there is no file name.
        """
        if not file:
            raise ValueError(
                f"format {self.format!r} needs a further file, but it is not given; name it under files"
            )
        path = Path(file).expanduser()
        return path if path.is_absolute() else data_folder(self.folder) / path

    def source_files(self) -> list[Path]:
        """Every file that the corpus is read from, so that others can see whether one has changed.

        Raises
        ------
        FileNotFoundError
            As `path` does.
        """
        if self.format == "icd10cm":
            return [Path(str(tabular_list()))]
        if self.format == "wordnet":
            return database_files(data_folder(self.folder))
        given = [getattr(self.files, f.name) for f in dataclasses.fields(self.files)]
        return [self.path(file) for file in (*given, *self.labels.names, *self.labels.texts) if file]

    @property
    def title(self) -> str:
        """Name of the corpus for reports."""
        if self.name:
            return self.name
        return Path(self.files.train).name.split(".")[0] if self.files.train else self.format


def _check_whole(name: str, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(f"{name} must be a whole number from 0, but is {value!r}; 0 is usual")


def data_folder(folder: str | None) -> Path:
    """The folder in which relative paths begin: `folder`, or what `LARIX_DATA` names.

    Raises
    ------
    FileNotFoundError
        If neither is given, or the folder does not exist.
    """
    variable = os.environ.get(DATA_VARIABLE)
    chosen = folder or variable
    if not chosen:
        raise FileNotFoundError(
            f"relative paths need a folder, but neither the parameter `folder` nor the environment variable "
            f"{DATA_VARIABLE} names one; set one of them to the folder that holds the data"
        )
    path = Path(chosen).expanduser()
    if not path.is_dir():
        source = "the parameter `folder`" if folder else f"the environment variable {DATA_VARIABLE}"
        raise FileNotFoundError(
            f"{source} must name an existing folder, but {path} is none; "
            f"correct the parameter `folder` or the environment variable {DATA_VARIABLE}"
        )
    return path


_GROUPS: dict[str, type] = {
    "files": FileParams,
    "columns": ColumnParams,
    "labels": LabelParams,
    "split": SplitParams,
}

# Files that a format needs, and further ones that it can use.
_FILES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    **dict.fromkeys(WHOLE_FORMATS, ((), ())),
    **dict.fromkeys(TABLE_FORMATS, (("train",), ("test",))),
    "xc": (("train",), ("test", "train_split", "test_split")),
    "pecos": (("train",), ("test",)),
    "pecos-npz": (("train", "train_labels"), ("test", "test_labels")),
    "arff": (("train", "label_header"), ("test",)),
}
_TOGETHER = (("train_split", "test_split"), ("test", "test_labels"))


def _group(kind: type[Params], given: Any, name: str) -> Params:
    """An object of `kind` from itself or from a mapping of its fields."""
    if isinstance(given, kind):
        return given
    if not isinstance(given, Mapping):
        raise TypeError(f"{name} must be a mapping, but is {given!r}; write its keys under it")
    known = [f.name for f in dataclasses.fields(kind)]  # type: ignore[arg-type]
    for key in given:
        if key not in known:
            raise TypeError(f"{name} has no key {key!r}; {nearest_hint(str(key), known)}")
    return kind(**given)
