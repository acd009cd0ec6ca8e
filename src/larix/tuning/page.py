"""The page of a study: one HTML file that needs nothing else."""

from collections.abc import Mapping, Sequence
from typing import Any

from larix.reporting.figure_style import inline_svg
from larix.tuning.figure import front_figure
from larix.tuning.front import pareto_front
from larix.tuning.objectives import COSTS, Objective
from larix.tuning.space import SearchSpace

_ALSO_SHOWN = ("P@1", "nDCG@5", "PSP@5", "R@10", *COSTS)


def render_study(
    rows: Sequence[Mapping[str, Any]],
    chosen: Mapping[str, Any],
    objectives: Sequence[Objective],
    space: SearchSpace,
    name: str,
) -> str:
    """Render the page: the figure, the front, the chosen trial's settings.

    Parameters
    ----------
    rows : sequence of mapping
        Trials, as `larix.pipelines.tuning.table.row_of` makes them.
    chosen : mapping
        One of them.
    objectives : sequence of Objective
    space : SearchSpace
    name : str
        Of the study.

    Returns
    -------
    str
        A whole HTML document.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=PackageLoader("larix.tuning"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    names = [objective.name for objective in objectives]
    columns = [*objectives, *(Objective(other) for other in _ALSO_SHOWN if other not in names)]
    front = pareto_front(rows, objectives)
    first = next((row for row in rows if row["as_it_was"]), None)
    figure = inline_svg(front_figure(rows, chosen, objectives), "Quality of trials against their cost")
    return environment.get_template("study.html").render(
        name=name,
        n_trials=len(rows),
        n_trained=sum(bool(row["trained"]) for row in rows),
        figure=Markup(figure),
        columns=columns,
        n_objectives=len(objectives),
        front=[(row, [column.shown(row.get(column.name)) for column in columns]) for row in front],
        first=first and [column.shown(first.get(column.name)) for column in columns],
        first_trial=first and first["trial"],
        chosen=chosen,
        settings=[(path, _shown(first, path), _shown(chosen, path)) for path in _paths(space, rows)],
    )


def _paths(space: SearchSpace, rows: Sequence[Mapping[str, Any]]) -> list[str]:
    return [dimension.path for dimension in space.dimensions if any(dimension.path in row for row in rows)]


def _shown(row: Mapping[str, Any] | None, path: str) -> str:
    value = None if row is None else row.get(path)
    return "–" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)
