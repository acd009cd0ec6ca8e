"""Oddities: what a reader met that is unusual but legitimate, counted, and logged in one line a file."""

import logging
from collections import Counter
from pathlib import Path

logger = logging.getLogger(__name__)


class Oddities(Counter[str]):
    """How often each oddity occurred in one file.

    Examples
    --------
    >>> oddities = Oddities()
    >>> oddities["documents without labels"] += 2
    >>> oddities["blank lines"] += 0
    >>> str(oddities)
    'documents without labels: 2'
    """

    def __str__(self) -> str:
        return ", ".join(f"{what}: {count:,}" for what, count in self.items() if count)

    def log(self, path: Path) -> None:
        """Write one line for `path`, or none if nothing odd was met."""
        if text := str(self):
            logger.info("%s: handled %s", path, text)
