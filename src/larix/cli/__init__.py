"""The command `larix`, and `kedro run` with errors a person can read.

Kedro finds the attributes `cli` and `run` here; they are made when it asks, so that `larix`
starts without it.
"""

from typing import Any

from larix.cli.group import main

__all__ = ["main"]

_KEDRO = ("cli", "run")


def __getattr__(name: str) -> Any:
    if name not in _KEDRO:
        raise AttributeError(f"module 'larix.cli' has no attribute {name!r}")
    from larix.cli import kedro_run

    return getattr(kedro_run, name)
