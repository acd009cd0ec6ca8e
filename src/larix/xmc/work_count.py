"""Counts of work that was done or spared, for whoever asked; nobody counts otherwise.

What a run spends depends on what it finds done, such as embeddings in a cache. The mathematics calls
`count`::

    with counting() as counts:
        encoder.embed(texts)
    counts["texts encoded"]
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_counts: ContextVar[Counter[str] | None] = ContextVar("larix_work_counts", default=None)


@contextmanager
def counting() -> Iterator[Counter[str]]:
    """Count all work inside the block."""
    counts: Counter[str] = Counter()
    token = _counts.set(counts)
    try:
        yield counts
    finally:
        _counts.reset(token)


def count(what: str, number: int) -> None:
    """Add to a count, if someone counts."""
    counts = _counts.get()
    if counts is not None:
        counts[what] += number
