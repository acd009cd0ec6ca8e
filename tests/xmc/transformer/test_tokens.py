import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from larix.xmc.transformer.tokens import TokenIds


class SplitTokenizer:
    """Every letter is a token."""

    pad_token_id = 0

    def __init__(self, model_max_length=1000):
        self.model_max_length = model_max_length

    def __call__(self, texts, max_length, **_):
        return {"input_ids": [[ord(letter) for letter in text[:max_length]] for text in texts]}


@given(st.lists(st.text(min_size=1, max_size=9)), st.integers(1, 5))
def test_batches_hold_every_text_once_padded_at_the_right(texts, size):
    tokens = TokenIds.of(texts, SplitTokenizer(), max_tokens=6)
    found = {}
    for rows in tokens.length_sorted_batches(size):
        ids, mask = tokens.batch(rows)
        assert ids.shape == mask.shape == (len(rows), tokens.lengths[rows].max())
        assert np.all(ids[mask == 0] == 0)
        for row, own, seen in zip(rows, ids, mask, strict=True):
            assert np.all(np.diff(seen) <= 0)
            found[int(row)] = "".join(chr(token) for token in own[seen == 1])
    assert found == {i: text[:6] for i, text in enumerate(texts)}


def test_batches_pad_little():
    tokens = TokenIds.of(["a" * n for n in (1, 9, 2, 8, 1, 9)], SplitTokenizer(), max_tokens=20)
    assert [rows.tolist() for rows in tokens.length_sorted_batches(2)] == [[1, 5], [3, 2], [0, 4]]


def test_no_text_is_longer_than_the_model_takes():
    assert TokenIds.of(["a" * 9], SplitTokenizer(model_max_length=5), max_tokens=7).lengths.tolist() == [5]


def test_saved_ids_are_mapped_into_memory(tmp_path):
    tokens = TokenIds.of(["ab", "", "c"], SplitTokenizer(), max_tokens=4)
    tokens.save(tmp_path / "tokens")
    loaded = TokenIds.load(tmp_path / "tokens")
    assert loaded.ids.dtype == np.int32
    assert not loaded.ids.flags.owndata
    assert not loaded.ids.flags.writeable
    assert loaded.padding_id == 0
    for ids, expected in zip(loaded.batch(np.arange(3)), tokens.batch(np.arange(3)), strict=True):
        np.testing.assert_array_equal(ids, expected)


@pytest.mark.parametrize("ends", [[1, 3], [2, 1, 2], [-1, 2], [1, -(2**63), -1, 2]])
def test_ends_that_lead_astray_are_refused(ends):
    with pytest.raises(ValueError, match="ends must rise from 0 to 2"):
        TokenIds(np.zeros(2, np.int32), np.array(ends), 0)


@pytest.mark.parametrize(
    ("ids", "ends", "message"),
    [
        (np.zeros(2), np.array([2]), r"ids must be a row of int32, but is float64 of shape \(2,\)"),
        (
            np.zeros(2, np.int32),
            np.array([[2]]),
            r"ends must be a row of int64, but is int64 of shape \(1, 1\)",
        ),
    ],
)
def test_arrays_of_another_form_are_refused(ids, ends, message):
    with pytest.raises(ValueError, match=message):
        TokenIds(ids, ends, 0)
