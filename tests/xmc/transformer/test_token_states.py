import logging

import numpy as np

from larix.xmc.transformer.embedding_cache import text_keys
from larix.xmc.transformer.token_states import TokenStateCache, TokenStates

d = 3


def made(lengths, seed=0):
    lengths = np.array(lengths)
    rng = np.random.default_rng(seed)
    return rng.normal(size=(lengths.sum(), d)).astype(np.float16), lengths


def test_texts_are_padded_when_a_batch_is_taken():
    states, lengths = made([2, 3, 1])
    padded, mask = TokenStates.of(states, lengths).batch(np.array([2, 1]))
    assert mask.tolist() == [[1, 0, 0], [1, 1, 1]]
    assert padded.dtype == np.float32
    np.testing.assert_array_equal(padded[0], [states[5], np.zeros(d), np.zeros(d)])
    np.testing.assert_array_equal(padded[1], states[2:5])


def test_batches_are_of_similar_length():
    batches = TokenStates.of(*made([2, 3, 1, 3])).length_sorted_batches(2)
    assert [batch.tolist() for batch in batches] == [[1, 3], [0, 2]]


def test_states_are_found_by_content_and_mapped(tmp_path):
    cache = TokenStateCache(tmp_path)
    cache.add(text_keys(["a", "b"]), *made([2, 3]))
    cache.add(text_keys(["c"]), *made([1], seed=1))
    again = TokenStateCache(tmp_path).find(text_keys(["c", "unknown", "b"]))
    assert (again.chunk >= 0).tolist() == [True, False, True]
    assert all(not chunk.flags.writeable for chunk in again.chunks)
    filled = again.filled(TokenStates.of(*made([4], seed=2)))
    padded, mask = filled.batch(np.arange(3))
    assert mask.sum(axis=1).tolist() == [1, 4, 3]
    np.testing.assert_array_equal(padded[0, :1], made([1], seed=1)[0])
    np.testing.assert_array_equal(padded[1, :4], made([4], seed=2)[0])
    np.testing.assert_array_equal(padded[2, :3], made([2, 3])[0][2:])


def test_without_a_folder_they_are_kept_in_memory():
    cache = TokenStateCache(None)
    cache.add(text_keys(["a"]), *made([2]))
    assert cache.find(text_keys(["a", "b"])).lengths.tolist() == [2, 0]


def test_a_damaged_piece_counts_as_missing(tmp_path, caplog):
    TokenStateCache(tmp_path).add(text_keys(["a"]), *made([2]))
    array = next(tmp_path.glob("*/arrays.safetensors"))
    array.write_bytes(array.read_bytes()[:-1])
    with caplog.at_level(logging.WARNING):
        assert TokenStateCache(tmp_path).find(text_keys(["a"])).chunk.tolist() == [-1]
    assert "is not used" in caplog.text
