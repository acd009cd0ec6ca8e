"""Texts of many requests in common batches."""

import asyncio
import threading

import pytest

from larix.serving.http.batching import Batcher, TooManyWaitingError


class Computer:
    """Upper-cases texts once it is let go, and remembers its batches."""

    def __init__(self):
        self.batches = []
        self.may_go = threading.Event()

    def __call__(self, requests, question):
        self.may_go.wait(10)
        self.batches.append((question, [list(texts) for texts in requests]))
        if any("bad" in texts for texts in requests):
            raise ValueError("bad")
        return [[text.upper() for text in texts] for texts in requests]


def run(scenario, **limits):
    """Run a scenario with a batcher around a computer that waits."""

    async def inside():
        computer = Computer()
        batcher = Batcher(computer, **{"max_texts": 4, "max_waiting": 10, **limits})
        batcher.start()
        try:
            return await asyncio.wait_for(scenario(batcher, computer), 20)
        finally:
            computer.may_go.set()
            await batcher.stop()

    return asyncio.run(inside())


async def submit(batcher, *jobs):
    """Tasks that wait for answers, in this order."""
    tasks = []
    for texts, question in jobs:
        tasks.append(asyncio.create_task(batcher.submit(texts, question)))
        await asyncio.sleep(0.01)
    return tasks


def test_what_waits_becomes_one_batch_as_far_as_it_asks_the_same_and_fits():
    async def scenario(batcher, computer):
        jobs = (["a"], 1), (["b", "c"], 1), (["d"], 2), (["e"], 1), (["f", "g"], 1)
        tasks = await submit(batcher, *jobs)
        computer.may_go.set()
        return computer.batches, await asyncio.gather(*tasks)

    batches, answers = run(scenario)
    assert answers == [["A"], ["B", "C"], ["D"], ["E"], ["F", "G"]]
    assert batches == [(1, [["a"]]), (1, [["b", "c"], ["e"]]), (2, [["d"]]), (1, [["f", "g"]])]


def test_a_request_larger_than_a_batch_is_answered_alone():
    async def scenario(batcher, computer):
        computer.may_go.set()
        return await batcher.submit(list("abcdefg"), 1)

    assert run(scenario) == list("ABCDEFG")


def test_a_bad_text_harms_its_own_request_only():
    async def scenario(batcher, computer):
        tasks = await submit(batcher, (["a"], 1), (["b"], 1), (["bad"], 1), (["c"], 1))
        computer.may_go.set()
        return await asyncio.gather(*tasks, return_exceptions=True)

    first, second, bad, last = run(scenario)
    assert (first, second, last) == (["A"], ["B"], ["C"])
    assert isinstance(bad, ValueError)


def test_who_gives_up_leaves_its_place_and_is_not_computed():
    async def scenario(batcher, computer):
        _, given_up, last = await submit(batcher, (["a"], 1), (["b"] * 9, 1), (["c"], 1))
        with pytest.raises(TooManyWaitingError):
            await batcher.submit(["d"], 1)
        assert batcher.is_full
        given_up.cancel()
        computer.may_go.set()
        return await last, computer.batches

    answer, batches = run(scenario)
    assert answer == ["C"]
    assert batches == [(1, [["a"]]), (1, [["c"]])]
