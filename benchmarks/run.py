"""Measure larix and its rivals in turn, keep the figures, rewrite page and README's table.

Commands::

    make bench                                            all rivals, three rounds
    python -m benchmarks --corpora icd --rounds 1
    python -m benchmarks --only-render                    page and table again, from figures that are kept
"""

import argparse
import json
import os
import random
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from scipy.sparse import csr_array, load_npz

from benchmarks import corpora, machine, page, readme, results
from benchmarks.competitors import LARIX, RIVALS, ROUNDED, SKLEARN, Competitor
from benchmarks.environments import CannotTakePart, cache_folder, installed_version, python_of
from benchmarks.matrices import read_description, read_part
from benchmarks.stages import N_THREADS, PREDICTIONS, Task

_STAGE_SECONDS = 3600
TEXT_SETTINGS = ("word 1-2", "char_wb 3-5")
VECTORIZERS = {
    "larix": (LARIX, "benchmarks.adapters.larix_text"),
    "scikit-learn": (SKLEARN, "benchmarks.adapters.sklearn_text"),
}


class StageFailed(Exception):
    """A measured process ended badly; the message is the last thing it said."""


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    options = _parser().parse_args(arguments)
    if not options.only_render:
        Session(options).run()
    measured = results.read()
    page.write(measured)
    readme.write(measured)
    print(f"wrote {page.PAGE.relative_to(results.REPOSITORY)}")


class Session:
    """One run of the command: who takes part in what, and where its records go."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.name = time.strftime("%Y-%m-%dT%H:%M:%S")
        self.load_at_start = machine.load_average()
        self.n_done = 0

    def run(self) -> None:
        """Measure everything; a competitor or corpus that cannot take part is noted and left out."""
        folders = {name: folder for name in self.options.corpora if (folder := self._corpus(name))}
        everybody = self._competitors() if self.options.rounds else []
        pythons = {c: python for c in everybody if (python := self._environment(c))}
        for round_number in range(1, max(self.options.rounds, self.options.text_rounds) + 1):
            if round_number <= self.options.rounds:
                for corpus, folder in folders.items():
                    for competitor in _rotated(list(pythons), round_number):
                        self._model(corpus, folder, competitor, pythons[competitor], round_number)
            if round_number <= self.options.text_rounds:
                for corpus, folder in folders.items():
                    if corpus in corpora.TEXT_CORPORA:
                        self._texts(corpus, folder, round_number)
        self._note(
            "session",
            command=shlex.join(["python", "-m", "benchmarks", *sys.argv[1:]]),
            machine=machine.describe_machine(),
            load=[self.load_at_start, machine.load_average()],
            rounds=self.options.rounds,
        )

    def _competitors(self) -> list[Competitor]:
        return [LARIX, *(RIVALS[name] for name in self.options.rivals)]

    def _corpus(self, name: str) -> Path | None:
        try:
            return corpora.matrices_folder(name)
        except CannotTakePart as reason:
            self._note("absent", name=corpora.title(name), reason=str(reason))
            return None

    def _environment(self, competitor: Competitor) -> Path | None:
        try:
            return python_of(competitor)
        except CannotTakePart as reason:
            self._note("absent", name=competitor.name, reason=str(reason))
            return None

    def _model(
        self, corpus: str, folder: Path, competitor: Competitor, python: Path, round_number: int
    ) -> None:
        """Train and predict, each in a process of its own; a cold start once."""
        with _scratch() as work:
            try:
                task = {"adapter": competitor.adapter, "matrices": str(folder), "work": str(work)}
                figures = _run_stage(python, Task("train", **task, seed=round_number - 1))
                figures |= _run_stage(python, Task("predict", **task))
                if round_number == 1 and corpus == self.options.corpora[0]:
                    self._cold(python, Task("cold", **task), competitor)
            except StageFailed as reason:
                self._note("absent", name=f"{competitor.name} on {corpora.title(corpus)}", reason=str(reason))
                return
            fields = {
                "corpus": corpus,
                "round": round_number,
                "version": installed_version(python, competitor.distribution),
                "description": read_description(folder),
            }
            figures |= _quality(folder, work / PREDICTIONS)
            self._note("model", competitor=competitor.name, figures=figures, **fields)
            if "rounded_mb" in figures:
                rounded = _run_stage(python, Task("predict", **task, model_name="rounded"))
                rounded |= {"model_mb": figures["rounded_mb"], **_quality(folder, work / PREDICTIONS)}
                self._note("model", competitor=ROUNDED, figures=rounded, **fields)

    def _cold(self, python: Path, task: Task, competitor: Competitor) -> None:
        """First call in a fresh process: as ever, and for larix with no compiled kernels at hand either."""
        figures = {}
        if competitor is LARIX:
            with _scratch() as empty:
                cold = _run_stage(python, task, {"NUMBA_CACHE_DIR": str(empty)})
                figures = {f"{name}_uncompiled": value for name, value in cold.items()}
        figures |= _run_stage(python, task)
        self._note("cold", competitor=competitor.name, corpus=Path(task.matrices).name, figures=figures)

    def _texts(self, corpus: str, folder: Path, round_number: int) -> None:
        for setting in TEXT_SETTINGS:
            for name in _rotated(list(VECTORIZERS), round_number):
                competitor, module = VECTORIZERS[name]
                with _scratch() as work:
                    few = _some_texts(folder, Path(work), self.options.texts)
                    try:
                        figures = _run_stage(
                            Path(sys.executable), Task("text", module, str(few), str(work), setting)
                        )
                    except StageFailed as reason:
                        self._note(
                            "absent", name=f"{name} on texts of {corpora.title(corpus)}", reason=str(reason)
                        )
                        continue
                version = installed_version(Path(sys.executable), competitor.distribution)
                self._note(
                    "text", corpus=corpus, setting=setting, competitor=name, round=round_number,
                    figures=figures, version=version,
                )  # fmt: skip

    def _note(self, kind: str, **fields: Any) -> None:
        results.append({"kind": kind, "session": self.name, **fields})
        told = {
            name: fields[name]
            for name in ("corpus", "setting", "competitor", "round", "name", "reason")
            if name in fields
        }
        figures = {
            name: round(value, 3) for name, value in fields.get("figures", {}).items() if name in _TOLD
        }
        print(
            time.strftime("%H:%M:%S"),
            kind,
            *told.values(),
            *(f"{k}={v}" for k, v in figures.items()),
            flush=True,
        )


_TOLD = (
    "train_cpu_s",
    "train_wall_s",
    "batch_cpu_ms_2",
    "row_ms_p50",
    "P@1",
    "fit_wall_s",
    "cold_first_row_s",
)


def _run_stage(python: Path, task: Task, variables: dict[str, str] | None = None) -> dict[str, float]:
    """Figures of a task, done in a fresh process.

    Raises
    ------
    StageFailed
        If the process fails or takes too long.
    """
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), str(N_THREADS))
    here = os.pathsep.join(
        (str(results.REPOSITORY), str(results.REPOSITORY / "src"))
    )  # this checkout's larix
    environment = {**os.environ, **threads, "PYTHONPATH": here, **(variables or {})}
    try:
        done = subprocess.run(
            [python, "-m", "benchmarks.stages", task.to_json()], env=environment, cwd=task.work,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, timeout=_STAGE_SECONDS, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise StageFailed(f"{task.stage} took longer than {_STAGE_SECONDS} s") from None
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.strip()]
        raise StageFailed(f"{task.stage}: {said[-1] if said else f'ended with status {done.returncode}'}")
    figures: dict[str, float] = json.loads(task.result.read_text(encoding="utf-8"))
    return figures


def _quality(folder: Path, predictions: Path) -> dict[str, float]:
    """Metrics by larix, whoever predicted; fractions."""
    from larix import evaluate

    _, Y_train = read_part(folder, "train")
    _, Y_test = read_part(folder, "test")
    metrics = evaluate(csr_array(load_npz(predictions)), Y_test, Y_train).metrics
    return {name: float(metrics[name]) for name in page.QUALITY}


def _some_texts(folder: Path, work: Path, n_texts: int | None) -> Path:
    """A folder with some training texts, drawn at random, and as many test texts at most."""
    texts = json.loads((folder / corpora.TEXTS).read_text(encoding="utf-8"))
    few = {
        part: random.Random(0).sample(own, min(n_texts or len(own), len(own))) for part, own in texts.items()
    }
    (work / corpora.TEXTS).write_text(json.dumps(few, ensure_ascii=False), encoding="utf-8")
    return work


def _rotated(names: list[Any], round_number: int) -> list[Any]:
    """Another first in every round, so that nobody always comes after the same one."""
    start = (round_number - 1) % len(names)
    return [*names[start:], *names[:start]]


@contextmanager
def _scratch() -> Iterator[Path]:
    parent = cache_folder() / "work"
    parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir=parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__.splitlines()[0])
    parser.add_argument(
        "--corpora", type=_names_among(corpora.NAMES), default=list(corpora.DEFAULT), metavar="A,B",
        help=f"of {', '.join(corpora.NAMES)} [default: {','.join(corpora.DEFAULT)}]",
    )  # fmt: skip
    parser.add_argument(
        "--rivals", type=_names_among(tuple(RIVALS)), default=list(RIVALS), metavar="A,B",
        help="of " + ", ".join(RIVALS) + " [default: all]",
    )  # fmt: skip
    parser.add_argument("--rounds", type=int, default=3, help="how often everything is measured [default: 3]")
    parser.add_argument("--text-rounds", type=int, default=1, help="how often text to TF-IDF is [default: 1]")
    parser.add_argument("--texts", type=int, help="texts for TF-IDF at most [default: all]")
    parser.add_argument("--only-render", action="store_true", help="measure nothing, rewrite the page")
    return parser


def _names_among(known: tuple[str, ...]) -> Any:
    def names(given: str) -> list[str]:
        chosen = [name for name in given.split(",") if name]
        for name in chosen:
            if name not in known:
                raise argparse.ArgumentTypeError(f"{name!r} is none of {', '.join(known)}")
        return chosen

    return names
