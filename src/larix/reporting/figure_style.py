"""One look for all figures: colours safe for colour-blind readers, few lines, light background.

Series differ in marker and place as well as in colour. The colours are those of Okabe and Ito (2008).
"""

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, VERMILION, GREEN, GREY = "#0072b2", "#d55e00", "#009e73", "#9aa5ab"
INK, RULE = "#33393d", "#d9dee1"
# Figures on a page take colours from its style sheet, so that they follow a light or a dark theme.
_PAGE_COLOURS = {
    INK: "currentColor",
    RULE: "var(--rule)",
    BLUE: "var(--blue)",
    VERMILION: "var(--vermilion)",
    GREEN: "var(--green)",
}

_STYLE: dict[str, Any] = {
    "font.size": 10,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 12,
    "axes.labelsize": 10,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "text.color": INK,
    "text.parse_math": False,
    "axes.edgecolor": RULE,
    "axes.linewidth": 1,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "grid.color": RULE,
    "grid.linewidth": 0.8,
    "xtick.color": RULE,
    "ytick.color": RULE,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "ytick.major.size": 0,
    "lines.linewidth": 2,
    "lines.markersize": 5.5,
    "figure.facecolor": "white",
    "axes.facecolor": "none",
    "svg.fonttype": "none",
    "svg.hashsalt": "larix",
}
_NO_METADATA = dict.fromkeys(("Creator", "Date", "Format", "Type"))


@contextmanager
def house_style() -> Iterator[None]:
    """Apply the look to figures made in the block."""
    import matplotlib

    with matplotlib.rc_context(_STYLE):
        yield


def new_figure(width: float = 6.2, height: float = 3.4) -> "Figure":
    """An empty figure of `width` by `height` inches, which no global list keeps alive.

    A notebook shows it when a cell ends with it, also where pyplot was never imported.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    figure._repr_png_ = partial(_as_png, figure)  # type: ignore[attr-defined]  # what IPython asks for
    return figure


def _as_png(figure: "Figure") -> bytes:
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=80)
    return stream.getvalue()


def in_percent(axes: "Axes", axis: str = "y") -> None:
    """Label the ticks of an axis of fractions in percent."""
    from matplotlib.ticker import PercentFormatter

    getattr(axes, f"{axis}axis").set_major_formatter(PercentFormatter(xmax=1, decimals=0))


def in_thousands(axes: "Axes", axis: str = "y", max_ticks: int = 5) -> None:
    """Label the ticks of an axis of counts with separators between thousands."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    target = getattr(axes, f"{axis}axis")
    target.set_major_locator(MaxNLocator(nbins=max_ticks, integer=True))
    target.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))


def inline_svg(figure: "Figure", description: str) -> str:
    """The figure as an `<svg>` element to stand within an HTML page.

    Text stays text. Colours come from the page, and nothing refers to anything outside.

    Parameters
    ----------
    figure : Figure
        Drawn with `house_style`.
    description : str
        What it shows, for readers who cannot see it; plain words without markup.
    """
    stream = io.StringIO()
    with house_style():
        figure.savefig(stream, format="svg", transparent=True, metadata=_NO_METADATA)
    svg = stream.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r'\s+xmlns(:\w+)?="[^"]*"', "", svg)
    svg = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", svg, count=1)
    svg = re.sub(r'(<svg[^>]*?) width="[^"]*"', rf'\1 role="img" aria-label="{description}"', svg, count=1)
    for colour, page_colour in _PAGE_COLOURS.items():
        svg = svg.replace(colour, page_colour)
    used = set(re.findall(r'(?:url\(#|href="#)([^")]+)', svg))
    return re.sub(r' id="([^"]*)"', lambda found: found[0] if found[1] in used else "", svg)
