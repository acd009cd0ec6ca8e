from pathlib import Path

import pytest
import yaml

from larix.corpora import ColumnParams, CorpusParams, FileParams
from larix.corpora.params import data_folder

CONF = Path(__file__).parents[2] / "conf"
TABLE = {"format": "jsonl", "files": {"train": "a.jsonl"}}


def test_groups_are_built_from_mappings():
    params = CorpusParams(**TABLE, columns={"text": "title", "labels": "tags"}, split={"fold": 2})
    assert params.files == FileParams(train="a.jsonl")
    assert params.columns == ColumnParams(text=("title",), labels="tags")
    assert params.split.fold == 2
    assert params.title == "a"


def test_the_columns_that_a_file_must_have_are_listed_once():
    columns = ColumnParams(text=["a", "b"], labels="c", id="a", relevance="r", where={"b": 1, "d": 2})
    assert columns.needed == ("a", "b", "c", "r", "d")


@pytest.mark.parametrize(
    ("changes", "error", "said"),
    [
        ({"format": "json"}, ValueError, "did you mean 'jsonl'"),
        ({"encoding": "utf-16"}, ValueError, "utf-8, latin-1, cp1252, but is 'utf-16'"),
        ({"max_documents": 0}, ValueError, "max_documents must be at least 1, but is 0"),
        ({"columns": {"txt": "a"}}, TypeError, "columns has no key 'txt'; did you mean 'text'"),
        ({"columns": "text"}, TypeError, "columns must be a mapping, but is 'text'"),
        ({"columns": {"text": []}}, ValueError, "columns.text must name one column"),
        ({"columns": {"text": [1]}}, ValueError, "columns.text must name one column"),
        ({"columns": {"labels": ""}}, ValueError, "columns.labels must name a column"),
        ({"columns": {"label_delimiter": ""}}, ValueError, "columns.label_delimiter must be text"),
        ({"columns": {"field_delimiter": "||"}}, ValueError, "columns.field_delimiter must be one character"),
        ({"columns": {"where": "lang"}}, ValueError, "columns.where must map"),
        ({"labels": {"prefixes": "gnd:"}}, ValueError, "labels.prefixes must map"),
        ({"split": {"test_fraction": 1}}, ValueError, r"split.test_fraction must lie in \[0, 1\), but is 1"),
        ({"split": {"random_state": -1}}, ValueError, "split.random_state must be a whole number from 0"),
        ({"split": {"fold": True}}, ValueError, "split.fold must be a whole number"),
        ({"files": {}}, ValueError, "format 'jsonl' needs files.train"),
        ({"files": {"train": "a", "label_header": "b"}}, ValueError, "has no use for files.label_header"),
        ({"format": "arff"}, ValueError, "needs files.label_header"),
        ({"format": "icd10cm"}, ValueError, "has no use for files.train"),
        (
            {"format": "pecos-npz", "files": {"train": "X", "train_labels": "Y", "test": "X"}},
            ValueError,
            "together",
        ),
        ({"format": "xc", "files": {"train": "a", "train_split": "b"}}, ValueError, "together"),
        (
            {"format": "xc", "files": {"train": "a", "test": "b", "train_split": "c", "test_split": "d"}},
            ValueError,
            "both are given",
        ),
    ],
)
def test_a_wrong_value_is_refused_with_rule_and_remedy(changes, error, said):
    with pytest.raises(error, match=said):
        CorpusParams(**(TABLE | changes))


def test_relative_paths_begin_in_the_folder_or_where_the_variable_says(tmp_path, monkeypatch):
    monkeypatch.setenv("LARIX_DATA", str(tmp_path))
    assert CorpusParams(**TABLE).path("a") == tmp_path / "a"
    assert CorpusParams(**TABLE, folder=str(tmp_path.parent)).path("a") == tmp_path.parent / "a"
    assert CorpusParams(**TABLE).path("/b/a") == Path("/b/a")


def test_a_missing_data_folder_names_parameter_and_variable(tmp_path, monkeypatch):
    monkeypatch.delenv("LARIX_DATA", raising=False)
    with pytest.raises(
        FileNotFoundError, match="neither the parameter `folder` nor the environment variable LARIX_DATA"
    ):
        data_folder(None)
    with pytest.raises(FileNotFoundError, match="the parameter `folder` must name an existing folder"):
        data_folder(str(tmp_path / "none"))
    monkeypatch.setenv("LARIX_DATA", str(tmp_path / "none"))
    with pytest.raises(FileNotFoundError, match="variable LARIX_DATA must name an existing folder"):
        data_folder(None)


@pytest.mark.parametrize(
    "file", sorted(CONF.glob("*/parameters_ingestion.yml")), ids=lambda path: path.parent.name
)
def test_every_environment_has_valid_parameters(file):
    CorpusParams(**yaml.safe_load(file.read_text())["ingestion"])
