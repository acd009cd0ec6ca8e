"""The figures of a comparison of two runs."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from larix.reporting.figure_style import (
    BLUE,
    GREEN,
    GREY,
    INK,
    RULE,
    VERMILION,
    house_style,
    in_percent,
    new_figure,
)
from larix.reporting.figures import frequency_range, name_lines, tilt_if_crowded
from larix.xmc.label_quality import FrequencyBin
from larix.xmc.paired_bootstrap import PairedDifference

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def differences_figure(metrics: Mapping[str, PairedDifference]) -> "Figure":
    """Differences with their intervals in percentage points, a line for each metric.

    Parameters
    ----------
    metrics : mapping of str to PairedDifference
        Differences beyond chance are green or vermilion, others grey.
    """
    with house_style():
        figure = new_figure(height=max(2.4, 0.9 + 0.42 * len(metrics)))
        axes = figure.subplots()
        axes.axvline(0, color=INK, linewidth=1)
        for place, found in enumerate(metrics.values()):
            colour = GREY if not found.beyond_chance else GREEN if found.difference > 0 else VERMILION
            axes.plot([100 * found.low, 100 * found.high], [place, place], color=colour, linewidth=3)
            axes.plot(100 * found.difference, place, "o", color=colour, markersize=7)
        axes.set_yticks(range(len(metrics)), list(metrics))
        axes.set_ylim(len(metrics) - 0.5, -0.5)
        axes.grid(axis="x", color=RULE)
        axes.grid(False, axis="y")
        axes.set(title="Differences, percentage points", xlabel="A is better  ←   → B is better")
    return figure


def recall_figure(first: Sequence[FrequencyBin], second: Sequence[FrequencyBin], k: int) -> "Figure":
    """Recall of both runs within the top k by training frequency.

    Parameters
    ----------
    first, second : sequence of FrequencyBin
        Bins of the same labels; those without true occurrences are left out.
    k : int
        Cut-off of the bins.
    """
    pairs = [pair for pair in zip(first, second, strict=True) if pair[0].n_true]
    places, ranges = np.arange(len(pairs)), [frequency_range(before) for before, _ in pairs]
    with house_style():
        figure = new_figure(height=3.6)
        axes = figure.subplots()
        for which, (name, colour, marker) in enumerate((("A", BLUE, "o"), ("B", VERMILION, "s"))):
            recall = [pair[which].recall for pair in pairs]
            axes.plot(places, recall, color=colour, marker=marker, label=name, clip_on=False)
        axes.set(title=f"Recall in the top {k} by how often a label occurs in training", ylim=(0, 1))
        axes.set_xlabel("training documents with the label")
        axes.set_xticks(places, ranges)
        in_percent(axes)
        name_lines(axes)
        tilt_if_crowded(axes, ranges)
    return figure
