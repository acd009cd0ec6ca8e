"""Name the nearest right spelling of a wrong name."""

from collections.abc import Iterable
from difflib import get_close_matches

_MOST_SHOWN = 12


def nearest_hint(name: str, known: Iterable[str]) -> str:
    """Say which of the known names is closest to `name`, or list them.

    Examples
    --------
    >>> nearest_hint("titel", ["title", "abstract"])
    "did you mean 'title'? there are title, abstract"
    """
    known = list(known)
    close = get_close_matches(name, known, n=1)
    listed = ", ".join(known[:_MOST_SHOWN]) + (", ..." if len(known) > _MOST_SHOWN else "")
    there_are = f"there are {listed}" if known else "there are none"
    return f"did you mean {close[0]!r}? {there_are}" if close else there_are
