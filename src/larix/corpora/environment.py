"""Write a Kedro environment for one's own data: `conf/NAME`, which `kedro run --env=NAME` then uses.

The file is read whole first, so that an environment is only written for data that can be ingested.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import yaml

from larix.corpora.check import FileReport, check_file
from larix.corpora.oddities import Oddities
from larix.corpora.params import TABLE_FORMATS, ColumnParams
from larix.corpora.tables import table_records

PARAMETERS_FILE = "parameters_ingestion.yml"
GLOBALS_FILE = "globals.yml"

_ENDINGS = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".csv": "csv",
    ".tsv": "tsv",
    ".parquet": "parquet",
    ".arff": "arff",
    ".npz": "pecos-npz",
}
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_TAKEN_NAMES = ("base", "local")
_LABEL_DELIMITERS = (";", "|", ",", "\t")
_RECORDS_LOOKED_AT = 1000


@dataclass(frozen=True)
class Environment:
    """An environment that was written.

    Attributes
    ----------
    name : str
        What `kedro run --env=` takes.
    folder : Path
        The folder with its files.
    parameters : dict
        What its parameter file holds.
    report : FileReport
        What the data file holds.
    """

    name: str
    folder: Path
    parameters: dict[str, Any]
    report: FileReport

    def lines(self) -> list[str]:
        """What was found and what to do next, as lines of text."""
        return [
            *self.report.lines(),
            f"wrote {self.folder / PARAMETERS_FILE}; now run: kedro run --env={self.name}",
        ]


def write_environment(
    data: Path | str,
    text: str | Sequence[str],
    labels: str,
    *,
    name: str | None = None,
    file_format: str | None = None,
    label_delimiter: str | None = None,
    field_delimiter: str | None = None,
    encoding: str = "utf-8",
    conf: Path | str = "conf",
    force: bool = False,
) -> Environment:
    """Look at a table, and write the environment that ingests it.

    Parameters
    ----------
    data : path-like
        JSONL, CSV, TSV or Parquet file.
    text : str or sequence of str
        Columns with text.
    labels : str
        Column with labels.
    name : str, optional
        Name of the environment; by default made from the file's name.
    file_format : str, optional
        One of `larix.corpora.params.TABLE_FORMATS`; by default what the file's ending says.
    label_delimiter : str, optional
        What separates labels in a string; by default found out from the first records.
    field_delimiter : str, optional
        What separates the fields of a CSV or TSV file; by default a comma or a tab.
    encoding : str
        Of a text file.
    conf : path-like
        The project's configuration folder.
    force : bool
        Overwrite an existing environment.

    Raises
    ------
    CorpusFormatError
        If the file breaks a rule of its format or lacks a column; the message names the columns it has.
    FileExistsError
        If the environment exists and `force` is not set.
    FileNotFoundError
        If the file or the configuration folder does not exist.
    ValueError
        If the name or format is none that can be used.
    """
    data = Path(data)
    file_format = file_format or format_of(data)
    if file_format not in TABLE_FORMATS:
        raise ValueError(
            f"an environment is written for a table ({', '.join(TABLE_FORMATS)}), but the format is "
            f"{file_format!r}; see the environment bibtex for how to write one by hand"
        )
    folder = _folder(Path(conf), name or environment_name(data), force=force)
    columns = with_label_delimiter(
        data,
        file_format,
        ColumnParams(text=text, labels=labels, field_delimiter=field_delimiter),
        label_delimiter,
        encoding=encoding,
    )
    report = check_file(data, file_format, columns=columns, encoding=encoding)
    if not report.n_labels:
        raise ValueError(f"some document has a label, but of {data} none has; name the column of labels")
    parameters = _parameters(data, file_format, folder.name, columns, encoding)
    folder.mkdir(exist_ok=True)
    header = f"# {data.name}; run it by: kedro run --env={folder.name}\n"
    (folder / PARAMETERS_FILE).write_text(header + _yaml({"ingestion": parameters}), encoding="utf-8")
    (folder / GLOBALS_FILE).write_text(f"data: data/{folder.name}\n", encoding="utf-8")
    return Environment(folder.name, folder, parameters, report)


def format_of(data: Path) -> str:
    """The format that a file's ending, less `.gz`, stands for.

    Raises
    ------
    ValueError
        If the ending is unknown.
    """
    ending = Path(data.name.removesuffix(".gz")).suffix.lower()
    if ending not in _ENDINGS:
        raise ValueError(
            f"the ending of a file tells its format, but {data.name!r} ends in none of "
            f"{', '.join(_ENDINGS)}; name the format (--format)"
        )
    return _ENDINGS[ending]


def environment_name(data: Path) -> str:
    """A name for an environment, made from a file's name."""
    name = re.sub(r"[^A-Za-z0-9]+", "_", data.name.split(".")[0]).strip("_").lower()
    return name if _NAME.fullmatch(name) and name not in _TAKEN_NAMES else f"corpus_{name}".rstrip("_")


def with_label_delimiter(
    data: Path, file_format: str, columns: ColumnParams, given: str | None, *, encoding: str = "utf-8"
) -> ColumnParams:
    """The columns of a table, with what separates labels in a string.

    Parameters
    ----------
    data : Path
        The table.
    file_format : str
        One of `larix.corpora.params.TABLE_FORMATS`.
    columns : ColumnParams
        Its columns.
    given : str or None
        The delimiter; None for the one that most of the first thousand records have in their labels.
    encoding : str
        Of a text file.

    Raises
    ------
    CorpusFormatError
        If one of these records breaks a rule of the format.
    """
    return replace(
        columns, label_delimiter=given or _likely_label_delimiter(data, file_format, columns, encoding)
    )


def _folder(conf: Path, name: str, *, force: bool) -> Path:
    if not conf.is_dir():
        raise FileNotFoundError(f"no configuration folder {conf}; run this in the folder of a Kedro project")
    if not _NAME.fullmatch(name) or name in _TAKEN_NAMES:
        raise ValueError(
            f"an environment has a name of letters, digits, - and _ other than {', '.join(_TAKEN_NAMES)}, "
            f"but it is {name!r}; choose another"
        )
    folder = conf / name
    if folder.exists() and not force:
        raise FileExistsError(
            f"there is an environment {folder} already; choose another name, or force overwriting it"
        )
    return folder


def _likely_label_delimiter(data: Path, file_format: str, columns: ColumnParams, encoding: str) -> str:
    records = islice(
        table_records(data, file_format, columns, Oddities(), encoding=encoding), _RECORDS_LOOKED_AT
    )
    values = [value for record in records if isinstance(value := record.values.get(columns.labels), str)]
    counts = {delimiter: sum(delimiter in value for value in values) for delimiter in _LABEL_DELIMITERS}
    best = max(counts, key=counts.__getitem__)
    return best if counts[best] else columns.label_delimiter


def _parameters(
    data: Path, file_format: str, name: str, columns: ColumnParams, encoding: str
) -> dict[str, Any]:
    chosen: dict[str, Any] = {"text": list(columns.text), "labels": columns.labels}
    if columns.label_delimiter != ColumnParams().label_delimiter:
        chosen["label_delimiter"] = columns.label_delimiter
    if columns.field_delimiter is not None:
        chosen["field_delimiter"] = columns.field_delimiter
    written = {} if encoding == "utf-8" else {"encoding": encoding}
    return {
        "format": file_format,
        "name": name,
        "files": {"train": str(data.resolve())},
        "columns": chosen,
        "split": {"test_fraction": 0.1, "drop_test_duplicates": True},
        **written,
    }


def _yaml(content: dict[str, Any]) -> str:
    options: dict[str, Any] = {"sort_keys": False, "allow_unicode": True, "default_flow_style": None}
    return str(yaml.safe_dump(content, width=1000, **options))
