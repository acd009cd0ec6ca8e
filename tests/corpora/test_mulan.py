import logging

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from larix.corpora import CorpusFormatError, CorpusParams, read_corpus
from larix.corpora.documents import LabelVocabulary
from larix.corpora.mulan import read_label_header, read_mulan
from tests.corpora.strategies import dense, feature_rows

XML = """<?xml version="1.0" encoding="utf-8"?>
<labels xmlns="http://mulan.sourceforge.net/labels">
<label name="sport"></label>
<label name="big city"><label name="it&apos;s"/></label>
</labels>
"""
HEADER = """% a comment
@relation 'a corpus'

@attribute size numeric
@ATTRIBUTE word {0,1}
@attribute sport {0,1}
@attribute 'big city' {0, 1}
@attribute 'it\\'s' {0,1}
@attribute "weight" REAL
@data
"""


def write(folder, rows, header=HEADER, xml=XML):
    (folder / "corpus.arff").write_bytes((header + rows).encode())
    (folder / "corpus.xml").write_bytes(xml.encode())
    return folder / "corpus.arff", folder / "corpus.xml"


def read(folder, rows, header=HEADER, xml=XML):
    vocabulary = LabelVocabulary()
    _, documents = read_mulan(*write(folder, rows, header, xml), vocabulary)
    return documents, vocabulary.labels()


@pytest.mark.parametrize(
    "rows",
    [
        "2,1,1,0,1,0.5\n0,0,0,0,0,0\n",
        "{0 2,1 1,2 1,4 1,5 0.5}\n{}\n",
        "{0 2, 1 1 ,2 '1',4 \"1\",5 0.5}\n% a comment\n\n{ }\n",
        "'2' , 1,1,0,1,+5e-1\n0,0,0,0,0,-0\n",
        "{5 0.25,5 0.25,4 1,2 1,1 1,0 2,3 0}\r\n{}",
    ],
)
def test_dense_and_sparse_rows_hold_the_same(rows, tmp_path):
    documents, label_ids = read(tmp_path, rows)
    assert documents.features.toarray().tolist() == [[2, 1, 0.5], [0, 0, 0]]
    assert label_ids == ["sport", "big city", "it's"]
    assert documents.labels.toarray().tolist() == [[1, 0, 1], [0, 0, 0]]
    assert documents.oddities["documents without labels"] == 1


@settings(max_examples=40, deadline=None)
@given(feature_rows(), st.booleans())
def test_what_is_written_is_read_back(tmp_path_factory, rows, sparse):
    header = "@relation r\n" + "".join(f"@attribute f{i} numeric\n" for i in range(rows.n_features))
    header += "".join(f"@attribute 'l {i}' {{0,1}}\n" for i in range(rows.n_labels)) + "@data\n"
    lines = []
    for features, labels in zip(rows.features, rows.labels, strict=True):
        values = features | {rows.n_features + label: 1 for label in labels}
        if sparse:
            lines.append("{" + ",".join(f"{at} {value!r}" for at, value in values.items()) + "}")
        else:
            lines.append(",".join(repr(values.get(at, 0)) for at in range(rows.n_features + rows.n_labels)))
    xml = "<labels>" + "".join(f'<label name="l {i}"/>' for i in range(rows.n_labels)) + "</labels>"
    documents, _ = read(tmp_path_factory.mktemp("arff"), "\n".join(lines), header, xml)
    assert documents.features.toarray().tolist() == dense(rows.features, rows.n_features)
    ones = [dict.fromkeys(found, 1.0) for found in rows.labels]
    assert documents.labels.toarray().tolist() == dense(ones, rows.n_labels)


ROWS = {
    "no rows": ("", 1, 1, "has documents"),
    "too few values": ("1,0,0\n", 11, 5, "6 attributes, but found 3"),
    "too many values": ("1,0,0,0,0,0,7\n", 11, 13, "found 7 values"),
    "a missing value": ("?,0,0,0,0,0\n", 11, 1, "'?'"),
    "a missing sparse value": ("{0 ?}\n", 11, 4, "'?'"),
    "a word": ("1,0,0,0,0,heavy\n", 11, 11, "'heavy'"),
    "a quoted word": ("1,0,0,0,0,'hea,vy'\n", 11, 11, "'hea,vy'"),
    "an open quote": ("1,0,0,0,0,'1\n", 11, 11, "finite number"),
    "nothing": ("1,0,,0,0,1\n", 11, 5, "nothing"),
    "NaN": ("1,0,0,0,0,nan\n", 11, 11, "'nan'"),
    "beyond float32": ("1e39,0,0,0,0,1\n", 11, 1, "float32"),
    "a value that is not declared": ("1,2,0,0,0,1\n", 11, 3, "'word' is one of those declared in line 5"),
    "an undeclared sparse value": ("{0 1}\n{1 7}\n", 12, 4, "declared in line 5"),
    "an attribute out of range": ("{6 1}\n", 11, 2, "0..5"),
    "a negative attribute": ("{-1 1}\n", 11, 2, "-1"),
    "an attribute that is a word": ("{size 1}\n", 11, 2, "'size'"),
    "an attribute without a value": ("{0 1, 1}\n", 11, 8, "nothing"),
    "an empty pair": ("{0 1,,1 1}\n", 11, 6, "nothing"),
    "an open brace": ("{0 1\n", 11, 5, "brace"),
    "a weight behind the row": ("{0 1},{5}\n", 11, 4, "finite number"),
    "a sum beyond float32": ("{}\n{0 3e38,0 3e38}\n", 12, 1, "sum"),
}


@pytest.mark.parametrize("case", ROWS)
def test_a_malformed_row_is_refused_with_its_place(case, tmp_path):
    rows, line, column, said = ROWS[case]
    with pytest.raises(CorpusFormatError) as caught:
        read(tmp_path, rows)
    assert (caught.value.path.name, caught.value.line, caught.value.column) == ("corpus.arff", line, column)
    assert said in str(caught.value)


HEADERS = {
    "an empty file": ("", 1, 1, "content"),
    "no data": ("@relation r\n@attribute a numeric\n", 3, 1, "@data"),
    "no attributes": ("@relation r\n@data\n", 2, 1, "before @data"),
    "a row before the data": ("@relation r\n1,2\n", 2, 1, "'1,2'"),
    "an unknown keyword": ("@relation r\n @atribute a numeric\n", 2, 2, "@atribute"),
    "no name": ("@attribute\n@data\n", 1, 11, "followed by a name"),
    "no type": ("@attribute a\n@data\n", 1, 13, "numeric"),
    "text": ("@attribute a string\n@data\n", 1, 14, "'string'"),
    "named values": ("@attribute a {red,green}\n@data\n", 1, 15, "'red'"),
    "a second name": ("@attribute a numeric\n@attribute 'a' numeric\n@data\n", 2, 12, "line 1 has already"),
}


@pytest.mark.parametrize("case", HEADERS)
def test_a_malformed_declaration_is_refused_with_its_place(case, tmp_path):
    header, line, column, said = HEADERS[case]
    with pytest.raises(CorpusFormatError) as caught:
        read(tmp_path, "", header)
    assert (caught.value.line, caught.value.column) == (line, column)
    assert said in str(caught.value)


LABELS = {
    "no XML": ("labels: sport", 1, 1, "XML"),
    "a cut file": (XML[:-3], 5, 1, "XML"),
    "no labels": ("<labels/>", 1, 1, "<label name=...>"),
    "a label without a name": ("<labels><label/></labels>", 1, 1, "label 1"),
    "a label twice": (
        '<labels>\n<label name="sport"/>\n<label name="sport"/></labels>',
        3,
        8,
        "'sport' in label 2",
    ),
    "a label that is no attribute": (
        '<labels>\n <label name="sprot"/></labels>',
        2,
        9,
        "did you mean 'sport'",
    ),
    "an unknown encoding": ('<?xml version="1.0" encoding="klingon"?><labels/>', 1, 1, "XML"),
}


@pytest.mark.parametrize("case", LABELS)
def test_a_malformed_label_header_is_refused_with_its_place(case, tmp_path):
    xml, line, column, said = LABELS[case]
    with pytest.raises(CorpusFormatError) as caught:
        read(tmp_path, "{}\n", xml=xml)
    assert (caught.value.path.name, caught.value.line, caught.value.column) == ("corpus.xml", line, column)
    assert said in str(caught.value)


def test_a_label_must_be_zero_or_one(tmp_path):
    header = "@attribute f numeric\n@attribute l numeric\n@data\n"
    xml = '<labels><label name="l"/></labels>'
    with pytest.raises(
        CorpusFormatError, match=r"corpus\.arff:5:1: a label is 0 or 1, and 'l' is a label, but found 2"
    ):
        read(tmp_path, "0,1\n0,2\n", header, xml)


def test_sparse_rows_cannot_leave_out_a_value_other_than_zero(tmp_path):
    header = "@attribute f {1,0}\n@attribute l {0,1}\n@data\n"
    xml = '<labels><label name="l"/></labels>'
    documents, _ = read(tmp_path, "1,1\n0,0\n", header, xml)
    assert documents.features.toarray().tolist() == [[1], [0]]
    with pytest.raises(CorpusFormatError, match=r":4:1: a sparse row leaves out .* 'f' in line 1"):
        read(tmp_path, "{1 1}\n", header, xml)


def test_some_attribute_must_be_a_feature(tmp_path):
    with pytest.raises(CorpusFormatError, match="some attributes are features"):
        read(tmp_path, "1\n", "@attribute l {0,1}\n@data\n", '<labels><label name="l"/></labels>')


def test_an_xml_bomb_is_refused(tmp_path):
    entities = "".join(f'<!ENTITY e{i + 1} "{f"&e{i};" * 20}">' for i in range(12))
    path = tmp_path / "labels.xml"
    path.write_text(f'<!DOCTYPE labels [<!ENTITY e0 "boom">{entities}]><labels>&e12;</labels>')
    with pytest.raises(CorpusFormatError, match="XML"):
        read_label_header(path)


def test_both_files_must_have_the_same_attributes(tmp_path):
    attributes, _ = read_mulan(*write(tmp_path, "{}\n"), LabelVocabulary())
    paths = write(tmp_path, "{}\n", HEADER.replace("size", "length"))
    with pytest.raises(CorpusFormatError, match=r":4:1: .* here 'size', but found 'length'"):
        read_mulan(*paths, LabelVocabulary(), like=attributes)
    paths = write(tmp_path, "{}\n", HEADER.replace('@attribute "weight" REAL\n', ""))
    with pytest.raises(CorpusFormatError, match=r":9:1: .* here 'weight'"):
        read_mulan(*paths, LabelVocabulary(), like=attributes)
    paths = write(tmp_path, "{}\n", HEADER.replace("@data", "@attribute more real\n@data"))
    with pytest.raises(CorpusFormatError, match=r":10:1: .* here the end, but found 'more'"):
        read_mulan(*paths, LabelVocabulary(), like=attributes)


def test_a_corpus_has_the_label_names_as_identifiers(tmp_path, caplog):
    write(tmp_path, "{0 1,2 1}\n{1 1,3 1}\n\n")
    files = {"train": "corpus.arff", "test": "corpus.arff", "label_header": "corpus.xml"}
    with caplog.at_level(logging.INFO):
        corpus = read_corpus(CorpusParams(format="arff", folder=str(tmp_path), files=files))
    assert corpus.label_ids == corpus.label_names == ["big city", "it's", "sport"]
    assert corpus.n_features == 3
    np.testing.assert_array_equal(corpus.train.labels.toarray(), [[0, 0, 1], [1, 0, 0]])
    assert corpus.train == corpus.test
    assert caplog.text.count("blank lines: 1") == 2
