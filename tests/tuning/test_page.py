"""The figure and the page of a study."""

import re
from dataclasses import replace

import pytest

from larix.tuning.figure import front_figure
from larix.tuning.front import ChoiceParams
from larix.tuning.objectives import check_objectives
from larix.tuning.page import StudyReport, render_study
from tests.reporting.conftest import HOSTILE
from tests.reporting.test_page import Outline


def trials(*rows):
    return [
        {
            "trial": n, "as_it_was": n == 0, "nDCG@5": quality, "milliseconds": cost, "size_mb": 3.0,
            "trained": "ranker" if n == 0 else "", "search.beam_size": 10 * n + 1,
        }
        for n, (quality, cost) in enumerate(rows)
    ]  # fmt: skip


ROWS = trials((0.50, 1.0), (0.625, 1.2), (0.75, 40.0))


def lines(axes):
    return {line.get_label(): line.get_xydata().tolist() for line in axes.get_lines()}


def test_the_figure_has_a_panel_for_each_objective_but_the_first():
    objectives = check_objectives(("nDCG@5", "milliseconds", "size_mb"))
    figure = front_figure(ROWS, ROWS[2], objectives)
    by_time, by_size = figure.axes
    assert lines(by_time)["front"] == [[1.0, 50.0], [1.2, 62.5], [40.0, 75.0]]
    assert lines(by_size)["front"] == [[3.0, 75.0]]
    assert lines(by_time)["as it was"] == [[1.0, 50.0]]
    assert lines(by_time)["taken"] == [[40.0, 75.0]]
    assert (by_time.get_xscale(), by_size.get_xscale()) == ("log", "linear")


def test_a_single_objective_is_drawn_over_trials():
    figure = front_figure(ROWS, ROWS[2], check_objectives(("nDCG@5",)))
    (axes,) = figure.axes
    assert lines(axes)["trial"] == [[0, 50.0], [1, 62.5], [2, 75.0]]
    assert "front" not in lines(axes)


@pytest.fixture
def report():
    return StudyReport(
        name="one <b>",
        trials=ROWS,
        taken=ROWS[1],
        objectives=check_objectives(("nDCG@5", "milliseconds")),
        paths=["search.beam_size", "ranking.solver.Cp"],
        environment="mine_tuned",
        choice=ChoiceParams(limits={"milliseconds": 2.0}),
    )


def sections(page):
    """The words of every section, by its name."""
    found = re.findall(r'<section id="(\w+)">(.*?)</section>', page, re.DOTALL)
    return {name: Outline(content).words() for name, content in found}


def test_the_page_tells_which_trial_is_taken_and_why_and_how_to_train_it(report):
    taken = sections(render_study(report))["taken"]
    assert "Trial 1 is taken: the best by nDCG@5 with 2.00 ms a document at most" in taken
    assert "nDCG@5 62.50 % 50.00 as it was ms 1.20 1.00 as it was MB 3.00 3.00 as it was" in taken
    assert "kedro run --env=mine_tuned" in taken


def test_the_page_shows_the_front_as_figure_and_table_with_the_taken_trial_marked(report):
    page = render_study(report)
    rows = re.findall(r'<tr class="(\w*)"><th scope="row">(\d+)', page.split('id="settings"')[0])
    assert rows == [("", "2"), ("taken", "1"), ("soft", "0")]
    assert (
        "2 75.00 40.00 3.00 1 (taken) 62.50 1.20 3.00 0 (as it was) 50.00 1.00 3.00"
        in sections(page)["front"]
    )
    outline = Outline(page)
    assert outline.tags["svg"] == 1
    assert "Quality of trials against their cost" in outline.values("aria-label")


def test_settings_stand_side_by_side_and_those_of_no_trial_are_left_out(report):
    settings = sections(render_study(report))["settings"]
    assert "parameter 2 1 (taken) 0 (as it was) search.beam_size 21 11 1" in settings
    assert "ranking.solver.Cp" not in settings


def test_all_trials_are_listed_with_what_was_trained_for_them(report):
    assert "1 (taken) 62.50 1.20 3.00 – 2 75.00" in sections(render_study(report))["trials"]


def test_what_was_there_before_is_shown_even_if_others_beat_it(report):
    trials = [*ROWS[1:], {**ROWS[0], "milliseconds": 99.0}]
    front = sections(render_study(replace(report, trials=trials)))["front"]
    assert "0 (as it was) 50.00 99.00 3.00 2 75.00" in front


def test_a_study_that_never_had_what_was_there_before_has_a_page_too(report):
    trials = [{**row, "as_it_was": False} for row in ROWS]
    assert "as it was" not in Outline(render_study(replace(report, trials=trials, taken=trials[1]))).words()


def test_names_are_never_markup_and_nothing_outside_is_needed(report):
    page = render_study(replace(report, environment=HOSTILE))
    outline = Outline(page)
    assert "Study one <b>" in outline.words()
    assert not {"script", "img", "link"} & set(outline.tags)
    assert not re.search(r"https?:|@import", page)


def test_equal_studies_give_equal_pages(report):
    assert render_study(report) == render_study(report)
