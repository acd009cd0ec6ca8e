"""The figure and the page of a study."""

import pytest

from larix.tuning.figure import front_figure
from larix.tuning.objectives import check_objectives
from larix.tuning.page import render_study
from larix.tuning.space import SearchSpace

SPACE = SearchSpace.of({"search": {"beam_size": {"kind": "int", "low": 1, "high": 99}}}, lambda _: True)


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


@pytest.mark.parametrize("first", [True, False])
def test_the_page_shows_the_front_the_settings_and_what_was_there_before(first):
    rows = ROWS if first else [{**row, "as_it_was": False} for row in ROWS]
    page = render_study(rows, rows[1], check_objectives(("nDCG@5", "milliseconds")), SPACE, "one <b>")
    assert "one &lt;b&gt;" in page
    assert "3 trials, 1 trainings" in page
    assert "1 (taken)" in page
    assert ("(as it was)" in page) == first
    assert page.count("<code>search.beam_size</code>") == 1
    assert "http" not in page


def test_equal_studies_give_equal_pages():
    objectives = check_objectives(("nDCG@5", "milliseconds"))
    assert render_study(ROWS, ROWS[1], objectives, SPACE, "s") == render_study(
        ROWS, ROWS[1], objectives, SPACE, "s"
    )
