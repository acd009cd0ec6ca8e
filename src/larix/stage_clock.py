"""Seconds and peak memory of the nodes and stages of a run, and counts of work.

CPU seconds are those of this process and of its children that have ended, all threads together, from the load
of a node's first input to the save of its last output. Nodes that run at the same time are counted with each
other's.
"""

import os
import sys
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

from larix.artefact_size import describe_size

_SHORT = 0.5
STAGES = (
    "ingestion",
    "encoder_tuning",
    "vectorization",
    "label_indexing",
    "cluster_matcher",
    "matcher_training",
    "ranking",
    "disentanglement",
    "ensemble",
    "memory_tuning",
    "refinement",
    "evaluation",
    "reporting",
    "inference",
)


class NodeLike(Protocol):
    """The parts of a node that are needed here."""

    name: str
    outputs: list[str]
    tags: set[str]


@dataclass(frozen=True)
class NodeDone:
    """A node that is done: its name, the sizes of its outputs in words, its time, the memory so far."""

    name: str
    sizes: tuple[str, ...]
    seconds: float
    peak_memory_mb: float

    @property
    def matters(self) -> bool:
        """Whether it took time or made something of a size."""
        return bool(self.sizes) or self.seconds >= _SHORT

    def __str__(self) -> str:
        words = [*self.sizes, f"{self.seconds:.1f} s", f"peak {self.peak_memory_mb:,.0f} MB"]
        return f"{self.name}: {', '.join(words)}"


class StageClock:
    """Measures nodes from the load of their first input to the save of their last output.

    Parameters
    ----------
    recorded : iterable of str
        Names of the nodes that `record` tells about.
    earlier : dict, optional
        A record of earlier runs; nodes that this run leaves out keep their times in it.
    counts : mapping of str to int, optional
        Work counted so far (`larix.xmc.work_count`); it grows while nodes run.
    """

    def __init__(
        self,
        recorded: Iterable[str],
        earlier: dict[str, Any] | None = None,
        counts: Mapping[str, int] | None = None,
    ) -> None:
        self._recorded = set(recorded)
        nodes = (earlier or {}).get("nodes", {})
        self._earlier = {name: entry for name, entry in nodes.items() if "cpu_seconds" in entry}
        self._counts: Mapping[str, int] = {} if counts is None else counts
        self._started: dict[str, _Reading] = {}
        self._nodes: dict[str, dict[str, Any]] = {}
        self._unsaved: dict[str, set[str]] = {}
        self._sizes: dict[str, list[str]] = {}

    @property
    def n_done(self) -> int:
        """Number of nodes that are done."""
        return len(self._nodes)

    @property
    def measured(self) -> bool:
        """Whether a recorded node was done."""
        return not self._recorded.isdisjoint(self._nodes)

    def start(self, node: NodeLike) -> None:
        """The node loads an input or runs; the first call counts."""
        if node.name not in self._started:
            self._started[node.name] = self._read()

    def _read(self) -> "_Reading":
        return _Reading(time.perf_counter(), cpu_seconds(), Counter(self._counts))

    def saved(self, node: NodeLike, output: str, data: Any) -> "NodeDone | None":
        """An output was saved. Returns what there is to say about the node when it was the last one."""
        unsaved = self._unsaved.setdefault(node.name, set(node.outputs))
        sizes = self._sizes.setdefault(node.name, [])
        unsaved.discard(output)
        if size := describe_size(data):
            sizes.append(f"{output} {size}")
        if unsaved:
            return None
        ended = self._read()
        started = self._started.get(node.name, ended)
        seconds, memory = ended.seconds - started.seconds, peak_memory_mb()
        self._nodes[node.name] = {
            "stage": next((stage for stage in STAGES if stage in node.tags), node.name),
            "seconds": round(seconds, 3),
            "cpu_seconds": round(ended.cpu_seconds - started.cpu_seconds, 3),
            "peak_memory_mb": memory,
            "counts": dict(ended.counts - started.counts),
        }
        return NodeDone(node.name, tuple(sizes), seconds, memory)

    def record(self) -> dict[str, Any]:
        """Plain values: `stages` (seconds by stage), `total`, `cpu_seconds`, `counts`, `peak_memory_mb`, and
        the same of `nodes`."""
        nodes = {**self._earlier, **self._nodes}
        nodes = {name: entry for name, entry in nodes.items() if name in self._recorded}
        stages: dict[str, float] = dict.fromkeys(STAGES, 0.0)
        for entry in nodes.values():
            stages[entry["stage"]] = round(stages.get(entry["stage"], 0.0) + entry["seconds"], 3)
        stages = {stage: seconds for stage, seconds in stages.items() if seconds}
        return {
            "stages": stages,
            "total": round(sum(stages.values()), 3),
            "cpu_seconds": round(sum(entry["cpu_seconds"] for entry in nodes.values()), 3),
            "counts": dict(sum((Counter(entry["counts"]) for entry in nodes.values()), Counter())),
            "peak_memory_mb": max((entry["peak_memory_mb"] for entry in nodes.values()), default=0.0),
            "nodes": nodes,
        }


@dataclass(frozen=True)
class _Reading:
    """What the clocks show at one moment."""

    seconds: float
    cpu_seconds: float
    counts: Counter[str]


def cpu_seconds() -> float:
    """CPU seconds of this process so far, all threads together, and of its children that have ended."""
    children = os.times()
    return time.process_time() + children.children_user + children.children_system


def peak_memory_mb() -> float:
    """Largest resident memory of this process so far, in 10^6 bytes; 0 where the system does not tell."""
    if resource is None:
        return 0.0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak * (1 if sys.platform == "darwin" else 1024) / 1e6, 1)
