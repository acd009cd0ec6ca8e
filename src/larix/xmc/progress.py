"""Progress of long work, shown by whoever installed a reporter; silent otherwise.

The mathematics calls `track`; a command line or a pipeline hook decides how it looks::

    with reporting(my_bar):
        model.fit(X, Y)
"""

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from typing import Protocol, TypeVar

Item = TypeVar("Item")


class Reporter(Protocol):
    """Opens a task of `total` steps; the returned context gives a function that advances it."""

    def __call__(self, description: str, total: int) -> AbstractContextManager["Advance"]: ...


class Advance(Protocol):
    """Moves a task forward by `steps`."""

    def __call__(self, steps: int = 1) -> None: ...


_reporter: ContextVar[Reporter | None] = ContextVar("larix_progress_reporter", default=None)


@contextmanager
def reporting(reporter: Reporter) -> Iterator[None]:
    """Show the progress of all work inside the block through `reporter`."""
    token = _reporter.set(reporter)
    try:
        yield
    finally:
        _reporter.reset(token)


def current_reporter() -> Reporter | None:
    """Who shows progress here, to be handed to work elsewhere."""
    return _reporter.get()


def track(items: Iterable[Item], description: str, total: int) -> Iterator[Item]:
    """Yield `items`, advancing a task of `total` steps after each."""
    reporter = _reporter.get()
    if reporter is None:
        yield from items
        return
    with reporter(description, total) as advance:
        for item in items:
            yield item
            advance()
