"""The table of benchmarks in the README, between two comments."""

from pathlib import Path

from benchmarks import corpora
from benchmarks.competitors import ROUNDED
from benchmarks.page import Column, number, percent, table
from benchmarks.results import REPOSITORY, Results

README = REPOSITORY / "README.md"
BEGIN, END = "<!-- table: make bench -->", "<!-- end of table -->"
CORPORA = ("icd", "tibkat")
COLUMNS: tuple[Column, ...] = (
    *((name, name, percent) for name in ("P@1", "P@3", "P@5", "R@10")),
    ("training, CPU s", "train_cpu_s", number),
    ("one row, ms", "row_ms_p50", number),
    ("model, MB", "model_mb", number),
)


def comparison(results: Results) -> str:
    """Everybody on the corpora of texts."""
    rows = []
    for corpus in CORPORA:
        if corpus not in results.corpora():
            continue
        for name in results.competitors(corpus):
            if name == ROUNDED:
                continue
            values = [(results.median(corpus, name, figure), show) for _, figure, show in COLUMNS]
            told = f"{name} {results.versions()[name]}"
            rows.append([corpora.title(corpus), told, *("" if v is None else show(v) for v, show in values)])
    return table(["", "", *(label for label, _, _ in COLUMNS)], rows, n_text=2)


def write(results: Results, path: Path = README) -> None:
    """Replace the table, if the README has a place for it and the corpora were measured."""
    text = path.read_text(encoding="utf-8")
    if BEGIN in text and END in text and set(CORPORA) & set(results.corpora()):
        before, rest = text.split(BEGIN, 1)
        after = rest.split(END, 1)[1]
        path.write_text(f"{before}{BEGIN}\n{comparison(results)}\n\n{END}{after}", encoding="utf-8")
