"""The base of our datasets: an artefact is written whole, checked, and knows what it was made from."""

from abc import abstractmethod
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

from kedro.io import AbstractVersionedDataset, Version
from kedro.io.core import DatasetError

from larix.datasets.provenance import Provenance, content_digest, read_record, record_path, write_record

Data = TypeVar("Data")


class ArtefactDataset(AbstractVersionedDataset[Data, Data]):
    """A file or folder on the local disk.

    Parameters
    ----------
    filepath : str
        The file or folder; with `versioned: true` Kedro puts `/VERSION/NAME` behind it.
    version : Version, optional
        Given by Kedro.
    metadata : dict, optional
        For Kedro-Viz (layer, preview arguments).
    affects_results : bool, default True
        Whether what is made from this artefact changes when it does. False for clock times.

    Notes
    -----
    A dataset exists if its artefact is whole. Once a run has told it, through `expect`, what the artefact
    would be made from, it exists only if the record beside the artefact says so too
    (`larix.datasets.provenance`).
    """

    def __init__(
        self,
        *,
        filepath: str,
        version: Version | None = None,
        metadata: dict[str, Any] | None = None,
        affects_results: bool = True,
    ) -> None:
        super().__init__(
            filepath=PurePosixPath(filepath),
            version=version,
            exists_function=self._is_whole,
        )
        self.metadata = metadata
        self.affects_results = affects_results
        self._expected: Provenance | None = None

    @abstractmethod
    def _read(self, path: Path) -> Data:
        """Load the artefact at `path`, checking it."""

    @abstractmethod
    def _write(self, path: Path, data: Data) -> None:
        """Save the artefact to `path`, whole or not at all."""

    def _is_whole(self, path: str | Path) -> bool:
        return Path(path).is_file()

    def expect(self, provenance: Provenance | None) -> None:
        """Tell what the present run makes, or would make, this artefact from."""
        self._expected = provenance

    def fingerprint(self) -> str:
        """What stands for this artefact in the provenance of things made from it.

        Its recorded fingerprint; without a record, as for a file put there by hand, the digest of its
        content.
        """
        if not self.affects_results or not self._has_version():
            return ""
        path = self.path()
        return read_record(path) or content_digest(path) or ""

    @property
    def is_versioned(self) -> bool:
        """Whether every run that makes the artefact keeps a version of its own."""
        return self._version is not None

    def path(self) -> Path:
        """The artefact, or its newest whole version."""
        return Path(self._get_load_path())

    def load(self) -> Data:
        path = self.path()
        if not path.exists():
            raise DatasetError(f"{path} does not exist; run the pipeline that makes it first")
        return self._read(path)

    def save(self, data: Data) -> None:
        path = Path(self._get_save_path())
        record_path(path).unlink(missing_ok=True)
        self._write(path, data)
        if self._expected is not None:
            write_record(path, self._expected)

    def _exists(self) -> bool:
        if not self._has_version():
            return False
        path = self.path()
        if not self._is_whole(path):
            return False
        return self._expected is None or read_record(path) == self._expected.fingerprint

    def _has_version(self) -> bool:
        return self._version is None or bool(self._version.load) or bool(self._get_versions())

    def _release(self) -> None:
        self._clear_version_cache()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath), "version": self._version}
