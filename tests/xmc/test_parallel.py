from contextlib import contextmanager

import pytest

from larix.xmc.parallel import available_threads, thread_map
from larix.xmc.progress import reporting


@pytest.mark.parametrize("n_threads", [1, 2, None])
def test_results_come_in_the_order_of_the_jobs(n_threads):
    assert thread_map(lambda i: i * i, range(50), n_threads=n_threads) == [i * i for i in range(50)]


def test_an_error_in_a_job_is_raised():
    with pytest.raises(ZeroDivisionError):
        thread_map(lambda i: 1 // i, [1, 0], n_threads=2)


def test_threads_must_be_at_least_one():
    with pytest.raises(ValueError, match=r"n_threads must be at least 1 or None .* but is 0"):
        available_threads(0)


def test_progress_is_told_to_the_reporter_and_to_nobody_else():
    seen = []

    @contextmanager
    def reporter(description, total):
        seen.append((description, total))
        yield lambda steps=1: seen.append(steps)

    thread_map(str, [1, 2], description="not shown")
    with reporting(reporter):
        thread_map(str, [1, 2, 3], n_threads=2, description="work")
        thread_map(str, [1, 2])
    assert seen == [("work", 3), 1, 1, 1]
