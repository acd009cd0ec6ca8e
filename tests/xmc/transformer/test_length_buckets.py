import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from larix.xmc.transformer.length_buckets import LengthBuckets


@given(st.lists(st.integers(1, 50), min_size=1, max_size=60), st.integers(1, 9))
def test_every_text_occurs_once_in_an_epoch(lengths, size):
    buckets = LengthBuckets(np.array(lengths), size)
    for epoch in range(2):
        first = epoch * buckets.batches_per_epoch
        batches = [buckets.batch(first + i) for i in range(buckets.batches_per_epoch)]
        assert sorted(np.concatenate(batches)) == list(range(len(lengths)))
        assert max(map(len, batches)) <= size


def test_texts_of_a_batch_are_of_similar_length():
    lengths = np.random.default_rng(0).integers(1, 100, 5000)
    buckets = LengthBuckets(lengths, 16)
    spans = [np.ptp(lengths[buckets.batch(i)]) for i in range(buckets.batches_per_epoch)]
    assert np.mean(spans) < 10
    first = [lengths[buckets.batch(i)].mean() for i in range(20)]
    assert first != sorted(first)


def test_a_batch_is_known_by_its_number_alone():
    lengths = np.arange(1, 100)
    one, two = (LengthBuckets(lengths, 8, random_state=3) for _ in range(2))
    forwards = [one.batch(i).tolist() for i in range(30)]
    assert [two.batch(i).tolist() for i in reversed(range(30))] == forwards[::-1]
    assert forwards[:13] != forwards[13:26]
    assert LengthBuckets(lengths, 8, random_state=4).batch(0).tolist() != forwards[0]


def test_there_must_be_texts():
    with pytest.raises(ValueError, match="there are 0 texts and the size is 3"):
        LengthBuckets(np.zeros(0, np.int64), 3)
