"""Label the texts of a file, however many, a batch at a time."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from larix.corpora.texts import TextFile, TextRecord
from larix.serving.classifier import Classifier, Suggestion
from larix.serving.explained import with_reasons
from larix.xmc.progress import current_reporter

_MOST_TEXTS = 2048
_MOST_CHARACTERS = 4_000_000


@dataclass(frozen=True)
class LabelledTexts:
    """The texts of a file with their suggestions, computed as one iterates; no more than a batch is held.

    Each item is a batch, a list of mappings with `id` and `suggestions`; these are mappings with `label`,
    `name` and `score`.

    Parameters
    ----------
    suggester : Classifier
    source : TextFile
    top_k : int
        Most labels for each text.
    threshold : float, optional
        Labels with lower scores are left out; by default those below the classifier's own threshold.
    explain : bool
        Add to each suggestion `why`, as `larix.serving.explained.reasons` tells it.
    """

    suggester: Classifier
    source: TextFile
    top_k: int = 5
    threshold: float | None = None
    explain: bool = False

    def __iter__(self) -> Iterator[list[dict[str, Any]]]:
        for batch in _batches(self._records_shown()):
            texts = [record.text for record in batch]
            found = self.suggester.suggest(texts, top_k=self.top_k, threshold=self.threshold)
            yield [
                {"id": record.id, "suggestions": self._plain(record.text, row)}
                for record, row in zip(batch, found, strict=True)
            ]

    def _plain(self, text: str, row: list[Suggestion]) -> list[dict[str, Any]]:
        if self.explain:
            return with_reasons(self.suggester, text, row)
        return [suggested.to_dict() for suggested in row]

    def _records_shown(self) -> Iterator[TextRecord]:
        """The records, with progress by rows of the file."""
        reporter = current_reporter()
        if reporter is None:
            yield from self.source
            return
        row = 0
        with reporter(self.source.path.name, self.source.n_rows()) as advance:
            for record in self.source:
                advance(record.row - row)
                row = record.row
                yield record


def _batches(records: Iterable[TextRecord]) -> Iterator[list[TextRecord]]:
    batch: list[TextRecord] = []
    n_characters = 0
    for record in records:
        batch.append(record)
        n_characters += len(record.text)
        if len(batch) == _MOST_TEXTS or n_characters >= _MOST_CHARACTERS:
            yield batch
            batch, n_characters = [], 0
    if batch:
        yield batch
