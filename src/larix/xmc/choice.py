"""Closed choices of parameters, and parameters that may differ from level to level."""

from difflib import get_close_matches
from typing import Any


def check_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    """Raise a ValueError that lists the choices, and names the nearest, unless `value` is one of them."""
    if value not in choices:
        close = get_close_matches(str(value), choices, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        raise ValueError(f"{name} must be one of {', '.join(choices)}, but is {value!r}{hint}")


def per_level(value: Any, n_levels: int, name: str) -> tuple[Any, ...]:
    """One value for every level: a list or tuple as given, a single value repeated."""
    if not isinstance(value, list | tuple):
        return (value,) * n_levels
    if len(value) != n_levels:
        raise ValueError(
            f"{name} must be one value or one for each of the {n_levels} levels, but has {len(value)} values"
        )
    return tuple(value)
