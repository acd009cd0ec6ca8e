"""Refuse parameters that no node reads, and values that their node cannot take.

Kedro builds the dataclasses that nodes ask for and so checks what is inside them. What it lets pass is a key
beside them (`rankng:`), and for an unknown key inside one it has Python's words only. Here every key in the
configuration is compared with what the nodes of all registered pipelines ask for; a key that nobody reads is
an error that names the nearest right one and the file and line where it stands. Keys that start with `_` are
free, as in Kedro's catalog: they hold values for YAML anchors.
"""

import dataclasses
import types
from collections.abc import Iterable, Iterator, Mapping, Sequence
from inspect import signature
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import yaml

from larix.corpora.nearest import nearest_hint
from larix.mlflow_params import MlflowParams

__all__ = ["ParameterError", "check_parameters", "known_parameters"]

_PREFIX = "params:"
_READ_BY_HOOKS = {"mlflow": MlflowParams}
Known = dict[str, Any]


class ParameterError(ValueError):
    """A parameter that no node reads, or a value of the wrong type."""


def known_parameters(nodes: Iterable[Any]) -> Known:
    """The tree of parameter names that `nodes` and hooks read; a leaf is the type asked for, or `object`.

    Parameters
    ----------
    nodes : iterable of kedro nodes
        Their `params:` inputs are matched with the annotations of their functions.
    """
    known: Known = {name: _expanded(group) for name, group in _READ_BY_HOOKS.items()}
    for node in nodes:
        for name, annotation in _asked_for(node):
            _insert(known, name.split("."), _expanded(annotation))
    return known


def check_parameters(
    parameters: Mapping[str, Any],
    known: Known,
    *,
    given: Mapping[str, Any] | None = None,
    conf_folders: Sequence[Path] = (),
) -> None:
    """Compare configured parameters with those that are known.

    Parameters
    ----------
    parameters : mapping
        As the configuration loader gives them.
    known : dict
        From `known_parameters`.
    given : mapping, optional
        Those among them that were given with `--params`.
    conf_folders : sequence of Path
        Where to look for the line of a wrong key, the last folder first.

    Raises
    ------
    ParameterError
        For the first key that is unknown or has a value of the wrong type.
    """
    for path, value, siblings, expected in _pairs(parameters, known, ()):
        if expected is not None and _fits(value, expected):
            continue
        name = ".".join(path)
        where = _place(path, given or {}, conf_folders)
        if expected is None:
            group = f"in {'.'.join(path[:-1])!r} " if path[:-1] else ""
            hint = nearest_hint(path[-1], siblings)
            raise ParameterError(f"no stage reads the parameter {name!r} ({where}); {group}{hint}")
        raise ParameterError(f"the parameter {name!r} must be {_words(expected)}, but is {value!r} ({where})")


def _asked_for(node: Any) -> Iterator[tuple[str, Any]]:
    try:
        hints = get_type_hints(node.func)
    except NameError:  # an annotation for type checkers only: names are checked, values are not
        hints = {}
    for argument, name in zip(signature(node.func).parameters, node.inputs, strict=False):
        if name.startswith(_PREFIX):
            yield name.removeprefix(_PREFIX), hints.get(argument, object)


def _insert(known: Known, path: list[str], expected: Any) -> None:
    *groups, last = path
    for group in groups:
        inner = known.setdefault(group, {})
        if not isinstance(inner, dict):
            return
        known = inner
    if isinstance(known.get(last), dict) and isinstance(expected, dict):
        known[last] |= expected
    else:
        known[last] = expected


def _expanded(annotation: Any) -> Any:
    """A dataclass as a dict of its fields; any other type as it is."""
    options = _options(annotation)
    for option in options:
        if dataclasses.is_dataclass(option):
            hints = get_type_hints(option)
            if tuple[option, ...] in options:  # a value for each level
                hints = {name: hint | tuple[hint, ...] for name, hint in hints.items()}
            return {field.name: _expanded(hints[field.name]) for field in dataclasses.fields(option)}
    return annotation


def _options(annotation: Any) -> tuple[Any, ...]:
    if get_origin(annotation) in (Union, types.UnionType):
        return get_args(annotation)
    return (annotation,)


def _pairs(
    parameters: Mapping[str, Any], known: Known, path: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], Any, list[str], Any]]:
    for key, value in parameters.items():
        if str(key).startswith("_"):
            continue
        expected = known.get(str(key))
        if isinstance(expected, dict) and isinstance(value, Mapping):
            yield from _pairs(value, expected, (*path, str(key)))
        else:
            yield (*path, str(key)), value, sorted(known), expected


_WORDS = {int: "an integer", float: "a number", str: "a text", bool: "true or false", type(None): "null"}


def _fits(value: Any, annotation: Any) -> bool:
    """Whether a plain value can be meant for `annotation`; types that YAML has no form for are not judged."""
    if isinstance(annotation, dict):
        return value is None  # a whole group left out; Kedro says if it may be
    return any(_fits_one(value, option) for option in _options(annotation))


def _fits_one(value: Any, annotation: Any) -> bool:
    origin = get_origin(annotation)
    if origin is Literal:
        return value in get_args(annotation)
    if origin is tuple and get_args(annotation)[1:] == (...,):
        items = value if isinstance(value, list | tuple) else [value]  # one thing may stand for a list of it
        return all(_fits(item, get_args(annotation)[0]) for item in items)
    if annotation is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if annotation is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, annotation) if annotation in _WORDS else True


def _words(annotation: Any) -> str:
    if isinstance(annotation, dict):
        return f"a group with {', '.join(annotation)}"
    words: list[str] = []
    for option in _options(annotation):
        if get_origin(option) is Literal:
            words += [repr(choice) for choice in get_args(option)]
        elif get_origin(option) is tuple:
            words.append("a list of such")
        else:
            words.append(_WORDS.get(option, str(option)))
    return " or ".join(words)


def _place(path: tuple[str, ...], given: Mapping[str, Any], conf_folders: Sequence[Path]) -> str:
    """Where a key was set: by `--params`, or in which file and line."""
    if _contains(given, path):
        return "given with --params"
    for folder in reversed(conf_folders):
        for file in sorted(folder.glob("**/parameters*.y*ml")):
            root = yaml.compose(file.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
            line = _line(root, path)
            if line is not None:
                return f"{file.relative_to(folder.parent.parent)}:{line}"
    return "set nowhere in the files"


def _contains(given: Any, path: tuple[str, ...]) -> bool:
    for key in path:
        if not isinstance(given, Mapping) or key not in given:
            return False
        given = given[key]
    return True


def _line(root: Any, path: tuple[str, ...]) -> int | None:
    line = None
    for key in path:
        pairs = root.value if isinstance(root, yaml.MappingNode) else []
        found = [(name, value) for name, value in pairs if name.value == key]
        if not found:
            return None
        name, root = found[0]
        line = name.start_mark.line + 1
    return line
