"""The page of a study: one HTML file that needs nothing else."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from larix.reporting.figure_style import inline_svg
from larix.reporting.page import report_environment
from larix.tuning.figure import front_figure
from larix.tuning.front import ChoiceParams, pareto_front
from larix.tuning.objectives import COSTS, Objective

_ALSO_SHOWN = ("P@1", "nDCG@5", "PSP@5", "R@10", *COSTS)


@dataclass(frozen=True)
class StudyReport:
    """Everything that the page of a study shows.

    Attributes
    ----------
    name : str
        Of the study.
    trials : sequence of mapping
        As `larix.pipelines.tuning.table.row_of` makes them.
    taken : mapping
        One of them.
    objectives : sequence of Objective
    paths : sequence of str
        Of the parameters that were searched.
    environment : str
        The one that trains the trial that is taken.
    choice : ChoiceParams
        Why it is taken.
    """

    name: str
    trials: Sequence[Mapping[str, Any]]
    taken: Mapping[str, Any]
    objectives: Sequence[Objective]
    paths: Sequence[str]
    environment: str
    choice: ChoiceParams = field(default_factory=ChoiceParams)


def render_study(report: StudyReport) -> str:
    """Render the page: the trial that is taken, the front as figure and table, settings, all trials.

    Names and values are escaped: they are data, never markup.

    Parameters
    ----------
    report : StudyReport

    Returns
    -------
    str
        A whole HTML document. The same report gives the same bytes.
    """
    from markupsafe import Markup

    objectives, trials = report.objectives, report.trials
    first = next((row for row in trials if row["as_it_was"]), None)
    front = pareto_front(trials, objectives)
    figure = front_figure(trials, report.taken, objectives)
    return (
        report_environment("larix.tuning")
        .get_template("study.html")
        .render(
            report=report,
            n_trained=sum(bool(row["trained"]) for row in trials),
            why=report.choice.told(objectives),
            figure=Markup(inline_svg(figure, "Quality of trials against their cost")),
            columns=_columns(trials, objectives),
            first=first,
            shown=front if first is None or first in front else [first, *front],
            paths=[path for path in report.paths if any(row.get(path) is not None for row in trials)],
            setting=_setting,
        )
    )


def _columns(trials: Sequence[Mapping[str, Any]], objectives: Sequence[Objective]) -> list[Objective]:
    """The objectives, then what else is worth a column and was measured."""
    others = (Objective(name) for name in _ALSO_SHOWN)
    return [*objectives, *(other for other in others if other not in objectives and other.name in trials[0])]


def _setting(value: Any) -> str:
    return "–" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)
