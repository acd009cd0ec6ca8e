import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from larix.xmc.chunked_weights import ChunkedWeights, ChunkLayout


@given(seed=st.integers(0, 10_000), sizes=st.lists(st.integers(0, 600), min_size=1, max_size=4))
@settings(max_examples=30, deadline=None)
def test_a_weight_matrix_survives_chunking(seed, sizes):
    offsets = np.concatenate([[0], np.cumsum(sizes)])
    W = sp.random_array((9, offsets[-1]), density=0.2, rng=seed, dtype=np.float32).tocsc()
    chunked = ChunkedWeights.from_csc(W, offsets, bias=1.0)
    assert abs(chunked.to_csc() - W).sum() == 0
    assert chunked.n_parents == len(sizes)


@given(st.lists(st.integers(0, 2000), min_size=1, max_size=5))
def test_a_layout_covers_every_node_once_in_chunks_of_a_byte(sizes):
    layout = ChunkLayout.of_families(np.concatenate([[0], np.cumsum(sizes)]))
    chunk_sizes = np.diff(layout.first_node)
    assert all(0 < size <= 255 for size in chunk_sizes)
    assert np.bincount(layout.parent, chunk_sizes, len(sizes)).tolist() == sizes


def weights():
    W = sp.random_array((9, 20), density=0.5, rng=0, dtype=np.float32)
    return ChunkedWeights.from_csc(W, np.array([0, 8, 20]), bias=1.0)


@pytest.mark.parametrize(
    ("name", "spoil", "message"),
    [
        (
            "features",
            lambda a: np.where(np.arange(len(a)) == 3, 99, a),
            r"features must rise within 0..D-1, .* chunk 0",
        ),
        ("features", lambda a: a[::-1], r"features must rise"),
        (
            "siblings",
            lambda a: np.where(np.arange(len(a)) == 3, 12, a).astype(np.uint8),
            "siblings of their chunk",
        ),
        ("first_row", lambda a: a[::-1], "first_row must rise"),
        ("first_pair", lambda a: a + 1, "first_pair must rise"),
        ("row_entries", lambda a: a * 2, "all rows together the chunk's entries"),
        ("row_entries", lambda a: a * 0, "every row must have an entry"),
        ("row_entries", lambda a: a[:-1], "agree in length"),
        ("weights", lambda a: a[:-1], "first_pair must rise"),
        ("weights", lambda a: a.astype(np.float64), "must be float32 or int16, but are float64"),
        ("siblings", lambda a: a[:-1], "agree in length"),
        ("scales", lambda a: a[:-1], "agree in length"),
    ],
)
def test_arrays_that_a_kernel_would_follow_out_of_bounds_are_refused(name, spoil, message):
    arrays = weights().arrays()
    arrays[name] = spoil(arrays[name])
    with pytest.raises(ValueError, match=message):
        ChunkedWeights(8, 1.0, **arrays)


def test_levels_must_agree_to_be_stacked():
    other = ChunkedWeights.from_csc(sp.csc_array((5, 2), dtype=np.float32), np.array([0, 2]), bias=1.0)
    with pytest.raises(ValueError, match="agree in number of features"):
        ChunkedWeights.concatenate([weights(), other])


@given(seed=st.integers(0, 10_000))
@settings(max_examples=20, deadline=None)
def test_rounding_is_exact_to_a_step_of_each_chunk(seed):
    rng = np.random.default_rng(seed)
    W = sp.random_array(
        (9, 300), density=0.3, rng=rng, data_sampler=lambda size: rng.normal(0, 2, size)
    ).tocsc()
    chunked = ChunkedWeights.from_csc(W, np.array([0, 7, 7, 300]), bias=1.0)
    rounded = chunked.rounded()
    assert rounded.weights.dtype == np.int16
    assert rounded.size_bytes < chunked.size_bytes
    step = np.repeat(rounded.scales, np.diff(rounded.first_node))
    assert np.all(np.abs((rounded.to_csc() - chunked.to_csc()).toarray()[:-1]) <= 0.51 * step)
