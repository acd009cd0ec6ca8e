"""How many texts the service answers, and how long one waits: `python -m benchmarks.serving`.

Starts `larix serve` with the classifier of the last run, asks it from this machine with one client and then
with many, and prints what they saw beside the classifier's own time. Every client keeps one connection, sends
one test document, waits for its labels and sends the next. The classifier's own time for one text is measured
in this process, before the service starts. On a machine that is busy with other things, only the processor
time of a text says how fast the service is.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import numpy as np

import larix
from benchmarks.machine import describe_machine, load_average
from larix.last_run import find_last_run

_TEXTS_ALONE = 300
_COLUMNS = ("clients", "texts/s", "p50 ms", "p99 ms", "max ms", "CPU ms")
_LEAST_MB = 50  # helpers of the system have less


@dataclass
class Load:
    """What the clients of one phase saw.

    Attributes
    ----------
    seconds : list of float
        From sending a request to the end of its answer.
    statuses : Counter
        Answers by HTTP status; lost connections are `lost`.
    lasted : float
        Seconds of the phase.
    cpu_seconds : float
        That the service worked, in all its processes.
    """

    seconds: list[float] = field(default_factory=list)
    statuses: Counter[str] = field(default_factory=Counter)
    lasted: float = 0.0
    cpu_seconds: float = 0.0

    def line(self, clients: int) -> str:
        """One line of the table."""
        p50, p99, worst = 1000 * np.quantile(self.seconds, [0.5, 0.99, 1.0])
        rate = len(self.seconds) / self.lasted
        cpu = 1000 * self.cpu_seconds / len(self.seconds)
        told = ", ".join(f"{status}: {n:,}" for status, n in sorted(self.statuses.items()))
        return f"{clients:>8} {rate:>8.0f} {p50:>8.1f} {p99:>8.1f} {worst:>8.1f} {cpu:>8.2f}   {told}"


def seconds_alone(classifier: larix.Suggester, texts: Sequence[str]) -> np.ndarray:
    """The classifier's own time for one text after another, as p50 and p99 in ms."""
    taken = []
    for text in texts[:_TEXTS_ALONE]:
        started = time.perf_counter()
        classifier.suggest([text])
        taken.append(time.perf_counter() - started)
    return 1000 * np.quantile(taken, [0.5, 0.99])


async def load(port: int, bodies: Sequence[bytes], *, clients: int, seconds: float) -> Load:
    """Ask from `clients` connections at once for some seconds."""
    found, turns = Load(), count()
    started = time.perf_counter()
    end = started + seconds
    await asyncio.gather(*(_client(port, bodies, turns, end, found) for _ in range(clients)))
    found.lasted = time.perf_counter() - started
    return found


async def _client(port: int, bodies: Sequence[bytes], turns: Iterator[int], end: float, found: Load) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while (started := time.perf_counter()) < end:
        body = bodies[next(turns) % len(bodies)]
        writer.write(
            b"POST /suggest HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
        )
        try:
            status = await _answer(reader)
        except (ConnectionError, asyncio.IncompleteReadError):
            found.statuses["lost"] += 1
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            continue
        found.statuses[status] += 1
        found.seconds.append(time.perf_counter() - started)
    writer.close()


async def _answer(reader: asyncio.StreamReader) -> str:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    length = int(head.split("content-length:")[1].split("\r\n")[0])
    await reader.readexactly(length)
    return head.split(" ", 2)[1]


@contextmanager
def running_service(model: Path, workers: int, port: int) -> Iterator[int]:
    """`larix serve` in processes of its own, ready."""
    command = [
        Path(sys.executable).with_name("larix"),
        "serve",
        model,
        f"--port={port}",
        f"--workers={workers}",
    ]
    with subprocess.Popen(command) as service:
        try:
            _wait_until_ready(port)
            yield service.pid
        finally:
            service.terminate()


def _wait_until_ready(port: int) -> None:
    for _ in range(600):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/ready").close()
            return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.1)
    raise TimeoutError("the service must be ready within a minute, but is not")


def batch_facts(port: int) -> str:
    """What the service measured itself: texts in a batch, and the classifier's time for one."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as response:
        lines = [line.split() for line in response.read().decode().splitlines() if line[0] != "#"]
    values = {name: float(value) for name, value in lines}
    n_batches = values["larix_batch_texts_count"]
    texts, seconds = values["larix_batch_texts_sum"], values["larix_model_seconds_sum"]
    return (
        f"{n_batches:,.0f} batches of {texts / n_batches:.1f} texts, {1000 * seconds / n_batches:.1f} ms each"
        f" ({1000 * seconds / texts:.2f} ms a text)"
    )


def memory_facts(pid: int) -> str:
    """Memory of the service's processes in MB: what each has for itself, and pages of files, counted once."""
    folders = [Path(f"/proc/{pid}"), *(Path(f"/proc/{child}") for child in _children(pid))]
    rollups = [(folder / "smaps_rollup").read_text().splitlines() for folder in folders]
    sizes = [{line.split(":")[0]: int(line.split()[1]) / 1024 for line in lines[1:]} for lines in rollups]
    serving = [size for size in sizes if size["Rss"] > _LEAST_MB]
    own = ", ".join(f"{size['Pss_Anon']:.0f}" for size in serving)
    files = sum(size["Pss_File"] for size in serving)
    return f"memory in MB: {own} of its own for each process, and {files:.0f} of files for all together"


def cpu_seconds(pid: int) -> float:
    """Processor time of the service so far; nan where the system doesn't tell."""
    if not Path("/proc/self/stat").exists():
        return float("nan")
    stats = [Path(f"/proc/{process}/stat").read_text() for process in (pid, *_children(pid))]
    ticks = (stat.rpartition(")")[2].split()[11:13] for stat in stats)
    return sum(int(part) for parts in ticks for part in parts) / os.sysconf("SC_CLK_TCK")


def _children(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Load a service on this machine.")
    parser.add_argument("--model", type=Path, help="the classifier's folder [default: that of the last run]")
    parser.add_argument("--corpus", type=Path, default=Path("data/03_primary/corpus"))
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--port", type=int, default=8765)
    arguments = parser.parse_args()
    model = arguments.model or find_last_run().path("classifier")
    texts = larix.load(arguments.corpus).test.texts
    bodies = [json.dumps({"texts": [text]}).encode() for text in texts]
    classifier = larix.load(model)
    classifier.suggest(texts[:100])
    p50, p99 = seconds_alone(classifier, texts)
    machine = describe_machine()
    print(f"{machine['processor']}, {machine['cores']} cores, load {load_average()} before")
    print(f"{arguments.workers} workers, {len(classifier.label_ids):,} labels")
    print(f"the classifier alone, one text after another: p50 {p50:.1f} ms, p99 {p99:.1f} ms")
    del classifier
    with running_service(model, arguments.workers, arguments.port) as pid:
        asyncio.run(load(arguments.port, bodies, clients=arguments.workers * 4, seconds=2))
        print("".join(f"{name:>8} " for name in _COLUMNS) + "  answers by status")
        for clients, seconds in ((1, min(10.0, arguments.seconds)), (arguments.clients, arguments.seconds)):
            before = cpu_seconds(pid)
            found = asyncio.run(load(arguments.port, bodies, clients=clients, seconds=seconds))
            found.cpu_seconds = cpu_seconds(pid) - before
            print(found.line(clients), flush=True)
        print(batch_facts(arguments.port))
        if Path("/proc/self/smaps_rollup").exists():
            print(memory_facts(pid))


if __name__ == "__main__":
    main()
