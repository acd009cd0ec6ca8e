"""Matrices of either kind as folders."""

import numpy as np
import pytest
import scipy.sparse as sp
from kedro.io import DatasetError

from larix.datasets import MatrixDataset


@pytest.mark.parametrize("matrix", [sp.csr_array(np.eye(2, 3)), np.eye(2, 3)])
def test_a_matrix_stays_of_its_kind(tmp_path, matrix):
    dataset = MatrixDataset(filepath=str(tmp_path / "Z"))
    assert not dataset.exists()
    dataset.save(matrix)
    assert dataset.exists()
    loaded = dataset.load()
    assert type(loaded) is type(matrix)
    assert loaded.dtype == np.float32
    np.testing.assert_array_equal(
        loaded if isinstance(loaded, np.ndarray) else loaded.toarray(), np.eye(2, 3)
    )


def test_one_kind_takes_the_place_of_the_other(tmp_path):
    dataset = MatrixDataset(filepath=str(tmp_path / "Z"))
    for matrix in (np.ones((2, 1)), sp.csr_array(np.ones((3, 1))), np.zeros((4, 0))):
        dataset.save(matrix)
        assert dataset.load().shape == matrix.shape


def test_it_is_shown_by_its_size(tmp_path):
    dataset = MatrixDataset(filepath=str(tmp_path / "Z"))
    dataset.save(np.eye(2, 3))
    assert dataset.preview()["data"] == [[2, 3]]
    dataset.save(sp.csr_array(np.eye(2, 3)))
    assert dataset.preview()["data"] == [[2, 3, 2, 1.0]]


def test_a_dense_matrix_is_checked(tmp_path):
    with pytest.raises(DatasetError, match="Z must be finite in float32, but row 1"):
        MatrixDataset(filepath=str(tmp_path / "Z")).save(np.array([[1.0], [np.nan]]))
