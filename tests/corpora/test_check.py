import json

import numpy as np
import pytest
import scipy.sparse as sp

from larix.corpora import ColumnParams, CorpusFormatError, check_file, read_labelled_file


def write(folder, name, content):
    (folder / name).write_text(content)
    return folder / name


ARFF = "@attribute f numeric\n@attribute l {0,1}\n@data\n1,1\n0,0\n"
LABEL_HEADER = '<labels><label name="l"/></labels>'


def example(folder, file_format):
    if file_format == "pecos-npz":
        sp.save_npz(folder / "X.trn.npz", sp.csr_array(np.eye(2)))
        sp.save_npz(folder / "Y.trn.npz", sp.csr_array(np.eye(2, 3)))
        return folder / "X.trn.npz"
    write(folder, "corpus.xml", LABEL_HEADER)
    content = {
        "jsonl": '{"text": "a b", "labels": ["x"]}\n{"text": "a b", "labels": []}\n',
        "csv": "text,labels\na b,x\na b,\n",
        "tsv": "text\tlabels\na b\tx\na b\t\n",
        "xc": "2 3 4\n0 0:1\n1 0:1\n",
        "pecos": "7\ta b\n\ta b\n",
        "arff": ARFF,
    }[file_format]
    return write(folder, f"corpus-train.{file_format}", content)


@pytest.mark.parametrize(
    ("file_format", "n_labels", "n_features", "n_repeated"),
    [
        ("jsonl", 1, None, 1),
        ("csv", 1, None, 1),
        ("tsv", 1, None, 1),
        ("xc", 4, 3, 1),
        ("pecos", 1, None, 1),
        ("arff", 1, 1, 0),
        ("pecos-npz", 3, 2, 0),
    ],
)
def test_a_valid_file_is_counted(file_format, n_labels, n_features, n_repeated, tmp_path):
    report = check_file(example(tmp_path, file_format), file_format)
    assert (report.n_documents, report.n_labels, report.n_features) == (2, n_labels, n_features)
    assert report.n_repeated == n_repeated
    assert json.loads(json.dumps(report.to_dict()))["format"] == file_format


def test_the_report_reads_well(tmp_path):
    path = example(tmp_path, "xc")
    assert check_file(path, "xc").lines() == [
        f"{path}: valid xc",
        "  documents  2",
        "  labels     4, 2 used, 1.00 a document",
        "  features   3, 1.0 a document",
        "  repeated   1 of the documents are like an earlier one",
    ]
    assert check_file(example(tmp_path, "csv"), "csv").lines()[2:] == [
        "  labels     1, all used, 0.50 a document",
        "  texts      2.0 words a document",
        "  repeated   1 of the documents are like an earlier one",
        "  handled    documents without labels: 1",
    ]


def test_a_tabular_list_is_counted(tmp_path):
    entry = "<diag><name>A00</name><desc>Cholera</desc></diag>"
    path = write(tmp_path, "list.xml", f"<a><section>{entry}</section></a>")
    report = check_file(path, "icd10cm")
    assert (report.n_documents, report.n_labels, report.labels_per_document) == (1, 1, 1.0)


def test_columns_and_label_files_can_be_named(tmp_path):
    path = write(tmp_path, "table.csv", "title,tags\na,x;y\n")
    columns = ColumnParams(text="title", labels="tags", label_delimiter=";")
    assert check_file(path, "csv", columns=columns).n_labels == 2
    header = write(tmp_path, "other.xml", LABEL_HEADER)
    assert check_file(write(tmp_path, "data.arff", ARFF), "arff", label_file=header).n_documents == 2
    names = write(tmp_path, "names.txt", "zero\none\n")
    pecos = write(tmp_path, "pecos.txt", "1\ta\n2\tb\n")
    with pytest.raises(CorpusFormatError, match=r"pecos\.txt:2:1: a label lies in 0\.\.1"):
        check_file(pecos, "pecos", label_file=names)


def test_a_missing_label_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"beside it as data\.xml"):
        check_file(write(tmp_path, "data-test.arff", ARFF), "arff")
    sp.save_npz(tmp_path / "X.npz", sp.csr_array(np.eye(2)))
    with pytest.raises(FileNotFoundError, match=r"beside it as Y\.npz"):
        check_file(tmp_path / "X.npz", "pecos-npz")


def test_an_unknown_format_and_a_missing_file_are_told(tmp_path):
    with pytest.raises(ValueError, match="did you mean 'parquet'"):
        check_file(tmp_path / "a.parquet", "parkett")
    with pytest.raises(ValueError, match="format 'csv' needs a file"):
        check_file(None, "csv")


def test_labels_follow_the_order_of_a_model_and_unknown_ones_come_last(tmp_path):
    rows = '{"text": "a", "labels": ["new", "x", "z"]}\n{"text": "b", "labels": ["newer", "y"]}\n'
    file = read_labelled_file(write(tmp_path, "table.jsonl", rows), "jsonl")
    labels, unknown = file.labels_as(["z", "y", "x"])
    assert unknown == ["new", "newer"]
    assert labels.toarray().tolist() == [[1, 0, 1, 1, 0], [0, 1, 0, 0, 1]]
    assert labels.has_sorted_indices
    assert file.texts == ["a", "b"]
    assert file.features is None
