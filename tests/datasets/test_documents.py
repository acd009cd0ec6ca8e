"""Documents, pages, pictures and lines of text."""

import base64
import json
import logging
import math

import pytest
from kedro.io import DatasetError
from matplotlib.figure import Figure

from larix.datasets import (
    FigureDataset,
    HTMLPageDataset,
    JSONDocumentDataset,
    MetricsDataset,
    SuggestionsDataset,
    TableDocumentDataset,
)


def test_a_document_keeps_its_values(tmp_path):
    dataset = JSONDocumentDataset(filepath=str(tmp_path / "d.json"))
    values = {"P@1": 0.71, "names": ["Ärger", "病"], "none": None, "nested": {"n": 3}}
    dataset.save(values)
    assert dataset.load() == values
    assert json.loads(dataset.preview()) == values
    assert "病" in (tmp_path / "d.json").read_text(encoding="utf-8")


@pytest.mark.parametrize("value", [math.nan, math.inf, {"a": object()}, {1, 2}])
def test_a_document_refuses_what_json_has_no_form_for(tmp_path, value):
    dataset = JSONDocumentDataset(filepath=str(tmp_path / "d.json"))
    with pytest.raises(DatasetError, match="plain finite values only"):
        dataset.save(value)
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_document_is_named(tmp_path):
    (tmp_path / "d.json").write_text('{"a": ')
    with pytest.raises(DatasetError, match=r"d\.json is not JSON.*run the pipeline again"):
        JSONDocumentDataset(filepath=str(tmp_path / "d.json")).load()


def test_a_table_is_shown_with_its_columns(tmp_path):
    dataset = TableDocumentDataset(filepath=str(tmp_path / "t.json"))
    dataset.save([{"label": "R07", "missed": 3}, {"label": "M54", "missed": 2}])
    assert dataset.preview(n_rows=1) == {"index": [0], "columns": ["label", "missed"], "data": [["R07", 3]]}
    dataset.save([])
    assert dataset.preview() == {"index": [], "columns": [], "data": []}


def test_metrics_are_shown_in_percent_by_label_frequency(tmp_path):
    dataset = MetricsDataset(filepath=str(tmp_path / "m.json"))
    bands = {"head": {"P@1": 0.5}, "torso": {"P@1": 0.25}, "tail": {"P@1": None}}
    dataset.save({"metrics": {"P@1": 0.7142}, "by_frequency": bands, "counts": {}})
    assert dataset.preview()["data"] == [["P@1", "71.42", "50.00", "25.00", ""]]


def test_a_page_keeps_its_text(tmp_path):
    dataset = HTMLPageDataset(filepath=str(tmp_path / "p.html"))
    dataset.save("<p>Ärger</p>")
    assert dataset.load() == dataset.preview() == "<p>Ärger</p>"


@pytest.mark.parametrize("announce", [True, False])
def test_the_log_names_a_page_that_is_to_be_announced(tmp_path, caplog, announce):
    dataset = HTMLPageDataset(filepath=str(tmp_path / "p.html"), announce=announce)
    with caplog.at_level(logging.INFO, logger="larix"):
        dataset.save("<p></p>")
    assert (f"page: {tmp_path / 'p.html'}" in caplog.messages) == announce


def test_equal_figures_give_equal_bytes(tmp_path):
    dataset = FigureDataset(filepath=str(tmp_path / "f.png"), dpi=40)
    pictures = []
    for _ in range(2):
        figure = Figure(figsize=(2, 1))
        figure.subplots().plot([1, 3, 2])
        dataset.save(figure)
        pictures.append(dataset.load())
    assert pictures[0] == pictures[1]
    assert pictures[0].startswith(b"\x89PNG")
    assert base64.b64decode(dataset.preview()) == pictures[0]


def test_only_a_figure_is_drawn(tmp_path):
    with pytest.raises(DatasetError, match="takes a matplotlib figure, but got a str"):
        FigureDataset(filepath=str(tmp_path / "f.png")).save("figure")


LABELLED = [{"id": "1", "suggestions": [{"label": "R07", "name": "Pain", "score": 0.75}]}]


@pytest.mark.parametrize("ending", ["jsonl", "parquet"])
def test_suggestions_come_back_text_by_text(tmp_path, ending):
    dataset = SuggestionsDataset(filepath=str(tmp_path / f"s.{ending}"))
    dataset.save([LABELLED, LABELLED])
    assert dataset.load() == LABELLED * 2
    assert dataset.preview(n_rows=1)["data"] == [["1", "R07 Pain (0.750)"]]


def test_suggestions_in_a_table_come_back_row_by_row(tmp_path):
    dataset = SuggestionsDataset(filepath=str(tmp_path / "s.csv"))
    dataset.save(iter([LABELLED]))
    assert dataset.load() == [{"id": "1", "rank": "1", "label": "R07", "name": "Pain", "score": "0.75"}]
    assert dataset.preview()["columns"] == ["id", "rank", "label", "name", "score"]
