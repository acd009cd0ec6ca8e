"""The page of benchmarks, made from the results."""

from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks import competitors, corpora
from benchmarks.competitors import ROUNDED
from benchmarks.results import REPOSITORY, Ratio, Results
from benchmarks.stages import N_ROWS, N_THREADS
from benchmarks.targets import (
    GROWTH_TARGET,
    MOST_POINTS_LOST,
    MOST_POINTS_LOST_BY_ROUNDING,
    RIVAL,
    TEXT_REACH,
    TEXT_TARGET,
    growth,
    largest_loss,
    outcomes,
    unmeasured,
    verdict,
)

PAGE = REPOSITORY / "docs" / "benchmarks.md"
BUSY = 1.5
"""Load average of a processor above which the machine did more than measure."""
QUALITY = ("P@1", "P@3", "P@5", "nDCG@5", "PSP@5", "R@10")

Column = tuple[str, str, Callable[[float], str]]


def number(value: float) -> str:
    """Three significant digits, thousands apart."""
    if value == 0:
        return "0"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    digits = 1 if abs(value) >= 10 else 2 if abs(value) >= 1 else 3 if abs(value) >= 0.1 else 4
    return f"{value:.{digits}f}"


def percent(value: float) -> str:
    """A fraction in percent."""
    return f"{100 * value:.2f}"


TRAINING: tuple[Column, ...] = (
    ("CPU s", "train_cpu_s", number),
    ("wall s", "train_wall_s", number),
    ("of it PIFA", "representation_s", number),
    ("clustering", "clustering_s", number),
    ("solving", "solving_s", number),
    ("CPU s of PIFA and clustering", "indexing_cpu_s", number),
    ("peak MB", "train_peak_mb", number),
    ("of it before", "train_resident_before_mb", number),
)
PREDICTING: tuple[Column, ...] = (
    ("model MB", "model_mb", number),
    ("load s", "load_s", number),
    ("unverified", "load_unverified_s", number),
    (f"batch CPU ms a row, {N_THREADS} threads", f"batch_cpu_ms_{N_THREADS}", number),
    ("1 thread", "batch_cpu_ms_1", number),
    ("one row ms, p50", "row_ms_p50", number),
    ("p99", "row_ms_p99", number),
    ("peak MB", "predict_peak_mb", number),
)
QUALITIES: tuple[Column, ...] = tuple((name, name, percent) for name in QUALITY)


def write(results: Results, path: Path = PAGE) -> None:
    """Rewrite the page."""
    path.write_text(render(results), encoding="utf-8")


def render(results: Results) -> str:
    """The page as Markdown."""
    sections = [
        _head(results),
        _targets(results),
        *(_corpus(results, corpus) for corpus in results.corpora()),
        _texts(results),
        _cold(results),
        _absent(results),
        _method(results),
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def table(head: Sequence[str], rows: Sequence[Sequence[str]], n_text: int = 1) -> str:
    """A Markdown table; columns after the first `n_text` are aligned right."""
    rule = ["---"] * n_text + ["---:"] * (len(head) - n_text)
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (head, rule, *rows))


def _head(results: Results) -> str:
    lines = [
        "# Benchmarks",
        "larix beside other libraries on the same matrices. `make bench` measures and writes this page;\n"
        "nothing on it is typed by hand.",
    ]
    for session in results.sessions():
        about, (before, after) = session["machine"], session["load"]
        lines.append(
            f"- {session['session'].replace('T', ' ')}, `{session['command']}`: {about['cores']} cores of "
            f"{about['processor']}, {about['memory_gb']} GB, {about['system']}, Python {about['python']}; "
            f"load average {before} at the start and {after} at the end."
        )
        if max(before, after) > BUSY * about["cores"]:
            lines[-1] += " The machine did other work as well: trust CPU seconds more than wall seconds."
    versions = ", ".join(f"{name} {version}" for name, version in sorted(results.versions().items()))
    return "\n\n".join(lines[:2]) + "\n\n" + "\n".join(lines[2:]) + f"\n\nVersions: {versions}."


def _targets(results: Results) -> str:
    rows = [
        [o.target.what, corpora.title(o.corpus), number(o.theirs), number(o.ours), _spread(o.ratio),
         f"≤ {o.target.most:g}" + (f", reach {o.target.reach:g}" if o.target.reach else ""), o.verdict]
        for o in outcomes(results)
    ]  # fmt: skip
    rows += _text_targets(results) + _quality_targets(results) + _growth_target(results)
    if not rows:
        return ""
    told = (
        f"larix over {RIVAL} at the same settings: the median of the rounds, and from the least to the most. "
        "The first corpus of a target is the one it was set for."
    )
    missing = "".join(
        f"\n\nNot measured on {corpora.title(corpus)}, the corpus they were set for: {'; '.join(whats)}."
        for corpus, whats in unmeasured(results).items()
    )
    head = ["what", "corpus", RIVAL, "larix", "ratio", "target", ""]
    return f"## Targets\n\n{told}\n\n{table(head, rows, n_text=2)}{missing}{_what_binds(results)}"


def _what_binds(results: Results) -> str:
    """What stands in the way of each kind of target that some corpus misses."""
    missed = {o.target.what: o.target.binds for o in outcomes(results) if o.missed and o.target.binds}
    quality = (largest_loss(results, corpus) for corpus in results.corpora())
    if any(loss is not None and loss > MOST_POINTS_LOST for loss in quality):
        missed["points behind"] = (
            "Which tree the seed gives: in one round that is more than most differences between libraries."
        )
    grown = growth(results, "larix")
    if grown is not None and grown > GROWTH_TARGET:
        missed["growth"] = "Caches: sums, directions and weights of syn-s stay in them, those of syn-l don't."
    lines = "\n".join(f"- {what}: {binds}" for what, binds in missed.items())
    return f"\n\nWhat binds where a target is not met:\n\n{lines}" if lines else ""


def _text_targets(results: Results) -> list[list[str]]:
    rows = []
    for (corpus, setting), figures in results.texts().items():
        if {"larix", "scikit-learn"} <= set(figures):
            what = f"text to TF-IDF, {setting}, wall s (left: scikit-learn)"
            ours, theirs = (figures[who]["fit_wall_s"] for who in ("larix", "scikit-learn"))
            ratio, judged = f"{ours / theirs:.2f}", verdict(ours / theirs, TEXT_TARGET, TEXT_REACH)
            limits = f"≤ {TEXT_TARGET:g}, reach {TEXT_REACH:g}"
            rows.append([what, corpora.title(corpus), number(theirs), number(ours), ratio, limits, judged])
    return rows


def _quality_targets(results: Results) -> list[list[str]]:
    compared = (
        ("most points behind in P@1, P@3, P@5", "larix", RIVAL, MOST_POINTS_LOST),
        ("most points lost by 16 bits", ROUNDED, "larix", MOST_POINTS_LOST_BY_ROUNDING),
    )
    rows = []
    for what, ours, theirs, most in compared:
        for corpus in results.corpora():
            loss = largest_loss(results, corpus, ours, theirs)
            if loss is not None:
                told = [corpora.title(corpus), "", "", f"{loss:+.2f}", f"≤ {most}"]
                rows.append([what, *told, verdict(loss, most)])
    return rows


def _growth_target(results: Results) -> list[list[str]]:
    ours, theirs = growth(results, "larix"), growth(results, RIVAL)
    if ours is None:
        return []
    what, limits = "training CPU, times that of syn-s", f"≤ {GROWTH_TARGET:g} times"
    told = "" if theirs is None else number(theirs)
    return [[what, "syn-l", told, number(ours), "", limits, verdict(ours, GROWTH_TARGET)]]


def _corpus(results: Results, corpus: str) -> str:
    about = results.description(corpus)
    rounds = results.n_rounds(corpus)
    told = (
        f"{about['n_train']:,} training and {about['n_test']:,} test documents, "
        f"{about['n_labels']:,} labels, {about['n_features']:,} features; "
        f"{number(about['labels_per_document'])} labels and "
        f"{number(about['features_per_document'])} features a document. "
        f"{'One round' if rounds == 1 else f'Medians of {rounds} rounds'}."
    )
    tables = "\n\n".join(
        f"{title}\n\n{_competitors_table(results, corpus, columns)}"
        for title, columns in (
            ("Training, two threads:", TRAINING),
            ("Predicting:", PREDICTING),
            ("Quality, percent:", QUALITIES),
        )
    )
    return f"## {corpora.title(corpus)}\n\n{told}\n\n{tables}"


def _competitors_table(results: Results, corpus: str, columns: Sequence[Column]) -> str:
    rows = []
    for name in results.competitors(corpus):
        values = [(results.median(corpus, name, figure), show) for _, figure, show in columns]
        if any(value is not None for value, _ in values):
            rows.append([name, *("" if value is None else show(value) for value, show in values)])
    used = [i for i in range(len(columns) + 1) if any(row[i] for row in rows)]
    head = ["", *(label for label, _, _ in columns)]
    return table([head[i] for i in used], [[row[i] for i in used] for row in rows])


def _texts(results: Results) -> str:
    rows = [
        [corpora.title(corpus), setting, name, f"{figures['n_texts']:,.0f}", f"{figures['n_features']:,.0f}",
         number(figures["fit_wall_s"]), number(figures["fit_cpu_s"]), number(figures["transform_wall_s"]),
         number(figures["fit_peak_mb"])]
        for (corpus, setting), everybody in results.texts().items()
        for name, figures in sorted(everybody.items())
    ]  # fmt: skip
    if not rows:
        return ""
    head = [
        "corpus",
        "n-grams",
        "",
        "texts",
        "features",
        "fit, wall s",
        "CPU s",
        "transform, wall s",
        "peak MB",
    ]
    return "## Text to TF-IDF\n\n" + table(head, rows, n_text=3)


def _cold(results: Results) -> str:
    rows, colds = [], results.colds()
    for name, record in colds.items():
        for suffix, told in (("_uncompiled", f"{name}, first time: kernels are compiled"), ("", name)):
            parts = [
                record["figures"].get(f"cold_{part}_s{suffix}") for part in ("import", "load", "first_row")
            ]
            if None not in parts:
                rows.append([told, *(number(part) for part in parts), number(sum(parts))])
    if not rows:
        return ""
    corpus = corpora.title(next(iter(colds.values()))["corpus"])
    told = (
        f"A fresh process imports the library, loads a model ({corpus}) and scores one row; seconds. larix "
        "compiles its kernels the first time they are called on a machine and keeps them beside its code; "
        "the figures above are without that."
    )
    return f"## Cold start\n\n{told}\n\n" + table(["", "import", "load", "first row", "together"], rows)


def _absent(results: Results) -> str:
    absent = results.absent()
    return "## Left out\n\n" + "\n".join(f"- {name}: {why}" for name, why in absent.items()) if absent else ""


def _method(results: Results) -> str:
    names = {name for corpus in results.corpora() for name in results.competitors(corpus)}
    everybody = (competitors.LARIX, *competitors.RIVALS.values())
    settings = "\n".join(f"- {c.name}: {c.settings}." for c in everybody if c.name in names)
    return f"""## How it is measured

{settings}

Only libpecos is set as larix is, so only its ratios compare the same work; the others run as they come.

- Competitors take turns, in another order every round; a ratio is of figures of one round.
- Training and predicting are processes of their own. CPU seconds are user and system time of all threads.
  Peak memory is the resident set of that process, the data included; *before* is what was there when
  training began.
- Compiled code is loaded before the clock starts, for all alike. omikuji reads a text file within its
  training time; napkinXC writes its model within it.
- *16 bits* is the model that larix trained, with its weights rounded.
- Loading reads files that the system has in memory already. larix checks the digest of every file unless
  told not to (*unverified*).
- A batch is all test documents, ten labels each, the median of three times. One row is one call from Python,
  in one thread, over {N_ROWS} rows after some to warm up. omikuji and napkinXC return lists of pairs, which
  are made into a matrix within the time of a batch.
- Every round grows trees from another seed, where a library takes one. `benchmarks/NOTES.md` has how far
  trees of different seeds lie apart in quality: of less than that a single round tells nothing.
- All predictions are scored by `larix.evaluate`. Labels without a training document are left out, in all
  matrices.
- ICD-10-CM is words and pairs of words, TIBKAT words in three documents or more, weighed by scikit-learn.
  The `syn-` corpora are drawn at random, with Zipf's law in words and labels, and topics;
  `benchmarks/synthetic.py` says how.

The figures are kept in `data/08_reporting/benchmarks`, environments and matrices in the folder that
`LARIX_BENCH_CACHE` names, by default `~/.cache/larix-bench`. `make bench BENCH="--corpora=icd --rounds=1"`
measures less. Figures move with whatever else the machine does; ratios of one round move less."""


def _spread(ratio: Ratio) -> str:
    if ratio.least == ratio.most:
        return f"{ratio.median:.2f}"
    return f"{ratio.median:.2f} ({ratio.least:.2f}–{ratio.most:.2f})"
