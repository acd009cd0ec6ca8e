"""Suggestions as a stream into files."""

import json

import pyarrow.parquet as pq
import pytest

from larix.corpora.suggestion_file import read_suggestions, write_suggestions

BATCHES = [
    [
        {
            "id": "a",
            "suggestions": [
                {"label": "R07", "name": 'Pain, "sudden"', "score": 0.5},
                {"label": "W54", "name": "Ärger", "score": 0.25},
            ],
        }
    ],
    [{"id": "b", "suggestions": []}, {"id": "c", "suggestions": [{"label": "x", "name": "y", "score": 1.0}]}],
]


@pytest.mark.parametrize("ending", ["jsonl", "parquet"])
def test_a_row_for_each_text(tmp_path, ending):
    file = tmp_path / "new" / f"s.{ending}"
    assert write_suggestions(file, BATCHES) == 3
    assert list(read_suggestions(file)) == [row for batch in BATCHES for row in batch]


@pytest.mark.parametrize(("ending", "delimiter"), [("csv", ","), ("tsv", "\t")])
def test_a_row_for_each_suggestion(tmp_path, ending, delimiter):
    file = tmp_path / f"s.{ending}"
    assert write_suggestions(file, BATCHES) == 3
    head, *lines = file.read_text(encoding="utf-8").splitlines()
    assert head.split(delimiter) == ["id", "rank", "label", "name", "score"]
    assert len(lines) == 3
    rows = list(read_suggestions(file))
    assert rows[0] == {"id": "a", "rank": "1", "label": "R07", "name": 'Pain, "sudden"', "score": "0.5"}
    assert [(row["id"], row["rank"]) for row in rows] == [("a", "1"), ("a", "2"), ("c", "1")]


@pytest.mark.parametrize("ending", ["jsonl", "csv", "parquet"])
def test_a_failure_leaves_what_was_there(tmp_path, ending):
    file = tmp_path / f"s.{ending}"
    file.write_text("before")

    def failing():
        yield BATCHES[0]
        raise RuntimeError("no more")

    with pytest.raises(RuntimeError, match="no more"):
        write_suggestions(file, failing())
    assert file.read_text() == "before"
    assert list(tmp_path.iterdir()) == [file]


def test_reasons_are_kept_in_jsonl(tmp_path):
    found = [{"id": "a", "suggestions": [{"label": "x", "name": "y", "score": 1.0, "why": {"trees": []}}]}]
    write_suggestions(tmp_path / "s.jsonl", [found])
    assert json.loads((tmp_path / "s.jsonl").read_text()) == found[0]
    write_suggestions(tmp_path / "s.parquet", [found])
    assert pq.read_table(tmp_path / "s.parquet").schema.names == ["id", "suggestions"]


def test_other_endings_are_refused_before_anything_is_computed(tmp_path):
    with pytest.raises(
        ValueError, match=r"written to \.jsonl, \.csv, \.tsv, \.parquet, but the file is 's\.xml'"
    ):
        write_suggestions(tmp_path / "s.xml", iter([]))
