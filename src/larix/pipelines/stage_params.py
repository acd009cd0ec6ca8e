"""Parameters of a stage that are composed of the parameter objects of the mathematics."""

import dataclasses
from collections.abc import Mapping
from typing import Any, get_args, get_type_hints

from larix.corpora.nearest import nearest_hint


@dataclasses.dataclass(frozen=True)
class StageParams:
    """Base of a stage's parameters: fields that are dataclasses may be given as mappings, as YAML gives them.

    Where levels may differ, a value may be a list with one for each level: `{Cp: [4, 2], loss: hinge}`. In
    Python a list of mappings serves as well; in YAML it could not be merged with defaults.

    Raises
    ------
    TypeError
        If such a mapping has a key that its dataclass lacks; the message names the nearest one.
    ValueError
        If lists in one mapping have different lengths.
    """

    def __post_init__(self) -> None:
        for name, hint in get_type_hints(type(self)).items():
            value = getattr(self, name)
            options = (hint, *get_args(hint))
            kind = next((option for option in options if dataclasses.is_dataclass(option)), None)
            if kind is not None and isinstance(value, Mapping):
                built = _levels if tuple[kind, ...] in options else _built
                object.__setattr__(self, name, built(kind, value, name))
            elif kind is not None and isinstance(value, list):
                items = (_built(kind, item, name) if isinstance(item, Mapping) else item for item in value)
                object.__setattr__(self, name, tuple(items))


def changed(params: Any, changes: Mapping[str, Any], name: str) -> Any:
    """A parameter object with some of its values changed; a key that it lacks is a TypeError, as above."""
    _check_keys(type(params), changes, name)
    return dataclasses.replace(params, **changes)


def _levels(kind: Any, values: Mapping[str, Any], name: str) -> Any:
    """One object, or as many as the lists among its values are long."""
    lists = {key: value for key, value in values.items() if isinstance(value, list | tuple)}
    if not lists:
        return _built(kind, values, name)
    if len({len(value) for value in lists.values()}) > 1:
        lengths = ", ".join(f"{len(value)} for {key}" for key, value in lists.items())
        raise ValueError(f"lists in {name} must have one value for each level, but have {lengths}")
    levels = (dict(zip(lists, level, strict=True)) for level in zip(*lists.values(), strict=True))
    return tuple(_built(kind, {**values, **level}, name) for level in levels)


def _built(kind: Any, values: Mapping[str, Any], name: str) -> Any:
    _check_keys(kind, values, name)
    return kind(**values)


def _check_keys(kind: Any, values: Mapping[str, Any], name: str) -> None:
    known = [field.name for field in dataclasses.fields(kind)]
    for key in values:
        if key not in known:
            raise TypeError(f"{name} has no key {key!r}; {nearest_hint(str(key), known)}")
