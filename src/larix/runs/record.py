"""What is kept of a finished run, to tell and compare it when later runs have taken its place."""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any, Self

from larix.folder_size import folder_size
from larix.last_run import NoRunError

MODELS = {
    "__default__": "linear",
    "frozen_encoder": "frozen_memory",
    "xr_transformer": "xr_transformer",
    "x_transformer": "x_transformer",
}
"""What the pipelines that make a classifier make, by the name of the pipeline."""

_VERSION = re.compile(r"\d{4}-\d\d-\d\dT\d\d\.\d\d\.\d\d\.\d{3}Z")
_TO_THE_SECOND = len("2026-11-22T21.31.30")
ENCODED, FROM_CACHE = "texts encoded", "texts from the cache"


@dataclass(frozen=True)
class RunRecord:
    """A run that finished and measured its predictions.

    Parameters
    ----------
    version : str
        Kedro's save version, the time at which the run began.
    environment : str
    pipelines : tuple of str
        Names of the registered pipelines that it ran.
    corpus : mapping
        What `larix.corpora.corpus_summary.summarize` gives.
    test_set : str
        Digest of the labels of the test documents; see `larix.runs.test_documents`.
    parameters : mapping
        Plain values of all parameters.
    evaluation : mapping
        What `larix.xmc.metrics.Evaluation.to_dict` gives.
    seconds, cpu_seconds : float
        Of all nodes that made its results, also those whose results it found made.
    counts : mapping of str to int
        Texts that were encoded, and those whose vectors came from the cache.
    peak_memory_mb : float
    results : mapping of str to Path
        `metrics`, `predictions`, `corpus`, and everything else that it made and that is kept by version, such
        as `classifier` and `report`.
    """

    version: str
    environment: str
    pipelines: tuple[str, ...]
    corpus: Mapping[str, Any]
    test_set: str
    parameters: Mapping[str, Any]
    evaluation: Mapping[str, Any]
    seconds: float
    cpu_seconds: float
    counts: Mapping[str, int]
    peak_memory_mb: float
    results: Mapping[str, Path]

    @property
    def short_version(self) -> str:
        """The version to the second."""
        return self.version[:_TO_THE_SECOND]

    @property
    def model(self) -> str:
        """What kind of classifier it made; of other pipelines, their names."""
        names = ",".join(self.pipelines)
        return MODELS.get(names, names)

    @property
    def metrics(self) -> Mapping[str, float | None]:
        """Metrics over all labels, as fractions."""
        metrics: Mapping[str, float | None] = self.evaluation["metrics"]
        return metrics

    def path(self, name: str) -> Path:
        """Path of a result.

        Raises
        ------
        NoRunError
            If it is gone, or the run left none.
        """
        path = self.results.get(name)
        if path is None or not path.exists():
            found = f"{path} is gone" if path else "it left none"
            raise NoRunError(
                f"the run {self.version} must have {name}, but {found}; choose another (larix runs)"
            )
        return path

    def size_bytes(self) -> int:
        """Size on disk of what belongs to this run alone, which is what lies in folders of its version."""
        folders = (version_folder(path) for path in self.results.values())
        return sum(folder_size(folder) for folder in folders if folder is not None)

    def to_dict(self) -> dict[str, Any]:
        """Plain values; paths become texts."""
        plain = {field.name: getattr(self, field.name) for field in fields(self)}
        return plain | {"results": {name: str(path) for name, path in self.results.items()}}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Self:
        """What `to_dict` made plain.

        Raises
        ------
        TypeError, KeyError, AttributeError
            If it has another form.
        """
        results = {name: Path(path) for name, path in plain["results"].items()}
        return cls(**{**plain, "pipelines": tuple(plain["pipelines"]), "results": results})


def version_folder(path: Path) -> Path | None:
    """The folder that holds one version of an artefact; None for an artefact without versions.

    Kedro puts `NAME/VERSION/NAME` where the catalog has `NAME`.
    """
    artefact = path.parent.parent
    return path.parent if artefact.name == path.name and is_version(path.parent) else None


def is_version(folder: Path) -> bool:
    """Whether a folder has the name of a save version."""
    return _VERSION.fullmatch(folder.name) is not None


def plain_parameters(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters as plain JSON values; what is none is told as text."""
    values = {name: asdict(value) if is_dataclass(value) else value for name, value in parameters.items()}
    plain: dict[str, Any] = json.loads(json.dumps(values, default=str))
    return plain
