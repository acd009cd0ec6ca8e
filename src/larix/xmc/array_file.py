"""Named arrays in one safetensors file: written as a stream, read through a memory map.

The layout is the safetensors format: eight bytes with the header's length (little-endian), a JSON header that
gives each array's dtype, shape and byte range, then the arrays end to end without holes. Reading and writing
are done here and not by the `safetensors` package, because its NumPy functions copy every array. Arrays are
laid out by falling item size, so that each one is aligned.

A header is untrusted input: every size, bound and type in it is checked before an array is made from it.
"""

import json
import math
import mmap
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_DTYPES = {
    "BOOL": np.dtype("bool"),
    "U8": np.dtype("uint8"),
    "I8": np.dtype("int8"),
    "U16": np.dtype("<u2"),
    "I16": np.dtype("<i2"),
    "F16": np.dtype("<f2"),
    "U32": np.dtype("<u4"),
    "I32": np.dtype("<i4"),
    "F32": np.dtype("<f4"),
    "U64": np.dtype("<u8"),
    "I64": np.dtype("<i8"),
    "F64": np.dtype("<f8"),
}
_CODES = {dtype: code for code, dtype in _DTYPES.items()}
_LENGTH = struct.Struct("<Q")
_ALIGNMENT = 64
_MAX_HEADER_BYTES = 100_000_000
_MAX_DIMENSIONS = 32
_MAX_ARRAY_BYTES = 2**62


class ArrayFileError(ValueError):
    """An array file does not follow its format."""


def write_arrays(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write named arrays to a safetensors file.

    Parameters
    ----------
    path : Path
        File to create.
    arrays : mapping of str to ndarray
        Arrays of boolean, integer or floating type, of any shape and memory order.

    Raises
    ------
    TypeError
        If an array's dtype has no place in the format.
    """
    ready = {name: _storable(name, array) for name, array in arrays.items()}
    order = sorted(ready, key=lambda name: (-ready[name].dtype.itemsize, name))
    header: dict[str, dict[str, Any]] = {}
    end = 0
    for name in order:
        array, begin = ready[name], end
        end += array.nbytes
        header[name] = {
            "dtype": _CODES[array.dtype],
            "shape": list(array.shape),
            "data_offsets": [begin, end],
        }
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-(_LENGTH.size + len(text)) % _ALIGNMENT)
    with path.open("wb") as file:
        file.write(_LENGTH.pack(len(text)))
        file.write(text)
        for name in order:
            file.write(ready[name].reshape(-1).view(np.uint8).data)


def _storable(name: str, array: NDArray[Any]) -> NDArray[Any]:
    array = np.asarray(array)
    dtype = array.dtype.newbyteorder("<")
    if dtype not in _CODES:
        raise TypeError(
            f"an array file holds {', '.join(str(d) for d in _CODES)}, but array {name!r} is {array.dtype}; "
            "convert it first"
        )
    return array.astype(dtype, order="C", copy=False)


def map_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Map the arrays of a safetensors file into memory.

    Nothing is read but the header; pages come in as they are touched, and processes share them.

    Parameters
    ----------
    path : Path
        File to map.

    Returns
    -------
    dict of str to ndarray
        Arrays marked as not writeable. The mapping is private: a caller that sets `flags.writeable` changes
        its own memory, never the file.

    Raises
    ------
    ArrayFileError
        If the header or the file's length does not follow the format.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        header, start = _read_header(file.read(_LENGTH.size), size, file.read)
        layout = _checked_layout(header, size - start)
        buffer = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
    return {name: _view(buffer, start + begin, dtype, shape) for name, dtype, shape, begin in layout}


def _view(buffer: mmap.mmap, offset: int, dtype: np.dtype[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    count = math.prod(shape)
    flat = np.frombuffer(buffer, dtype, count, offset) if count else np.empty(0, dtype)
    array = flat.reshape(shape)
    array.flags.writeable = False
    return array


def _read_header(prefix: bytes, size: int, read: Any) -> tuple[dict[str, Any], int]:
    if len(prefix) < _LENGTH.size:
        raise ArrayFileError(f"an array file has at least {_LENGTH.size} bytes, found {len(prefix)}")
    (length,) = _LENGTH.unpack(prefix)
    if length > min(size - _LENGTH.size, _MAX_HEADER_BYTES):
        raise ArrayFileError(f"the header claims {length} bytes, the file has {size}")
    try:
        header = json.loads(read(length).decode(), object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        raise ArrayFileError(f"the header is not JSON: {error}") from None
    if not isinstance(header, dict):
        raise ArrayFileError(f"the header is a JSON object, found {type(header).__name__}")
    header.pop("__metadata__", None)
    return header, _LENGTH.size + length


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    entries = dict(pairs)
    if len(entries) < len(pairs):
        raise ValueError("a name occurs twice")
    return entries


def _checked_layout(
    header: dict[str, Any], n_bytes: int
) -> list[tuple[str, np.dtype[Any], tuple[int, ...], int]]:
    """Every (name, dtype, shape, first byte), after checking that the ranges tile the `n_bytes` exactly."""
    layout, ranges = [], []
    for name, entry in header.items():
        dtype, shape, begin, end = _checked_entry(name, entry)
        layout.append((name, dtype, shape, begin))
        ranges.append((begin, end, name))
    expected = 0
    for begin, end, name in sorted(ranges):
        if begin != expected:
            raise ArrayFileError(f"array {name!r} must begin at {expected}, but begins at {begin}")
        expected = end
    if expected != n_bytes:
        raise ArrayFileError(f"the header describes {expected} bytes of arrays, the file has {n_bytes}")
    return layout


def _checked_entry(name: str, entry: Any) -> tuple[np.dtype[Any], tuple[int, ...], int, int]:
    if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
        raise ArrayFileError(f"array {name!r} needs dtype, shape and data_offsets, found {entry!r:.100}")
    code, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(code, str) or code not in _DTYPES:
        raise ArrayFileError(f"array {name!r} has dtype {code!r:.50}; known are {', '.join(_DTYPES)}")
    if not _is_sizes(shape) or len(shape) > _MAX_DIMENSIONS:
        raise ArrayFileError(f"array {name!r} has shape {shape!r:.100}; it must list sizes >= 0")
    if not _is_sizes(offsets) or len(offsets) != 2:
        raise ArrayFileError(f"array {name!r} has data_offsets {offsets!r:.100}; they must be two sizes >= 0")
    dtype = _DTYPES[code]
    if math.prod(max(size, 1) for size in shape) * dtype.itemsize > _MAX_ARRAY_BYTES:
        raise ArrayFileError(f"array {name!r} has shape {shape!r:.100}, more than a machine can address")
    begin, end = offsets
    needed = math.prod(shape) * dtype.itemsize
    if end - begin != needed:
        raise ArrayFileError(f"array {name!r} needs {needed} bytes, but its data_offsets give {end - begin}")
    return dtype, tuple(shape), begin, end


def _is_sizes(value: Any) -> bool:
    return isinstance(value, list) and all(type(item) is int and item >= 0 for item in value)
