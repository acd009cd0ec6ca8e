"""Database files of WordNet: synsets with their words, hypernyms and gloss.

A line of `data.noun` or `data.verb` is a synset (manual page wndb(5WN))::

    offset lex_filenum ss_type w_cnt word lex_id [word lex_id ...] p_cnt [pointer ...] [frames] | gloss

A pointer is `symbol offset pos source/target`; `@` and `@i` lead to hypernyms. The count of words is
hexadecimal, those of pointers and frames are decimal. Lines that begin with two spaces are the licence.

Read are words, hypernyms and glosses; files of adjectives and adverbs, which have no hypernyms, are not.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, NoReturn

from larix.corpora.format_error import CorpusFormatError, Quoted
from larix.corpora.oddities import Oddities
from larix.corpora.text_file import is_blank, read_lines

_FILES = {"n": "data.noun", "v": "data.verb"}
_HYPERNYM_SYMBOLS = ("@", "@i")
_OFFSET = re.compile(r"[0-9]{8}")
_COUNTS = {10: re.compile(r"[0-9]{1,4}"), 16: re.compile(r"[0-9A-Fa-f]{1,4}")}
_POINTER_FIELDS = 4
_GLOSS_MARK = " | "


@dataclass(frozen=True, slots=True)
class Synset:
    """A meaning, and the words for it.

    Attributes
    ----------
    lemmas : tuple of str
        Words as the database writes them, with underscores for spaces.
    hypernyms : tuple of str
        Identifiers of the synsets right above, each once.
    gloss : str
        Definition and examples.
    """

    lemmas: tuple[str, ...]
    hypernyms: tuple[str, ...]
    gloss: str

    @property
    def definition(self) -> str:
        """The gloss before its first example."""
        return self.gloss.partition('; "')[0]


class _Place(NamedTuple):
    """Where a synset stands."""

    path: Path
    number: int
    line: str


def database_files(folder: Path) -> list[Path]:
    """The database files in a folder that are read."""
    return [folder / name for name in _FILES.values()]


def read_synsets(paths: Iterable[Path], *, encoding: str = "utf-8") -> dict[str, Synset]:
    """Read database files that refer to each other.

    Parameters
    ----------
    paths : iterable of Path
        Files of nouns or verbs, plain or gzip-compressed.
    encoding : str
        Of the files.

    Returns
    -------
    dict of str to Synset
        By identifier: part of speech and offset, such as `n00001740`.

    Raises
    ------
    CorpusFormatError
        At the first place that breaks a rule: a field is missing or left over or is no number, an offset is
        used twice, or a hypernym is in none of the files.
    """
    synsets: dict[str, Synset] = {}
    places: dict[str, _Place] = {}
    for path in paths:
        oddities = Oddities()
        for number, line in read_lines(path, oddities, encoding=encoding):
            if line.startswith("  ") or is_blank(line):
                continue
            identifier, synset = _Line(path, number, line).synset()
            if identifier in places:
                _refuse_second(path, number, identifier, places[identifier])
            synsets[identifier] = synset
            places[identifier] = _Place(path, number, line)
        oddities.log(path)
    for identifier, synset in synsets.items():
        for hypernym in synset.hypernyms:
            if hypernym not in synsets:
                _refuse_pointer(places[identifier], hypernym)
    return synsets


class _Line:
    """The fields of one synset, taken from left to right."""

    def __init__(self, path: Path, number: int, line: str) -> None:
        self._path = path
        self._number = number
        self._line = line
        self._data, self._mark, self._gloss = line.partition(_GLOSS_MARK)
        self._fields = self._data.split()
        self._next = 0

    def synset(self) -> tuple[str, Synset]:
        """Identifier and content."""
        if not self._mark:
            self._refuse(len(self._line) + 1, "a gloss follows ' | '", "the end of the line", "add the gloss")
        offset = self._offset()
        self._take("the number of the lexicographer file")
        part_of_speech = self._choice("a part of speech", tuple(_FILES))
        n_lemmas = self._count("the number of words", base=16)
        lemmas = tuple(self._lemma() for _ in range(n_lemmas))
        n_pointers = self._count("the number of pointers", base=10)
        hypernyms = dict.fromkeys(filter(None, [self._pointer() for _ in range(n_pointers)]))
        if part_of_speech == "v":
            for _ in range(self._count("the number of frames", base=10)):
                self._choice("the mark of a frame", ("+",))
                self._take("the number of a frame")
                self._take("the word of a frame")
        if self._next < len(self._fields):
            self._next += 1
            self._refuse_field("the gloss follows the last pointer or frame", "correct the counts before it")
        return part_of_speech + offset, Synset(lemmas, tuple(hypernyms), self._gloss.strip())

    def _lemma(self) -> str:
        lemma = self._take("a word")
        self._take("the lex_id of a word")
        return lemma

    def _pointer(self) -> str | None:
        """The hypernym that a pointer leads to, if it leads to one."""
        symbol = self._take("the symbol of a pointer")
        if symbol not in _HYPERNYM_SYMBOLS:
            self._skip(_POINTER_FIELDS - 1, "a pointer")
            return None
        offset = self._offset()
        part_of_speech = self._choice("the part of speech of a hypernym", tuple(_FILES))
        self._take("source and target of a pointer")
        return part_of_speech + offset

    def _take(self, what: str) -> str:
        self._skip(1, what)
        return self._fields[self._next - 1]

    def _skip(self, n_fields: int, what: str) -> None:
        self._next += n_fields
        if self._next > len(self._fields):
            self._refuse(
                len(self._data) + 1, f"{what} follows", "the end of the data", "correct the counts before it"
            )

    def _offset(self) -> str:
        field = self._take("an offset")
        if not _OFFSET.fullmatch(field):
            self._refuse_field("an offset has eight digits", "correct the counts before it, or this number")
        return field

    def _count(self, what: str, *, base: int) -> int:
        field = self._take(what)
        if not _COUNTS[base].fullmatch(field):
            self._refuse_field(f"{what} is a number to the base {base}", "correct it")
        return int(field, base)

    def _choice(self, what: str, choices: tuple[str, ...]) -> str:
        field = self._take(what)
        if field not in choices:
            self._refuse_field(
                f"{what} is {' or '.join(choices)}", "correct it, or read files of nouns and verbs only"
            )
        return field

    def _refuse_field(self, rule: str, remedy: str) -> NoReturn:
        """Refuse the field that was taken last."""
        begins = [match.start() for match in re.finditer(r"\S+", self._data)]
        self._refuse(begins[self._next - 1] + 1, rule, Quoted(self._fields[self._next - 1]), remedy)

    def _refuse(self, column: int, rule: str, found: str, remedy: str) -> NoReturn:
        raise CorpusFormatError(self._path, self._number, column, rule=rule, found=found, remedy=remedy)


def _refuse_second(path: Path, number: int, identifier: str, first: _Place) -> NoReturn:
    raise CorpusFormatError(
        path,
        number,
        1,
        rule="an offset names one synset of a part of speech",
        found=f"{identifier}, which {first.path.name}:{first.number} has already",
        remedy="remove one of the two lines",
    )


def _refuse_pointer(place: _Place, hypernym: str) -> NoReturn:
    raise CorpusFormatError(
        place.path,
        place.number,
        place.line.index(f" {hypernym[1:]} {hypernym[0]} ") + 2,
        rule="a pointer leads to a synset of these files",
        found=hypernym,
        remedy="take all files from one release",
    )
