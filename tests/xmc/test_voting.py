import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from larix.xmc.sparse import top_k_per_row
from larix.xmc.voting import blend, blend_neighbours, vote


def test_votes_by_hand():
    cosines = sp.csr_array(np.array([[0.9, 0.8, 0], [0, 0, 0.5], [0, 0, 0]], np.float32))
    Y = sp.csr_array(np.array([[1, 0, 1], [1, 1, 0], [0, 0, 0]], np.float32))
    e = np.exp(-0.5)  # the second document is 0.1 less similar, at temperature 0.2
    expected = [[1 + e, e, 1], [0, 0, 0], [0, 0, 0]]
    votes = vote(cosines, Y, 0.2).toarray()
    np.testing.assert_allclose(votes, np.divide(expected, 2 + 2 * e), rtol=1e-5)


@given(seed=st.integers(0, 10_000), temperature=st.sampled_from([1e-4, 0.01, 0.1, 10.0]))
@settings(max_examples=30, deadline=None)
def test_votes_add_up_to_one_or_are_absent(seed, temperature):
    rng = np.random.default_rng(seed)
    cosines = sp.csr_array(((rng.random((8, 10)) < 0.3) * rng.random((8, 10))).astype(np.float32))
    Y = sp.csr_array((rng.random((10, 6)) < 0.3).astype(np.float32))
    votes = vote(cosines, Y, temperature)
    totals = votes.sum(axis=1)
    assert np.all(np.isclose(totals, 1, rtol=1e-5) | (totals == 0))
    has_labels = (cosines @ Y).sum(axis=1) > 0
    if temperature >= 0.01:  # else far documents round to no vote at all
        assert np.array_equal(totals > 0, has_labels)


def test_blend_by_hand():
    P = np.array([[0.5, 0.4, 0], [0, 0, 0]])
    votes = np.array([[0, 1.0, 0], [0, 0.25, 0.75]])
    blended = blend(P, votes, 0.2)
    np.testing.assert_allclose(blended.toarray(), [[0.4, 0.52, 0], [0, 0.05, 0.15]], rtol=1e-6)
    assert blended.indices.tolist() == [1, 0, 2, 1]
    assert blend(P, votes, 0.2, top_k=1).indices.tolist() == [1, 2]


@given(
    seed=st.integers(0, 10_000),
    temperature=st.sampled_from([0.01, 0.1, 1.0]),
    weight=st.sampled_from([0, 0.1, 0.5, 1]),
    top_k=st.integers(1, 12),
)
@settings(max_examples=60, deadline=None)
def test_the_compiled_pass_is_a_vote_and_a_blend(seed, temperature, weight, top_k):
    rng = np.random.default_rng(seed)
    cosines = top_k_per_row(
        sp.csr_array(((rng.random((7, 15)) < 0.3) * rng.random((7, 15))).astype(np.float32)), 15
    )
    Y = sp.csr_array((rng.random((15, 9)) < 0.3).astype(np.float32))
    P = top_k_per_row(sp.csr_array(((rng.random((7, 9)) < 0.4) * rng.random((7, 9))).astype(np.float32)), 9)
    expected = blend(P, vote(cosines, Y, temperature), weight)
    together = blend_neighbours(P, cosines, Y, temperature, weight, 9, n_threads=1)
    np.testing.assert_allclose(together.toarray(), expected.toarray(), rtol=1e-5, atol=1e-7)
    cut = blend_neighbours(P, cosines, Y, temperature, weight, top_k, n_threads=2)
    assert np.array_equal(np.diff(cut.indptr), np.minimum(np.diff(expected.indptr), top_k))
    for a, b in zip(cut.indptr[:-1], cut.indptr[1:], strict=True):
        assert np.all(np.diff(cut.data[a:b]) <= 0)
    for row in range(7):
        kept, all_scores = cut[[row]].data, np.sort(expected[[row]].data)[::-1]
        np.testing.assert_allclose(np.sort(kept)[::-1], all_scores[: len(kept)], rtol=1e-5, atol=1e-7)


def test_equal_scores_go_to_the_lower_label():
    cosines = sp.csr_array(np.array([[0.5, 0.5]], np.float32))
    Y = sp.csr_array(np.array([[0, 1, 0, 1], [0, 1, 0, 1]], np.float32))
    P = sp.csr_array(np.array([[0.5, 0, 0.5, 0]], np.float32))
    assert blend_neighbours(P, cosines, Y, 0.1, 0.5, 4).indices.tolist() == [0, 1, 2, 3]


def test_what_cannot_be_blended_is_refused():
    with pytest.raises(ValueError, match=r"scores must not be negative to be blended .* one is -2\.0"):
        blend([[-2.0, 1]], [[0.0, 1]], 0.5)
    with pytest.raises(ValueError, match=r"weight must lie in 0\.\.1, but is -1"):
        blend([[1.0]], [[1.0]], -1)
    with pytest.raises(ValueError, match=r"scores must not be negative to be blended .* one is -2\.0"):
        blend_neighbours(
            [[-2.0, 1]], sp.csr_array([[0.5]], dtype=np.float32), sp.csr_array([[1.0, 0]]), 1, 0.5, 2
        )
