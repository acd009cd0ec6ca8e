import re
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from larix.reporting import render_page

VOID = {"meta", "img", "br", "link", "input", "hr"}
SECTIONS = ["metrics", "corpus", "curves", "run", "worst", "examples", "parameters", "versions"]


class Outline(HTMLParser):
    """Tags, attributes and text of a page; complains about tags that are not closed in order."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: Counter[str] = Counter()
        self.attributes: list[tuple[str, str]] = []
        self.text: list[str] = []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.tags[tag] += 1
        self.attributes += [(name, value or "") for name, value in attributes]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags[tag] += 1
        self.attributes += [(name, value or "") for name, value in attributes]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not self.open or self.open[-1] not in ("style", "script"):
            self.text.append(data)

    def values(self, name: str) -> list[str]:
        return [value for attribute, value in self.attributes if attribute == name]

    def words(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.text))


def test_every_section_is_there_and_can_be_reached(report):
    outline = Outline(render_page(report))
    assert [found for found in outline.values("id") if found in SECTIONS] == SECTIONS
    assert [f"#{name}" for name in SECTIONS] == [
        link for link in outline.values("href") if link[1:] in SECTIONS
    ]


def test_the_page_shows_what_it_was_given(report):
    words = Outline(render_page(report)).words()
    for expected in (
        "ICD-10-CM", "1 May 2026", "70.00", "81.25", "46,881", "57,832", "3.02", "training documents",
        "Essential hypertension", "chest pain", "Angina pectoris", "ranking.solver.Cp", "2.4.6", "P@1 70.0",
        "Unseen in training: 17 labels; 21 occurrences counted as missed", "5.2 s", "label indexing",
    ):  # fmt: skip
        assert expected in words


def test_undefined_metrics_are_dashes_and_unknown_facts_are_left_out(report):
    words = Outline(render_page(report)).words()
    assert "tail 10.00 10.00 – 25.00 30.00" in words
    assert "features" not in words


def test_true_labels_are_told_apart(report):
    page = render_page(report)
    marks = re.findall(r'<li class="(\w+)">', page)
    assert marks == ["hit", "missed", "miss", "hit"]


def test_scores_are_compared_with_outcomes_where_they_are_probabilities(report):
    bins = [
        {"low": 0.0, "high": 0.1, "n": 90, "mean_score": 0.04, "share_right": 0.06},
        {"low": 0.9, "high": 1.0, "n": 10, "mean_score": 0.97, "share_right": 0.9},
    ]
    told = {"ece": 0.025, "worst_gap": 0.07, "brier": 0.061, "n": 100, "bins": bins}
    outline = Outline(render_page(replace(report, reliability=told)))
    assert "reliability" in outline.values("id")
    assert "#reliability" in outline.values("href")
    assert outline.tags["svg"] == 5
    assert "by 2.5 percentage points, at worst, in one of ten bins, by 7.0" in outline.words()
    assert "reliability" not in Outline(render_page(report)).values("id")


def test_explanations_are_shown_where_there_are_some(report, explained):
    outline = Outline(render_page(replace(report, explained=[explained])))
    assert "#why" in outline.values("href")
    for expected in (
        "bitten by a dog", "Bitten by dog", "1 1 +0.75 0.900 bias -0.40", "wrist +1.00, left -0.10",
        "7 others +0.25", "most like the text: W54: Contact with dog (0.91)",
    ):  # fmt: skip
        assert expected in outline.words()
    assert "why" not in Outline(render_page(report)).values("id")


def test_figures_are_inline_and_follow_the_theme(report):
    page = render_page(report)
    outline = Outline(page)
    assert outline.tags["svg"] == 4
    assert outline.values("role").count("img") == 4
    svgs = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
    for svg in svgs:
        assert "viewbox" in svg.lower()
        assert "currentColor" in svg
        assert "#33393d" not in svg
    assert any(">ranking</text>" in svg for svg in svgs), "text stays text"


def test_nothing_outside_is_needed(report):
    page = render_page(report)
    outline = Outline(page)
    assert not re.search(r"https?:|@import|//[a-z]", page)
    assert not {"script", "link", "iframe", "img", "object", "embed"} & set(outline.tags)
    assert outline.values("src") == []
    for link in outline.values("href") + outline.values("xlink:href") + re.findall(r"url\(([^)]*)\)", page):
        assert link.startswith("#")


def test_ids_are_unique_or_stand_for_the_same_thing(report):
    page = render_page(report)
    links = set(re.findall(r'(?:url\(#|href="#)([^")]+)', page))
    ids = Outline(page).values("id")
    assert links <= set(ids)
    for name in {name for name in ids if ids.count(name) > 1}:
        definitions = re.findall(rf'id="{name}".*?</\w+>', page, re.DOTALL)
        assert len(set(definitions)) == 1, name


def test_data_is_never_markup(report, hostile_report):
    harmless, hostile = Outline(render_page(report)), Outline(render_page(hostile_report))
    assert hostile.tags["script"] == hostile.tags["img"] == 0
    assert not [name for name, _ in hostile.attributes if name.startswith("on")]
    assert {name for name, _ in hostile.attributes} <= {name for name, _ in harmless.attributes}
    assert hostile.words().count("alert") >= 12
    assert "{{ 7 * 7 }}" in hostile.words(), "text is no template either"


@pytest.mark.parametrize("text", ["\x00\x0b", "a" * 5000, "\u202eright to left", "日本語 ☃ 🌲", ""])
def test_odd_texts_are_shown(report, text):
    example = replace(report.right[0], text=text)
    Outline(render_page(replace(report, title=text, right=[example])))


def test_the_same_report_gives_the_same_bytes(report):
    assert render_page(report) == render_page(report)


def test_a_run_with_little_to_tell_has_a_page_too(report):
    bare = replace(
        report,
        evaluation={"metrics": {"P@1": float("nan")}},
        curves={"k": [1], "P": [0.0], "R": [float("nan")], "nDCG": [float("nan")]},
        frequency_bins=[],
        cluster_sizes=[],
        stage_seconds={},
        corpus={},
        parameters={},
        versions={},
        worst_labels=[],
        right=[],
        wrong=[],
        made="",
    )
    words = Outline(render_page(bare)).words()
    assert "No true occurrence was missed." in words
    assert words.count("None.") == 2
