"""Parameters of a stage that are composed of the parameter objects of the mathematics."""

import dataclasses
from collections.abc import Mapping
from typing import Any, get_args, get_type_hints

from larix.corpora.nearest import nearest_hint


@dataclasses.dataclass(frozen=True)
class StageParams:
    """Base of a stage's parameters: fields that are dataclasses may be given as mappings, as YAML gives them,
    or as lists of mappings where levels may differ.

    Raises
    ------
    TypeError
        If such a mapping has a key that its dataclass lacks; the message names the nearest one.
    """

    def __post_init__(self) -> None:
        for name, hint in get_type_hints(type(self)).items():
            value = getattr(self, name)
            kind = next(
                (option for option in (hint, *get_args(hint)) if dataclasses.is_dataclass(option)), None
            )
            if kind is not None and isinstance(value, Mapping):
                object.__setattr__(self, name, _built(kind, value, name))
            elif kind is not None and isinstance(value, list):
                built = (_built(kind, item, name) if isinstance(item, Mapping) else item for item in value)
                object.__setattr__(self, name, tuple(built))


def changed(params: Any, changes: Mapping[str, Any], name: str) -> Any:
    """A parameter object with some of its values changed; a key that it lacks is a TypeError, as above."""
    _check_keys(type(params), changes, name)
    return dataclasses.replace(params, **changes)


def _built(kind: Any, values: Mapping[str, Any], name: str) -> Any:
    _check_keys(kind, values, name)
    return kind(**values)


def _check_keys(kind: Any, values: Mapping[str, Any], name: str) -> None:
    known = [field.name for field in dataclasses.fields(kind)]
    for key in values:
        if key not in known:
            raise TypeError(f"{name} has no key {key!r}; {nearest_hint(str(key), known)}")
