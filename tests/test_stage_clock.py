"""Times of nodes and stages."""

import subprocess
import sys
import time
from types import SimpleNamespace
from typing import Any

import pytest
import scipy.sparse as sp

from larix.stage_clock import StageClock
from larix.xmc.work_count import count, counting


def node(name: str, stage: str = "ranking", outputs: tuple[str, ...] = ("out",)) -> SimpleNamespace:
    return SimpleNamespace(name=name, outputs=list(outputs), tags={stage})


def test_a_node_is_done_when_its_last_output_is_saved():
    clock, split = StageClock(["split"]), node("split", outputs=("left", "right"))
    clock.start(split)
    assert clock.saved(split, "left", sp.csr_array([[1.0, 0.0, 0.0], [0.0, 2.0, 0.0]])) is None
    assert clock.n_done == 0
    done = clock.saved(split, "right", "text")
    assert str(done).startswith("split: left 2 x 3 with 2 entries, 0.0 s, peak ")
    assert clock.n_done == 1


def test_a_matrix_without_entries_is_not_worth_a_line():
    clock, one = StageClock([]), node("score")
    clock.start(one)
    done = clock.saved(one, "out", sp.csr_array((2, 3)))
    assert not done.matters


def test_nodes_of_a_stage_add_up():
    clock = StageClock(["a", "b", "c"])
    for one in (node("a"), node("b"), node("c", "evaluation")):
        clock.start(one)
        clock.saved(one, "out", None)
    record = clock.record()
    assert list(record["stages"]) == [s for s in ("ranking", "evaluation") if s in record["stages"]]
    assert set(record["nodes"]) == {"a", "b", "c"}
    assert record["nodes"]["c"]["stage"] == "evaluation"


def test_nodes_left_out_keep_their_earlier_times():
    earlier = {
        "nodes": {
            "a": entry(5.0, 9e9, {"texts": 2}),
            "gone": entry(7.0, 1.0, {"texts": 4}),
            "of an older form": {"stage": "ranking", "seconds": 7.0, "peak_memory_mb": 1.0},
        }
    }
    clock = StageClock(["a", "b", "of an older form"], earlier)
    fresh = node("b", "evaluation")
    clock.start(fresh)
    clock.saved(fresh, "out", None)
    record = clock.record()
    assert record["stages"]["ranking"] == 5.0
    assert record["cpu_seconds"] == pytest.approx(10.0, abs=0.1)
    assert record["counts"] == {"texts": 2}
    assert record["peak_memory_mb"] == 9e9
    assert set(record["nodes"]) == {"a", "b"}


def entry(seconds: float, memory: float, counts: dict[str, int]) -> dict[str, Any]:
    return {
        "stage": "ranking", "seconds": seconds, "cpu_seconds": 2 * seconds, "peak_memory_mb": memory,
        "counts": counts,
    }  # fmt: skip


def test_work_is_counted_for_the_node_that_did_it():
    with counting() as counts:
        clock = StageClock(["a", "b"], counts=counts)
        for name, texts in (("a", 3), ("b", 5)):
            clock.start(node(name))
            count("texts", texts)
            clock.saved(node(name), "out", None)
    count("texts", 100)  # nobody counts any more
    record = clock.record()
    assert record["nodes"]["a"]["counts"] == {"texts": 3}
    assert record["nodes"]["b"]["counts"] == {"texts": 5}
    assert record["counts"] == {"texts": 8}


def test_cpu_seconds_count_work_and_ended_children_but_no_waiting():
    clock, busy = StageClock(["busy"]), node("busy")
    clock.start(busy)
    until = time.process_time() + 0.05
    while time.process_time() < until:
        pass
    subprocess.run([sys.executable, "-c", "sum(range(10**6))"], check=True)
    time.sleep(0.2)
    clock.saved(busy, "out", None)
    done = clock.record()["nodes"]["busy"]
    assert 0.05 < done["cpu_seconds"] < done["seconds"] - 0.1


def test_a_short_node_that_made_nothing_of_a_size_does_not_matter():
    clock, small = StageClock([]), node("small")
    clock.start(small)
    assert not clock.saved(small, "out", None).matters
    assert not clock.measured
