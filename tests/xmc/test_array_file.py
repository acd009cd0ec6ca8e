import json
import struct
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from larix.xmc.array_file import ArrayFileError, map_arrays, write_arrays

DTYPES = ["?", "u1", "i1", "<u2", "<i2", "<f2", "<u4", "<i4", "<f4", "<u8", "<i8", "<f8"]
arrays = st.dictionaries(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=8).filter(lambda name: name != "__metadata__"),
    st.sampled_from(DTYPES).flatmap(
        lambda dtype: npst.arrays(dtype, npst.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4))
    ),
    max_size=4,
)


def write_raw(path: Path, header: object, data: bytes = b"") -> Path:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)
    return path


def entry(dtype: object = "F32", shape: object = (2,), offsets: object = (0, 8), **more: object) -> dict:
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets, **more}


@settings(max_examples=100, deadline=None)
@given(arrays=arrays)
def test_arrays_come_back_and_the_reference_reader_agrees(tmp_path_factory, arrays):
    path = tmp_path_factory.mktemp("a") / "arrays.safetensors"
    write_arrays(path, arrays)
    mapped, reference = map_arrays(path), safetensors.numpy.load_file(path)
    assert mapped.keys() == reference.keys() == arrays.keys()
    for name, array in arrays.items():
        assert mapped[name].dtype == reference[name].dtype == array.dtype
        np.testing.assert_array_equal(mapped[name], array)
        np.testing.assert_array_equal(reference[name], array)


@settings(max_examples=50, deadline=None)
@given(arrays=arrays)
def test_files_of_the_reference_writer_are_read(tmp_path_factory, arrays):
    path = tmp_path_factory.mktemp("a") / "arrays.safetensors"
    safetensors.numpy.save_file(arrays, path, metadata={"format": "np"})
    for name, array in map_arrays(path).items():
        np.testing.assert_array_equal(array, arrays[name])


def test_arrays_lie_at_addresses_their_type_needs(tmp_path):
    write_arrays(tmp_path / "a", {"a": np.ones(3, "i1"), "b": np.ones(5, "f8"), "c": np.ones(7, "f4")})
    assert all(array.flags.aligned for array in map_arrays(tmp_path / "a").values())


@pytest.mark.parametrize(
    "array",
    [
        np.arange(12.0).reshape(3, 4).T,
        np.arange(20)[::3],
        np.arange(5, dtype=">i4"),
        np.asfortranarray(np.eye(3)),
    ],
)
def test_any_memory_order_is_written(tmp_path, array):
    write_arrays(tmp_path / "a", {"array": array})
    np.testing.assert_array_equal(map_arrays(tmp_path / "a")["array"], array)


@pytest.mark.parametrize(
    "array", [np.array(["text"]), np.array([None]), np.array([1j]), np.array(["2026"], "M8")]
)
def test_types_without_a_place_in_the_format_are_refused(tmp_path, array):
    with pytest.raises(TypeError, match="'array'"):
        write_arrays(tmp_path / "a", {"array": array})


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (b"{", "is not JSON"),
        (b"[]", "is a JSON object"),
        (b'{"a": 1, "a": 2}', "occurs twice"),
        (b"[" * 100_000, "is not JSON"),
        (b"\xff", "is not JSON"),
        ({"a": 3}, "needs dtype, shape and data_offsets"),
        ({"a": entry(more=1)}, "needs dtype, shape and data_offsets"),
        ({"a": entry("O")}, "has dtype 'O'"),
        ({"a": entry(["F32"])}, "has dtype"),
        ({"a": entry("BF16", (4,))}, "has dtype 'BF16'"),
        ({"a": entry(shape=(-2,))}, "must list sizes"),
        ({"a": entry(shape=(2.0,))}, "must list sizes"),
        ({"a": entry(shape=(True, 2))}, "must list sizes"),
        ({"a": entry(shape=2)}, "must list sizes"),
        ({"a": entry(shape=[1] * 33)}, "must list sizes"),
        ({"a": entry(shape=(0, 2**63), offsets=(0, 0))}, "more than a machine can address"),
        ({"a": entry(shape=(2**40, 2**40))}, "more than a machine can address"),
        ({"a": entry(offsets=(0,))}, "must be two sizes"),
        ({"a": entry(offsets=(0, "8"))}, "must be two sizes"),
        ({"a": entry(offsets=(8, 0))}, "needs 8 bytes"),
        ({"a": entry(shape=(3,))}, "needs 12 bytes"),
        ({"a": entry(offsets=(4, 12))}, "must begin at 0"),
        ({"a": entry(), "b": entry()}, "'b' must begin at 8"),
        ({"a": entry(shape=(4,), offsets=(0, 16))}, "describes 16 bytes"),
        ({}, "describes 0 bytes"),
    ],
)
def test_headers_that_break_the_format_are_refused(tmp_path, header, message):
    path = write_raw(tmp_path / "a", header, b"\0" * 8)
    with pytest.raises(ArrayFileError, match=message):
        map_arrays(path)


@pytest.mark.parametrize("raw", [b"", b"\0" * 7, b"\0" * 8, b"\xff" * 8, struct.pack("<Q", 9) + b"{}"])
def test_files_too_short_for_their_header_are_refused(tmp_path, raw):
    (tmp_path / "a").write_bytes(raw)
    with pytest.raises(ArrayFileError):
        map_arrays(tmp_path / "a")


@settings(max_examples=300, deadline=None)
@given(raw=st.binary(max_size=200), header=st.binary(max_size=100))
def test_any_bytes_are_arrays_or_refused(tmp_path_factory, raw, header):
    for content in (raw, struct.pack("<Q", len(header)) + header + raw):
        path = tmp_path_factory.mktemp("a") / "arrays"
        path.write_bytes(content)
        try:
            mapped = map_arrays(path)
        except ArrayFileError:
            continue
        assert sum(array.nbytes for array in mapped.values()) <= len(content)
