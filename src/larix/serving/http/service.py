"""What the service does with a request once it is known to be well formed."""

import asyncio
import logging
import os
import signal
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from larix.serving.classifier import Suggestion
from larix.serving.explained import with_reasons
from larix.serving.http.batching import Batcher, TooManyWaitingError
from larix.serving.http.current_model import CurrentModel, ServedModel
from larix.serving.http.limits import Limits
from larix.serving.http.messages import SuggestRequest
from larix.serving.http.request_error import RequestError
from larix.serving.http.service_metrics import ServiceMetrics

logger = logging.getLogger(__name__)

_RETRY = {"Retry-After": "1"}


@dataclass(frozen=True)
class ServiceSettings:
    """How a service runs.

    Parameters
    ----------
    limits : Limits
    token : str, optional
        What callers must know.
    watch_seconds : float
        How often the model's folder is looked at; 0 is never.
    n_workers : int
        Processes that answer.
    n_threads : int, optional
        Threads of a prediction in each; by default the processors are shared out.
    """

    limits: Limits = field(default_factory=Limits)
    token: str | None = field(default=None, repr=False)
    watch_seconds: float = 2.0
    n_workers: int = 1
    n_threads: int | None = None


@dataclass(frozen=True)
class _Question:
    top_k: int
    threshold: float | None


_Found = tuple[ServedModel, list[list[Suggestion]]]


class Service:
    """Answers requests with the classifier that is current when their turn comes.

    Parameters
    ----------
    model : CurrentModel
    settings : ServiceSettings
    """

    def __init__(self, model: CurrentModel, settings: ServiceSettings) -> None:
        self.settings = settings
        self.metrics = ServiceMetrics()
        self._model = model
        self._batcher: Batcher[_Question, _Found] = Batcher(
            self._compute, max_texts=settings.limits.max_texts, max_waiting=settings.limits.max_waiting
        )
        self._explainer = ThreadPoolExecutor(1, thread_name_prefix="larix-explanations")
        self._tasks: set[asyncio.Task[Any]] = set()
        self._failure = ""

    async def start(self) -> None:
        """Load the model, and go on as signals and changes of its folder demand."""
        await asyncio.to_thread(self._refresh)
        self._batcher.start()
        if self.settings.watch_seconds:
            self._do(self._watch())
        if threading.current_thread() is threading.main_thread() and hasattr(signal, "SIGHUP"):
            loop = asyncio.get_running_loop()
            loop.add_signal_handler(signal.SIGHUP, lambda: self._do(self._refresh_or_log()))

    async def stop(self) -> None:
        """End; requests have been answered by then."""
        for task in self._tasks:
            task.cancel()
        await self._batcher.stop()
        self._explainer.shutdown(cancel_futures=True)

    @property
    def is_ready(self) -> bool:
        """Whether a text would be answered now."""
        return self._model.served is not None and not self._batcher.is_full

    @property
    def served(self) -> ServedModel:
        """The current classifier."""
        if self._model.served is None:
            raise RequestError(503, "not_ready", "the model is not loaded yet; wait", headers=_RETRY)
        return self._model.served

    async def suggest(self, request: SuggestRequest) -> dict[str, Any]:
        """Labels for the texts of a request."""
        self._check(request)
        question = _Question(request.top_k, request.threshold)
        try:
            async with asyncio.timeout(self.settings.limits.max_seconds):
                served, found = await self._batcher.submit(request.texts, question)
                if request.explain:
                    results = await self._explain(served, request.texts, found)
                else:
                    results = [[suggested.to_dict() for suggested in row] for row in found]
        except TimeoutError:
            raise RequestError(
                503,
                "out_of_time",
                f"a request must be answered within {self.settings.limits.max_seconds:g} s, which was not "
                "possible; send fewer texts, or try again later",
                headers=_RETRY,
            ) from None
        except TooManyWaitingError:
            raise RequestError(
                503,
                "too_busy",
                f"at most {self.settings.limits.max_waiting:,} texts may wait; try again later",
                headers=_RETRY,
            ) from None
        return {"model": served.version, "results": [{"suggestions": row} for row in results]}

    async def find_labels(self, query: str, limit: int) -> dict[str, Any]:
        """Labels whose identifier or name has all words of a query."""
        served = self.served
        found = await asyncio.to_thread(served.labels.find, query)
        classifier = served.classifier
        counts = classifier.frequencies.counts
        labels = [
            {
                "label": classifier.label_ids[number],
                "name": classifier.label_names[number],
                "n_documents": int(counts[number]),
            }
            for number in found[:limit]
        ]
        return {"model": served.version, "n_matches": len(found), "labels": labels}

    async def reload(self) -> dict[str, Any]:
        """Exchange the model now, in all processes."""
        if self.settings.token is None:
            raise RequestError(
                403, "no_token_set",
                "a reload over HTTP needs a service with a token; set one, or send the process SIGHUP",
            )  # fmt: skip
        try:
            changed = await asyncio.to_thread(self._refresh)
        except (OSError, ValueError) as error:
            raise RequestError(
                409, "reload_failed", f"{error}; the model before goes on answering"
            ) from error
        if self.settings.n_workers > 1:
            os.kill(os.getppid(), signal.SIGHUP)  # which tells the other workers
        return {"model": self.served.version, "changed": changed}

    def render_metrics(self) -> bytes:
        """All metrics as Prometheus reads them."""
        self.metrics.waiting_texts.set(self._batcher.n_waiting)
        return self.metrics.render()

    def _check(self, request: SuggestRequest) -> None:
        limits, n_texts = self.settings.limits, len(request.texts)
        longest = max(map(len, request.texts))
        for code, rule, found, most in (
            ("too_many_texts", "a request has at most {:,} texts", n_texts, limits.max_texts),
            ("text_too_long", "a text has at most {:,} characters", longest, limits.max_characters),
            ("top_k_too_large", "top_k is at most {:,}", request.top_k, limits.max_top_k),
        ):
            if found > most:
                raise RequestError(422, code, f"{rule.format(most)}, but found {found:,}; send less")
        if request.explain and n_texts * request.top_k > limits.max_explanations:
            raise RequestError(
                422, "too_many_explanations",
                f"with explain, texts times top_k is at most {limits.max_explanations:,}, but found "
                f"{n_texts:,} x {request.top_k:,}; send less",
            )  # fmt: skip

    def _compute(self, requests: list[Sequence[str]], question: _Question) -> list[_Found]:
        """Answer several requests at once; runs in the batcher's thread."""
        served, started = self.served, time.perf_counter()
        texts = [text for request in requests for text in request]
        found = iter(served.classifier.suggest(texts, top_k=question.top_k, threshold=question.threshold))
        self.metrics.model_seconds.observe(time.perf_counter() - started)
        self.metrics.batch_texts.observe(len(texts))
        self.metrics.texts.inc(len(texts))
        return [(served, [next(found) for _ in request]) for request in requests]

    async def _explain(
        self, served: ServedModel, texts: Sequence[str], found: list[list[Suggestion]]
    ) -> list[list[dict[str, Any]]]:
        """Every suggestion with why it was made."""
        loop, classifier = asyncio.get_running_loop(), served.classifier
        return [
            await loop.run_in_executor(self._explainer, with_reasons, classifier, text, row)
            for text, row in zip(texts, found, strict=True)
        ]

    def _refresh(self) -> bool:
        try:
            changed = self._model.refresh()
        except BaseException:
            self.metrics.reloads.labels("failed").inc()
            raise
        self._failure = ""
        if changed:
            self.metrics.reloads.labels("done").inc()
            self.metrics.loaded_at.set(self._model.loaded_at)
        return changed

    async def _refresh_or_log(self) -> None:
        """Exchange the model; what prevents it is told once."""
        try:
            await asyncio.to_thread(self._refresh)
        except (OSError, ValueError) as error:
            if str(error) != self._failure:
                logger.error("the model before goes on answering: %s", error)
            self._failure = str(error)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(self.settings.watch_seconds)
            if await asyncio.to_thread(self._model.has_changed):
                await self._refresh_or_log()

    def _do(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
