"""The manifest of a model folder: format version, kind, metadata, and size and SHA-256 of every file.

A manifest is JSON whose last entry is the SHA-256 of the JSON without that entry. It is accepted only when
its bytes are exactly those that would be written for its content, so a change of any byte is noticed.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

import larix
from larix.xmc.atomic_folder import abandoned_predecessor

FORMAT_VERSION = 1
MANIFEST = "model.json"
PLAIN_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
REMEDY = "copy the folder again from where it was whole, or write it anew"
_MAX_BYTES = 64_000_000
_SHA256 = re.compile(r"[0-9a-f]{64}")


class ModelFolderError(ValueError):
    """A model folder is missing, damaged, of another kind, or of a newer format.

    The message names the file, the rule it breaks and what to do.
    """


def write_manifest(
    folder: Path, *, kind: str, metadata: Mapping[str, Any], files: list[str], children: list[str]
) -> None:
    """Write the manifest of a folder whose files and child folders are in place."""
    manifest = {
        "format_version": FORMAT_VERSION,
        "kind": kind,
        "larix_version": larix.__version__,
        "metadata": dict(metadata),
        "files": {name: fingerprint(folder / name) for name in files},
        "children": {name: fingerprint(folder / name / MANIFEST) for name in children},
    }
    (folder / MANIFEST).write_bytes(_sealed(manifest))


def fingerprint(file: Path) -> dict[str, Any]:
    """Size in bytes and SHA-256 of a file."""
    return {"sha256": sha256_of(file), "bytes": file.stat().st_size}


def sha256_of(file: Path) -> str:
    """Hexadecimal SHA-256 of a file's content."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _sealed(manifest: Mapping[str, Any]) -> bytes:
    """The manifest's bytes: its JSON with a last entry that is the digest of the JSON without it."""
    digest = hashlib.sha256(_json(manifest)).hexdigest()
    return _json({**manifest, "sha256": digest})


def _json(content: Mapping[str, Any]) -> bytes:
    text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False, default=_plain)
    return text.encode() + b"\n"


def _plain(value: object) -> object:
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(
        f"metadata of a model folder has a JSON form, found a {type(value).__name__}: {value!r:.100}"
    )


def read_manifest(folder: Path, *, verify: bool = True) -> dict[str, Any]:
    """Read and check a folder's manifest.

    Parameters
    ----------
    folder : Path
        The model folder.
    verify : bool, default True
        Whether the manifest must match the digest within it.

    Returns
    -------
    dict
        `format_version`, `kind`, `larix_version`, `metadata`, and for every name in `files` and `children`
        its `sha256` and `bytes`. Names are plain: none leads out of the folder.

    Raises
    ------
    ModelFolderError
        If the manifest is missing, damaged or of a newer format.
    """
    file = folder / MANIFEST
    if not file.is_file():
        raise ModelFolderError(_missing(folder))
    if file.stat().st_size > _MAX_BYTES:
        raise ModelFolderError(f"{file} is damaged: a manifest has at most {_MAX_BYTES} bytes; {REMEDY}")
    raw = file.read_bytes()
    try:
        manifest = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise ModelFolderError(f"{file} is damaged: it is not JSON ({error}); {REMEDY}") from None
    _check_version(file, manifest)
    if verify and not _seal_holds(manifest, raw):
        raise ModelFolderError(
            f"{file} is damaged: its content does not match the digest within it; {REMEDY}"
        )
    _check_manifest(file, manifest)
    return dict(manifest)


def _missing(folder: Path) -> str:
    if not folder.is_dir():
        left = abandoned_predecessor(folder)
        hint = f"; {left} is what it was before a writer died: rename it" if left else ""
        return f"{folder} is no folder; check the path, or make the model first{hint}"
    return f"{folder} has no {MANIFEST}, so it is no whole model folder; check the path, or write it anew"


def _check_version(file: Path, manifest: Any) -> None:
    version = manifest.get("format_version") if isinstance(manifest, dict) else None
    if type(version) is not int or version < 1:
        raise ModelFolderError(
            f"{file} is no manifest: format_version must be 1 or more, found {version!r:.50}"
        )
    if version > FORMAT_VERSION:
        writer = manifest.get("larix_version", "of a later version")
        raise ModelFolderError(
            f"{file} has format version {version}, and larix {larix.__version__} reads versions up to "
            f"{FORMAT_VERSION}; install larix {writer!s:.50} or newer"
        )


def _seal_holds(manifest: dict[str, Any], raw: bytes) -> bool:
    """Whether the manifest is, byte for byte, what `save_folder` wrote."""
    content = {key: value for key, value in manifest.items() if key != "sha256"}
    try:
        return _sealed(content) == raw
    except (ValueError, RecursionError):
        return False


def _check_manifest(file: Path, manifest: dict[str, Any]) -> None:
    types = {"kind": str, "larix_version": str, "metadata": dict, "files": dict, "children": dict}
    for key, expected in types.items():
        if not isinstance(manifest.get(key), expected):
            raise ModelFolderError(f"{file} is damaged: {key!r} must be a {expected.__name__}; {REMEDY}")
    for group in ("files", "children"):
        for name, entry in manifest[group].items():
            if not PLAIN_NAME.fullmatch(name):
                raise ModelFolderError(
                    f"{file} names {name!r:.100}; it may name files of its own folder only"
                )
            if not _is_fingerprint(entry):
                raise ModelFolderError(f"{file} is damaged: {name!r} needs its sha256 and bytes; {REMEDY}")


def _is_fingerprint(entry: Any) -> bool:
    if not isinstance(entry, dict) or set(entry) != {"sha256", "bytes"}:
        return False
    digest, size = entry["sha256"], entry["bytes"]
    return isinstance(digest, str) and bool(_SHA256.fullmatch(digest)) and type(size) is int and size >= 0
