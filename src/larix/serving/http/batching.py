"""Answer texts of many requests together.

One thread computes. Whatever arrives meanwhile waits and becomes the next batch, so that batches grow with
the load and nobody waits for one to fill. The search shares work between the texts of a batch, and an answer
does not depend on what else was in its batch.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Question = TypeVar("Question", bound=Hashable)
Answer = TypeVar("Answer")


class TooManyWaitingError(Exception):
    """There is no place left for texts to wait."""


@dataclass(eq=False)
class _Job(Generic[Question, Answer]):
    question: Question
    texts: Sequence[str]
    answer: "asyncio.Future[Answer]" = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )


class Batcher(Generic[Question, Answer]):
    """Joins texts that are asked the same into batches.

    Parameters
    ----------
    compute : callable
        Takes the texts of several requests, a list each, and what is asked; gives an answer for each request.
        It runs in a thread of its own, one call at a time.
    max_texts : int
        Texts in a batch, unless one request alone has more.
    max_waiting : int
        Texts that may wait.
    """

    def __init__(
        self,
        compute: Callable[[list[Sequence[str]], Question], list[Answer]],
        *,
        max_texts: int,
        max_waiting: int,
    ) -> None:
        self._compute = compute
        self._max_texts = max_texts
        self._max_waiting = max_waiting
        self._jobs: deque[_Job[Question, Answer]] = deque()
        self._arrived = asyncio.Event()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="larix-batches")
        self._worker: asyncio.Task[None] | None = None

    @property
    def n_waiting(self) -> int:
        """Texts that wait."""
        return sum(len(job.texts) for job in self._jobs)

    @property
    def is_full(self) -> bool:
        """Whether not even a single text could wait."""
        return self.n_waiting >= self._max_waiting

    def start(self) -> None:
        """Begin to compute, in the running event loop."""
        self._worker = asyncio.create_task(self._work())

    async def stop(self) -> None:
        """End after the batch at work."""
        if self._worker is not None:
            self._worker.cancel()
            await asyncio.gather(self._worker, return_exceptions=True)
        self._thread.shutdown()

    async def submit(self, texts: Sequence[str], question: Question) -> Answer:
        """The answer for one request. Who stops waiting for it gives up its place.

        Raises
        ------
        TooManyWaitingError
            If too many texts wait already.
        """
        if self.n_waiting + len(texts) > self._max_waiting:
            raise TooManyWaitingError
        job: _Job[Question, Answer] = _Job(question, texts)
        self._jobs.append(job)
        self._arrived.set()
        return await job.answer

    async def _work(self) -> None:
        while True:
            await self._arrived.wait()
            if jobs := self._next_batch():
                await self._answer(jobs)
            if not self._jobs:
                self._arrived.clear()

    def _next_batch(self) -> list[_Job[Question, Answer]]:
        """Take the oldest job and those after it that ask the same, as many as fit."""
        batch: list[_Job[Question, Answer]] = []
        others: deque[_Job[Question, Answer]] = deque()
        n_texts = 0
        for job in self._jobs:
            if job.answer.done():  # nobody waits for it any more
                continue
            fits = not batch or (
                job.question == batch[0].question and n_texts + len(job.texts) <= self._max_texts
            )
            if fits:
                batch.append(job)
                n_texts += len(job.texts)
            else:
                others.append(job)
        self._jobs = others
        return batch

    async def _answer(self, jobs: list[_Job[Question, Answer]]) -> None:
        loop = asyncio.get_running_loop()
        question = jobs[0].question
        try:
            answers = await loop.run_in_executor(
                self._thread, self._compute, [job.texts for job in jobs], question
            )
        except Exception as error:
            await self._answer_apart(jobs, error)
            return
        for job, answer in zip(jobs, answers, strict=True):
            if not job.answer.done():
                job.answer.set_result(answer)

    async def _answer_apart(self, jobs: list[_Job[Question, Answer]], error: Exception) -> None:
        """After an error, ask for each job alone, so that one bad text harms its own request only."""
        if len(jobs) > 1:
            for job in jobs:
                await self._answer([job])
        elif not jobs[0].answer.done():
            jobs[0].answer.set_exception(error)
