"""Times of nodes and stages."""

from types import SimpleNamespace

import scipy.sparse as sp

from larix.stage_clock import StageClock


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
            "a": {"stage": "ranking", "seconds": 5.0, "peak_memory_mb": 9e9},
            "gone": {"stage": "ranking", "seconds": 7.0, "peak_memory_mb": 1.0},
        }
    }
    clock, fresh = StageClock(["a", "b"], earlier), node("b", "evaluation")
    clock.start(fresh)
    clock.saved(fresh, "out", None)
    record = clock.record()
    assert record["stages"]["ranking"] == 5.0
    assert record["peak_memory_mb"] == 9e9
    assert set(record["nodes"]) == {"a", "b"}


def test_a_short_node_that_made_nothing_of_a_size_does_not_matter():
    clock, small = StageClock([]), node("small")
    clock.start(small)
    assert not clock.saved(small, "out", None).matters
    assert not clock.measured
