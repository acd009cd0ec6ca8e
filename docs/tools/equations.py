"""Equations of the documentation as inline SVG, drawn by matplotlib while the site is built.

A fenced block of the language `math` becomes a drawing; hosts of Git repositories show the same block as an
equation. So a page needs no script and no font from elsewhere.
"""

from html import escape
from typing import Any

from matplotlib.font_manager import FontProperties
from matplotlib.path import Path
from matplotlib.textpath import TextPath

_SIZE = 18.0
_MARGIN = 2.0
_LETTERS = {Path.MOVETO: "M", Path.LINETO: "L", Path.CURVE3: "Q", Path.CURVE4: "C", Path.CLOSEPOLY: "Z"}


def on_config(config: Any) -> Any:
    """Add the fence to those of the Markdown extension; MkDocs calls this."""
    fences = config.mdx_configs.setdefault("pymdownx.superfences", {}).setdefault("custom_fences", [])
    fences.append({"name": "math", "class": "equation", "format": _fence})
    return config


def _fence(source: str, *_: Any, **__: Any) -> str:
    lines = source.strip().splitlines()
    return "".join(f'<div class="equation">{equation_svg(line)}</div>' for line in lines)


def equation_svg(tex: str) -> str:
    """An equation in TeX's notation as an SVG element in the colour of the text around it."""
    outline = TextPath((0, 0), f"${tex}$", size=_SIZE, prop=FontProperties(math_fontfamily="stix"))
    box = outline.get_extents()
    width, height = box.width + 2 * _MARGIN, box.height + 2 * _MARGIN
    # A drawing's y grows upwards, an SVG's downwards.
    place = f"matrix(1 0 0 -1 {_MARGIN - box.x0:.2f} {box.y1 + _MARGIN:.2f})"
    return (
        f'<svg role="img" aria-label="{escape(tex)}" width="{width:.1f}" height="{height:.1f}" '
        f'viewBox="0 0 {width:.2f} {height:.2f}"><path transform="{place}" fill="currentColor" '
        f'd="{_outline(outline)}"/></svg>'
    )


def _outline(path: Path) -> str:
    steps = []
    for points, code in path.iter_segments(curves=True, simplify=False):
        numbers = [] if code == Path.CLOSEPOLY else [f"{value:.2f}" for value in points]
        steps.append(_LETTERS[code] + " ".join(numbers))
    return "".join(steps)
