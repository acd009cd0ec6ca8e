"""Files that name labels, or give longer texts about them.

A line is `id<TAB>name`. For formats that number their labels a line may be just the name; the first line is
then that of label 0.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from larix.corpora.format_error import CorpusFormatError, Quoted
from larix.corpora.oddities import Oddities
from larix.corpora.text_file import is_blank, read_lines


def read_label_files(
    paths: Sequence[Path], *, prefixes: Mapping[str, str] | None = None, encoding: str = "utf-8"
) -> dict[str, str]:
    """Read `id<TAB>name` files; of several names for a label the first counts.

    Parameters
    ----------
    paths : sequence of Path
        Plain or gzip-compressed files.
    prefixes : mapping of str to str, optional
        Beginnings of identifiers to replace.
    encoding : str
        Of the files.

    Raises
    ------
    CorpusFormatError
        At a line without a tab.
    """
    names: dict[str, str] = {}
    for path in paths:
        oddities = Oddities()
        for number, line in read_lines(path, oddities, encoding=encoding):
            if is_blank(line):
                oddities["blank lines"] += 1
                continue
            identifier, tab, name = line.partition("\t")
            if not tab:
                raise CorpusFormatError(
                    path,
                    number,
                    len(line) + 1,
                    rule="a line is an identifier, a tab and a name",
                    found=Quoted(line),
                    remedy="add the tab and the name",
                )
            names.setdefault(_with_prefix(identifier.strip(), prefixes or {}), name.strip())
        oddities.log(path)
    return names


def read_numbered_labels(path: Path, n_labels: int | None, *, encoding: str = "utf-8") -> list[str]:
    """Read the names of labels 0, 1, 2, ..., one in a line.

    Parameters
    ----------
    path : Path
        Plain or gzip-compressed file.
    n_labels : int, optional
        How many names there must be. Blank lines after them are ignored.
    encoding : str
        Of the file.

    Raises
    ------
    CorpusFormatError
        If there are more or fewer names.
    """
    oddities = Oddities()
    names = [line.strip() for _, line in read_lines(path, oddities, encoding=encoding)]
    while names and not names[-1] and (n_labels is None or len(names) > n_labels):
        names.pop()
        oddities["blank lines at the end"] += 1
    oddities.log(path)
    if n_labels is not None and len(names) != n_labels:
        raise CorpusFormatError(
            path,
            min(len(names), n_labels) + 1,
            1,
            rule=f"there is one name in a line for each of {n_labels} labels",
            found=f"{len(names)} lines",
            remedy="take the file that belongs to this corpus",
        )
    return names


def _with_prefix(identifier: str, prefixes: Mapping[str, str]) -> str:
    for old, new in prefixes.items():
        if identifier.startswith(old):
            return new + identifier.removeprefix(old)
    return identifier
