"""The classifier that answers now, and its exchange for a newer one while requests go on.

A request takes the classifier once and keeps it to its end, so that an exchange disturbs none: the new one is
loaded, checked and warmed up beside the old one, and then one reference changes. Arrays are memory maps, so
processes share them, and a folder may be deleted while a classifier from it still answers.
"""

import json
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from larix.serving.classifier import Classifier
from larix.serving.http.label_search import LabelSearch
from larix.serving.suggester import load_classifier
from larix.xmc.persistence import ModelFolderError, load_folder

logger = logging.getLogger(__name__)

_WARM_UP = ["the first text is slow"]
_DIGITS = 12


@dataclass(frozen=True, eq=False)
class ServedModel:
    """A classifier that is loaded and warm.

    Parameters
    ----------
    classifier : Classifier
    version : str
        The first digits of the digest that its manifest carries: equal folders have equal versions.
    folder : Path
    """

    classifier: Classifier
    version: str
    folder: Path

    @cached_property
    def labels(self) -> LabelSearch:
        """A search through its labels."""
        classifier = self.classifier
        return LabelSearch(classifier.label_ids, classifier.label_names, classifier.frequencies.counts)


class CurrentModel:
    """Holds the classifier of a folder that may change.

    Parameters
    ----------
    locate : callable
        Gives the folder; it is asked at every refresh.
    n_threads : int, optional
        Threads of a prediction; by default all processors.
    """

    def __init__(self, locate: Callable[[], Path], *, n_threads: int | None = None) -> None:
        self._locate = locate
        self._n_threads = n_threads
        self._served: ServedModel | None = None
        self._seen: tuple[Any, ...] | None = None
        self._loading = threading.Lock()
        self.loaded_at = 0.0

    @property
    def served(self) -> ServedModel | None:
        """The classifier that answers now; None before the first `refresh`."""
        return self._served

    def has_changed(self) -> bool:
        """Whether the folder, or its manifest, is another than at the last refresh that succeeded."""
        try:
            return _signature(self._locate()) != self._seen
        except OSError:  # it is gone, or just being replaced
            return False

    def refresh(self) -> bool:
        """Load the folder's classifier if it is another than that which answers.

        Returns
        -------
        bool
            Whether it was exchanged.

        Raises
        ------
        larix.xmc.persistence.ModelFolderError
            If there is no whole classifier for texts. The old one goes on.
        """
        with self._loading:
            folder, started = self._locate(), time.perf_counter()
            signature, version = _signature(folder), _version(folder)
            if self._served is not None and version == self._served.version:
                self._seen = signature
                return False
            served = ServedModel(_loaded(folder, self._n_threads), version, folder)
            self._served, self._seen, self.loaded_at = served, signature, time.time()
        seconds, n_labels = time.perf_counter() - started, len(served.classifier.label_ids)
        logger.info("model %s: %s labels from %s, %.1f s", version, f"{n_labels:,}", folder, seconds)
        return True


def _signature(folder: Path) -> tuple[Any, ...]:
    """What changes when another manifest takes the place of this one."""
    try:
        status = (folder / "model.json").stat()
    except OSError:
        return (folder, None)
    return folder, status.st_ino, status.st_mtime_ns, status.st_size


def _version(folder: Path) -> str:
    """The digest within the manifest."""
    load_folder(folder, verify=False)
    return str(json.loads((folder / "model.json").read_bytes())["sha256"])[:_DIGITS]


def _loaded(folder: Path, n_threads: int | None) -> Classifier:
    classifier = load_classifier(folder)
    if not classifier.takes_texts:
        raise ModelFolderError(
            f"{folder} must hold a classifier of texts, but this was trained on given features; use another"
        )
    classifier.limit_threads(n_threads)
    classifier.suggest(_WARM_UP)
    return classifier
