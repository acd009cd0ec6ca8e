"""Seconds and peak memory of the nodes and stages of a run."""

import sys
import time
from collections.abc import Iterable
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
    "vectorization",
    "label_indexing",
    "matcher_training",
    "ranking",
    "disentanglement",
    "ensemble",
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
    """

    def __init__(self, recorded: Iterable[str], earlier: dict[str, Any] | None = None) -> None:
        self._recorded = set(recorded)
        self._earlier = (earlier or {}).get("nodes", {})
        self._started: dict[str, float] = {}
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
        self._started.setdefault(node.name, time.perf_counter())

    def saved(self, node: NodeLike, output: str, data: Any) -> "NodeDone | None":
        """An output was saved. Returns what there is to say about the node when it was the last one."""
        unsaved = self._unsaved.setdefault(node.name, set(node.outputs))
        sizes = self._sizes.setdefault(node.name, [])
        unsaved.discard(output)
        if size := describe_size(data):
            sizes.append(f"{output} {size}")
        if unsaved:
            return None
        seconds = time.perf_counter() - self._started.get(node.name, time.perf_counter())
        memory = peak_memory_mb()
        stage = next((stage for stage in STAGES if stage in node.tags), node.name)
        self._nodes[node.name] = {"stage": stage, "seconds": round(seconds, 3), "peak_memory_mb": memory}
        return NodeDone(node.name, tuple(sizes), seconds, memory)

    def record(self) -> dict[str, Any]:
        """Plain values: `stages` (seconds by stage), `total`, `peak_memory_mb` and `nodes`."""
        nodes = {**self._earlier, **self._nodes}
        nodes = {name: entry for name, entry in nodes.items() if name in self._recorded}
        stages: dict[str, float] = dict.fromkeys(STAGES, 0.0)
        for entry in nodes.values():
            stages[entry["stage"]] = round(stages.get(entry["stage"], 0.0) + entry["seconds"], 3)
        stages = {stage: seconds for stage, seconds in stages.items() if seconds}
        return {
            "stages": stages,
            "total": round(sum(stages.values()), 3),
            "peak_memory_mb": max((entry["peak_memory_mb"] for entry in nodes.values()), default=0.0),
            "nodes": nodes,
        }


def peak_memory_mb() -> float:
    """Largest resident memory of this process so far, in 10^6 bytes; 0 where the system does not tell."""
    if resource is None:
        return 0.0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak * (1 if sys.platform == "darwin" else 1024) / 1e6, 1)
