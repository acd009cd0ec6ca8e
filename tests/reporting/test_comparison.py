"""A comparison of two runs as a page and for the terminal."""

import json
import math
from dataclasses import replace

import pytest

from larix.reporting import (
    ChangedExample,
    ComparedRun,
    Example,
    LabelChange,
    Occurrences,
    RunComparison,
    Suggested,
    render_comparison,
    render_comparison_page,
)
from larix.reporting.comparison_figures import differences_figure, recall_figure
from larix.xmc.label_quality import FrequencyBin
from larix.xmc.paired_bootstrap import PairedDifference
from tests.reporting.conftest import HOSTILE
from tests.reporting.test_page import Outline
from tests.reporting.test_terminal import printed

SECTIONS = ["runs", "metrics", "labels", "examples", "parameters"]


def run(version: str, model: str) -> ComparedRun:
    return ComparedRun(version, "local", model, seconds=20.5, cpu_seconds=1234.5, size_mb=130)


def changed(text: str, label: str, name: str) -> ChangedExample:
    right, wrong = Suggested(label, name, 0.75, True), Suggested(label, name, 0.25, False)
    return ChangedExample(
        ((label, name),), Example(text, (wrong,), ((label, name),)), Example(text, (right,))
    )


@pytest.fixture
def comparison() -> RunComparison:
    bins = [FrequencyBin(0, 0, 3, 0, 0, 0), FrequencyBin(1, 1, 9, 20, 15, 10)]
    return RunComparison(
        title="ICD-10-CM",
        n_documents=5354,
        first=run("2026-05-01T10.00.00.000Z", "linear"),
        second=run("2026-05-02T10.00.00.000Z", "frozen_memory"),
        metrics={
            "P@1": PairedDifference(0.7, 0.75, 0.04, 0.06),
            "R@10": PairedDifference(0.8, 0.79, -0.03, 0.01),
            "PSP@5": PairedDifference(math.nan, math.nan, 0.0, 0.0),
        },
        k=5,
        occurrences=Occurrences(4000, 300, 500, 200),
        frequency_bins=(bins, bins),
        won=[LabelChange("I10", "Essential hypertension", 12, 8, 3, 7)],
        lost=[LabelChange("R07", "Pain in throat and chest", 6, 4, 2, 1)],
        n_won=321,
        n_lost=1,
        better=[changed("chest pain", "R07.4", "Chest pain")],
        worse=[],
        n_better=17,
        n_worse=0,
        parameters=[("search.beam_size", 20, 50), ("embedding.weight", "(none)", 1.0)],
    )


@pytest.fixture
def hostile(comparison) -> RunComparison:
    """Markup in every place that a user's data can reach."""
    change = LabelChange(HOSTILE, HOSTILE, 1, 1, 0, 1)
    example = changed(HOSTILE, HOSTILE, HOSTILE)
    return replace(
        comparison,
        title=HOSTILE,
        first=run(HOSTILE, HOSTILE),
        won=[change],
        lost=[change],
        better=[example],
        worse=[example],
        parameters=[(HOSTILE, HOSTILE, [HOSTILE])],
    )


EXPECTED = (
    "ICD-10-CM", "5,354", "2026-05-01T10.00.00.000Z", "frozen_memory", "70.00", "75.00", "+5.00", "-1.00",
    "-3.00 to +1.00", "4,000", "I10", "Essential hypertension", "321", "Pain in throat", "chest pain",
    "R07.4", "search.beam_size", "50",
)  # fmt: skip


def test_the_page_shows_what_it_was_given(comparison):
    outline = Outline(render_comparison_page(comparison))
    assert [found for found in outline.values("id") if found in SECTIONS] == SECTIONS
    for expected in EXPECTED:
        assert expected in outline.words(), expected
    assert outline.tags["svg"] == 2


def test_the_terminal_shows_the_same(comparison):
    lines = printed(render_comparison(comparison))
    for expected in EXPECTED:
        assert any(expected in line for line in lines), expected
    assert "P@1 70.00 75.00 +5.00 +4.00 to +6.00 *" in lines
    assert "R@10 80.00 79.00 -1.00 -3.00 to +1.00" in lines
    assert "PSP@5 – – – +0.00 to +0.00" in lines


def test_equal_runs_are_told_in_words(comparison):
    same = replace(comparison, won=[], lost=[], better=[], n_won=0, n_lost=0, n_better=0, parameters=[])
    lines = printed(render_comparison(same))
    assert "All parameters are the same." in lines
    assert not any(line.startswith("Labels") for line in lines)
    assert Outline(render_comparison_page(same)).words().count("None.") == 5


def test_data_never_become_markup(hostile):
    page = render_comparison_page(hostile)
    outline = Outline(page)
    assert outline.tags["script"] == outline.tags["img"] == 0
    assert "{{ 7 * 7 }}" in outline.words()
    links = (*outline.values("href"), *outline.values("src"))
    assert all(link.startswith("#") for link in links)
    printed(render_comparison(hostile))


def test_the_same_comparison_gives_the_same_bytes(comparison):
    assert render_comparison_page(comparison) == render_comparison_page(comparison)


def test_it_becomes_json_without_nan(comparison):
    plain = json.loads(json.dumps(comparison.to_dict(), allow_nan=False))
    assert plain["metrics"]["P@1"]["difference"] == pytest.approx(0.05)
    assert plain["metrics"]["PSP@5"]["first"] is None
    assert plain["better"][0]["second"]["suggestions"][0]["correct"] is True


def test_differences_are_coloured_by_what_chance_allows(comparison):
    axes = differences_figure(comparison.metrics).axes[0]
    colours = [line.get_color() for line in axes.get_lines()[1:]]
    assert len(set(colours[:2])) == 1
    assert colours[0] != colours[2]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["P@1", "R@10", "PSP@5"]


def test_recall_leaves_out_bins_without_true_occurrences(comparison):
    axes = recall_figure(*comparison.frequency_bins, 5).axes[0]
    assert [len(line.get_xdata()) for line in axes.get_lines()] == [1, 1]
