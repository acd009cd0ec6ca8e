"""Model folders: plain arrays and files under a manifest with digests, written whole or not at all.

::

    model/
      model.json            manifest: format version, kind, metadata, size and SHA-256 of every file
      arrays.safetensors    numeric arrays, read through a memory map
      labels.txt ...        further files
      tree/ ...             child folders of the same form; the manifest has the digest of each one's manifest

`model.json` is written last and carries a digest of itself, so that it vouches for the whole folder. It names
files of its own folder only. Nothing here runs code found on disk: the manifest is JSON, arrays are
safetensors, and pickle is not used.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from larix.xmc.array_file import ArrayFileError, map_arrays, write_arrays
from larix.xmc.atomic_folder import replacing_folder
from larix.xmc.manifest import (
    FORMAT_VERSION,
    MANIFEST,
    PLAIN_NAME,
    REMEDY,
    ModelFolderError,
    read_manifest,
    sha256_of,
    write_manifest,
)

__all__ = ["FORMAT_VERSION", "ModelFolderError", "SavedFolder", "is_whole", "load_folder", "save_folder"]

ARRAYS = "arrays.safetensors"
_MAX_CHILD_DEPTH = 8

FileSource = Callable[[Path], None] | bytes


@dataclass(frozen=True, eq=False)
class SavedFolder:
    """A model folder that was opened by `load_folder`.

    Attributes
    ----------
    path : Path
        The folder.
    kind : str
        What it holds, for example `"LabelTree"`.
    metadata : dict
        The plain values that were saved with it.
    arrays : mapping of str to ndarray
        Memory-mapped arrays, marked as not writeable.
    larix_version : str
        Version of larix that wrote the folder.
    files, children : tuple of str
        Names of the further files and of the child folders.
    """

    path: Path
    kind: str
    metadata: dict[str, Any]
    arrays: Mapping[str, NDArray[Any]] = field(repr=False)
    larix_version: str
    files: tuple[str, ...]
    children: tuple[str, ...]

    def file(self, name: str) -> Path:
        """Path of one of the further files.

        Raises
        ------
        ModelFolderError
            If the manifest lists no such file.
        """
        if name not in self.files:
            raise ModelFolderError(f"{self.path} has no file {name!r}; it has {_listing(self.files)}")
        return self.path / name

    def child(self, name: str, *, kind: str | None = None) -> "SavedFolder":
        """Open a child folder. Its files were verified when this folder was.

        Raises
        ------
        ModelFolderError
            If the manifest lists no such child, or the child is of another kind.
        """
        if name not in self.children:
            raise ModelFolderError(f"{self.path} has no child {name!r}; it has {_listing(self.children)}")
        return load_folder(self.path / name, kind=kind, verify=False)


def save_folder(
    path: str | os.PathLike[str],
    *,
    kind: str,
    metadata: Mapping[str, Any] | None = None,
    arrays: Mapping[str, NDArray[Any]] | None = None,
    files: Mapping[str, FileSource] | None = None,
    children: Mapping[str, Callable[[Path], None]] | None = None,
) -> None:
    """Write a model folder, replacing an older one at the same place.

    Parameters
    ----------
    path : path-like
        The folder. Missing parents are made.
    kind : str
        What the folder holds; `load_folder` compares it.
    metadata : mapping, optional
        Plain values (JSON; NumPy scalars are converted). Not-a-number is refused.
    arrays : mapping of str to ndarray, optional
        Boolean, integer and floating arrays.
    files : mapping of str to bytes or callable, optional
        Further files: their content, or a function that writes them to the path it is given.
    children : mapping of str to callable, optional
        Child folders: functions that save a model folder to the path they are given.

    Raises
    ------
    FileExistsError
        If `path` is a file or holds something other than a model folder, which is never deleted.
    ValueError
        If a file or child has a name that is not plain, or metadata has no JSON form.
    ModelFolderError
        If a child function wrote no whole model folder.
    """
    arrays, files, children = arrays or {}, files or {}, children or {}
    _check_names([*files, *children])
    with replacing_folder(Path(path), replaceable=_is_model_folder) as folder:
        if arrays:
            write_arrays(folder / ARRAYS, arrays)
        for name, source in files.items():
            _write_file(folder / name, source)
        for name, save in children.items():
            save(folder / name)
            read_manifest(folder / name)
        write_manifest(
            folder,
            kind=kind,
            metadata=metadata or {},
            files=[ARRAYS, *files] if arrays else list(files),
            children=list(children),
        )


def load_folder(path: str | os.PathLike[str], *, kind: str | None = None, verify: bool = True) -> SavedFolder:
    """Open a model folder.

    Parameters
    ----------
    path : path-like
        The folder.
    kind : str, optional
        The kind that the caller needs.
    verify : bool, default True
        Compare the SHA-256 of every file, those of child folders too, with the manifest's. Without it only
        names, sizes and the form of the array file are checked.

    Returns
    -------
    SavedFolder

    Raises
    ------
    ModelFolderError
        If the folder is missing, damaged, of another kind or of a newer format; the message names the file.
    """
    folder = Path(path)
    manifest = read_manifest(folder, verify=verify)
    if kind is not None and manifest["kind"] != kind:
        raise ModelFolderError(
            f"{folder} holds a {manifest['kind']}, but a {kind} is needed; name another folder"
        )
    expected = list(_expected_files(folder, manifest, verify=verify))
    for file, entry in expected:
        _check_size(file, entry)
    if verify:
        _check_digests(expected)
    return SavedFolder(
        path=folder,
        kind=manifest["kind"],
        metadata=manifest["metadata"],
        arrays=_map_arrays(folder / ARRAYS) if ARRAYS in manifest["files"] else {},
        larix_version=manifest["larix_version"],
        files=tuple(name for name in manifest["files"] if name != ARRAYS),
        children=tuple(manifest["children"]),
    )


def is_whole(path: str | os.PathLike[str], *, kind: str | None = None) -> bool:
    """Whether a model folder exists with all its files at their right sizes; digests are not computed.

    Parameters
    ----------
    path : path-like
        The folder.
    kind : str, optional
        The kind it must be of.
    """
    folder = Path(path)
    try:
        manifest = read_manifest(folder)
        for file, entry in _expected_files(folder, manifest, verify=True):
            _check_size(file, entry)
    except (ModelFolderError, OSError):
        return False
    return kind is None or bool(manifest["kind"] == kind)


def _is_model_folder(path: Path) -> bool:
    return (path / MANIFEST).is_file()


def _listing(names: tuple[str, ...]) -> str:
    return ", ".join(names) or "none"


def _check_names(names: list[str]) -> None:
    for name in names:
        if not PLAIN_NAME.fullmatch(name) or name in (MANIFEST, ARRAYS):
            raise ValueError(
                "a file of a model folder is named with letters, digits, '_', '-' and '.', and neither "
                f"{MANIFEST} nor {ARRAYS}; found {name!r}"
            )
    if len(set(names)) < len(names):
        raise ValueError(f"a name serves one file or child of a model folder, found {sorted(names)}")


def _write_file(file: Path, source: FileSource) -> None:
    if isinstance(source, bytes):
        file.write_bytes(source)
        return
    source(file)
    if not file.is_file():
        raise ValueError(
            f"the writer of {file.name} must write one file to the path it is given, but did not"
        )


def _map_arrays(file: Path) -> dict[str, NDArray[Any]]:
    try:
        return map_arrays(file)
    except ArrayFileError as error:
        raise ModelFolderError(f"{file} is damaged: {error}; {REMEDY}") from None


def _expected_files(
    folder: Path, manifest: dict[str, Any], *, verify: bool, depth: int = 0
) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Every file below the folder with its fingerprint; a child's manifest comes before the child's files."""
    if depth > _MAX_CHILD_DEPTH:
        raise ModelFolderError(f"{folder} lies more than {_MAX_CHILD_DEPTH} model folders deep; {REMEDY}")
    for name, entry in manifest["files"].items():
        _refuse_link(folder / name)
        yield folder / name, entry
    for name, entry in manifest["children"].items():
        _refuse_link(folder / name)
        _refuse_link(folder / name / MANIFEST)
        yield folder / name / MANIFEST, entry
        child = read_manifest(folder / name, verify=verify)
        yield from _expected_files(folder / name, child, verify=verify, depth=depth + 1)


def _refuse_link(path: Path) -> None:
    if path.is_symlink():
        raise ModelFolderError(f"{path} is a link, and a model folder holds its own files; copy it there")


def _check_size(file: Path, entry: dict[str, Any]) -> None:
    if not file.is_file():
        raise ModelFolderError(f"{file} is missing; {REMEDY}")
    if (size := file.stat().st_size) != entry["bytes"]:
        raise ModelFolderError(
            f"{file} is damaged: it has {size} bytes, and {entry['bytes']} were written; {REMEDY}"
        )


def _check_digests(expected: list[tuple[Path, dict[str, Any]]]) -> None:
    with ThreadPoolExecutor(max_workers=min(8, os.cpu_count() or 1)) as pool:
        digests = pool.map(sha256_of, [file for file, _ in expected])
        for (file, entry), digest in zip(expected, digests, strict=True):
            if digest != entry["sha256"]:
                raise ModelFolderError(f"{file} is damaged: its SHA-256 is not the one written; {REMEDY}")
