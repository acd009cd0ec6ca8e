"""The page of benchmarks, rendered from made-up records."""

import pytest

from benchmarks.page import number, render, table
from benchmarks.results import Results
from benchmarks.targets import growth, largest_loss, outcomes, verdict

DESCRIPTION = {
    "n_train": 15_000, "n_test": 4_000, "n_labels": 3_990, "n_features": 100_000,
    "labels_per_document": 3.2, "features_per_document": 95.1,
}  # fmt: skip
QUALITY = {"P@1": 0.7, "P@3": 0.5, "P@5": 0.4, "nDCG@5": 0.6, "PSP@5": 0.5, "R@10": 0.8}


def model(competitor, corpus="syn-s", **figures):
    return {
        "kind": "model", "session": "2026-01-02T03:04:05", "corpus": corpus, "competitor": competitor,
        "round": 1, "figures": {**QUALITY, **figures}, "version": "1.2", "description": DESCRIPTION,
    }  # fmt: skip


def text(competitor, seconds):
    figures = {
        "n_texts": 100, "n_features": 1000, "fit_wall_s": seconds, "fit_cpu_s": seconds,
        "transform_wall_s": seconds, "fit_peak_mb": 200,
    }  # fmt: skip
    return {
        "kind": "text", "session": "2026-01-02T03:04:05", "corpus": "icd", "setting": "word 1-2",
        "competitor": competitor, "round": 1, "figures": figures, "version": "1.2",
    }  # fmt: skip


SESSION = {
    "kind": "session",
    "session": "2026-01-02T03:04:05",
    "command": "python -m benchmarks",
    "load": [0.1, 1.9],
    "machine": {
        "cores": 2,
        "processor": "A processor",
        "memory_gb": 8,
        "system": "Linux",
        "python": "3.11.7",
    },
}
COLD = {
    "kind": "cold", "session": "2026-01-02T03:04:05", "competitor": "larix", "corpus": "syn-s",
    "figures": {"cold_import_s": 1.0, "cold_load_s": 0.25, "cold_first_row_s": 0.5},
}  # fmt: skip
ABSENT = {"kind": "absent", "session": "2026-01-02T03:04:05", "name": "TIBKAT", "reason": "no files"}
RECORDS = [
    model("larix", train_cpu_s=1.0, model_mb=30.0),
    model("libpecos", train_cpu_s=8.0, model_mb=20.0),
    text("larix", 1.0),
    text("scikit-learn", 4.0),
    COLD,
    ABSENT,
    SESSION,
]


@pytest.fixture(scope="module")
def page():
    return render(Results(RECORDS))


def test_page_names_command_machine_load_and_versions(page):
    assert "2026-01-02 03:04:05, `python -m benchmarks`: 2 cores of A processor, 8 GB" in page
    assert "trust CPU" not in page
    assert "load average 0.1 at the start and 1.9 at the end" in page
    assert "larix 1.2, libpecos 1.2, scikit-learn 1.2" in page


def test_targets_say_what_is_met_and_what_is_not(page):
    assert "| training, CPU s | syn-s | 8.00 | 1.00 | 0.12 | ≤ 0.5, reach 0.25 | met, and the reach |" in page
    assert "| model size, MB | syn-s | 20.0 | 30.0 | 1.50 | ≤ 1, reach 0.5 | **not met** |" in page
    assert (
        "| text to TF-IDF, word 1-2, wall s (left: scikit-learn) | ICD-10-CM | 4.00 | 1.00 | 0.25 |" in page
    )


def test_what_binds_is_told_of_targets_that_are_missed():
    records = [model("larix", load_s=1.0, row_ms_p50=0.1), model("libpecos", load_s=2.0, row_ms_p50=1.0)]
    told = render(Results(records))
    assert "\n- model load, digests checked, s: SHA-256 of every byte" in told
    assert "\n- one row" not in told


def test_columns_that_nobody_has_are_left_out(page):
    assert "| larix | 1.00 |" in page
    assert "peak MB | of it before" not in page


def test_quality_is_in_percent(page):
    assert "| libpecos | 70.00 | 50.00 | 40.00 | 60.00 | 50.00 | 80.00 |" in page


def test_cold_start_and_what_is_left_out_are_told(page):
    assert "| larix | 1.00 | 0.250 | 0.500 | 1.75 |" in page
    assert "- TIBKAT: no files" in page


def test_targets_without_their_corpus_are_named(page):
    assert "Not measured on syn-l, the corpus they were set for: peak memory of training, MB;" in page
    assert "growth from syn-s to syn-l" in page


def test_busy_machine_is_told():
    busy = render(Results([*RECORDS[:-1], {**SESSION, "load": [0.1, 3.5]}]))
    assert "trust CPU seconds more than wall seconds" in busy


def test_page_without_rivals_has_no_targets():
    page = render(Results([model("larix", train_cpu_s=1.0), SESSION]))
    assert "## Targets" not in page
    assert "## syn-s" in page


def test_loss_is_the_largest_of_the_three_in_points():
    ahead = Results([model("larix"), model("libpecos", **{"P@1": 0.701, "P@5": 0.405})])
    assert largest_loss(ahead, "syn-s") == pytest.approx(0.5)
    assert largest_loss(Results([model("larix")]), "syn-s") is None


def test_growth_needs_both_sizes():
    small = model("larix", train_cpu_s=2.0)
    assert growth(Results([small]), "larix") is None
    assert growth(Results([small, model("larix", "syn-l", train_cpu_s=50.0)]), "larix") == 25


def test_every_target_is_judged_on_every_corpus_measured():
    assert {(o.target.figure, o.corpus) for o in outcomes(Results(RECORDS))} == {
        ("train_cpu_s", "syn-s"),
        ("model_mb", "syn-s"),
    }


def test_verdict_tells_target_and_reach_apart():
    assert [verdict(v, 0.5, 0.25) for v in (0.2, 0.4, 0.6)] == ["met, and the reach", "met", "**not met**"]


def test_numbers_have_three_digits():
    assert [number(v) for v in (0.0, 0.01234, 0.1234, 1.234, 12.34, 1234.5)] == [
        "0", "0.0123", "0.123", "1.23", "12.3", "1,234",
    ]  # fmt: skip


def test_table_aligns_numbers_right():
    assert table(["", "s"], [["a", "1"]]) == "|  | s |\n| --- | ---: |\n| a | 1 |"
