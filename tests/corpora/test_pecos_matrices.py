import tempfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings

from larix.corpora import CorpusFormatError, CorpusParams, read_corpus
from larix.corpora.npz_matrix import read_npz_matrix
from larix.corpora.oddities import Oddities
from larix.corpora.pecos_matrices import read_pecos_matrices
from tests.corpora.strategies import dense, feature_rows


def arrays(**changes):
    return {
        "format": np.array(b"csr"),
        "shape": np.array([2, 3]),
        "indptr": np.array([0, 2, 3], np.int32),
        "indices": np.array([0, 2, 1], np.int32),
        "data": np.array([1.0, 2.0, 3.0]),
    } | changes


def saved(folder: Path, **changes) -> Path:
    path = folder / "X.npz"
    np.savez(path, **{name: array for name, array in arrays(**changes).items() if array is not None})
    return path


@settings(max_examples=40, deadline=None)
@given(feature_rows())
def test_what_scipy_saves_is_read_back(rows):
    X = sp.csr_array(np.array(dense(rows.features, rows.n_features), np.float32))
    Y = sp.csc_array(np.array(dense([dict.fromkeys(row, 1.0) for row in rows.labels], rows.n_labels)))
    with tempfile.TemporaryDirectory() as folder:
        sp.save_npz(Path(folder) / "X.npz", X)
        sp.save_npz(Path(folder) / "Y.npz", Y, compressed=False)
        documents = read_pecos_matrices(Path(folder) / "X.npz", Path(folder) / "Y.npz")
    np.testing.assert_array_equal(documents.features.toarray(), X.toarray())
    np.testing.assert_array_equal(documents.labels.toarray(), Y.toarray())


def test_unsorted_and_repeated_entries_are_brought_to_order(tmp_path):
    path = saved(tmp_path, indices=np.array([2, 2, 1]), data=np.array([1, 2, 0], np.int8))
    oddities = Oddities()
    matrix = read_npz_matrix(path, oddities)
    assert matrix.toarray().tolist() == [[0, 0, 3], [0, 0, 0]]
    assert str(oddities) == "repeated entries summed: 1, zeros dropped: 1"


MALFORMED = {
    "no indices": ({"indices": None}, "indices", 0, "no array 'indices'"),
    "no format": ({"format": None}, "format", 0, "no array 'format'"),
    "another format": ({"format": np.array(b"coo")}, "format", 0, "tocsr"),
    "a shape of one number": ({"shape": np.array([2])}, "shape", 0, "two whole numbers"),
    "a shape with a fraction": ({"shape": np.array([2.0, 3.0])}, "shape", 0, "two whole numbers"),
    "a negative shape": ({"shape": np.array([2, -3])}, "shape", 1, "-3"),
    "a shape beyond int32": ({"shape": np.array([2, 2**40])}, "shape", 1, "1099511627776"),
    "too few pointers": ({"indptr": np.array([0, 3])}, "indptr", 2, "has 3 entries"),
    "pointers that fall": ({"indptr": np.array([0, 4, 3])}, "indptr", 2, "3 after 4"),
    "pointers that begin late": ({"indptr": np.array([1, 2, 3])}, "indptr", 0, "from 0"),
    "pointers that end early": ({"indptr": np.array([0, 1, 2])}, "indptr", 2, "3 stored"),
    "pointers that end late": ({"indptr": np.array([0, 1, 9])}, "indptr", 2, "3 stored"),
    "pointers with fractions": ({"indptr": np.array([0.0, 2.0, 3.0])}, "indptr", 0, "int32 or int64"),
    "a negative index": ({"indices": np.array([0, -1, 1])}, "indices", 1, "-1"),
    "an index out of range": ({"indices": np.array([0, 1, 3])}, "indices", 2, "0..2"),
    "indices in two dimensions": ({"indices": np.array([[0, 2, 1]])}, "indices", 0, "shape (1, 3)"),
    "too little data": ({"data": np.array([1.0])}, "data", 0, "3 real numbers"),
    "complex data": ({"data": np.array([1j, 1, 1])}, "data", 0, "complex"),
    "NaN": ({"data": np.array([1.0, np.nan, 1.0])}, "data", 1, "nan"),
    "beyond float32": ({"data": np.array([1.0, 1.0, 1e39])}, "data", 2, "1e+39"),
    "pickled objects": ({"data": np.array([1.0, None, "x"])}, "data", 0, "pickle"),
}


@pytest.mark.parametrize("case", MALFORMED)
def test_a_malformed_matrix_is_refused_with_array_and_position(case, tmp_path):
    changes, array, position, said = MALFORMED[case]
    path = saved(tmp_path, **changes)
    with pytest.raises(CorpusFormatError) as caught:
        read_npz_matrix(path, Oddities())
    assert (caught.value.line, caught.value.column) == (array, position)
    assert str(caught.value).startswith(f"{path}:{array}:{position}: ")
    assert said in str(caught.value)


def test_a_file_that_is_no_archive_is_refused(tmp_path):
    path = tmp_path / "X.npz"
    for content in (b"", b"PK", np.arange(9).tobytes()):
        path.write_bytes(content)
        with pytest.raises(CorpusFormatError, match=r"X\.npz:archive:0: .*save_npz, but found no zip"):
            read_npz_matrix(path, Oddities())


def test_an_archive_of_other_things_is_refused(tmp_path):
    path = tmp_path / "X.npz"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("format.npy", b"no array")
    with pytest.raises(CorpusFormatError, match="save_npz"):
        read_npz_matrix(path, Oddities())


def save_pair(folder: Path, X, Y, part="trn"):
    sp.save_npz(folder / f"X.{part}.npz", sp.csr_array(np.array(X, float)))
    sp.save_npz(folder / f"Y.{part}.npz", sp.csr_array(np.array(Y, float)))
    return folder / f"X.{part}.npz", folder / f"Y.{part}.npz"


def test_a_corpus_of_matrices_has_numbered_labels_and_relevance(tmp_path):
    save_pair(tmp_path, [[1, 0], [0, 2]], [[1, 0, 0], [0, 0.5, 0]])
    save_pair(tmp_path, [[3, 0]], [[0, 0, 1]], "tst")
    files = {
        "train": "X.trn.npz",
        "train_labels": "Y.trn.npz",
        "test": "X.tst.npz",
        "test_labels": "Y.tst.npz",
    }
    corpus = read_corpus(CorpusParams(format="pecos-npz", folder=str(tmp_path), files=files))
    assert corpus.label_ids == ["0", "1", "2"]
    assert corpus.train.labels.toarray().tolist() == [[1, 0, 0], [0, 0.5, 0]]
    assert corpus.test.features.toarray().tolist() == [[3, 0]]
    assert corpus.summary()["n_test_labels_unseen_in_training"] == 1


def test_matrices_that_do_not_belong_together_are_refused(tmp_path):
    X, Y = save_pair(tmp_path, [[1, 0], [0, 2]], [[1, 0, 0]])
    with pytest.raises(
        CorpusFormatError, match=r"Y\.trn\.npz:shape:0: .* 2 rows, as X\.trn\.npz has, but found 1"
    ):
        read_pecos_matrices(X, Y)
    train = read_pecos_matrices(*save_pair(tmp_path, [[1, 0]], [[1, 0]]))
    with pytest.raises(CorpusFormatError, match=r"X\.tst\.npz:shape:1: .* 2 columns"):
        read_pecos_matrices(*save_pair(tmp_path, [[1, 0, 0]], [[1, 0]], "tst"), like=train)
    with pytest.raises(CorpusFormatError, match=r"Y\.tst\.npz:shape:1: .* 2 columns"):
        read_pecos_matrices(*save_pair(tmp_path, [[1, 0]], [[1, 0, 1]], "tst"), like=train)


def test_negative_relevance_is_refused(tmp_path):
    with pytest.raises(
        CorpusFormatError, match=r"Y\.trn\.npz:data:1: a label has positive relevance, but found -2"
    ):
        read_pecos_matrices(*save_pair(tmp_path, [[1, 0]], [[1, -2]]))
