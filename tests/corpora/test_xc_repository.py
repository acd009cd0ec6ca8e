import gzip
import logging
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from larix.corpora import CorpusFormatError, CorpusParams, read_corpus
from larix.corpora.sparse_lines import SparseLineParser
from larix.corpora.xc_repository import read_split, read_xc
from tests.corpora.strategies import dense, feature_rows, float32s

HEADER = "3 4 5\n"
DOCUMENTS = "0,4 0:0.5 3:2\n1 1:1\n2 2:-1.5\n"


def write(folder: Path, content: str | bytes, name: str = "corpus.txt") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def xc_text(rows) -> str:
    lines = [f"{len(rows.features)} {rows.n_features} {rows.n_labels}"]
    for features, labels in zip(rows.features, rows.labels, strict=True):
        pairs = " ".join(f"{index}:{value!r}" for index, value in features.items())
        lines.append(f"{','.join(map(str, sorted(labels)))} {pairs}")
    return "\n".join(lines) + "\n"


MALFORMED = {
    "empty file": ("", 1, 1, "content"),
    "blank file": ("\n\n", 1, 1, "three numbers"),
    "no header": (DOCUMENTS, 1, 1, "number of documents"),
    "two numbers in the header": ("3 4\n" + DOCUMENTS, 1, 1, "three numbers"),
    "four numbers in the header": ("3 4 5 6\n" + DOCUMENTS, 1, 1, "three numbers"),
    "a word in the header": ("3 four 5\n" + DOCUMENTS, 1, 3, "'four'"),
    "a negative number in the header": ("3 4 -5\n" + DOCUMENTS, 1, 5, "-5"),
    "no features announced": ("3 0 5\n" + DOCUMENTS, 1, 3, "0"),
    "a header beyond int32": ("3 4 3000000000\n" + DOCUMENTS, 1, 5, "3000000000"),
    "a header beyond 18 digits": ("3 4 " + "9" * 5000 + "\n" + DOCUMENTS, 1, 5, "18 digits"),
    "implausibly many labels": ("3 4 900000000\n" + DOCUMENTS, 1, 5, "900,000,000"),
    "fewer documents than announced": ("4 4 5\n" + DOCUMENTS, 5, 1, "end of the file after 3"),
    "more documents than announced": ("2 4 5\n" + DOCUMENTS, 4, 1, "further line"),
    "a label as high as L": (HEADER + "5 0:1\n1 1:1\n2 2:1\n", 2, 1, "count from 0"),
    "a second label out of range": (HEADER + "0,44 0:1\n1 1:1\n2 2:1\n", 2, 3, "44"),
    "a negative label": (HEADER + "0 0:1\n-1 1:1\n2 2:1\n", 3, 1, "-1"),
    "a label with a fraction": (HEADER + "0.0 0:1\n1 1:1\n2 2:1\n", 2, 1, "'0.0'"),
    "a label that is a word": (HEADER + "0 0:1\n1,b 1:1\n2 2:1\n", 3, 3, "'b'"),
    "an empty label": (HEADER + "0,,1 0:1\n1 1:1\n2 2:1\n", 2, 3, "nothing"),
    "a comma at the end of the labels": (HEADER + "0,1, 0:1\n1 1:1\n2 2:1\n", 2, 5, "nothing"),
    "a space after a comma": (HEADER + "0 0:1\n1, 2 1:1\n2 2:1\n", 3, 3, "nothing"),
    "a feature as high as D": (HEADER + "0 0:1 4:1\n1 1:1\n2 2:1\n", 2, 7, "count from 0"),
    "a negative feature": (HEADER + "0 0:1\n1 1:1\n2 -2:1\n", 4, 3, "-2"),
    "a feature that is a word": (HEADER + "0 0:1\n1 one:1\n2 2:1\n", 3, 3, "'one'"),
    "a feature in hexadecimal": (HEADER + "0 0:1\n1 0x1:1\n2 2:1\n", 3, 3, "'0x1'"),
    "a feature without a value": (HEADER + "0 0:\n1 1:1\n2 2:1\n", 2, 5, "nothing"),
    "a feature without a colon": (HEADER + "0 0:1 2\n1 1:1\n2 2:1\n", 2, 7, "index:value"),
    "two colons": (HEADER + "0 0:1:2\n1 1:1\n2 2:1\n", 2, 5, "'1:2'"),
    "a value that is a word": (HEADER + "0 0:1\n1 1:x\n2 2:1\n", 3, 5, "'x'"),
    "NaN": (HEADER + "0 0:1\n1 1:nan\n2 2:1\n", 3, 5, "'nan'"),
    "infinity": (HEADER + "0 0:1\n1 1:1\n2 2:-inf\n", 4, 5, "'-inf'"),
    "a value beyond float32": (HEADER + "0 0:1\n1 1:1e39\n2 2:1\n", 3, 5, "float32"),
    "a value beyond float64": (HEADER + "0 0:1\n1 1:1e999\n2 2:1\n", 3, 5, "float32"),
    "a sum beyond float32": (HEADER + "0 0:1\n1 1:3e38 1:3e38\n2 2:1\n", 3, 1, "sum"),
    "an underscore in a value": (HEADER + "0 0:1_0\n1 1:1\n2 2:1\n", 2, 5, "'1_0'"),
    "a decimal comma": (HEADER + "0 0:0,5\n1 1:1\n2 2:1\n", 2, 5, "'0,5'"),
    "digits of another script": (HEADER + "0 ١:1\n1 1:1\n2 2:1\n", 2, 3, "whole number"),
    "a label joined to features by a colon": (HEADER + "0,1:2 0:1\n1 1:1\n2 2:1\n", 2, 1, "'0,1'"),
    "a byte that is not UTF-8": (HEADER.encode() + b"0 0:1\n1 1:\xff\n2 2:1\n", 3, 5, "0xff"),
    "UTF-16": ("3 4 5\n".encode("utf-16"), 1, 1, "UTF-16"),
}


@pytest.mark.parametrize("case", MALFORMED)
def test_a_malformed_file_is_refused_with_line_column_and_value(case, tmp_path):
    content, line, column, said = MALFORMED[case]
    path = write(tmp_path, content)
    with pytest.raises(CorpusFormatError) as caught:
        read_xc(path)
    assert (caught.value.path, caught.value.line, caught.value.column) == (path, line, column)
    assert str(caught.value).startswith(f"{path}:{line}:{column}: ")
    assert said in str(caught.value)


ODD = {
    "CRLF": ("1 4 5\r\n0 1:2\r\n", [[0, 2, 0, 0]], [[1, 0, 0, 0, 0]], "lines ending in CRLF: 2"),
    "a byte order mark": ("\ufeff1 4 5\n0 1:2\n", [[0, 2, 0, 0]], [[1, 0, 0, 0, 0]], "byte order mark: 1"),
    "no line end at the end": ("1 4 5\n0 1:2", [[0, 2, 0, 0]], [[1, 0, 0, 0, 0]], ""),
    "blank lines at the end": (
        "1 4 5\n0 1:2\n\n \n",
        [[0, 2, 0, 0]],
        [[1, 0, 0, 0, 0]],
        "blank lines at the end: 2",
    ),
    "tabs and double spaces": ("1 4 5\n0\t1:2  3:1 \n", [[0, 2, 0, 1]], [[1, 0, 0, 0, 0]], ""),
    "no labels, white space first": (
        "1 4 5\n 1:2\n",
        [[0, 2, 0, 0]],
        [[0] * 5],
        "documents without labels: 1",
    ),
    "no labels, a feature first": ("1 4 5\n1:2\n", [[0, 2, 0, 0]], [[0] * 5], "documents without labels: 1"),
    "no features": ("1 4 5\n0,1\n", [[0] * 4], [[1, 1, 0, 0, 0]], "documents without features: 1"),
    "an empty document": ("1 4 5\n\n", [[0] * 4], [[0] * 5], "documents without features: 1"),
    "features repeated": (
        "1 4 5\n0 1:2 1:3\n",
        [[0, 5, 0, 0]],
        [[1, 0, 0, 0, 0]],
        "repeated entries summed: 1",
    ),
    "labels repeated": (
        "1 4 5\n0,0 1:2\n",
        [[0, 2, 0, 0]],
        [[1, 0, 0, 0, 0]],
        "labels repeated in a document: 1",
    ),
    "features out of order": ("1 4 5\n0 3:1 1:2\n", [[0, 2, 0, 1]], [[1, 0, 0, 0, 0]], ""),
    "zeros": ("1 4 5\n0 1:0 2:1\n", [[0, 0, 1, 0]], [[1, 0, 0, 0, 0]], "zeros dropped: 1"),
    "signs and exponents": ("1 4 5\n0 0:+1e-2 1:.5 2:5.\n", [[0.01, 0.5, 5, 0]], [[1, 0, 0, 0, 0]], ""),
}


@pytest.mark.parametrize("case", ODD)
def test_an_oddity_is_handled_and_counted_in_one_log_line(case, tmp_path, caplog):
    content, features, labels, counted = ODD[case]
    path = write(tmp_path, content)
    with caplog.at_level(logging.INFO):
        _, documents = read_xc(path)
    np.testing.assert_array_equal(documents.features.toarray(), np.array(features, np.float32))
    assert documents.labels.toarray().tolist() == labels
    assert counted in caplog.text
    assert len(caplog.records) == bool(counted)


def test_a_gzip_file_is_read_by_its_content(tmp_path):
    path = write(tmp_path, gzip.compress((HEADER + DOCUMENTS).encode()))
    header, documents = read_xc(path)
    assert header[:3] == (3, 4, 5)
    assert documents.labels.nnz == 4


def test_a_cut_gzip_file_is_refused(tmp_path):
    path = write(tmp_path, gzip.compress((HEADER + DOCUMENTS).encode())[:-9])
    with pytest.raises(CorpusFormatError, match="gzip file is whole"):
        read_xc(path)


def test_a_missing_file_names_its_nearest_neighbour(tmp_path):
    write(tmp_path, HEADER, "train.txt")
    with pytest.raises(FileNotFoundError, match=r"did you mean 'train\.txt'"):
        read_xc(tmp_path / "trian.txt")


@settings(max_examples=60, deadline=None)
@given(feature_rows())
def test_what_is_written_is_read_back(rows):
    with tempfile.TemporaryDirectory() as folder:
        header, documents = read_xc(write(Path(folder), xc_text(rows)))
    assert header[:3] == (len(rows.features), rows.n_features, rows.n_labels)
    assert documents.features.toarray().tolist() == dense(rows.features, rows.n_features)
    ones = [dict.fromkeys(found, 1.0) for found in rows.labels]
    assert documents.labels.toarray().tolist() == dense(ones, rows.n_labels)


LINES = st.lists(
    st.one_of(
        st.text("0123456789,:. -e\t", max_size=20),
        st.builds(lambda i, v: f"1,2 {i}:{v!r} 3:1", st.integers(0, 9), float32s),
    ),
    min_size=1,
    max_size=5,
)


@settings(max_examples=200, deadline=None)
@given(LINES)
def test_the_block_parser_agrees_with_the_line_parser_or_steps_aside(lines):
    parser = SparseLineParser(Path("corpus.txt"), n_features=8, n_labels=5)
    block = parser.parse_block(lines)
    if block is None:
        return
    parsed = [parser.parse_line(number, line) for number, line in enumerate(lines)]
    assert block.n_labels.tolist() == [len(labels) for labels, _, _ in parsed]
    assert block.labels.tolist() == [label for labels, _, _ in parsed for label in labels]
    assert block.n_features.tolist() == [len(indices) for _, indices, _ in parsed]
    assert block.indices.tolist() == [index for _, indices, _ in parsed for index in indices]
    flat = np.array([value for _, _, values in parsed for value in values], np.float32)
    np.testing.assert_array_equal(block.values, flat)


def test_plain_lines_take_the_fast_way():
    parser = SparseLineParser(Path("corpus.txt"), n_features=4, n_labels=5)
    block = parser.parse_block(["0,4 0:0.5 3:2", " 1:1", "", "2"])
    assert block is not None
    assert block.n_labels.tolist() == [2, 0, 0, 1]
    assert block.n_features.tolist() == [2, 1, 0, 0]


def test_a_large_file_is_read_in_blocks(tmp_path, monkeypatch):
    monkeypatch.setattr(
        "larix.corpora.text_file.read_blocks.__kwdefaults__", {"encoding": "utf-8", "block_bytes": 7}
    )
    _, documents = read_xc(write(tmp_path, HEADER + DOCUMENTS + "\n"))
    assert documents.features.toarray().tolist() == [[0.5, 0, 0, 2], [0, 1, 0, 0], [0, 0, -1.5, 0]]


def test_the_test_file_must_fit_the_training_file(tmp_path):
    header, _ = read_xc(write(tmp_path, HEADER + DOCUMENTS))
    other = write(tmp_path, "1 4 6\n0 0:1\n", "test.txt")
    with pytest.raises(CorpusFormatError, match=r"test.txt:1:5: .* as many labels as the training file, 5"):
        read_xc(other, like=header)


def test_split_files_pick_the_rows_of_a_fold(tmp_path):
    write(tmp_path, HEADER + DOCUMENTS)
    write(tmp_path, "1 2\n3 1\n", "train_split.txt")
    write(tmp_path, "2 3\n", "test_split.txt")
    write(tmp_path, "zero\none\ntwo\nthree\nfour\n", "names.txt")
    files = {"train": "corpus.txt", "train_split": "train_split.txt", "test_split": "test_split.txt"}
    corpus = read_corpus(
        CorpusParams(
            format="xc", folder=str(tmp_path), files=files, labels={"names": "names.txt"}, split={"fold": 1}
        )
    )
    assert corpus.train.labels.toarray().tolist() == [[0, 1, 0, 0, 0], [1, 0, 0, 0, 1]]
    assert corpus.test.features.toarray().tolist() == [[0, 0, -1.5, 0]]
    assert corpus.label_ids == ["0", "1", "2", "3", "4"]
    assert corpus.label_names == ["zero", "one", "two", "three", "four"]


@pytest.mark.parametrize(
    ("train", "test", "place", "said"),
    [
        ("1\n0\n", "2\n", "train_split.txt:2:1", "count from 1, not from 0"),
        ("1\n4\n", "2\n", "train_split.txt:2:1", "1..3"),
        ("1\nx\n", "2\n", "train_split.txt:2:1", "'x'"),
        ("1\n2\n", "2\n", "test_split.txt:1:1", "train_split.txt:2 lists already"),
        ("1\n1\n", "2\n", "train_split.txt:2:1", "once"),
        ("1\n", "\n", "test_split.txt:1:1", "has documents"),
    ],
)
def test_a_malformed_split_file_is_refused(train, test, place, said, tmp_path):
    train_path = write(tmp_path, train, "train_split.txt")
    test_path = write(tmp_path, test, "test_split.txt")
    with pytest.raises(CorpusFormatError) as caught:
        read_split(train_path, test_path, 3, 0)
    assert str(caught.value).startswith(str(tmp_path / place))
    assert said in str(caught.value)


def test_a_fold_that_the_split_file_lacks_is_refused(tmp_path):
    path = write(tmp_path, "1\n", "train_split.txt")
    with pytest.raises(CorpusFormatError, match=r":1:2: fold 1 is column 2 .* found 1 columns"):
        read_split(path, path, 3, 1)


@pytest.mark.parametrize(("names", "line"), [("a\nb\n", 3), ("a\nb\nc\nd\ne\nf\n", 6)])
def test_a_file_of_label_names_must_have_a_line_for_each_label(names, line, tmp_path):
    write(tmp_path, HEADER + DOCUMENTS)
    write(tmp_path, names, "names.txt")
    params = CorpusParams(
        format="xc", folder=str(tmp_path), files={"train": "corpus.txt"}, labels={"names": "names.txt"}
    )
    with pytest.raises(CorpusFormatError, match=rf"names.txt:{line}:1: there is one name .* 5 labels"):
        read_corpus(params)
