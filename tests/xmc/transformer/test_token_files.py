"""Token ids in files: the same as in memory, kept once, and not trusted."""

import re
import threading
import tracemalloc
from contextlib import contextmanager

import numpy as np
import pytest

from larix.xmc.persistence import save_folder
from larix.xmc.progress import reporting
from larix.xmc.transformer.token_files import mapped_tokens
from larix.xmc.transformer.tokens import TEXTS_AT_ONCE, TokenIds
from tests.xmc.transformer.test_tokens import SplitTokenizer

TEXTS = ["ab", "", "a heart", "c\ud800"]
MAX_TOKENS = 4


class CountingTokenizer(SplitTokenizer):
    """Knows how many texts it has seen, and its vocabulary."""

    def __init__(self, meet=lambda: None):
        super().__init__()
        self.n_texts, self.meet = 0, meet

    def __call__(self, texts, **options):
        self.n_texts += len(texts)
        self.meet()
        return super().__call__(texts, **options)

    def get_vocab(self):
        return {chr(number): number for number in range(0xD801)}


def assert_same(tokens, expected):
    assert tokens.ids.dtype == np.int32
    assert not tokens.ids.flags.owndata
    assert not tokens.ids.flags.writeable
    batches = expected.length_sorted_batches(3)
    np.testing.assert_equal(tokens.length_sorted_batches(3), batches)
    for rows in batches:
        np.testing.assert_equal(tokens.batch(rows), expected.batch(rows))


def in_memory(texts=TEXTS):
    return TokenIds.of(texts, SplitTokenizer(), MAX_TOKENS)


def test_batches_are_those_of_ids_in_memory_and_texts_are_tokenized_once(tmp_path):
    tokenizer = CountingTokenizer()
    for _ in range(2):
        assert_same(mapped_tokens(TEXTS, tokenizer, MAX_TOKENS, tmp_path / "ids"), in_memory())
    assert tokenizer.n_texts == len(TEXTS)
    moved = ["a", "b", *TEXTS[1:]]  # end to end these are the same letters
    assert_same(mapped_tokens(moved, tokenizer, MAX_TOKENS, tmp_path / "ids"), in_memory(moved))


@pytest.mark.parametrize("texts", [[], [""]])
def test_texts_without_a_token_have_files_too(texts, tmp_path):
    tokenizer = CountingTokenizer()
    for _ in range(2):
        tokens = mapped_tokens(texts, tokenizer, MAX_TOKENS, tmp_path)
        assert (len(tokens), len(tokens.ids)) == (len(texts), 0)
    assert tokenizer.n_texts == len(texts)


def spoil(path):
    arrays = path / "arrays.safetensors"
    arrays.write_bytes(arrays.read_bytes()[:-1] + b"!")


def keep(ids, ends, padding_id=0):
    def replace(path):
        arrays = {"ids": np.array(ids), "ends": np.array(ends)}
        save_folder(path, kind="TokenIds", metadata={"padding_id": padding_id}, arrays=arrays)

    return replace


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (spoil, "is damaged"),
        (lambda path: save_folder(path, kind="TokenIds"), "made anew: 'ids'"),
        (keep(np.zeros(4, np.int64), [1, 2, 3, 4]), "ids must be a row of int32"),
        (keep(np.zeros(4, np.int32), [3, 2, 3, 4]), "ends must rise"),
        (keep(np.zeros(4, np.int32), [4]), "ids of 4 texts, padded by 0, are needed, but these are of 1"),
        (keep(np.zeros(4, np.int32), [1, 2, 3, 4], 7), "padded by 7"),
        (keep(np.array([0, 0, 0, -1], np.int32), [1, 2, 3, 4]), "ids must lie in 0..55296, .* in -1..0"),
        (keep(np.array([55297], np.int32), [1, 1, 1, 1]), "lie in 0..55297"),
    ],
)
def test_damaged_or_wrong_files_are_made_anew(damage, message, tmp_path, caplog):
    mapped_tokens(TEXTS, CountingTokenizer(), MAX_TOKENS, tmp_path)
    (path,) = tmp_path.iterdir()
    damage(path)
    for expected in (len(TEXTS), 0):
        tokenizer = CountingTokenizer()
        assert_same(mapped_tokens(TEXTS, tokenizer, MAX_TOKENS, tmp_path), in_memory())
        assert tokenizer.n_texts == expected
    (record,) = caplog.records
    assert re.search(message, record.getMessage())


def test_several_may_write_at_once(tmp_path):
    n = 6
    barrier, found = threading.Barrier(n), []

    def work():
        found.append(mapped_tokens(TEXTS, CountingTokenizer(barrier.wait), MAX_TOKENS, tmp_path))

    threads = [threading.Thread(target=work) for _ in range(n)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for tokens in (*found, mapped_tokens(TEXTS, CountingTokenizer(), MAX_TOKENS, tmp_path)):
        assert_same(tokens, in_memory())
    assert len(found) == n
    assert len(list(tmp_path.iterdir())) == 1  # nothing half-done is left


def test_memory_does_not_grow_with_the_tokens(tmp_path):
    texts = ["a" * 40] * (8 * TEXTS_AT_ONCE)

    def peak(n_texts):
        tracemalloc.start()
        tokens = mapped_tokens(texts[:n_texts], CountingTokenizer(), 40, tmp_path)
        highest = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return highest, tokens.ids.nbytes

    one, _ = peak(TEXTS_AT_ONCE)
    eight, n_bytes = peak(8 * TEXTS_AT_ONCE)
    assert eight - one < n_bytes / 3  # the places of the texts, and no ids


def test_progress_is_told(tmp_path):
    told = []

    @contextmanager
    def reporter(description, total):
        told.append([description, total, 0])

        def advance(steps=1):
            told[-1][2] += steps

        yield advance

    with reporting(reporter):
        mapped_tokens(["a"] * (TEXTS_AT_ONCE + 1), CountingTokenizer(), MAX_TOKENS, tmp_path)
    assert told == [["tokenizing texts", 2, 2]]
