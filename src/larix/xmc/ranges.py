"""Bounds of numeric parameters."""

from typing import Any


def check_positive(params: Any, *names: str) -> None:
    """Raise a ValueError that names the first of these attributes that isn't above 0."""
    for name in names:
        if not getattr(params, name) > 0:
            raise ValueError(f"{name} must be positive, but is {getattr(params, name)}")


def check_least(params: Any, least: int, *names: str) -> None:
    """Raise a ValueError that names the first of these attributes that lies below `least`."""
    rule = f"must be at least {least}" if least else "must not be negative"
    for name in names:
        if not getattr(params, name) >= least:
            raise ValueError(f"{name} {rule}, but is {getattr(params, name)}")
