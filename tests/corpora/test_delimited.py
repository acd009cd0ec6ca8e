import csv
import io
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from larix.corpora.delimited import DelimitedReader
from larix.corpora.format_error import CorpusFormatError
from larix.corpora.oddities import Oddities

fields = st.text(st.sampled_from('ab,"\t\n é'), max_size=6)


def reader(path: Path, **options) -> DelimitedReader:
    return DelimitedReader(path, oddities=Oddities(), **({"delimiter": ",", "quoting": True} | options))


def written(folder: Path, content: str) -> Path:
    path = folder / "table.csv"
    path.write_bytes(content.encode())
    return path


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(fields, fields, fields), max_size=6), st.sampled_from([",", "\t", ";"]))
def test_what_the_csv_module_writes_is_read_back(tmp_path_factory, rows, delimiter):
    content = io.StringIO()
    writer = csv.writer(content, delimiter=delimiter, lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writerows([("x", "y", "z"), *rows])
    path = written(tmp_path_factory.mktemp("csv"), content.getvalue())
    found = [
        tuple(record.values.values()) for record in reader(path, delimiter=delimiter).records(("x", "y", "z"))
    ]
    assert found == rows


@settings(max_examples=150, deadline=None)
@given(st.lists(st.text(st.sampled_from('a,"\né'), max_size=12), max_size=5))
def test_every_field_begins_where_its_place_says(tmp_path_factory, cells):
    content = io.StringIO()
    csv.writer(content, lineterminator="\n").writerows([("x", "y"), *((cell, "end") for cell in cells)])
    path = written(tmp_path_factory.mktemp("csv"), content.getvalue())
    lines = content.getvalue().split("\n")
    for record in reader(path).records(("x", "y")):
        line, column = record.place("y")
        assert lines[line - 1][column - 1 :] == "end"


def test_quotes_within_an_unquoted_field_are_text(tmp_path):
    path = written(tmp_path, 'x,y\n5" disk,a "b" c\n')
    assert [record.values for record in reader(path).records(("x", "y"))] == [
        {"x": '5" disk', "y": 'a "b" c'}
    ]


def test_without_quoting_every_quote_is_text(tmp_path):
    path = written(tmp_path, 'x\ty\n"a\t"b" c\n')
    found = [record.values for record in reader(path, delimiter="\t", quoting=False).records(("x", "y"))]
    assert found == [{"x": '"a', "y": '"b" c'}]


def test_blank_lines_are_skipped_and_counted(tmp_path):
    path = written(tmp_path, "\nx,y\n\n1,2\n \n")
    oddities = Oddities()
    table = DelimitedReader(path, delimiter=",", quoting=True, oddities=oddities)
    assert [record.values for record in table.records(("y",))] == [{"y": "2"}]
    assert oddities == {"blank lines": 3}


@pytest.mark.parametrize(
    ("content", "line", "column", "said"),
    [
        ("\n\n", 1, 1, "names the columns"),
        ("x,z\n1,2\n", 1, 1, "column 'y', but found no such column; there are x, z"),
        ("x,yy\n1,2\n", 1, 1, "did you mean 'yy'"),
        ("x;y\n1;2\n", 1, 1, r"set columns\.field_delimiter \(--field-delimiter\) to ';'"),
        ("x,y,y\n1,2,3\n", 1, 5, "a second 'y'"),
        ("x,y\n1,2\n1\n", 3, 1, "as many fields as the header, 2, but found 1"),
        ("x,y\n1,2,3\n", 2, 5, "found 3"),
        ('x,y\n"1"2,3\n', 2, 4, "closing quote"),
        ('x,y\n"1\n2" ,3\n', 3, 3, "closing quote"),
        ('x,y\n1,2\n1,"2\n\n3', 3, 3, "closed by a quote"),
        ('x,"y\n', 1, 3, "closed by a quote"),
    ],
)
def test_a_malformed_table_is_refused_with_its_place(content, line, column, said, tmp_path):
    with pytest.raises(CorpusFormatError, match=said) as caught:
        list(reader(written(tmp_path, content)).records(("x", "y")))
    assert (caught.value.line, caught.value.column) == (line, column)


def test_an_open_quote_in_a_long_file_costs_one_pass(tmp_path):
    path = written(tmp_path, 'x,y\n1,"' + "a line\n" * 200_000)
    with pytest.raises(CorpusFormatError, match=":2:3: "):
        list(reader(path).records(("x", "y")))
