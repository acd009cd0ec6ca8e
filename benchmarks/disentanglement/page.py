"""The tables of docs/disentanglement.md, between comments; the prose around them is written by hand."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.disentanglement.measures import METRICS
from benchmarks.disentanglement.results import FOLDER, Study
from benchmarks.disentanglement.systems import ROWS
from benchmarks.disentanglement.targets import (
    MINOR_GAIN,
    MOST_TIMES_CPU,
    SEPARATED,
    WINNER,
    controls_of,
    mean,
    outcomes,
)
from benchmarks.page import number, table
from benchmarks.results import REPOSITORY

PAGE = REPOSITORY / "docs" / "disentanglement.md"
COMPARED = tuple(name for name, row in ROWS.items() if not row.grid)
GRID = (*(f"max-{n}" for n in (2, 3)), WINNER, "max-6", *(f"rounds-{n}" for n in (1, 2, 3)))
SEPARATING = (WINNER, "random", "tied", "max-2", "max-6")

_PLACE = re.compile(r"<!-- table: (?P<key>\S+) (?P<kind>\w+) -->\n.*?<!-- end of table -->", re.DOTALL)


@dataclass(frozen=True)
class Column:
    """A column: its head, how a figure is found in a row's figures, how it is written."""

    head: str
    find: Callable[[dict[str, Any]], float | None]
    write: Callable[[float], str] = number


def _percent(value: float) -> str:
    return f"{100 * value:.2f}"


def _figure(name: str) -> Callable[[dict[str, Any]], float | None]:
    return lambda figures: figures[name]


def _within(group: str, name: str) -> Callable[[dict[str, Any]], float | None]:
    return lambda figures: figures.get(group, {}).get(name)


QUALITY = tuple(Column(name, _figure(name), _percent) for name in METRICS)
COST = (
    Column("inner products", _figure("inner_products")),
    Column("CPU, times plain", _figure("times_cpu"), lambda value: f"{value:.1f}"),
    Column("MB", _figure("model_mb")),
    Column("slots a label", _figure("slots"), lambda value: f"{value:.2f}"),
    Column("ms", _figure("ms")),
)
SENSES = tuple(
    Column(f"{name} R@10", _within("senses", name), _percent) for name in ("single", "dominant", "minor")
)
SEPARATION = tuple(
    Column(f"{share}, {part}", _within("separation", f"{part}_{share}"), _percent)
    for share in ("strict", "routed")
    for part in ("train", "test")
)


def write(path: Path = PAGE, root: Path = FOLDER) -> None:
    """Rewrite the tables of a page, if there is one; places without results say so."""
    if path.exists():
        text = path.read_text(encoding="utf-8")
        path.write_text(_PLACE.sub(lambda place: _filled(place, root), text), encoding="utf-8")


def study_of(key: str, root: Path = FOLDER) -> Study:
    """The study that a key such as `icd-words` or `icd-words-held-out` names."""
    corpus, features, *held_out = key.split("-", 2)
    return Study(corpus, features, bool(held_out), root)


def _filled(place: "re.Match[str]", root: Path) -> str:
    study = study_of(place["key"], root)
    made = _TABLES[place["kind"]](study) if study.description() else "Not measured."
    return f"<!-- table: {place['key']} {place['kind']} -->\n{made}\n<!-- end of table -->"


def comparison(study: Study) -> str:
    """Everything beside everything, mean and spread over seeds."""
    about, n_seeds = study.description() or {}, len(study.seeds(WINNER))
    seeds = (
        f"Mean and standard deviation of {n_seeds} seeds, without ± one seed" if n_seeds > 1 else "One seed"
    )
    told = (
        f"{about['n_train']:,} training and {about['n_test']:,} "
        f"{'held-out' if study.held_out else 'test'} documents, {about['n_labels']:,} labels, "
        f"{about['labels_per_document']:.2f} labels a document, {about['n_features']:,} features. "
        f"{seeds}. Made by `{_command(study, n_seeds)}`."
    )
    return f"\n{told}\n\n{_rows(study, COMPARED, (*QUALITY, *_senses(study), *COST))}\n"


def grid(study: Study) -> str:
    """Numbers of clusters and of rounds, with one seed."""
    return f"\n{_rows(study, ('plain', *GRID), (*QUALITY, *_senses(study), *COST), seeds=[0])}\n"


def _senses(study: Study) -> tuple[Column, ...]:
    """In pairs, at most one label is single."""
    return SENSES[1:] if study.corpus == "pairs" else SENSES


def separation(study: Study) -> str:
    """How far senses are told apart, in percent of labels."""
    slots, times = COST[3], COST[0]
    return f"\n{_rows(study, SEPARATING, (*SEPARATION, slots, times))}\n"


def targets(study: Study) -> str:
    """The winner beside the best control of every metric, and what it cost."""
    rows = [
        [
            o.metric,
            f"{100 * mean(study, WINNER, o.metric):.2f}",
            f"{100 * mean(study, o.control, o.metric):.2f}",
            ROWS[o.control].title,
            f"{100 * o.difference:+.2f} ± {100 * o.standard_error:.2f}",
            "" if o.target is None else f"{100 * o.target:+.2f}",
            o.verdict,
        ]
        for o in outcomes(study)
    ]
    if not rows:
        return "Not measured."
    rows += _targets_of_senses(study)
    times = mean(study, WINNER, "times_cpu")
    limits = f"≤ {MOST_TIMES_CPU:g}", _verdict(times <= MOST_TIMES_CPU)
    rows.append(["training CPU", f"{times:.1f}", "1", ROWS["plain"].title, "", *limits])
    head = ["", "disentangled", "best control", "which", "difference", "target", ""]
    return f"\n{table(head, rows)}\n"


def _targets_of_senses(study: Study) -> list[list[str]]:
    if study.corpus == "wordnet":
        path = "senses", "minor"
        control = max(controls_of(study), key=lambda name: mean(study, name, *path))
        ours, theirs = (mean(study, name, *path) for name in (WINNER, control))
        told = (
            f"{100 * (ours - theirs):+.2f}",
            f"{100 * MINOR_GAIN:+.2f}",
            _verdict(ours - theirs >= MINOR_GAIN),
        )
        return [["minor R@10", f"{100 * ours:.2f}", f"{100 * theirs:.2f}", ROWS[control].title, *told]]
    if study.corpus == "pairs" and study.seeds("random"):
        ours, theirs = (mean(study, name, "separation", "test_strict") for name in (WINNER, "random"))
        told = f"{100 * (ours - theirs):+.1f}", f"{100 * SEPARATED:.0f}", _verdict(ours >= SEPARATED)
        return [
            ["strictly separated", f"{100 * ours:.1f}", f"{100 * theirs:.1f}", ROWS["random"].title, *told]
        ]
    return []


def _verdict(met: bool) -> str:
    return "met" if met else "not met"


_TABLES: dict[str, Callable[[Study], str]] = {
    "comparison": comparison,
    "grid": grid,
    "separation": separation,
    "targets": targets,
}


def _rows(
    study: Study, names: Sequence[str], columns: Sequence[Column], seeds: Sequence[int] | None = None
) -> str:
    """A table with the columns that some row fills."""
    body = []
    for name in names:
        measured = [seed for seed in study.seeds(name) if seeds is None or seed in seeds]
        if measured:
            figures = [study.figures(name, seed) for seed in measured]
            body.append([ROWS[name].title, *(_cell(figures, column) for column in columns)])
    used = [i for i in range(len(columns) + 1) if not i or any(row[i] for row in body)]
    head = ["", *(column.head for column in columns)]
    return table([head[i] for i in used], [[row[i] for i in used] for row in body])


def _cell(figures: Sequence[dict[str, Any]], column: Column) -> str:
    values = [value for value in map(column.find, figures) if value is not None]
    if not values:
        return ""
    told = column.write(float(np.mean(values)))
    if len(values) > 1 and column.write is _percent:
        told += f" ± {100 * float(np.std(values, ddof=1)):.2f}"
    return told


def _command(study: Study, n_seeds: int) -> str:
    command = f"python -m benchmarks.disentanglement --corpora={study.corpus} --seeds={n_seeds}"
    if study.features != "words":
        command += f" --features={study.features}"
    return command + " --held-out" * study.held_out
