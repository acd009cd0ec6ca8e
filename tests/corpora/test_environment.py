import gzip

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from larix.corpora import CorpusFormatError, CorpusParams, read_corpus, write_environment
from larix.corpora.environment import environment_name, format_of

CSV = "id,title,abstract,keywords\n1,A,first,x;y\n2,B,second,y\n3,C,,z\n"


@pytest.fixture
def project(tmp_path):
    (tmp_path / "conf").mkdir()
    (tmp_path / "My papers.csv").write_text(CSV)
    return tmp_path


def write(project, data="My papers.csv", text=("title", "abstract"), labels="keywords", **options):
    return write_environment(project / data, text, labels, conf=project / "conf", **options)


def ingested(environment):
    content = yaml.safe_load((environment.folder / "parameters_ingestion.yml").read_text())
    return read_corpus(CorpusParams(**content["ingestion"]))


def test_the_environment_ingests_the_file(project):
    environment = write(project)
    assert environment.name == "my_papers"
    assert environment.folder == project / "conf" / "my_papers"
    corpus = ingested(environment)
    assert corpus.name == "my_papers"
    assert corpus.label_ids == ["x", "y", "z"]
    assert {"A\nfirst", "B\nsecond", "C"} == {*corpus.train.texts, *corpus.test.texts}
    assert (environment.folder / "globals.yml").read_text() == "data: data/my_papers\n"


def test_the_parameter_file_has_ten_lines_and_says_how_to_run_it(project):
    text = (write(project).folder / "parameters_ingestion.yml").read_text()
    assert text.splitlines()[0] == "# My papers.csv; run it by: kedro run --env=my_papers"
    assert len(text.splitlines()) <= 10


def test_what_was_found_and_the_next_command_are_told(project):
    lines = write(project).lines()
    assert lines[1:3] == ["  documents  3", "  labels     3, all used, 1.33 a document"]
    assert lines[-1].endswith("now run: kedro run --env=my_papers")


@pytest.mark.parametrize("delimiter", [";", "|", ",", "\t"])
def test_the_delimiter_of_labels_is_found_out(delimiter, project):
    rows = "".join(f'{{"text": "t {i}", "labels": "a{delimiter}b"}}\n' for i in range(3)).replace("\t", "\\t")
    (project / "rows.jsonl.gz").write_bytes(gzip.compress(rows.encode()))
    assert ingested(write(project, "rows.jsonl.gz", "text", "labels")).label_ids == ["a", "b"]


def test_a_delimiter_may_be_named(project):
    environment = write(project, label_delimiter="/")
    assert "x;y" in ingested(environment).label_ids


def test_fields_and_encoding_of_the_file_are_written_down(project):
    rows = "titel;tags\nKäse;a|b\nÖl;c\nTee;a\n"
    (project / "liste.csv").write_text(rows, encoding="latin-1")
    environment = write(project, "liste.csv", "titel", "tags", field_delimiter=";", encoding="latin-1")
    corpus = ingested(environment)
    assert corpus.label_ids == ["a", "b", "c"]
    assert {"Käse", "Öl", "Tee"} == {*corpus.train.texts, *corpus.test.texts}


def test_a_file_without_labels_is_refused(project):
    (project / "bare.csv").write_text("title,keywords\na,\nb,\n")
    with pytest.raises(ValueError, match="none has; name the column of labels"):
        write(project, "bare.csv", "title")
    assert not list((project / "conf").iterdir())


def test_parquet_with_lists_needs_no_delimiter(project):
    pq.write_table(
        pa.table({"body": ["a", "b"], "tags": [["x;1", "y"], ["x;1", "y"]]}), project / "rows.parquet"
    )
    assert ingested(write(project, "rows.parquet", "body", "tags")).label_ids == ["x;1", "y"]


@pytest.mark.parametrize("column", ["text", "labels"])
def test_a_missing_column_names_those_that_there_are(column, project):
    with pytest.raises(CorpusFormatError, match=r"did you mean 'keywords'.* id, title, abstract, keywords"):
        write(project, **{column: "keyword"})
    assert not (project / "conf" / "my_papers").exists()


def test_a_malformed_file_leaves_no_environment(project):
    (project / "bad.csv").write_text("title,keywords\na,b\nc\n")
    with pytest.raises(CorpusFormatError, match=r"bad\.csv:3:1"):
        write(project, "bad.csv", "title")
    assert not list((project / "conf").iterdir())


def test_an_environment_is_only_overwritten_by_force(project):
    write(project)
    with pytest.raises(FileExistsError, match="my_papers already"):
        write(project, text="title")
    environment = write(project, text="title", force=True)
    assert environment.parameters["columns"]["text"] == ["title"]


@pytest.mark.parametrize("name", ["base", "local", "../up", "a b", "-x", ""])
def test_a_name_that_is_taken_or_no_folder_is_refused(name, project):
    if name:
        with pytest.raises(ValueError, match="choose another"):
            write(project, name=name)
    else:
        assert write(project, name=name).name == "my_papers"


def test_other_things_that_cannot_be_are_told(project):
    with pytest.raises(ValueError, match="the format is 'arff'"):
        write(project, "corpus.arff")
    with pytest.raises(ValueError, match="ends in none of"):
        write(project, "corpus.docx")
    with pytest.raises(FileNotFoundError, match="no file"):
        write(project, "your papers.csv")
    with pytest.raises(FileNotFoundError, match="no configuration folder"):
        write_environment(project / "My papers.csv", "title", "keywords", conf=project / "config")


@pytest.mark.parametrize(
    ("file", "file_format"),
    [
        ("a.jsonl", "jsonl"),
        ("a.JSON", "jsonl"),
        ("a.b.csv.gz", "csv"),
        ("a.tsv", "tsv"),
        ("a.npz", "pecos-npz"),
    ],
)
def test_the_ending_tells_the_format(file, file_format, tmp_path):
    assert format_of(tmp_path / file) == file_format


@pytest.mark.parametrize(
    ("file", "name"),
    [("My  Files-2.csv", "my_files_2"), ("base.csv", "corpus_base"), ("2020.csv", "corpus_2020")],
)
def test_a_name_is_made_from_the_file(file, name, tmp_path):
    assert environment_name(tmp_path / file) == name
