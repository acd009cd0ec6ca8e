"""Matrices, trees, corpora and vectorizers as folders."""

import json

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from kedro.io import DatasetError

from larix.corpora import corpus_from_texts
from larix.datasets import CorpusDataset, LabelTreeDataset, SparseMatrixDataset, TextFeaturesDataset
from larix.serving.given_features import GivenFeatures
from larix.xmc.label_tree import LabelTree
from larix.xmc.text_features import TextFeatures

TREE = LabelTree((np.array([0, 2]), np.array([0, 2, 3])), np.array([2, 0, 1]), 3)


@given(seed=st.integers(0, 2**32 - 1), rows=st.integers(0, 6), columns=st.integers(0, 6))
def test_a_matrix_comes_back_as_it_was(tmp_path_factory, seed, rows, columns):
    rng = np.random.default_rng(seed)
    dense = rng.normal(size=(rows, columns)).astype(np.float32) * (rng.random((rows, columns)) < 0.4)
    dataset = SparseMatrixDataset(filepath=str(tmp_path_factory.mktemp("matrix") / "X"))
    dataset.save(sp.csr_array(dense))
    assert dataset.exists()
    loaded = dataset.load()
    assert loaded.dtype == np.float32
    np.testing.assert_array_equal(loaded.toarray(), dense)


def test_a_matrix_is_shown_by_its_size(tmp_path):
    dataset = SparseMatrixDataset(filepath=str(tmp_path / "X"))
    dataset.save(sp.csr_array(np.eye(2, 3)))
    assert dataset.preview()["data"] == [[2, 3, 2, 1.0]]


def test_a_matrix_with_a_column_out_of_range_is_refused(tmp_path):
    matrix = sp.csr_array(np.eye(3))
    matrix.indices[1] = 7
    with pytest.raises(DatasetError, match="column indices must lie in"):
        SparseMatrixDataset(filepath=str(tmp_path / "X")).save(matrix)
    assert not (tmp_path / "X").exists()


def test_a_damaged_matrix_names_its_file(tmp_path):
    dataset = SparseMatrixDataset(filepath=str(tmp_path / "X"))
    dataset.save(sp.csr_array(np.eye(3)))
    arrays = tmp_path / "X" / "arrays.safetensors"
    content = bytearray(arrays.read_bytes())
    content[-1] ^= 1
    arrays.write_bytes(content)
    with pytest.raises(DatasetError, match=r"arrays\.safetensors is damaged"):
        dataset.load()


def test_a_tree_is_shown_level_by_level(tmp_path):
    dataset = LabelTreeDataset(filepath=str(tmp_path / "tree"))
    dataset.save(TREE)
    assert dataset.exists()
    assert dataset.load().slot_label.tolist() == [2, 0, 1]
    assert dataset.preview()["data"] == [[0, "clusters", 2, 2, 2], [1, "labels in clusters", 3, 1, 2]]


def test_a_corpus_is_shown_by_its_test_documents(tmp_path):
    dataset = CorpusDataset(filepath=str(tmp_path / "corpus"))
    dataset.save(
        corpus_from_texts(["red fox"], [["animal"]], ["a fox", "sky"], [["animal"], ["blue", "air"]])
    )
    assert dataset.load().label_ids == ["air", "animal", "blue"]
    assert dataset.preview(n_documents=2)["data"] == [["a fox", "animal"], ["sky", "air; blue"]]


def test_features_are_of_either_kind(tmp_path):
    dataset = TextFeaturesDataset(filepath=str(tmp_path / "features"))
    for features in (TextFeatures().fit(["chest pain"]), GivenFeatures(3, normalize=True)):
        dataset.save(features)
        loaded = dataset.load()
        assert type(loaded) is type(features)
        assert loaded.n_features_ == features.n_features_
        assert json.loads(dataset.preview())["kind"] == type(features).__name__


def test_another_kind_is_refused(tmp_path):
    dataset = LabelTreeDataset(filepath=str(tmp_path / "tree"))
    with pytest.raises(DatasetError, match="takes a LabelTree, but got a dict"):
        dataset.save({})
    GivenFeatures(3).save(tmp_path / "tree")
    assert not dataset.exists()
    with pytest.raises(DatasetError, match="takes a LabelTree, but got a GivenFeatures"):
        dataset.load()
