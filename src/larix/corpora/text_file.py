"""Read text files as blocks of decoded lines, with exact places for what cannot be decoded.

Plain and gzip files (told apart by their first bytes), a byte order mark, LF and CRLF line ends. Lines end at
LF or CRLF only: characters such as U+2028 are part of a text.
"""

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from larix.corpora.format_error import CorpusFormatError
from larix.corpora.nearest import nearest_hint
from larix.corpora.oddities import Oddities

_BLOCK_BYTES = 16 * 2**20
_GZIP_MAGIC = b"\x1f\x8b"
_UTF8_MARK = b"\xef\xbb\xbf"
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")

ENCODINGS = ("utf-8", "latin-1", "cp1252")
"""Encodings that contain ASCII, so that a line ends at the byte 0x0A."""


def check_encoding(encoding: str) -> None:
    """Refuse an encoding that text is not read in.

    Raises
    ------
    ValueError
        If it is none of `ENCODINGS`.
    """
    if encoding not in ENCODINGS:
        raise ValueError(f"encoding is one of {', '.join(ENCODINGS)}, but is {encoding!r}; convert the file")


@dataclass(frozen=True)
class Block:
    """Consecutive lines of a file without their line ends."""

    first_line: int
    """Number of the first line, counted from 1."""
    lines: list[str]


def read_blocks(
    path: Path, oddities: Oddities, *, encoding: str = "utf-8", block_bytes: int = _BLOCK_BYTES
) -> Iterator[Block]:
    """Yield a file's lines in blocks of about `block_bytes`.

    A line end at the end of the file does not begin another line.

    Parameters
    ----------
    path : Path
        Plain or gzip-compressed text.
    oddities : Oddities
        Receives the counts of byte order marks and CRLF line ends.
    encoding : str
        One of `ENCODINGS`.
    block_bytes : int
        Size of a block before it is filled up to the next line end.

    Raises
    ------
    CorpusFormatError
        If the file is empty, damaged, or holds bytes that are not text in this encoding.
    FileNotFoundError
        If there is no such file; the message names the most similar one in its folder.
    """
    line = 1
    with open_binary(path) as file:
        while raw := _read_whole_lines(file, path, line, block_bytes):
            if line == 1:
                raw = _without_mark(raw, path, oddities)
            text = _decode(raw, path, line, encoding)
            if "\r" in text:
                oddities["lines ending in CRLF"] += text.count("\r\n")
                text = text.replace("\r\n", "\n")
            lines = text.removesuffix("\n").split("\n")
            yield Block(line, lines)
            line += len(lines)
    if line == 1:
        raise CorpusFormatError(
            path, 1, 1, rule="a corpus file has content", found="an empty file", remedy="write it again"
        )


def read_lines(path: Path, oddities: Oddities, *, encoding: str = "utf-8") -> Iterator[tuple[int, str]]:
    """Yield (line number from 1, line) of a file; see `read_blocks`."""
    for block in read_blocks(path, oddities, encoding=encoding):
        yield from enumerate(block.lines, block.first_line)


def is_blank(line: str) -> bool:
    """Tell whether a line holds nothing but white space."""
    return not line or line.isspace()


@contextmanager
def open_binary(path: Path) -> Iterator[BinaryIO]:
    """Open a plain or gzip file for reading bytes; if it is missing, its nearest neighbour is named."""
    require_file(path)
    with path.open("rb") as plain:
        magic = plain.read(2)
        plain.seek(0)
        if magic != _GZIP_MAGIC:
            yield plain
            return
        with gzip.GzipFile(fileobj=plain) as unpacked:
            yield cast(BinaryIO, unpacked)


def require_file(path: Path) -> None:
    """Raise `FileNotFoundError` unless `path` is a file."""
    if path.is_file():
        return
    if path.is_dir():
        raise FileNotFoundError(f"a corpus file is needed, but {path} is a folder; name a file in it")
    neighbours = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
    where = nearest_hint(path.name, neighbours) if neighbours else f"there is no folder {path.parent}"
    raise FileNotFoundError(f"no file {path}; {where}")


def read_whole(path: Path) -> bytes:
    """All bytes of a plain or gzip file.

    Raises
    ------
    CorpusFormatError
        If the file is damaged.
    """
    with open_binary(path) as file, _refusing_damage(path, 1):
        return file.read()


@contextmanager
def _refusing_damage(path: Path, line: int) -> Iterator[None]:
    try:
        yield
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise CorpusFormatError(
            path,
            line,
            1,
            rule="a gzip file is whole",
            found=f"damage in the block that begins here ({error})",
            remedy="copy or download it again; `gzip -t` tests it",
        ) from None


def _read_whole_lines(file: BinaryIO, path: Path, line: int, n_bytes: int) -> bytes:
    with _refusing_damage(path, line):
        raw = file.read(n_bytes)
        return raw if raw.endswith(b"\n") else raw + file.readline()


def _without_mark(raw: bytes, path: Path, oddities: Oddities) -> bytes:
    if raw.startswith(_UTF16_MARKS):
        raise CorpusFormatError(
            path,
            1,
            1,
            rule="text is UTF-8",
            found="the mark of UTF-16",
            remedy="convert it, for example by `iconv -f UTF-16 -t UTF-8`",
        )
    if raw.startswith(_UTF8_MARK):
        oddities["byte order mark"] += 1
        return raw.removeprefix(_UTF8_MARK) or b"\n"
    return raw


def _decode(raw: bytes, path: Path, first_line: int, encoding: str) -> str:
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError as error:
        before = raw[: error.start]
        begin = before.rfind(b"\n") + 1
        raise CorpusFormatError(
            path,
            first_line + before.count(b"\n"),
            len(before[begin:].decode(encoding)) + 1,
            rule=f"text is {encoding.upper()}",
            found=f"the byte 0x{raw[error.start]:02x}",
            remedy=f"convert the file, or set encoding to one of {', '.join(ENCODINGS)}",
        ) from None
