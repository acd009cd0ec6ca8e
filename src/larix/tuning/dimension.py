"""One parameter of a search space: its kind, its range, and when it counts."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from larix.corpora.nearest import nearest_hint
from larix.xmc.choice import check_choice

Kind = Literal["categorical", "int", "float"]
Plain = str | int | float | bool | None

_KEYS_OF = {
    "categorical": ("choices",),
    "int": ("low", "high", "step", "log"),
    "float": ("low", "high", "step", "log"),
}
_KEYS_OF_ALL = ("kind", "when", "also")


@dataclass(frozen=True)
class Dimension:
    """A parameter that a study searches.

    Parameters
    ----------
    path : str
        The parameter's dotted path, such as `search.beam_size`.
    kind : {"categorical", "int", "float"}
    choices : mapping of plain value to value
        Of a categorical one, what each choice means; a list of plain values means these.
    low, high : int or float
        Both can be drawn.
    step : int or float, optional
        Values lie at low, low + step, ...
    log : bool
        Search the logarithm.
    when : mapping of str to tuple
        Path of another dimension to the values (of a categorical one, the choices) with which this one
        counts. Otherwise the parameter stays as it is.
    also : tuple of str
        Paths that always have the same value.

    Raises
    ------
    ValueError
        If ranges are empty or a key does not go with the kind; the message lists what does.
    """

    path: str
    kind: Kind
    choices: Mapping[Plain, Any] = field(default_factory=dict)
    low: float = 0
    high: float = 0
    step: float | None = None
    log: bool = False
    when: Mapping[str, tuple[Plain, ...]] = field(default_factory=dict)
    also: tuple[str, ...] = ()

    @classmethod
    def of(cls, path: str, given: Mapping[str, Any]) -> "Dimension":
        """Read an entry as it stands in YAML."""
        where = f"tuning.space: {path}"
        kind: Any = given.get("kind")
        if kind not in get_args(Kind):
            raise ValueError(f"{where}: kind must be one of {', '.join(get_args(Kind))}, but is {kind!r}")
        known = (*_KEYS_OF_ALL, *_KEYS_OF[kind])
        for key in given:
            if key not in known:
                raise ValueError(f"{where}: {kind} has no key {key!r}; {nearest_hint(str(key), known)}")
        values = dict(given)
        if isinstance(values.get("choices"), list | tuple):
            values["choices"] = {_plain(choice, where): choice for choice in values["choices"]}
        values["when"] = {other: _as_tuple(wanted) for other, wanted in (given.get("when") or {}).items()}
        values["also"] = _as_tuple(given.get("also") or ())
        try:
            return cls(path, **values)
        except (ValueError, TypeError) as error:
            raise ValueError(f"{where}: {error}") from None

    def __post_init__(self) -> None:
        check_choice("kind", self.kind, get_args(Kind))
        if self.kind == "categorical":
            if not isinstance(self.choices, Mapping) or not self.choices:
                raise ValueError(f"choices must be a list of values, but is {self.choices!r}")
            return
        numbers = (self.low, self.high, *(() if self.step is None else (self.step,)))
        if not all(_is_number(number, self.kind) for number in numbers):
            raise ValueError(f"low, high and step must be of kind {self.kind}, but are {numbers}")
        if not self.low < self.high:
            raise ValueError(f"low must be below high, but they are {self.low} and {self.high}")
        if self.log and not self.low > 0:
            raise ValueError(f"on a logarithmic scale low must be positive, but is {self.low}")
        if self.log and self.step is not None:
            raise ValueError("log and step do not go together; leave one out")
        if self.step is not None and not self.step > 0:
            raise ValueError(f"step must be positive, but is {self.step}")

    @property
    def paths(self) -> tuple[str, ...]:
        """All parameters that get the value."""
        return (self.path, *self.also)

    @property
    def extremes(self) -> tuple[Any, ...]:
        """The values that any other value lies between: both ends, or every choice."""
        return tuple(self.choices.values()) if self.kind == "categorical" else (self.low, self.high)

    @property
    def n_values(self) -> float:
        """How many values there are; infinity for a continuous range."""
        if self.kind == "categorical":
            return len(self.choices)
        if self.kind == "float" and self.step is None:
            return math.inf
        return int((self.high - self.low) / (self.step or 1)) + 1

    def counts(self, drawn: Mapping[str, Any]) -> bool:
        """Whether the values drawn for other dimensions let this one count."""
        return all(other in drawn and drawn[other] in wanted for other, wanted in self.when.items())

    def value(self, drawn: Any) -> Any:
        """What the parameter gets."""
        return self.choices[drawn] if self.kind == "categorical" else drawn

    def drawn_for(self, value: Any) -> Any:
        """What would have to be drawn for this value.

        Raises
        ------
        ValueError
            If the value lies outside of the dimension.
        """
        if self.kind == "categorical":
            for drawn, meant in self.choices.items():
                if meant == value and isinstance(meant, bool) == isinstance(value, bool):
                    return drawn
        elif _is_number(value, self.kind) and self.low <= value <= self.high:
            steps = 0.0 if self.step is None else (value - self.low) / self.step
            if math.isclose(steps, round(steps), abs_tol=1e-9):
                return value
        raise ValueError(f"{self.path} is {value!r}, which lies outside of its range")


def _is_number(value: Any, kind: str) -> bool:
    types = int if kind == "int" else int | float
    return isinstance(value, types) and not isinstance(value, bool)


def _plain(choice: Any, where: str) -> Any:
    if isinstance(choice, str | int | float | bool) or choice is None:
        return choice
    raise ValueError(f"{where}: a choice that is no plain value needs a name: choices: {{NAME: {choice!r}}}")


def _as_tuple(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, list | tuple) else (value,)
