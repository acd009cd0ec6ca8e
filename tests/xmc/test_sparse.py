import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from larix.xmc.sparse import binarize, check_csr, normalize_rows, row_norms, top_k_per_row


def test_a_canonical_matrix_passes_untouched():
    X = sp.csr_array(np.eye(3, dtype=np.float32))
    assert check_csr(X) is X


@pytest.mark.parametrize("make", [sp.csr_matrix, sp.csc_array, sp.coo_array, np.asarray, list])
def test_every_kind_of_matrix_becomes_the_same_csr(make):
    dense = [[0, 2, 0], [1, 0, 0]]
    X = check_csr(make(np.array(dense) if make is not list else dense))
    assert isinstance(X, sp.csr_array)
    assert X.dtype == np.float32
    np.testing.assert_array_equal(X.toarray(), dense)


def test_duplicates_are_summed_and_indices_sorted_without_touching_the_input():
    X = sp.csr_array((np.ones(3), np.array([2, 0, 2]), np.array([0, 3])), shape=(1, 3))
    canonical = check_csr(X)
    assert canonical.indices.tolist() == [0, 2]
    assert canonical.data.tolist() == [1, 2]
    assert X.indices.tolist() == [2, 0, 2]


def _broken(indptr, indices, data=(1.0, 1.0)):
    X = sp.csr_array((2, 3), dtype=np.float32)
    X.indptr, X.indices, X.data = np.array(indptr), np.array(indices), np.array(data, np.float32)
    return X


@pytest.mark.parametrize(
    ("X", "error", "message"),
    [
        (_broken([0, 1, 2], [0, 3]), ValueError, r"indices must lie in 0..2, but row 1 has 3"),
        (_broken([0, 1, 2], [-1, 0]), ValueError, r"row 0 has -1"),
        (_broken([0, 2, 1], [0, 1]), ValueError, r"indptr must rise"),
        (_broken([0, 1, 3], [0, 1]), ValueError, r"indptr ends at 3, but only 2 entries"),
        (
            _broken([0, 1, 2], [0, 1], [1, np.nan]),
            ValueError,
            r"finite in float32, but row 1, column 1 has nan",
        ),
        (np.array([[1e300]]), ValueError, r"has inf"),
        (np.array([["a"]]), TypeError, r"matrix of numbers"),
        (np.array([[1j]]), ValueError, r"Complex data not supported"),
        (sp.csr_array(np.array([[1j]])), ValueError, r"must hold real numbers"),
        (np.ones(3), ValueError, r"two dimensions"),
    ],
)
def test_malformed_matrices_are_refused_by_name_and_place(X, error, message):
    with pytest.raises(error, match=message):
        check_csr(X)


def test_a_wrong_shape_is_refused_with_both_numbers():
    with pytest.raises(ValueError, match="Y must have 5 rows, but has 2"):
        check_csr(np.ones((2, 2)), name="Y", n_rows=5)


@given(arrays(np.float32, (4, 5), elements=st.floats(-8, 8, width=16)), st.integers(1, 6))
def test_top_k_keeps_the_highest_entries_in_descending_order(dense, k):
    P = sp.csr_array(dense)
    top = top_k_per_row(P, k)
    for i in range(4):
        row = dense[i][dense[i] != 0]
        assert top.data[top.indptr[i] : top.indptr[i + 1]].tolist() == sorted(row, reverse=True)[:k]


@given(arrays(np.float32, (4, 5), elements=st.floats(-8, 8, width=16)))
def test_normalised_rows_have_unit_or_zero_norm(dense):
    norms = row_norms(normalize_rows(sp.csr_array(dense)))
    assert all(abs(norm - 1) < 1e-5 or norm == 0 for norm in norms)


def test_binarize_drops_explicit_zeros():
    X = sp.csr_array((np.array([0.0, 3.0], np.float32), np.array([0, 1]), np.array([0, 2])), shape=(1, 2))
    assert binarize(X).toarray().tolist() == [[0, 1]]
