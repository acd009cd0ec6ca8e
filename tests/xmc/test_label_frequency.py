import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array

from larix.xmc.label_frequency import BANDS, LabelFrequencies, PropensityParams

counts = st.lists(st.integers(0, 50), max_size=20).map(lambda values: np.array(values, np.int64))


def members(counts: list[int]) -> dict[str, list[int]]:
    bands = LabelFrequencies(np.array(counts), 1000).bands()
    return {name: np.flatnonzero(bands[name]).tolist() for name in BANDS}


def test_bands_hold_a_third_of_the_occurrences_each():
    assert members([1, 6, 1, 3, 1, 3, 3, 0]) == {"head": [1], "torso": [3, 5], "tail": [0, 2, 4, 6, 7]}


def test_a_label_that_crosses_the_border_belongs_to_the_more_frequent_band():
    assert members([5, 3, 1]) == {"head": [0], "torso": [1], "tail": [2]}
    assert members([1, 1, 1, 1]) == {"head": [0, 1], "torso": [2], "tail": [3]}


def test_labels_without_occurrences_are_of_the_tail():
    assert members([0, 0]) == {"head": [], "torso": [], "tail": [0, 1]}
    assert members([0, 4]) == {"head": [1], "torso": [], "tail": [0]}


@given(counts=counts)
def test_every_label_is_in_one_band_and_bands_fall_in_frequency(counts):
    bands = LabelFrequencies(counts, 50).bands()
    assert np.array_equal(sum(bands[name].astype(int) for name in BANDS), np.ones(len(counts)))
    for upper, lower in (("head", "torso"), ("torso", "tail")):
        if bands[upper].any() and bands[lower].any():
            assert counts[bands[upper]].min() >= counts[bands[lower]].max()
    if counts.sum():
        assert 3 * counts[bands["head"]].sum() >= counts.sum()


def test_counting_ignores_stored_zeros_and_relevance():
    Y = csr_array((np.array([0.0, 0.5, 7.0, 1.0]), ([0, 0, 1, 1], [0, 1, 1, 2])), shape=(2, 4))
    frequencies = LabelFrequencies.of(Y)
    assert frequencies.counts.tolist() == [0, 2, 1, 0]
    assert (frequencies.n_documents, frequencies.n_labels) == (2, 4)


def test_inverse_propensity_follows_the_formula():
    inverse = LabelFrequencies(np.array([0, 10]), 100).inverse_propensities(PropensityParams(A=0.5, B=0.4))
    C = (math.log(100) - 1) * math.sqrt(1.4)
    assert inverse == pytest.approx([1 + C / math.sqrt(0.4), 1 + C / math.sqrt(10.4)])


@given(counts=counts, n_documents=st.integers(50, 10**6))
def test_rarer_labels_weigh_at_least_as_much(counts, n_documents):
    inverse = LabelFrequencies(counts, n_documents).inverse_propensities()
    assert np.all(inverse >= 1)
    assert np.all(np.diff(inverse[np.argsort(counts)]) <= 0)


@pytest.mark.parametrize("n_documents", [0, 1, 2])
def test_tiny_training_sets_weigh_all_labels_alike(n_documents):
    assert LabelFrequencies(np.zeros(3, int), n_documents).inverse_propensities().tolist() == [1, 1, 1]


@pytest.mark.parametrize("name", ["A", "B"])
@pytest.mark.parametrize("value", [0, -1, math.inf, math.nan])
def test_propensity_constants_are_positive(name, value):
    with pytest.raises(ValueError, match=f"{name} must be positive and finite, but is {value}"):
        PropensityParams(**{name: value})


@pytest.mark.parametrize("counts", [[[1]], [0.5], [-1], [6]])
def test_senseless_counts_are_refused(counts):
    with pytest.raises(ValueError, match="counts must"):
        LabelFrequencies(np.array(counts), 5)
