"""Word vectors from every plain form, texts as means of them, and files that are not what they say."""

import numpy as np
import pytest

from larix.xmc.array_file import write_arrays
from larix.xmc.word_vectors import VectorFileError, WordVectors

WORDS = ["heart", "lung", "Pain"]
VECTORS = np.array([[3, 0], [0, 2], [1, 1]], np.float32)


def word2vec_lines(words=WORDS, vectors=VECTORS):
    rows = [f"{word} {' '.join(map(str, row))}" for word, row in zip(words, vectors.tolist(), strict=True)]
    return "\n".join([f"{len(words)} {vectors.shape[1]}", *rows, ""])


def write_text(folder):
    (folder / "words.vec").write_text(word2vec_lines(), encoding="utf-8")


def write_npy(folder):
    np.save(folder / "vectors.npy", VECTORS.astype(np.float16))
    (folder / "vocabulary.txt").write_text("\n".join(WORDS), encoding="utf-8")


def write_safetensors(folder):
    write_arrays(folder / "model.safetensors", {"embeddings": VECTORS, "norms": np.ones(3)})
    (folder / "vocab.txt").write_text("\n".join(WORDS) + "\n", encoding="utf-8")


@pytest.mark.parametrize("write", [write_text, write_npy, write_safetensors])
def test_every_form_gives_the_same_vectors(tmp_path, write):
    write(tmp_path)
    vectors = WordVectors.read(tmp_path)
    assert vectors.row_of == {"heart": 0, "lung": 1, "Pain": 2}
    assert vectors.vectors.dtype == np.float32
    np.testing.assert_array_equal(vectors.vectors, VECTORS)


def test_a_text_is_the_weighted_mean_of_its_words(tmp_path):
    write_text(tmp_path)
    texts = ["Heart, lung!", "heart heart", "pain; and Pain", "unknown", ""]
    Z = WordVectors.read(tmp_path / "words.vec").embed(texts)
    # heart is in 2 of 5 texts, lung and Pain in 1; "pain" in lower case isn't known
    heart, lung = np.log(6 / 3) + 1, np.log(6 / 2) + 1
    first = np.array([heart, lung]) / np.hypot(heart, lung)
    np.testing.assert_allclose(Z, [first, [1, 0], [0.5**0.5] * 2, [0, 0], [0, 0]], atol=1e-6)


def test_neither_lengths_of_vectors_nor_the_order_of_words_matter(tmp_path):
    texts = ["heart and lung", "Pain in the lung", "lung lung heart"]
    write_text(tmp_path)
    Z = WordVectors.read(tmp_path).embed(texts)
    (tmp_path / "words.vec").write_text(word2vec_lines(WORDS[::-1], VECTORS[::-1] * [[2], [5], [0.1]]))
    reversed_texts = [" ".join(reversed(text.split())) for text in texts]
    np.testing.assert_allclose(WordVectors.read(tmp_path).embed(reversed_texts), Z, atol=1e-6)


def test_the_first_of_two_rows_for_a_word_counts(tmp_path):
    (tmp_path / "w.txt").write_text(word2vec_lines(["a", "a"], VECTORS[:2]), encoding="utf-8")
    np.testing.assert_allclose(WordVectors.read(tmp_path).embed(["a"]), [[1, 0]])


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("w.vec", "heart 1 2\n", "w.vec:1 must be 'words dimensions', but is 'heart 1 2'"),
        ("w.vec", "2 2\nheart 1 2\nlung 1\n", "w.vec:3 must be a word and 2 finite numbers, but is '1'"),
        ("w.vec", "1 2\nheart 1 x\n", "w.vec:2 must be a word and 2 finite numbers"),
        ("w.vec", "1 2\nheart 1 nan\n", "w.vec:2 must be a word and 2 finite numbers"),
        ("w.vec", "3 1\nheart 1\n", "announces 3 words, but has 1; it may be cut short"),
        ("w.npy", "no array", "w.npy is no plain array"),
        ("w.safetensors", "short", "w.safetensors is damaged"),
    ],
)
def test_files_that_break_their_format_are_refused(tmp_path, name, content, message):
    (tmp_path / name).write_text(content, encoding="utf-8")
    (tmp_path / "vocabulary.txt").write_text("heart\n")
    with pytest.raises(VectorFileError, match=message):
        WordVectors.read(tmp_path)


def test_arrays_of_objects_are_never_unpickled(tmp_path):
    np.save(tmp_path / "w.npy", np.array([{"a": 1}], object), allow_pickle=True)
    (tmp_path / "vocabulary.txt").write_text("heart\n")
    with pytest.raises(VectorFileError, match=r"w.npy is no plain array"):
        WordVectors.read(tmp_path)


@pytest.mark.parametrize(
    "array", [np.ones((2, 2)), np.ones(3), np.ones((3, 2), int), np.full((3, 2), np.nan)]
)
def test_arrays_that_do_not_fit_the_vocabulary_are_refused(tmp_path, array):
    np.save(tmp_path / "w.npy", array)
    (tmp_path / "vocabulary.txt").write_text("\n".join(WORDS))
    with pytest.raises(VectorFileError, match=r"must hold (one row of floats for each|finite numbers)"):
        WordVectors.read(tmp_path)


def test_missing_files_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="holds no word vectors; give a"):
        WordVectors.read(tmp_path / "nowhere")
    np.save(tmp_path / "w.npy", VECTORS)
    with pytest.raises(FileNotFoundError, match=r"w.npy needs vocabulary.txt beside it"):
        WordVectors.read(tmp_path)


def test_two_files_of_vectors_are_one_too_many(tmp_path):
    for name in ("a.npy", "b.npy"):
        np.save(tmp_path / name, VECTORS)
    with pytest.raises(VectorFileError, match=r"one file of vectors, but has a.npy and more"):
        WordVectors.read(tmp_path)
