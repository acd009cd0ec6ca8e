"""Records of a JSONL file: one JSON object in a line, UTF-8, plain or gzip-compressed."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from larix.corpora.format_error import CorpusFormatError, Quoted
from larix.corpora.oddities import Oddities
from larix.corpora.record import JsonRecord
from larix.corpora.text_file import is_blank, read_lines


def jsonl_records(path: Path, oddities: Oddities, *, encoding: str = "utf-8") -> Iterator[JsonRecord]:
    """Yield the objects of a JSONL file; blank lines are skipped and counted.

    Raises
    ------
    CorpusFormatError
        At the first character that is not JSON, or at a line that is no object.
    """
    for number, line in read_lines(path, oddities, encoding=encoding):
        if is_blank(line):
            oddities["blank lines"] += 1
            continue
        yield JsonRecord(_object(path, number, line), number, line)


def _described(error: json.JSONDecodeError, line: str) -> str:
    rest = line[error.pos :]
    if not rest:
        return "the end of the line"
    what = error.msg.removesuffix(" at").removesuffix(" starting")
    return f"{what[0].lower()}{what[1:]} at {rest[:20]!r}"


def _object(path: Path, number: int, line: str) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except json.JSONDecodeError as error:
        raise CorpusFormatError(
            path,
            number,
            error.colno,
            rule="a line is one JSON object",
            found=_described(error, line),
            remedy="write one object in a line, for example by `jq -c`",
        ) from None
    except (ValueError, RecursionError) as error:  # a number of thousands of digits, or deep nesting
        raise CorpusFormatError(
            path,
            number,
            1,
            rule="a line is one plain JSON object",
            found=str(error),
            remedy="simplify the object",
        ) from None
    if not isinstance(value, dict):
        raise CorpusFormatError(
            path,
            number,
            len(line) - len(line.lstrip()) + 1,
            rule="a line is one JSON object",
            found=Quoted(line.strip()),
            remedy="write one object in a line; `jq -c '.[]'` does so for a list of objects",
        )
    return value
