"""What is said of a trial in the log."""

from collections.abc import Mapping, Sequence
from typing import Any

from larix.tuning.objectives import Objective


def told(
    number: int, objectives: Sequence[Objective], settings: Mapping[str, Any], found: Mapping[str, Any]
) -> str:
    """One line: what the trial came to, whether it needed a training, and settings."""
    shown = ", ".join(f"{path.rpartition('.')[2]} {_short(value)}" for path, value in settings.items())
    if found["refused"] is not None:
        return f"trial {number} is refused: {found['refused']} ({shown})"
    values = ", ".join(objective.told(found["values"][objective.name]) for objective in objectives)
    if found["repeats"] is not None:
        how = f"the same as trial {found['repeats']}"
    elif found["trained"]:
        how = f"trained {', '.join(found['trained'])}, {found['seconds']:.1f} s"
    else:
        how = f"no training, {found['seconds']:.1f} s"
    return f"trial {number}: {values}; {how} ({shown})"


def _short(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
