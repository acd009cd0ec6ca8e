import numpy as np

from larix.xmc.transformer.embedding_cache import EmbeddingCache, text_keys


def filled(cache, texts, d=3):
    vectors = np.zeros((len(texts), d), np.float32)
    return cache.fill(text_keys(texts), vectors), vectors


def test_vectors_come_back_by_text_from_all_pieces(tmp_path):
    cache = EmbeddingCache(tmp_path)
    cache.add(text_keys(["a", "b"]), np.array([[1, 0, 0], [0, 1, 0]], np.float32))
    cache.add(text_keys(["ä\ud800"]), np.array([[0, 0, 1]], np.float32))
    for known in (cache, EmbeddingCache(tmp_path)):
        found, vectors = filled(known, ["b", "c", "ä\ud800", "b"])
        assert found.tolist() == [True, False, True, True]
        assert vectors.tolist() == [[0, 1, 0], [0, 0, 0], [0, 0, 1], [0, 1, 0]]


def test_a_damaged_piece_counts_as_missing(tmp_path, caplog):
    cache = EmbeddingCache(tmp_path)
    cache.add(text_keys(["a"]), np.ones((1, 3), np.float32))
    cache.add(text_keys(["b"]), np.ones((1, 3), np.float32))
    arrays = next(tmp_path.glob("*/arrays.safetensors"))
    arrays.write_bytes(arrays.read_bytes()[:-1] + b"!")
    found, _ = filled(EmbeddingCache(tmp_path), ["a", "b"])
    assert found.sum() == 1
    assert "is damaged" in caplog.text


def test_vectors_of_another_length_are_not_taken(tmp_path):
    EmbeddingCache(tmp_path).add(text_keys(["a"]), np.ones((1, 3), np.float32))
    assert not filled(EmbeddingCache(tmp_path), ["a"], d=2)[0].any()


def test_keys_tell_texts_apart_by_content_alone():
    keys = text_keys(["a", "b", "a", "", "ab"])
    assert len(np.unique(keys, axis=0)) == 4
    np.testing.assert_array_equal(keys[0], keys[2])
    assert text_keys([]).shape == (0, 2)
