"""Records of a CSV or TSV file (RFC 4180), with the place of every field.

The first record names the columns. A field that begins with a double quote ends with one; within it line ends
and delimiters are text, and a doubled quote is one quote. A quote anywhere else is text.
"""

from collections.abc import Iterator
from pathlib import Path

from larix.corpora.format_error import CorpusFormatError, Quoted
from larix.corpora.nearest import nearest_hint
from larix.corpora.oddities import Oddities
from larix.corpora.record import DelimitedRecord
from larix.corpora.text_file import is_blank, read_lines

Place = tuple[int, int]
Lines = Iterator[tuple[int, str]]

_FIELD_DELIMITERS = (";", "\t", "|", ",")


class DelimitedReader:
    """Reads one file.

    Parameters
    ----------
    path : Path
        Plain or gzip-compressed text.
    delimiter : str
        One character between fields.
    quoting : bool
        Whether fields may stand in double quotes.
    oddities : Oddities
        Receives counts.
    encoding : str
        Of the file.
    """

    def __init__(
        self, path: Path, *, delimiter: str, quoting: bool, oddities: Oddities, encoding: str = "utf-8"
    ) -> None:
        self._path = path
        self._delimiter = delimiter
        self._quoting = quoting
        self._oddities = oddities
        self._encoding = encoding

    def header(self) -> list[str]:
        """Names of the columns."""
        return next(self._rows())[0]

    def records(self, needed: tuple[str, ...]) -> Iterator[DelimitedRecord]:
        """Yield the records after the header, with the needed columns.

        Raises
        ------
        CorpusFormatError
            If a needed column is missing or doubled, a record has more or fewer fields than the header, or a
            quote is not closed.
        """
        rows = self._rows()
        header, places = next(rows)
        chosen = [(name, self._position(name, header, places)) for name in needed]
        for fields, places in rows:
            if len(fields) != len(header):
                self._refuse_length(fields, places, len(header))
            yield DelimitedRecord(
                {name: fields[at] for name, at in chosen}, {name: places[at] for name, at in chosen}
            )

    def _position(self, name: str, header: list[str], places: list[Place]) -> int:
        if name not in header:
            raise CorpusFormatError(
                self._path,
                *places[0],
                rule=f"the header names the column {name!r}",
                found="no such column",
                remedy=_likely_field_delimiter(header) or nearest_hint(name, header),
            )
        at = header.index(name)
        if header.count(name) > 1:
            raise CorpusFormatError(
                self._path,
                *places[header.index(name, at + 1)],
                rule="a column has a name of its own",
                found=f"a second {name!r}",
                remedy="rename one of the two",
            )
        return at

    def _refuse_length(self, fields: list[str], places: list[Place], expected: int) -> None:
        raise CorpusFormatError(
            self._path,
            *places[min(len(fields) - 1, expected)],
            rule=f"a record has as many fields as the header, {expected}",
            found=f"{len(fields)}",
            remedy="put text that holds the delimiter in double quotes",
        )

    def _rows(self) -> Iterator[tuple[list[str], list[Place]]]:
        lines = read_lines(self._path, self._oddities, encoding=self._encoding)
        n_rows = 0
        for number, line in lines:
            if is_blank(line) and self._delimiter not in line:
                self._oddities["blank lines"] += 1
                continue
            n_rows += 1
            yield self._fields(number, line, lines)
        if not n_rows:
            raise CorpusFormatError(
                self._path, 1, 1, rule="the first line names the columns", found="no line", remedy="add it"
            )

    def _fields(self, number: int, line: str, lines: Lines) -> tuple[list[str], list[Place]]:
        """Split a record that begins in `line`; a quoted field takes further lines from `lines`."""
        fields: list[str] = []
        places: list[Place] = []
        at = 0
        while at <= len(line):
            places.append((number, at + 1))
            if self._quoting and line.startswith('"', at):
                field, number, line, at = self._quoted(number, line, at + 1, lines)
            else:
                end = line.find(self._delimiter, at)
                end = len(line) if end < 0 else end
                field, at = line[at:end], end
            fields.append(field)
            at += 1
        return fields, places

    def _quoted(self, number: int, line: str, at: int, lines: Lines) -> tuple[str, int, str, int]:
        """Read on after an opening quote: the field, and line and position behind the closing quote."""
        opening = (number, at)
        parts: list[str] = []
        while True:
            quote = line.find('"', at)
            if quote < 0:
                parts += [line[at:], "\n"]
                number, line = self._next_line(lines, opening)
                at = 0
            elif line.startswith('""', quote):
                parts.append(line[at : quote + 1])
                at = quote + 2
            else:
                parts.append(line[at:quote])
                break
        behind = quote + 1
        if behind < len(line) and line[behind] != self._delimiter:
            raise CorpusFormatError(
                self._path,
                number,
                behind + 1,
                rule="a closing quote is followed by the delimiter or the line's end",
                found=Quoted(line[behind : behind + 20]),
                remedy="double the quotes within a quoted field, or set columns.quoting to false",
            )
        return "".join(parts), number, line, behind

    def _next_line(self, lines: Lines, opening: Place) -> tuple[int, str]:
        following = next(lines, None)
        if following is None:
            raise CorpusFormatError(
                self._path,
                *opening,
                rule="a quoted field is closed by a quote",
                found="the end of the file",
                remedy="close the quote that opens here, or set columns.quoting to false",
            )
        return following


def _likely_field_delimiter(header: list[str]) -> str | None:
    """What to do about a header of one field that holds a usual delimiter; None if it is no such header."""
    held = [mark for mark in _FIELD_DELIMITERS if len(header) == 1 and mark in header[0]]
    if not held:
        return None
    return (
        f"set columns.field_delimiter (--field-delimiter) to {held[0]!r}, which seems to separate fields in "
        f"{header[0]!r}"
    )
