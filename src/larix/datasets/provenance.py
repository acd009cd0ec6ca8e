"""What an artefact was made from, recorded beside it.

Kedro's `--only-missing-outputs` asks datasets whether they exist, and existence alone does not tell an
artefact of the present parameters from one of last week's. So every artefact has a record beside it
(`NAME.provenance.json`) with a fingerprint, and it counts as existing only while that fingerprint is the one
that a run would give it now.

The fingerprint of a node's output is the SHA-256 of

- the node's function: its name and source text,
- the values of its parameters, except those that change last bits at most (`n_threads`, `engine`),
- size and time of the files that a parameter object names through `source_files()`,
- the fingerprints of its other inputs, and so of everything upstream,
- the version of larix.

A record also carries the digest of the artefact it was written for. A record without its artefact, or beside
another one, therefore counts for nothing, whenever a run was cut short.
"""

import hashlib
import inspect
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, is_dataclass
from pathlib import Path
from typing import Any, Protocol

import larix
from larix.atomic_file import write_atomically

__all__ = [
    "Provenance",
    "content_digest",
    "expected_provenance",
    "read_record",
    "record_path",
    "write_record",
]

NOT_PART_OF_RESULTS = frozenset({"params:n_threads", "params:engine", "params:engines"})
_PARAMETER_PREFIX = "params:"
_ENDING = ".provenance.json"


@dataclass(frozen=True)
class Provenance:
    """What an artefact was made from.

    Parameters
    ----------
    node : str
        Name of the node that makes it.
    parameters : dict
        Plain values of the node's parameters.
    inputs : dict of str to str
        Fingerprint of every other input.
    function : str
        Digest of the node's function.
    """

    node: str
    parameters: dict[str, Any]
    inputs: dict[str, str]
    function: str
    larix_version: str = field(default_factory=lambda: larix.__version__)

    @property
    def fingerprint(self) -> str:
        """SHA-256 over all of the above."""
        return _digest(asdict(self))


class Wired(Protocol):
    """The parts of a pipeline node that are needed here."""

    name: str
    inputs: list[str]
    outputs: list[str]
    func: Callable[..., Any]


def expected_provenance(
    nodes: Iterable[Wired],
    load_parameter: Callable[[str], Any],
    source_fingerprint: Callable[[str], str],
) -> dict[str, Provenance]:
    """The provenance that a run of `nodes` would give to each of their outputs.

    Parameters
    ----------
    nodes : iterable of nodes
        In topological order.
    load_parameter : callable
        Value of an input whose name starts with `params:` or is `parameters`.
    source_fingerprint : callable
        Fingerprint of an input that none of the nodes makes.

    Returns
    -------
    dict of str to Provenance
        Keyed by output.
    """
    made: dict[str, Provenance] = {}
    for node in nodes:
        parameters, inputs = {}, {}
        for name in dict.fromkeys(node.inputs):
            if name in NOT_PART_OF_RESULTS:
                continue
            if name == "parameters" or name.startswith(_PARAMETER_PREFIX):
                parameters[name.removeprefix(_PARAMETER_PREFIX)] = plain(load_parameter(name))
            else:
                inputs[name] = made[name].fingerprint if name in made else source_fingerprint(name)
        provenance = Provenance(node.name, parameters, inputs, _function_digest(node.func))
        made.update(dict.fromkeys(node.outputs, provenance))
    return made


def plain(value: Any) -> Any:
    """A parameter as plain values; files that it names through `source_files()` appear with size and time."""
    if is_dataclass(value) and not isinstance(value, type):
        values = {name: plain(getattr(value, name)) for name in value.__dataclass_fields__}
        if hasattr(value, "source_files"):
            values["source_files"] = _file_states(value.source_files)
        return values
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def _file_states(source_files: Callable[[], Iterable[Path]]) -> dict[str, list[int] | None]:
    """Size and time of change of every file; who reads a file says so if it is missing."""
    try:
        paths = list(source_files())
    except FileNotFoundError:
        return {}
    states = {path.name: path.stat() if path.exists() else None for path in paths}
    return {name: state and [state.st_size, state.st_mtime_ns] for name, state in states.items()}


def _function_digest(function: Callable[..., Any]) -> str:
    name = f"{function.__module__}.{getattr(function, '__qualname__', function)}"
    try:
        source = inspect.getsource(function)
    except (OSError, TypeError):
        source = ""
    return _digest([name, source])


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def record_path(artefact: Path) -> Path:
    """Where the record of an artefact lies."""
    return artefact.with_name(artefact.name + _ENDING)


def content_digest(artefact: Path) -> str | None:
    """SHA-256 of a file, or of a model folder's manifest, which holds the digests of its files.

    None if there is neither.
    """
    content = artefact / "model.json" if artefact.is_dir() else artefact
    if not content.is_file():
        return None
    with content.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_record(artefact: Path, provenance: Provenance) -> None:
    """Record beside an artefact that is in place what it was made from."""
    record = {
        "fingerprint": provenance.fingerprint,
        "content_sha256": content_digest(artefact),
        **asdict(provenance),
    }
    write_atomically(record_path(artefact), (json.dumps(record, indent=2) + "\n").encode())


def read_record(artefact: Path) -> str | None:
    """Fingerprint of the artefact in place, or None if nothing was recorded for it as it is now."""
    try:
        record = json.loads(record_path(artefact).read_bytes())
        digest, fingerprint = record["content_sha256"], record["fingerprint"]
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return fingerprint if digest is not None and digest == content_digest(artefact) else None
