"""What the first worker tells while it works: lines of its log, and progress.

A worker posts events to a mailbox, an actor of Ray; the process that waits for the workers empties it, logs
the lines as its own and moves its own bars. Several advances of a bar travel as one.
"""

import itertools
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from larix.xmc.progress import Advance, Reporter

logger = logging.getLogger(__name__)
_SECONDS_BETWEEN_ADVANCES = 0.3


@dataclass(frozen=True)
class Line:
    """A line of the log."""

    logger: str
    level: int
    text: str


@dataclass(frozen=True)
class Begun:
    """A bar that is to appear."""

    bar: int
    description: str
    total: int


@dataclass(frozen=True)
class Advanced:
    """A bar that has moved on."""

    bar: int
    steps: int


@dataclass(frozen=True)
class Ended:
    """A bar that is to vanish."""

    bar: int


@dataclass(frozen=True)
class Started:
    """Workers that begin; bars of those before are gone."""


@dataclass(frozen=True)
class Finished:
    """Workers that have done their work."""


Event = Line | Begun | Advanced | Ended | Started | Finished


class Mailbox:
    """Events that nobody has read yet. One process holds it, and others reach it through Ray."""

    def __init__(self) -> None:
        self._events: list[Event] = []

    def post(self, event: Event) -> None:
        """Add an event."""
        self._events.append(event)

    def empty(self) -> list[Event]:
        """Take all events out."""
        events, self._events = self._events, []
        return events


class Sender(logging.Handler):
    """Posts lines of a log, and progress.

    Parameters
    ----------
    post : callable
        Takes an event and returns at once.
    """

    def __init__(self, post: Callable[[Event], Any]) -> None:
        super().__init__(logging.INFO)
        self._post, self._numbers = post, itertools.count()

    def emit(self, record: logging.LogRecord) -> None:
        """Post a line."""
        self._post(Line(record.name, record.levelno, record.getMessage()))

    @contextmanager
    def bar(self, description: str, total: int) -> Iterator[Advance]:
        """Post the life of a bar; a `larix.xmc.progress.Reporter`."""
        number, waiting, last = next(self._numbers), 0, time.monotonic()

        def advance(steps: int = 1) -> None:
            nonlocal waiting, last
            waiting += steps
            if time.monotonic() - last > _SECONDS_BETWEEN_ADVANCES:
                self._post(Advanced(number, waiting))
                waiting, last = 0, time.monotonic()

        self._post(Begun(number, description, total))
        try:
            yield advance
        finally:
            self._post(Ended(number))


class Receiver:
    """Logs lines and shows bars that a sender has posted.

    Parameters
    ----------
    reporter : Reporter or None
        Opens bars; without it there are none.
    """

    def __init__(self, reporter: Reporter | None) -> None:
        self._reporter = reporter
        self._bars: dict[int, tuple[ExitStack, Advance]] = {}
        self._n_starts = 0

    def receive(self, events: list[Event]) -> None:
        """Do what events tell, in their order."""
        for event in events:
            match event:
                case Line():
                    logging.getLogger(event.logger).log(event.level, event.text)
                case Begun() if self._reporter:
                    self._open(event.bar, self._reporter(event.description, event.total))
                case Advanced() if event.bar in self._bars:
                    self._bars[event.bar][1](event.steps)
                case Ended() if event.bar in self._bars:
                    self._bars.pop(event.bar)[0].close()
                case Finished():
                    self.close()
                case Started():
                    self._start()

    def close(self) -> None:
        """Take down all bars."""
        while self._bars:
            self._bars.popitem()[1][0].close()

    def _start(self) -> None:
        self.close()
        self._n_starts += 1
        if self._n_starts > 1:
            logger.warning("all workers have started again, %d. time", self._n_starts)

    def _open(self, number: int, bar: AbstractContextManager[Advance]) -> None:
        stack = ExitStack()
        self._bars[number] = stack, stack.enter_context(bar)
