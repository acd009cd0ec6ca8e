"""Threads for kernels that release the interpreter lock.

Results never depend on the number of threads: a job's result depends on the job alone, and results
come back in the order of the jobs.
"""

import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from larix.xmc.progress import track

Job = TypeVar("Job")
Result = TypeVar("Result")


def available_threads(n_threads: int | None = None) -> int:
    """Number of threads to use: `n_threads`, or every processor this process may run on."""
    if n_threads is None:
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if n_threads < 1:
        raise ValueError(f"n_threads must be at least 1 or None (all processors), but is {n_threads}")
    return n_threads


def thread_map(
    function: Callable[[Job], Result],
    jobs: Sequence[Job],
    *,
    n_threads: int | None = None,
    description: str | None = None,
) -> list[Result]:
    """Apply `function` to every job, in threads, showing progress if `description` is given."""
    n_threads = min(available_threads(n_threads), max(len(jobs), 1))

    def shown(results: Iterable[Result]) -> list[Result]:
        return list(results if description is None else track(results, description, len(jobs)))

    if n_threads == 1:
        return shown(map(function, jobs))
    with ThreadPoolExecutor(n_threads, thread_name_prefix="larix") as pool:
        return shown(pool.map(function, jobs))
