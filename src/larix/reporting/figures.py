"""The figures of a run. Each function takes plain data and returns a matplotlib figure."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from larix.reporting.content import words
from larix.reporting.figure_style import (
    BLUE,
    GREEN,
    GREY,
    INK,
    VERMILION,
    house_style,
    in_percent,
    in_thousands,
    new_figure,
)
from larix.xmc.label_quality import FrequencyBin

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_CURVES = {"P": ("precision", BLUE, "o"), "R": ("recall", VERMILION, "s"), "nDCG": ("nDCG", GREEN, "^")}
_MAX_STAGES = 12


def curves_figure(curves: Mapping[str, Sequence[float]]) -> "Figure":
    """Precision, recall and nDCG at k against k.

    Parameters
    ----------
    curves : mapping of str to sequence of float
        `k` and the fractions `P`, `R`, `nDCG`; what `larix.xmc.metrics.curves` gives.
    """
    with house_style():
        figure = new_figure(height=4.2)
        axes = figure.subplots()
        for key, (name, colour, marker) in _CURVES.items():
            axes.plot(curves["k"], curves[key], color=colour, marker=marker, label=name, clip_on=False)
        axes.set(title="Quality by number of suggestions", xlabel="k, number of suggestions", ylim=(0, 1))
        axes.set_xticks(_integer_ticks(curves["k"]))
        in_percent(axes)
        name_lines(axes)
    return figure


def _integer_ticks(ks: Sequence[float]) -> list[int]:
    step = max(1, round(len(ks) / 10))
    return sorted({int(ks[0]), *(int(k) for k in ks if int(k) % step == 0)})


def name_lines(axes: "Axes", gap: float = 0.065) -> None:
    """Write each line's name at its end, shifted just enough not to overlap."""
    ends = [(line.get_ydata()[-1], line) for line in axes.get_lines() if len(line.get_ydata())]
    lowest = -np.inf
    for y, line in sorted((end for end in ends if np.isfinite(end[0])), key=lambda end: end[0]):
        lowest = max(y, lowest + gap)
        place = (line.get_xdata()[-1], lowest)
        style = {"color": line.get_color(), "weight": "bold", "va": "center"}
        axes.annotate(line.get_label(), place, (10, 0), textcoords="offset points", **style)


def frequency_figure(bins: Sequence[FrequencyBin], k: int) -> "Figure":
    """Recall and precision within the top k by training frequency, above the occurrences in each bin.

    Parameters
    ----------
    bins : sequence of FrequencyBin
        By rising frequency; bins without true occurrences are left out.
    k : int
        Cut-off of the bins.
    """
    bins = [b for b in bins if b.n_true]
    places = np.arange(len(bins))
    with house_style():
        figure = new_figure(height=4.2)
        quality, size = figure.subplots(2, sharex=True, height_ratios=[2.4, 1])
        for name, colour, marker in (("recall", VERMILION, "s"), ("precision", BLUE, "o")):
            values = [getattr(b, name) for b in bins]
            quality.plot(places, values, color=colour, marker=marker, label=name, clip_on=False)
        quality.set(title=f"Quality in the top {k} by how often a label occurs in training", ylim=(0, 1))
        in_percent(quality)
        name_lines(quality)
        size.bar(places, [b.n_true for b in bins], color=GREY, width=0.75)
        size.set_xticks(places, [frequency_range(b) for b in bins])
        size.set(xlabel="training documents with the label", ylabel="true\noccurrences")
        in_thousands(size, max_ticks=3)
        tilt_if_crowded(size, [frequency_range(b) for b in bins])
    return figure


def frequency_range(b: FrequencyBin) -> str:
    """The training frequencies of a bin in words."""
    return f"{b.low:,}" if b.low == b.high else f"{b.low:,}–{b.high:,}"


def tilt_if_crowded(axes: "Axes", labels: Sequence[str]) -> None:
    """Tilt the labels of the horizontal axis where they would touch."""
    if sum(len(label) for label in labels) > 36:
        axes.tick_params(axis="x", labelrotation=35)
        for label in axes.get_xticklabels():
            label.set(ha="right", rotation_mode="anchor")


def reliability_figure(reliability: Mapping[str, Any]) -> "Figure":
    """Share of right suggestions against their score, above the number of suggestions in each bin.

    Parameters
    ----------
    reliability : mapping
        What `larix.xmc.reliability.Reliability.to_dict` gives.
    """
    bins = reliability["bins"]
    middles = [(b["low"] + b["high"]) / 2 for b in bins]
    widths = [0.9 * (b["high"] - b["low"]) for b in bins]
    with house_style():
        figure = new_figure(height=4.2)
        quality, size = figure.subplots(2, sharex=True, height_ratios=[2.4, 1])
        quality.plot([0, 1], [0, 1], color=GREY, linewidth=1.2, linestyle=(0, (4, 3)), label="_reliable")
        scores, shares = ([b[key] for b in bins] for key in ("mean_score", "share_right"))
        quality.plot(scores, shares, color=BLUE, marker="o", clip_on=False)
        quality.set(title="How often suggestions with a score are right", ylim=(0, 1), xlim=(0, 1))
        quality.set_ylabel("right")
        quality.set_title(
            f"mean gap {100 * reliability['ece']:.1f} points", loc="right", weight="normal", size=10
        )
        in_percent(quality)
        size.bar(middles, [b["n"] for b in bins], color=GREY, width=widths)
        size.set(xlabel="score", ylabel="suggestions")
        in_thousands(size, max_ticks=3)
    return figure


def cluster_sizes_figure(sizes: Sequence[int]) -> "Figure":
    """Histogram of the number of labels in each cluster.

    Parameters
    ----------
    sizes : sequence of int
        Labels in each cluster.
    """
    sizes = np.asarray(sizes)
    with house_style():
        figure = new_figure()
        axes = figure.subplots()
        if len(sizes):
            counts, edges = np.histogram(sizes, _integer_edges(int(sizes.min()), int(sizes.max())))
            width = edges[1] - edges[0]
            axes.bar(edges[:-1] + width / 2 - 0.5, counts, width=0.9 * width, color=GREEN)
            axes.set_title(_summary(sizes), loc="right", weight="normal", size=10)
        axes.set(title="Cluster sizes", xlabel="labels in the cluster", ylabel="clusters")
        in_thousands(axes)
        in_thousands(axes, "x")
    return figure


def _summary(sizes: np.ndarray) -> str:
    labels = f"{sizes.min():,} to {sizes.max():,}" if sizes.min() < sizes.max() else f"{sizes.min():,}"
    return f"{len(sizes):,} clusters of {labels} labels, median {np.median(sizes):,.0f}"


def _integer_edges(lowest: int, highest: int, max_bins: int = 40) -> np.ndarray:
    """Edges of bins that hold equally many whole numbers, at least five bins wide."""
    margin = max(0, 4 - (highest - lowest)) // 2
    lowest, highest = max(0, lowest - margin), highest + margin
    step = max(1, -(-(highest - lowest + 1) // max_bins))
    return np.arange(lowest, highest + step + 1, step)


def stage_seconds_figure(seconds: Mapping[str, float]) -> "Figure":
    """Wall-clock seconds of the slowest stages, slowest first.

    Parameters
    ----------
    seconds : mapping of str to float
        Seconds of each stage. The shortest of many are drawn as one bar.
    """
    ordered = sorted(seconds.items(), key=lambda item: -item[1])
    if len(ordered) > _MAX_STAGES:
        rest = ordered[_MAX_STAGES - 1 :]
        ordered = [*ordered[: _MAX_STAGES - 1], (f"{len(rest)} others", sum(time for _, time in rest))]
    names, times = [words(name) for name, _ in ordered], [time for _, time in ordered]
    with house_style():
        figure = new_figure(height=max(3.4, 0.9 + 0.32 * len(ordered)))
        axes = figure.subplots()
        bars = axes.barh(names, times, color=BLUE, height=0.68)
        axes.bar_label(bars, [f"{time:,.1f} s" for time in times], padding=5, color=INK)
        axes.invert_yaxis()
        axes.grid(False)
        axes.set_xticks([])
        axes.spines["bottom"].set_visible(False)
        axes.margins(x=0.12)
        axes.set_title(f"Time by stage, {sum(seconds.values()):,.1f} s in all")
    return figure


def rounds_figure(rounds: Sequence[Mapping[str, Any]], metric: str) -> "Figure":
    """A metric, and the inner products of a query, over rounds of disentanglement.

    Parameters
    ----------
    rounds : sequence of mapping
        `round`, `kept`, `metrics` and `inner_products` of each; rounds that were not kept are hollow.
    metric : str
        A key of `metrics`.
    """
    from matplotlib.ticker import MaxNLocator, StrMethodFormatter

    with house_style():
        figure = new_figure(height=2.6)
        quality, cost = figure.subplots(1, 2)
        numbers = [entry["round"] for entry in rounds]
        drawn = (
            (quality, [100 * entry["metrics"][metric] for entry in rounds], BLUE, f"{metric}, %"),
            (cost, [entry["inner_products"] for entry in rounds], VERMILION, "inner products a query"),
        )
        for axes, values, colour, title in drawn:
            axes.plot(numbers, values, color=colour)
            for entry, value in zip(rounds, values, strict=True):
                face = colour if entry["kept"] else "white"
                axes.plot(entry["round"], value, "o", color=colour, markerfacecolor=face)
            axes.set(title=title, xlabel="round, on held-out documents")
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
            axes.margins(0.15)
        cost.set_ylim(bottom=0)
        cost.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    return figure
