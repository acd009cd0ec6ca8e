import io
import subprocess
import sys

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from larix.reporting.figure_style import INK, inline_svg
from larix.reporting.figures import (
    cluster_sizes_figure,
    curves_figure,
    frequency_figure,
    stage_seconds_figure,
)
from larix.xmc.label_quality import FrequencyBin

CURVES = {"k": [1, 2, 3], "P": [0.7, 0.6, 0.5], "R": [0.3, 0.5, 0.6], "nDCG": [0.7, 0.65, 0.61]}
BINS = [
    FrequencyBin(0, 0, n_labels=3, n_true=4, n_predicted=0, n_correct=0),
    FrequencyBin(1, 1, n_labels=2, n_true=0, n_predicted=1, n_correct=0),
    FrequencyBin(1024, 2047, n_labels=1, n_true=8, n_predicted=4, n_correct=3),
]


def lines(figure: Figure) -> dict[str, np.ndarray]:
    return {line.get_label(): line.get_ydata() for axes in figure.axes for line in axes.get_lines()}


def test_curves_are_drawn_and_named_at_their_ends():
    figure = curves_figure(CURVES)
    drawn = lines(figure)
    assert list(drawn) == ["precision", "recall", "nDCG"]
    np.testing.assert_array_equal(drawn["recall"], CURVES["R"])
    names = {text.get_text(): text for text in figure.axes[0].texts}
    assert names.keys() == drawn.keys()
    heights = sorted(text.xy[1] for text in names.values())
    assert min(np.diff(heights)) >= 0.06, "names do not overlap"


def test_a_notebook_shows_a_figure_without_pyplot():
    formatters = pytest.importorskip("IPython.core.formatters", reason="IPython is not installed")
    shown, _ = formatters.DisplayFormatter().format(curves_figure(CURVES))
    assert shown["image/png"].startswith(b"\x89PNG")


def test_series_differ_in_marker_and_colour():
    shown = curves_figure(CURVES).axes[0].get_lines()
    assert len({line.get_marker() for line in shown}) == len({line.get_color() for line in shown}) == 3


def test_curves_of_undefined_metrics_are_left_unnamed():
    figure = curves_figure({"k": [1], "P": [0.5], "R": [np.nan], "nDCG": [np.nan]})
    assert [text.get_text() for text in figure.axes[0].texts] == ["precision"]


def test_frequency_bins_without_true_occurrences_are_left_out():
    figure = frequency_figure(BINS, k=5)
    drawn = lines(figure)
    np.testing.assert_array_equal(drawn["recall"], [0, 3 / 8])
    np.testing.assert_array_equal(drawn["precision"], [np.nan, 3 / 4])
    quality, size = figure.axes
    assert [bar.get_height() for bar in size.patches] == [4, 8]
    assert [label.get_text() for label in size.get_xticklabels()] == ["0", "1,024–2,047"]
    assert "top 5" in quality.get_title(loc="left")


@pytest.mark.parametrize("sizes", [[91, 92, 92, 91], [1], [0, 100_000], list(range(500)), np.full(9, 40)])
def test_every_cluster_is_in_one_bar(sizes):
    axes = cluster_sizes_figure(sizes).axes[0]
    assert sum(bar.get_height() for bar in axes.patches) == len(sizes)
    assert f"{len(sizes):,} clusters of" in axes.get_title(loc="right")
    for size in sizes:
        nearest = min(axes.patches, key=lambda bar: abs(bar.get_x() + bar.get_width() / 2 - size))
        assert nearest.get_height() > 0


def test_stages_are_ordered_by_time_and_labelled():
    axes = stage_seconds_figure({"label_indexing": 5.25, "ranking": 14.5, "ingestion": 0.0}).axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == [
        "ranking",
        "label indexing",
        "ingestion",
    ]
    assert [bar.get_width() for bar in axes.patches] == [14.5, 5.25, 0.0]
    assert [text.get_text() for text in axes.texts] == ["14.5 s", "5.2 s", "0.0 s"]
    assert "19.8 s in all" in axes.get_title(loc="left")


def test_many_stages_end_in_one_bar_for_the_rest():
    axes = stage_seconds_figure({f"stage_{i}": float(i) for i in range(20)}).axes[0]
    assert len(axes.patches) == 12
    assert axes.get_yticklabels()[-1].get_text() == "9 others"
    assert sum(bar.get_width() for bar in axes.patches) == sum(range(20))


@pytest.mark.parametrize(
    "draw",
    [lambda: cluster_sizes_figure([]), lambda: stage_seconds_figure({}), lambda: frequency_figure([], 5)],
)
def test_empty_data_gives_a_figure(draw):
    draw().savefig(io.BytesIO(), format="png")


def test_pictures_have_a_light_background_whatever_the_user_has_set():
    figure = curves_figure(CURVES)
    assert to_hex(figure.get_facecolor()) == "#ffffff"
    assert figure.axes[0].xaxis.label.get_color() == INK


def test_drawing_leaves_no_figure_open_and_no_setting_changed():
    script = (
        "import matplotlib\n"
        "before = dict(matplotlib.rcParams)\n"
        "from larix.reporting.figures import cluster_sizes_figure\n"
        "from larix.reporting.figure_style import inline_svg\n"
        "inline_svg(cluster_sizes_figure([1, 2]), 'sizes')\n"
        "assert dict(matplotlib.rcParams) == before\n"
        "import matplotlib.pyplot\n"
        "assert matplotlib.pyplot.get_fignums() == []\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_drawings_are_the_same_every_time():
    first, second = (inline_svg(curves_figure(CURVES), "curves") for _ in range(2))
    assert first == second


def test_the_room_is_light_until_something_is_drawn():
    script = (
        "import sys, larix.reporting.page, larix.reporting.figures, larix.reporting.terminal\n"
        "assert not {'matplotlib', 'jinja2', 'rich', 'kedro', 'pandas'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
