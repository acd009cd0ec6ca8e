import csv
import gzip
import io
import json
import logging

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from larix.corpora import ColumnParams, CorpusFormatError
from larix.corpora.documents import LabelVocabulary
from larix.corpora.tables import read_table
from tests.corpora.strategies import PlainText, labels, relevances, texts

RELEVANT = ColumnParams(relevance="relevance")


def read(path, table_format, columns=None, **options):
    vocabulary = LabelVocabulary()
    documents = read_table(path, table_format, columns or ColumnParams(), vocabulary, **options)
    return documents, vocabulary.labels()


def plain(documents, label_ids) -> list[PlainText]:
    """The documents as a test sees them."""
    found = []
    for row, text in enumerate(documents.texts):
        begin, end = documents.labels.indptr[row : row + 2]
        columns, values = documents.labels.indices[begin:end], documents.labels.data[begin:end]
        found.append(PlainText(text, {label_ids[c]: float(v) for c, v in zip(columns, values, strict=True)}))
    return found


def stripped(documents: list[PlainText]) -> list[PlainText]:
    return [PlainText(document.text.strip(), document.labels) for document in documents]


def write(folder, content, name="table"):
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


any_labels = st.dictionaries(st.one_of(labels, texts.map(str.strip).filter(bool)), relevances, max_size=4)
any_documents = st.lists(st.builds(PlainText, texts, any_labels), min_size=1, max_size=8)
short_labels = st.dictionaries(labels, relevances, max_size=4)
csv_texts = texts.map(lambda text: text.replace("\r", ""))
csv_documents = st.lists(st.builds(PlainText, csv_texts, short_labels), min_size=1, max_size=8)


@settings(max_examples=60, deadline=None)
@given(any_documents, st.booleans(), st.booleans())
def test_jsonl_is_read_back(tmp_path_factory, documents, ascii_only, packed):
    records = [
        {"text": d.text, "labels": list(d.labels), "relevance": list(d.labels.values()), "other": [{}]}
        for d in documents
    ]
    content = "\n".join(json.dumps(record, ensure_ascii=ascii_only) for record in records).encode()
    path = write(tmp_path_factory.mktemp("jsonl"), gzip.compress(content) if packed else content)
    assert plain(*read(path, "jsonl", RELEVANT)) == stripped(documents)


@settings(max_examples=60, deadline=None)
@given(any_documents)
def test_parquet_is_read_back(tmp_path_factory, documents):
    path = tmp_path_factory.mktemp("parquet") / "table"
    columns = {
        "text": pa.array([d.text for d in documents], pa.string()),
        "labels": pa.array([list(d.labels) for d in documents], pa.list_(pa.string())),
        "relevance": pa.array([list(d.labels.values()) for d in documents], pa.list_(pa.float32())),
    }
    pq.write_table(pa.table(columns), path)
    assert plain(*read(path, "parquet", RELEVANT)) == stripped(documents)


@settings(max_examples=60, deadline=None)
@given(csv_documents, st.sampled_from(["csv", "tsv"]), st.sampled_from([",", ";", " | "]))
def test_csv_and_tsv_are_read_back(tmp_path_factory, documents, table_format, delimiter):
    content = io.StringIO()
    writer = csv.writer(content, delimiter={"csv": ",", "tsv": "\t"}[table_format], lineterminator="\r\n")
    writer.writerow(["relevance", "text", "labels"])
    for d in documents:
        writer.writerow([delimiter.join(map(repr, d.labels.values())), d.text, delimiter.join(d.labels)])
    path = write(tmp_path_factory.mktemp("csv"), content.getvalue())
    columns = ColumnParams(relevance="relevance", label_delimiter=delimiter)
    assert plain(*read(path, table_format, columns)) == stripped(documents)


def test_text_columns_are_joined_and_may_be_missing_or_null(tmp_path):
    rows = [
        {"title": "A", "abstract": " b ", "labels": ["x"]},
        {"title": "A", "abstract": None, "labels": "x, y"},
        {"abstract": "b", "labels": '["x, y", 7]'},
        {"title": 1984, "labels": None},
    ]
    path = write(tmp_path, "\n".join(map(json.dumps, rows)))
    documents, label_ids = read(path, "jsonl", ColumnParams(text=("title", "abstract")))
    assert documents.texts == ["A\nb", "A", "b", "1984"]
    assert [sorted(d.labels) for d in plain(documents, label_ids)] == [["x"], ["x", "y"], ["7", "x, y"], []]
    assert documents.ids == ["0", "1", "2", "3"]


def test_rows_are_chosen_by_the_value_of_a_column(tmp_path):
    rows = "id,year,text,labels\na,2019,old,x\nb,2020,new,y\n"
    path = write(tmp_path, rows)
    documents, label_ids = read(path, "csv", ColumnParams(id="id", where={"year": 2020}))
    assert (documents.ids, documents.texts, label_ids) == (["b"], ["new"], ["y"])
    assert documents.oddities["records left out by columns.where"] == 1


def test_a_text_column_that_rows_are_chosen_by_must_be_in_every_record(tmp_path):
    path = write(tmp_path, '{"text": "a", "lang": "en", "labels": []}\n{"text": "b", "labels": []}\n')
    with pytest.raises(CorpusFormatError, match=r"table:2:1: a record has the column 'lang'"):
        read(path, "jsonl", ColumnParams(text=("text", "lang"), where={"lang": "en"}))


def test_oddities_are_counted_in_one_line(tmp_path, caplog):
    content = '\ufefftext,labels\r\n"",a,\r\nx,"a,,a"\r\n\r\ny,\r\n'.replace('"",a,', '"",a')
    path = write(tmp_path, content)
    with caplog.at_level(logging.INFO):
        documents, _ = read(path, "csv")
    assert len(documents) == 3
    [record] = caplog.records
    for counted in (
        "lines ending in CRLF: 5",
        "byte order mark: 1",
        "empty documents: 1",
        "empty labels: 1",
        "labels repeated in a document: 1",
        "blank lines: 1",
        "documents without labels: 1",
    ):
        assert counted in record.message


def test_a_repeated_label_keeps_its_highest_relevance_and_zero_is_no_label(tmp_path):
    path = write(tmp_path, '{"text": "t", "labels": ["a", "b", "a"], "relevance": [1, 0, "2.5"]}')
    documents, label_ids = read(path, "jsonl", RELEVANT)
    assert plain(documents, label_ids) == [PlainText("t", {"a": 2.5})]


def test_a_relevance_too_small_for_float32_is_zero(tmp_path):
    path = write(tmp_path, '{"text": "t", "labels": ["a"], "relevance": [1e-60]}')
    documents, _ = read(path, "jsonl", RELEVANT)
    assert documents.labels.nnz == 0
    assert np.isfinite(documents.labels.data).all()


DEEP = "[" * 100_000
JSONL = {
    "an empty file": ("", 1, 1, "content"),
    "blank lines only": ("\n\n", 1, 1, "has documents"),
    "no JSON": ('{"text": "a", "labels": []}\nnot json\n', 2, 1, "one JSON object"),
    "a cut line": ('{"text": "a", "labels": []}\n{"text": "a", "lab', 2, 15, "one JSON object"),
    "two objects in a line": ('{"text": "a", "labels": []} {}', 1, 29, "extra data at '{}'"),
    "a list": ('[{"text": "a", "labels": []}]', 1, 1, "jq -c"),
    "deep nesting": (DEEP, 1, 1, "plain JSON object"),
    "a number of 5000 digits": ('{"text": "a", "labels": [' + "1" * 5000 + "]}", 1, 1, "plain JSON object"),
    "no label column": ('{"text": "a", "label": []}', 1, 1, "did you mean 'label'"),
    "no label column in one record": ('{"text": "a", "labels": []}\n{"text": "b"}', 2, 1, "column 'labels'"),
    "no text column": ('{"txt": "a", "labels": []}', 1, 1, "column 'text'"),
    "text that is a list": ('{"text": ["a"], "labels": []}', 1, 2, "text is a string"),
    "text that is NaN": ('{"text": NaN, "labels": []}', 1, 2, "found nan"),
    "half a surrogate pair": ('{"text": "a\\ud800", "labels": []}', 1, 2, "surrogate"),
    "a label that is an object": ('{"text": "a", "labels": [{}]}', 1, 15, "a label is a string"),
    "a label that is a fraction": ('{"text": "a", "labels": [1.5]}', 1, 15, "a label is a string"),
    "a label that is null": ('{"text": "a", "labels": [null]}', 1, 15, "a label is a string"),
    "a label that is true": ('{"text": "a", "labels": [true]}', 1, 15, "a label is a string"),
    "labels that are an object": ('{"text": "a", "labels": {}}', 1, 15, "list or a string"),
    "labels as Python prints them": ('{"text": "a", "labels": "[\'x\']"}', 1, 15, "double quotes"),
    "half a surrogate pair in a label": ('{"text": "a", "labels": ["\\udfff"]}', 1, 15, "surrogate"),
}


@pytest.mark.parametrize("case", JSONL)
def test_malformed_jsonl_is_refused_with_its_place(case, tmp_path):
    content, line, column, said = JSONL[case]
    path = write(tmp_path, content, "table.jsonl")
    with pytest.raises(CorpusFormatError) as caught:
        read(path, "jsonl")
    assert (caught.value.line, caught.value.column) == (line, column)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("relevance", "said"),
    [
        ("[1]", "one relevance for each label, 2 in all, but found 1"),
        ("[1, -1]", "from 0 within float32, but found -1"),
        ("[1, NaN]", "found nan"),
        ("[1, Infinity]", "found inf"),
        ("[1, 1e39]", "found 1e+39"),
        ("[1, true]", "found True"),
        ("[1, null]", "found None"),
        (f"[1, {10**400}]", "from 0 within float32"),
        ('"1,x"', "finite number"),
        ('"1,nan"', "finite number"),
    ],
)
def test_malformed_relevance_is_refused(relevance, said, tmp_path):
    path = write(tmp_path, f'{{"text": "a", "labels": ["a", "b"], "relevance": {relevance}}}')
    with pytest.raises(CorpusFormatError) as caught:
        read(path, "jsonl", RELEVANT)
    assert (caught.value.line, caught.value.column) == (1, 37)
    assert said in str(caught.value)


def test_a_text_column_that_no_record_has_is_refused(tmp_path):
    path = write(tmp_path, '{"text": "a", "labels": []}\n')
    with pytest.raises(CorpusFormatError, match="some record has the text column 'titel'"):
        read(path, "jsonl", ColumnParams(text=("text", "titel")))


PARQUET = {
    "no label column": (pa.table({"text": ["a"]}), ("schema", "labels"), "there are text"),
    "no rows": (
        pa.table({"text": pa.array([], pa.string()), "labels": pa.array([], pa.string())}),
        (1, 1),
        "documents",
    ),
    "text that is bytes": (
        pa.table({"text": ["a", b"\xff"], "labels": ["x", "y"]}),
        (1, "text"),
        "text is a string",
    ),
    "labels that are fractions": (
        pa.table({"text": ["a"], "labels": [1.5]}),
        (1, "labels"),
        "a label is a string",
    ),
    "a null within labels": (
        pa.table({"text": ["a", "b"], "labels": [["x"], [None]]}),
        (2, "labels"),
        "found None",
    ),
}


@pytest.mark.parametrize("case", PARQUET)
def test_malformed_parquet_is_refused_with_row_and_column(case, tmp_path):
    table, place, said = PARQUET[case]
    pq.write_table(table, tmp_path / "table.parquet")
    with pytest.raises(CorpusFormatError) as caught:
        read(tmp_path / "table.parquet", "parquet")
    assert (caught.value.line, caught.value.column) == place
    assert said in str(caught.value)


@pytest.mark.parametrize("keep", [0, 3, 50, -1, -20])
def test_a_cut_parquet_file_is_refused(keep, tmp_path):
    path = tmp_path / "table.parquet"
    pq.write_table(pa.table({"text": ["a"] * 99, "labels": ["x"] * 99}), path)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(CorpusFormatError, match="Parquet file is whole"):
        read(path, "parquet")


def test_integer_labels_and_dictionary_columns_of_parquet_are_text(tmp_path):
    table = pa.table({"text": pa.array(["a", "b"]).dictionary_encode(), "labels": [[1, 2], None]})
    pq.write_table(table, tmp_path / "table.parquet")
    documents, label_ids = read(tmp_path / "table.parquet", "parquet")
    assert documents.texts == ["a", "b"]
    assert label_ids == ["1", "2"]


def test_rejected_labels_are_read_and_given_ones_win(tmp_path, caplog):
    caplog.set_level(logging.WARNING)
    lines = ["text,labels,wrong", 'a fox,"animal","sky,animal"', "blue,sky,", 'red,colour,"fur"']
    path = write(tmp_path, "\n".join(lines))
    documents, label_ids = read(path, "csv", ColumnParams(rejected="wrong"))
    rejected = [{label_ids[c] for c in documents.rejected[[row]].indices} for row in range(3)]
    assert rejected == [{"sky"}, set(), {"fur"}]
    assert documents.labels.shape == (3, 4)
    assert documents.oddities["labels both given and rejected"] == 1
    assert documents.take([2]).rejected.nnz == 1
    assert read(path, "csv")[0].rejected is None


def test_a_missing_column_of_rejected_labels_is_refused(tmp_path):
    path = write(tmp_path, "text,labels\na,b")
    with pytest.raises(CorpusFormatError, match="'wrong'"):
        read(path, "csv", ColumnParams(rejected="wrong"))
