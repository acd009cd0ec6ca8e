"""The trials of a study as a figure: quality against each cost, with the front that no trial beats."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from larix.reporting.figure_style import BLUE, GREY, INK, VERMILION, house_style, new_figure
from larix.tuning.front import pareto_front
from larix.tuning.objectives import Objective

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_WIDE = 10.0  # from this ratio on, costs are drawn on a logarithmic axis


def front_figure(
    rows: Sequence[Mapping[str, Any]], chosen: Mapping[str, Any], objectives: Sequence[Objective]
) -> "Figure":
    """Every trial, the Pareto front, the settings as they were and the trial that is taken.

    Parameters
    ----------
    rows : sequence of mapping
        Trials, with values for the objectives, and `as_it_was` where settings were not changed.
    chosen : mapping
        One of them.
    objectives : sequence of Objective
        The first is on the vertical axis, each other has a panel. A single one is drawn against the trial.
    """
    across: Sequence[Objective | None] = objectives[1:]
    with house_style():
        figure = new_figure(width=6.2 if len(across) < 2 else 4.4 * len(across), height=3.8)
        panels = figure.subplots(1, max(1, len(across)), sharey=True, squeeze=False)[0]
        for axes, objective in zip(panels, across or [None], strict=True):
            _draw(axes, rows, chosen, objectives, objective)
        panels[0].set_ylabel(objectives[0].title)
        panels[0].set_title(f"{len(rows)} trials")
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=4, frameon=False, fontsize=9)
    return figure


def _draw(
    axes: "Axes",
    rows: Sequence[Mapping[str, Any]],
    chosen: Mapping[str, Any],
    objectives: Sequence[Objective],
    across: Objective | None,
) -> None:
    quality = objectives[0]

    def place(row: Mapping[str, Any]) -> tuple[float, float]:
        return (row["trial"] if across is None else row[across.name]), 100 * row[quality.name]

    def draw(some: Sequence[Mapping[str, Any]], label: str, **style: Any) -> None:
        if some:
            axes.plot(*zip(*map(place, some), strict=True), label=label, clip_on=False, **style)

    draw(rows, "trial", color=GREY, marker="o", linestyle="", markersize=4)
    if across is not None:
        front = pareto_front(rows, [quality, across])
        draw(front[::-1], "front", color=BLUE, marker="o", drawstyle="steps-post", linewidth=1.4)
    draw([row for row in rows if row["as_it_was"]], "as it was", color=INK, marker="D", linestyle="")
    ring = {"markerfacecolor": "none", "markeredgewidth": 2, "markersize": 11, "linestyle": ""}
    draw([chosen], "taken", color=VERMILION, marker="o", **ring)
    axes.set_xlabel("trial" if across is None else across.title)
    axes.grid(True, axis="both")
    if across is not None:
        values = [row[across.name] for row in rows]
        if max(values) > _WIDE * min(values) > 0:
            axes.set_xscale("log")
            axes.xaxis.set_major_formatter("{x:g}")
        else:
            axes.locator_params(axis="x", nbins=6)
    axes.margins(0.06)
