"""Texts to label, from tables and files of lines."""

import gzip
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from larix.corpora.format_error import CorpusFormatError
from larix.corpora.texts import TextFile, TextRecord


def texts(path, *columns, id=None):
    return list(TextFile(path, columns or ("text",), id))


def test_lines_are_texts_but_for_blank_ones(tmp_path):
    (tmp_path / "texts.txt").write_bytes(b"\xef\xbb\xbfhay fever\r\n\r\n  broken wrist \r\n")
    file = tmp_path / "texts.txt"
    assert texts(file) == [TextRecord("1", "hay fever", 1), TextRecord("2", "broken wrist", 3)]
    (tmp_path / "texts.txt.gz").write_bytes(gzip.compress(file.read_bytes()))
    assert texts(tmp_path / "texts.txt.gz") == texts(file)


def test_columns_are_joined_and_identifiers_kept(tmp_path):
    (tmp_path / "t.csv").write_text('key,title,body\n7,Fever,"high,\nsudden"\n8,,cough\n9,,\n')
    expected = [
        TextRecord("7", "Fever\nhigh,\nsudden", 2),
        TextRecord("8", "cough", 4),
        TextRecord("9", "", 5),
    ]
    assert texts(tmp_path / "t.csv", "title", "body", id="key") == expected
    assert [record.id for record in texts(tmp_path / "t.csv", "body")] == ["1", "2", "3"]


def test_fields_and_encoding_may_be_those_of_a_spreadsheet(tmp_path):
    (tmp_path / "t.csv").write_text("nr;titel\n7;Käse, weich\n", encoding="latin-1")
    file = TextFile(tmp_path / "t.csv", ("titel",), "nr", field_delimiter=";", encoding="latin-1")
    assert list(file) == [TextRecord("7", "Käse, weich", 2)]
    with pytest.raises(ValueError, match="encoding is one of utf-8, latin-1, cp1252, but is 'utf8'"):
        TextFile(tmp_path / "t.csv", encoding="utf8")


def test_jsonl_and_parquet_may_lack_values(tmp_path):
    (tmp_path / "t.jsonl").write_text('{"id": 4, "a": "x"}\n{"id": 5, "b": "y"}\n{"id": 6, "a": null}\n')
    expected = [TextRecord("4", "x", 1), TextRecord("5", "y", 2), TextRecord("6", "", 3)]
    assert texts(tmp_path / "t.jsonl", "a", "b", id="id") == expected
    table = {"id": [4, 5, 6], "a": ["x", None, None], "b": [None, "y", None]}
    pq.write_table(pa.table(table), tmp_path / "t.parquet")
    assert texts(tmp_path / "t.parquet", "a", "b", id="id") == expected


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("t.csv", "title\nx\n", "t.csv:1:1: the header names the column 'text', but found no such column"),
        ("t.jsonl", '{"text": "x"}\n{"txt": "x"}\n', "t.jsonl:2:1: a record has the column 'text'"),
        ("t.jsonl", '{"text": ["x"]}\n', "t.jsonl:1:2: text is a string, but found ['x']"),
        ("t.jsonl", '{"text": "x"\n', "t.jsonl:1:13: a line is one JSON object"),
        ("t.txt", "", "t.txt:1:1: a corpus file has content"),
    ],
)
def test_mistakes_are_told_with_their_place(tmp_path, name, content, message):
    (tmp_path / name).write_text(content)
    with pytest.raises(CorpusFormatError) as caught:
        texts(tmp_path / name)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            (Path("t.arff"),),
            "texts are read from .txt, .jsonl, .csv, .tsv or .parquet, but the file is t.arff",
        ),
        ((Path("t.doc"),), "'t.doc' ends in none of"),
        ((Path("t.txt"), ("body",)), "has one text a line and no columns, but columns are named"),
        ((Path("t.csv"), ()), "text must name a column, but names none"),
    ],
)
def test_what_cannot_be_read_is_refused_before_reading(arguments, message):
    with pytest.raises(ValueError, match=message):
        TextFile(*arguments)


def test_rows_of_records_end_at_the_number_of_rows(tmp_path):
    (tmp_path / "t.csv").write_text('text\na\n"b\nc"\nd')
    file = TextFile(tmp_path / "t.csv")
    assert list(file)[-1].row == file.n_rows() == 5
    pq.write_table(pa.table({"text": ["a", "b"]}), tmp_path / "t.parquet")
    assert TextFile(tmp_path / "t.parquet").n_rows() == 2
