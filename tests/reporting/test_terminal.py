import io
from dataclasses import replace

import pytest
from rich.console import Console

from larix.reporting import render_examples, render_metrics_table, render_seconds_table
from larix.reporting.content import headline_columns, percent, score_text


def printed(renderable, width: int = 100) -> list[str]:
    stream = io.StringIO()
    Console(file=stream, width=width, color_system=None).print(renderable)
    return [" ".join(line.split()) for line in stream.getvalue().splitlines()]


def test_metrics_are_printed_in_percent_for_each_group(report):
    lines = printed(render_metrics_table(report.evaluation))
    assert "P@1 P@3 nDCG@3 PSP@3 R@10 labels occurrences" in lines
    assert "all 70.00 50.00 61.00 40.00 81.25 46,881 5,000" in lines
    assert "tail 10.00 10.00 – 25.00 30.00 45,881 –" in lines
    assert "1,234 documents with 5,000 labels." in lines
    assert "1 document without labels, left out of R and nDCG." in lines
    assert "2 documents without suggestions." in lines


def test_metrics_alone_make_a_table():
    assert "all 50.00" in printed(render_metrics_table({"metrics": {"P@1": 0.5}}))


def test_the_table_fits_an_ordinary_terminal():
    metrics = {f"{name}@{k}": 1.0 for name in ("P", "nDCG", "PSP") for k in (1, 3, 5)} | {"R@10": 1.0}
    counts = {"labels": 3_000_000, "true_occurrences": 10_000_000}
    lines = printed(render_metrics_table({"metrics": metrics, "counts": counts}), width=80)
    assert "all 100.00 100.00 100.00 100.00 100.00 100.00 3,000,000 10,000,000" in lines


def test_stage_seconds_keep_their_order_and_are_summed():
    lines = printed(render_seconds_table({"label_indexing": 2.0, "ranking": 1001.0}))
    numbers = [line.split("█")[0].strip() for line in lines]
    assert numbers.index("label indexing 2.0") < numbers.index("ranking 1,001.0")
    assert "all 1,003.0" in lines


def test_no_stages_make_an_empty_table():
    assert "all 0.0" in printed(render_seconds_table({}))


def test_examples_show_marks_scores_and_missed_labels(report):
    lines = printed(render_examples([*report.right, *report.wrong]))
    assert lines[:3] == ["chest pain", "✓ 0.910 R07.4 Chest pain", "○ missed I20 Angina pectoris"]
    assert "· 0.400 M54 Back pain" in lines


def test_markup_in_texts_is_text(report):
    example = replace(report.right[0], text="[bold]chest[/bold] [link=x]")
    assert printed(render_examples([example]))[0] == "[bold]chest[/bold] [link=x]"


def test_columns_are_every_precision_and_recall_and_the_last_of_the_others():
    metrics = dict.fromkeys(
        ["nDCG@1", "P@10", "P@1", "PSP@3", "nDCG@5", "R@5", "coverage@5", "PSnDCG@5", "speed"]
    )
    assert headline_columns(metrics) == ["P@1", "P@10", "nDCG@5", "PSP@3", "R@5"]


@pytest.mark.parametrize(
    ("value", "text"), [(0.70125, "70.12"), (0.0, "0.00"), (1.0, "100.00"), (None, "–"), (float("nan"), "–")]
)
def test_fractions_become_percent(value, text):
    assert percent(value) == text


@pytest.mark.parametrize(
    ("score", "text"),
    [
        (0.98765, "0.988"),
        (0.0, "0.000"),
        (0.0004, "<0.001"),
        (0.0005, "0.001"),
        (-0.0001, ">-0.001"),
        (-7, "-7.000"),
    ],
)
def test_small_scores_are_told_from_zero(score, text):
    assert score_text(score) == text
