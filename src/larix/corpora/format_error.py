"""The error of every reader: where a corpus file breaks which rule, what was found, what to do."""

from pathlib import Path

_LONGEST_FOUND = 80


class CorpusFormatError(ValueError):
    """A corpus file breaks a rule of its format.

    Printed as ``FILE:LINE:COLUMN: rule, found, remedy``, the form that editors and terminals turn into a
    link.

    Parameters
    ----------
    path : str or Path
        The file.
    line : int or str
        Line, counted from 1. In binary files the row, counted from 1, or the name of the array.
    column : int or str
        Column in characters, counted from 1. In binary files the name of the column or the position in the
        array, counted from 0.
    rule : str
        What the format demands.
    found : object
        What is there instead: text is shown as it is, cut to 80 characters; anything else as its `repr`.
    remedy : str
        What the user can do.
    """

    def __init__(
        self, path: str | Path, line: int | str, column: int | str, *, rule: str, found: object, remedy: str
    ) -> None:
        self.path = Path(path)
        self.line = line
        self.column = column
        self.rule = rule
        self.found = _shown(found)
        self.remedy = remedy
        super().__init__(f"{path}:{line}:{column}: {rule}, but found {self.found}; {remedy}")


class Quoted(str):
    """Text taken from the file, to be shown between quotes."""

    __slots__ = ()


def _shown(found: object) -> str:
    text = repr(str(found)) if isinstance(found, Quoted) else found if isinstance(found, str) else repr(found)
    return text if len(text) <= _LONGEST_FOUND else text[: _LONGEST_FOUND - 3] + "..."
