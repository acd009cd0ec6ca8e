"""Train and measure what is missing, then rewrite the tables of the page."""

import argparse
import time
from collections.abc import Callable, Collection
from pathlib import Path

import numpy as np

from benchmarks.disentanglement import page
from benchmarks.disentanglement.corpora import SOURCES, Source, StudyCorpus
from benchmarks.disentanglement.measures import measure, separation
from benchmarks.disentanglement.results import Study
from benchmarks.disentanglement.systems import ROWS, WINNER, Workbench, plain
from larix import XRLinear
from larix.xmc.disentangled_training import disentangle

HELD_OUT = 0.1


def main() -> None:
    """Options of the command."""
    arguments = _parser().parse_args()
    for name in arguments.corpora if arguments.seeds else ():
        study = Study(name, arguments.features, arguments.held_out)
        try:
            corpus = SOURCES[name].load(arguments.features)
        except FileNotFoundError as error:
            print(f"{SOURCES[name].title} is left out: {error}", flush=True)
            continue
        corpus = corpus.held_out(HELD_OUT) if arguments.held_out else corpus
        study.save_description(corpus.describe())
        warm_up(corpus)
        for seed in range(arguments.seeds):
            measure_seed(study, SOURCES[name], corpus, seed, arguments.rows, again=arguments.again)
    page.write(arguments.page)


def warm_up(corpus: StudyCorpus) -> None:
    """Load compiled code before any clock starts."""
    few = corpus.train.take(np.arange(300))
    disentangle(XRLinear().fit(few.X, few.Y), few.X, few.Y)


def measure_seed(
    study: Study, source: Source, corpus: StudyCorpus, seed: int, rows: list[str], *, again: bool = False
) -> None:
    """Measure the rows of a seed that are wanted and not there yet."""
    missing = [
        name for name in rows if not (ROWS[name].grid and seed) and (again or not study.has(name, seed))
    ]
    bench = Workbench(corpus, source, seed)
    for name in missing:
        started = time.perf_counter()
        system = ROWS[name].build(bench)
        figures, shares = measure(system, corpus)
        figures["times_cpu"] = system.cpu_s / plain(bench).cpu_s
        if corpus.sense_labels is not None and len(system.models) == 1 and system.models[0].tree_.has_overlap:
            figures["separation"] = separation(system, corpus, bench.beams[0], WINNER.beam_size)
        study.save(name, seed, figures, shares)
        told = " ".join(f"{key} {100 * figures[key]:.2f}" for key in shares)
        costs = f"{figures['inner_products']:.0f} inner products, {figures['times_cpu']:.2f} times the CPU"
        seconds = time.perf_counter() - started
        print(f"{study.folder.name} {name} {seed}: {told}, {costs}, {seconds:.0f} s", flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.disentanglement",
        description="Measure label disentanglement beside its controls and rewrite docs/disentanglement.md.",
    )
    parser.add_argument("--corpora", type=_names_of(SOURCES), default=list(SOURCES), help=", ".join(SOURCES))
    parser.add_argument("--rows", type=_names_of(ROWS), default=list(ROWS), help=", ".join(ROWS))
    parser.add_argument("--seeds", type=int, default=3, help="how many; 0 rewrites the page alone")
    parser.add_argument("--features", choices=("words", "default"), default="words")
    parser.add_argument("--held-out", action="store_true", help="measure on held-out training documents")
    parser.add_argument("--again", action="store_true", help="also measure what was measured before")
    parser.add_argument("--page", type=Path, default=page.PAGE, help="a page with places for the tables")
    return parser


def _names_of(known: Collection[str]) -> Callable[[str], list[str]]:
    """A list of known names, separated by commas."""

    def names(text: str) -> list[str]:
        for name in text.split(","):
            if name not in known:
                raise argparse.ArgumentTypeError(f"{name!r} is none of {', '.join(known)}")
        return text.split(",")

    return names
