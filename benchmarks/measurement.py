"""What a stretch of code costs: wall seconds, CPU seconds, and the peak of resident memory.

Only the standard library, because it runs in every competitor's environment.
"""

import os
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_STATUS = Path("/proc/self/status")
_CLEAR = Path("/proc/self/clear_refs")
_RESET_PEAK = "5"


@dataclass
class Cost:
    """Seconds and megabytes (2**20 bytes); filled in when the measured block ends."""

    wall_s: float = 0.0
    cpu_s: float = 0.0
    resident_before_mb: float = 0.0
    peak_mb: float = 0.0


@contextmanager
def measured() -> Iterator[Cost]:
    """Measure a block. CPU seconds are user + system of all threads and of children waited for."""
    cost = Cost(resident_before_mb=_resident_mb("VmRSS"))
    _forget_peak()
    cpu, wall = _cpu_seconds(), time.perf_counter()
    yield cost
    cost.wall_s, cost.cpu_s = time.perf_counter() - wall, _cpu_seconds() - cpu
    cost.peak_mb = _resident_mb("VmHWM")


def folder_mb(folder: Path) -> float:
    """Megabytes of all files in a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 2**20


def _cpu_seconds() -> float:
    usages = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def _forget_peak() -> None:
    """Let the kernel count the peak from now on, where it can."""
    if os.access(_CLEAR, os.W_OK):
        _CLEAR.write_text(_RESET_PEAK)


def _resident_mb(field: str) -> float:
    """A memory field of this process.

    A child's ru_maxrss begins at what its parent had when it started the child, so the figure of the
    process image itself is better where there is one.
    """
    if _STATUS.exists():
        for line in _STATUS.read_text().splitlines():
            if line.startswith(field + ":"):
                return int(line.split()[1]) / 2**10
    largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return largest / (2**20 if sys.platform == "darwin" else 2**10)
