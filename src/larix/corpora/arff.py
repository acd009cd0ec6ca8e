"""ARFF files (https://waikato.github.io/weka-wiki/formats_and_processing/arff_stable/) with numeric values.

Attributes are numeric, or nominal with values that are numbers, such as `{0,1}`. Text, dates and other types
are refused. Names and values may be quoted, with a backslash before a quote inside.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from larix.corpora.arff_rows import ArffRow, ArffRowParser, Attribute, fields_of, unquoted
from larix.corpora.format_error import CorpusFormatError, Quoted
from larix.corpora.number_fields import parse_value
from larix.corpora.oddities import Oddities
from larix.corpora.text_file import is_blank, read_lines

_KEYWORD = re.compile(r"\s*@([A-Za-z]+)(?:\s+|$)")
_NAME = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[^\s'"{}]+""")
_NUMERIC_TYPES = ("numeric", "real", "integer")


@dataclass(frozen=True)
class ArffFile:
    """An opened file: its attributes, and its rows to come.

    Attributes
    ----------
    path : Path
        The file.
    attributes : list of Attribute
        In the order of the file.
    rows : iterator of ArffRow
        The rows after `@data`; can be consumed once.
    """

    path: Path
    attributes: list[Attribute]
    rows: Iterator[ArffRow]


def open_arff(path: Path, oddities: Oddities, *, encoding: str = "utf-8") -> ArffFile:
    """Read the declarations of a file and prepare to read its rows.

    Raises
    ------
    CorpusFormatError
        At the first place that breaks a rule; while rows are consumed, too.
    """
    lines = read_lines(path, oddities, encoding=encoding)
    attributes = list(_declarations(path, lines))
    parser = ArffRowParser(path, attributes)
    return ArffFile(path, attributes, _rows(lines, parser, oddities))


def _rows(lines: Iterator[tuple[int, str]], parser: ArffRowParser, oddities: Oddities) -> Iterator[ArffRow]:
    for number, line in lines:
        if is_blank(line):
            oddities["blank lines"] += 1
        elif not _is_comment(line):
            yield parser.parse(number, line)


def _is_comment(line: str) -> bool:
    return line.lstrip().startswith("%")


def _declarations(path: Path, lines: Iterator[tuple[int, str]]) -> Iterator[Attribute]:
    """Yield the attributes and stop after the line `@data`."""
    names: dict[str, int] = {}
    number = 0
    for number, line in lines:
        match = _KEYWORD.match(line)
        keyword = match.group(1).lower() if match else ""
        if match and keyword == "attribute":
            attribute = _attribute(path, number, line, match.end())
            _require_new(path, attribute, match.end(), names)
            yield attribute
        elif keyword == "data":
            if not names:
                _refuse(
                    path, number, 1, "attributes are declared before @data", "none", "add @attribute lines"
                )
            return
        elif keyword != "relation" and not is_blank(line) and not _is_comment(line):
            _refuse(
                path,
                number,
                len(line) - len(line.lstrip()) + 1,
                "before @data there are @relation, @attribute and comments",
                Quoted(line.strip()),
                "correct the line, or add the line @data before the rows",
            )
    _refuse(path, number + 1, 1, "the line @data stands before the rows", "the end of the file", "add it")


def _require_new(path: Path, attribute: Attribute, at: int, names: dict[str, int]) -> None:
    earlier = names.setdefault(attribute.name, attribute.line)
    if earlier != attribute.line:
        _refuse(
            path,
            attribute.line,
            at + 1,
            "an attribute has a name of its own",
            f"{attribute.name!r}, which line {earlier} has already",
            "rename one of the two",
        )


def _attribute(path: Path, number: int, line: str, at: int) -> Attribute:
    name = _NAME.match(line, at)
    if name is None:
        _refuse(
            path, number, at + 1, "@attribute is followed by a name", Quoted(line[at:]), "name the attribute"
        )
    kind = line[name.end() :].strip()
    column = len(line) - len(line[name.end() :].lstrip()) + 1
    if kind.startswith("{") and kind.endswith("}"):
        values = tuple(
            parse_value(path, number, column + 1 + place, unquoted(field), "a value of a nominal attribute")
            for place, field in fields_of(kind[1:-1])
        )
        return Attribute(unquoted(name.group()), values, number)
    if kind.lower() not in _NUMERIC_TYPES:
        _refuse(
            path,
            number,
            column,
            f"an attribute is {', '.join(_NUMERIC_TYPES)} or a list of numbers in braces",
            Quoted(kind) if kind else "nothing",
            "turn other types into numeric features first",
        )
    return Attribute(unquoted(name.group()), None, number)


def _refuse(path: Path, line: int, column: int, rule: str, found: str, remedy: str) -> NoReturn:
    raise CorpusFormatError(path, line, column, rule=rule, found=found, remedy=remedy)
