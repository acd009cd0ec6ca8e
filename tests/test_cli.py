"""The command `larix`, on a small project after a run."""

import json
import sys
from pathlib import Path

import pytest

import larix
from larix.cli import reading_options
from larix.cli.serve import locate_model
from larix.corpora.params import FORMATS
from larix.corpora.suggestion_file import read_suggestions
from larix.corpora.text_file import ENCODINGS
from larix.last_run import NoRunError


@pytest.fixture
def in_project(finished_project, monkeypatch):
    """Stand in the folder of a project after a run."""
    monkeypatch.chdir(finished_project.folder)


def test_version(larix_command):
    assert larix_command("--version").output == f"larix {larix.__version__}\n"


def test_it_runs_as_a_module(project):
    result = project.command("larix", "runs", "--help")
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("Usage: larix runs [OPTIONS]")


@pytest.mark.parametrize("command", ["metrics", "suggest", "serve", "evaluate", "check", "init"])
def test_every_command_explains_itself_with_examples(larix_command, command):
    result = larix_command(command, "--help")
    assert result.exit_code == 0
    assert f"larix {command}" in result.output.split("Examples:")[1]


@pytest.mark.usefixtures("in_project")
class TestMetrics:
    def test_the_last_runs_tables(self, larix_command):
        result = larix_command("metrics")
        assert result.exit_code == 0
        assert result.output.startswith("tiny: 72 training and 24 test documents")
        for word in ("P@1", "R@10", "head", "torso", "tail", "matcher training", "Peak memory", "classifier"):
            assert word in result.output

    def test_json_has_fractions(self, larix_command):
        document = json.loads(larix_command("metrics", "--json").output)
        assert document["corpus"]["n_train"] == 72
        assert document["corpus"]["n_test"] == 24
        assert 0.5 < document["metrics"]["P@1"] <= 1
        assert set(document["head"]) == set(document["tail"]) == set(document["metrics"])
        assert document["disentanglement"]["plain"]["metrics"]["P@1"] > 0
        assert document["disentanglement"]["disentangled"]["inner_products"] > 0
        assert document["seconds"]["ranking"] > 0
        assert document["peak_memory_mb"] > 0

    def test_of_an_environment(self, larix_command):
        assert larix_command("metrics", "--env=tiny").exit_code == 0
        result = larix_command("metrics", "--env=other")
        assert result.exit_code == 2
        assert "no finished run of the environment 'other'" in result.stderr
        assert "run: kedro run --env=other" in result.stderr

    def test_without_a_run(self, larix_command, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        result = larix_command("metrics")
        assert (result.exit_code, result.stdout) == (2, "")
        assert result.stderr.startswith("error: no finished run was found")


@pytest.mark.usefixtures("in_project")
class TestSuggest:
    def test_labels_names_and_scores(self, larix_command):
        lines = larix_command("suggest", "a broken wrist", "bad cough", "--top-k=2").output.splitlines()
        assert lines[0] == "a broken wrist"
        assert lines[1].split()[1] == "bone"
        assert lines[4] == "bad cough"
        assert lines[5].split()[1] == "lung"
        assert len(lines) == 7

    def test_json(self, larix_command):
        (document,) = json.loads(larix_command("suggest", "--json", "--top-k=1", "itching rash").output)
        assert document["text"] == "itching rash"
        assert document["suggestions"][0]["label"] == "skin"
        assert 0 < document["suggestions"][0]["score"] <= 1

    def test_an_explanation_leads_through_the_tree(self, larix_command):
        result = larix_command("suggest", "--explain", "--top-k=1", "a broken wrist")
        assert result.exit_code == 0
        lines = result.output.splitlines()
        assert lines[0] == "a broken wrist"
        assert lines[1].startswith("bone ")
        for words in ("tree: ", "level 1, rank ", "bias ", "nearest training documents", "wrist +"):
            assert words in result.output
        (document,) = json.loads(larix_command("suggest", "--explain", "--json", "bad cough").output)
        assert document["explanations"][0]["label"] == "lung"

    def test_a_label_can_be_asked_about(self, larix_command):
        result = larix_command("suggest", "--label=skin", "a broken wrist")
        assert result.output.splitlines()[1].startswith("skin ")
        result = larix_command("suggest", "--label=hair", "a broken wrist")
        assert result.exit_code == 2
        assert "labels, but not 'hair'" in result.stderr

    def test_texts_from_a_file_and_from_standard_input(self, larix_command, tmp_path):
        texts = "a broken wrist\n\nbad cough\n"
        (tmp_path / "texts.txt").write_text(texts)
        by_file = larix_command("suggest", "--file", str(tmp_path / "texts.txt"))
        by_pipe = larix_command("suggest", stdin=texts)
        by_dash = larix_command("suggest", "--file=-", stdin=texts)
        assert by_file.output == by_pipe.output == by_dash.output
        assert by_file.output.count("\n\n") == 1

    def test_labels_below_a_threshold_are_left_out(self, larix_command):
        words = ["suggest", "a broken wrist", "--json"]
        found = json.loads(larix_command(*words).output)[0]["suggestions"]
        least = str(found[1]["score"] - 1e-4)
        (document,) = json.loads(larix_command(*words, "--threshold", least).output)
        assert document["suggestions"] == found[:2]
        (document,) = json.loads(larix_command(*words, "--explain", "--threshold", least).output)
        assert [why["label"] for why in document["explanations"]] == [s["label"] for s in found[:2]]
        assert (
            "no suggestion" in larix_command("suggest", "a broken wrist", "--explain", "--threshold=2").output
        )

    @pytest.mark.parametrize("ending", ["jsonl", "csv", "parquet"])
    def test_a_file_is_labelled_into_another(self, larix_command, tmp_path, ending):
        (tmp_path / "reports.csv").write_text("case,report\nA,a broken wrist\nB,bad cough\n")
        output = tmp_path / f"labels.{ending}"
        words = ["--text=report", "--id=case", "--top-k=1", f"--output={output}"]
        result = larix_command("suggest", f"--input={tmp_path / 'reports.csv'}", *words)
        assert result.exit_code == 0, result.output
        assert "labels of 2 texts" in result.stderr
        rows = list(read_suggestions(output))
        assert [row["id"] for row in rows] == ["A", "B"]
        found = [row["label"] if ending == "csv" else row["suggestions"][0]["label"] for row in rows]
        assert found == ["bone", "lung"]

    def test_a_file_is_labelled_with_reasons(self, larix_command, tmp_path):
        (tmp_path / "t.txt").write_text("a broken wrist\n")
        words = [f"--input={tmp_path / 't.txt'}", f"--output={tmp_path / 's.jsonl'}", "--explain"]
        assert larix_command("suggest", *words).exit_code == 0
        (row,) = read_suggestions(tmp_path / "s.jsonl")
        assert row["suggestions"][0]["why"]["trees"][0]["paths"]

    def test_a_damaged_line_is_told_with_its_place_and_nothing_is_written(self, larix_command, tmp_path):
        source = tmp_path / "t.jsonl"
        source.write_text('{"text": "a broken wrist"}\n{"text": \n')
        result = larix_command("suggest", f"--input={source}", f"--output={tmp_path / 's.csv'}")
        assert result.exit_code == 2
        assert result.stderr.startswith(f"{source}:2:")
        assert list(tmp_path.iterdir()) == [source]

    @pytest.mark.parametrize(
        ("words", "message"),
        [
            (["--input=t.txt"], "needs both --input and --output"),
            (["--output=s.csv"], "needs both --input and --output"),
            (["--input=t.txt", "--output=s.csv", "text"], "go without TEXT"),
            (["--input=t.txt", "--output=s.csv", "--explain"], "reasons are written to .jsonl"),
            (["--input=t.csv", "--output=./t.csv"], "must be another file than --input"),
            (["--input=t.csv", "--output=s.doc"], "suggestions are written to .jsonl, .csv"),
        ],
    )
    def test_options_for_files_go_together(self, larix_command, words, message):
        result = larix_command("suggest", *words)
        assert result.exit_code == 2
        assert message in result.stderr

    def test_another_model_or_all_its_versions(self, larix_command, finished_project, tmp_path, monkeypatch):
        folder = finished_project.path("06_models/classifier")
        version = next(folder.glob("*/classifier"))
        expected = larix_command("suggest", "a broken wrist").output
        monkeypatch.chdir(tmp_path)
        for model in (folder, version):
            assert larix_command("suggest", "--model", str(model), "a broken wrist").output == expected

    @pytest.mark.parametrize(
        ("words", "stdin", "message"),
        [
            (["--model", "nowhere", "text"], None, "nowhere"),
            (["--file", "nowhere.txt"], None, "nowhere.txt"),
            (["--top-k=0", "text"], None, "--top-k"),
            (["text", "--file=-"], "text", "not both"),
            ([], "\n \n", "texts must not all be empty"),
        ],
    )
    def test_mistakes_are_told_in_one_line(self, larix_command, words, stdin, message):
        result = larix_command("suggest", *words, stdin=stdin)
        assert (result.exit_code, result.stdout) == (2, "")
        assert message in result.stderr
        assert "Traceback" not in result.stderr

    def test_a_part_of_a_classifier_is_not_enough(self, larix_command, finished_project):
        part = finished_project.path("06_models/label_tree")
        result = larix_command("suggest", "--model", str(part), "text")
        assert result.exit_code == 2
        assert "must hold a whole classifier, but holds a LabelTree" in result.stderr


class TestServe:
    def test_the_model_is_that_of_the_last_run_or_the_newest_in_a_folder(self, finished_project, tmp_path):
        newest = finished_project.newest("06_models/classifier")
        assert locate_model(None, finished_project.folder) == newest
        assert locate_model(Path("data/tiny/06_models/classifier"), finished_project.folder) == newest
        with pytest.raises(NoRunError):
            locate_model(None, tmp_path)

    def test_a_missing_library_is_named_with_its_remedy(self, larix_command, monkeypatch):
        monkeypatch.setitem(sys.modules, "larix.serving.http.server", None)
        monkeypatch.setitem(sys.modules, "fastapi", None)
        result = larix_command("serve")
        assert result.exit_code == 2
        assert result.stderr.endswith("; run: pip install 'larix[serve]'\n")


@pytest.mark.usefixtures("in_project")
class TestEvaluate:
    def test_a_labelled_file(self, larix_command):
        result = larix_command("evaluate", "tiny.jsonl")
        assert result.exit_code == 0
        assert "P@1" in result.output
        assert "96 documents" in result.output

    def test_json_and_unknown_labels(self, larix_command, tmp_path):
        file = tmp_path / "new.csv"
        file.write_text("report,codes\na broken wrist,bone;unheard\nbad cough,lung\n")
        words = ["--text=report", "--labels=codes", "--delimiter=;", "--json"]
        document = json.loads(larix_command("evaluate", str(file), *words).output)
        assert document["metrics"]["P@1"] == 1
        assert document["counts"]["true_labels_unseen_in_training"] == 1
        assert document["metrics"]["R@10"] == pytest.approx(0.75)

    def test_a_file_without_documents(self, larix_command, tmp_path):
        (tmp_path / "empty.jsonl").touch()
        result = larix_command("evaluate", str(tmp_path / "empty.jsonl"))
        assert result.exit_code == 2
        assert "empty.jsonl" in result.stderr


@pytest.mark.usefixtures("in_project")
class TestCheck:
    def test_a_valid_file(self, larix_command):
        result = larix_command("check", "tiny.jsonl")
        assert result.exit_code == 0
        assert result.output.startswith("tiny.jsonl: valid jsonl\n  documents  96\n")

    def test_json(self, larix_command):
        assert json.loads(larix_command("check", "--json", "tiny.jsonl").output)["n_documents"] == 96

    def test_a_malformed_file_is_told_with_its_place(self, larix_command, tmp_path):
        file = tmp_path / "bad.txt"
        file.write_text("2 3 2\n0 0:1\n5 1:1\n")
        result = larix_command("check", "--format=xc", str(file))
        assert (result.exit_code, result.stdout) == (2, "")
        assert result.stderr.startswith(f"{file}:3:1: ")
        assert "but found" in result.stderr

    def test_a_missing_column_names_the_nearest(self, larix_command):
        result = larix_command("check", "tiny.jsonl", "--text=texd")
        assert result.exit_code == 2
        assert "did you mean 'text'?" in result.stderr

    def test_fields_encoding_and_labels_of_a_spreadsheet(self, larix_command, tmp_path):
        file = tmp_path / "liste.csv"
        file.write_text("titel;tags\nKäse;a|b\nÖl;c\n", encoding="latin-1")
        words = ["check", str(file), "--text=titel", "--labels=tags", "--encoding=latin-1"]
        assert "--field-delimiter) to ';'" in larix_command(*words).stderr
        assert (
            "labels     3, all used, 1.50 a document" in larix_command(*words, "--field-delimiter=;").output
        )
        words.append("--delimiter=/")
        assert (
            "labels     2, all used, 1.00 a document" in larix_command(*words, "--field-delimiter=;").output
        )

    def test_a_file_without_labels_says_so(self, larix_command, tmp_path):
        file = tmp_path / "bare.csv"
        file.write_text("text,labels\na,\n")
        assert "  labels     none\n" in larix_command("check", str(file)).output

    def test_an_unknown_ending_asks_for_the_format(self, larix_command, tmp_path):
        result = larix_command("check", str(tmp_path / "corpus.doc"))
        assert result.exit_code == 2
        assert "name the format" in result.stderr

    def test_a_file_that_is_not_there(self, larix_command, tmp_path):
        result = larix_command("check", str(tmp_path / "nothing.csv"))
        assert result.exit_code == 2
        assert "nothing.csv" in result.stderr


class TestInit:
    def test_own_data_run_in_two_commands(self, larix_command, project, monkeypatch):
        monkeypatch.chdir(project.folder)
        rows = ["abstract,keywords"] + [
            f"{topic} text {n},{topic}; all" for n in range(20) for topic in ("red", "blue")
        ]
        (project.folder / "papers.csv").write_text("\n".join(rows))
        result = larix_command("init", "--data", "papers.csv", "--text", "abstract", "--labels", "keywords")
        assert result.exit_code == 0, result.stderr
        assert result.output.endswith("now run: kedro run --env=papers\n")
        project.run(env="papers")
        document = json.loads(larix_command("metrics", "--json").output)
        assert document["environment"] == "papers"
        assert document["corpus"]["n_labels"] == 3

    def test_an_environment_is_not_overwritten_by_chance(self, larix_command, project, monkeypatch):
        monkeypatch.chdir(project.folder)
        words = ["init", "--data=tiny.jsonl", "--text=text", "--labels=labels"]
        result = larix_command(*words)
        assert result.exit_code == 2
        assert "there is an environment conf/tiny already" in result.stderr
        assert larix_command(*words, "--force").exit_code == 0


class TestKedroRun:
    def test_a_run_of_its_own_process(self, project):
        result = project.command("kedro", "run", "--env=tiny", "--params=search.beam_size=3")
        assert result.returncode == 0, result.stderr
        assert "ranking.train_ranker: ranker" in result.stdout
        assert "Warning" not in result.stdout + result.stderr

    @pytest.mark.parametrize(
        ("words", "message"),
        [
            (["--params=ranking.solver.max_itr=3"], "did you mean 'max_iter'"),
            (
                ["--params=ranking.solver.Cp=0"],
                "error: the parameter 'ranking': Cp must be positive, but is 0",
            ),
            (["--pipelines=rankin"], "Failed to find the pipeline named 'rankin'"),
            (["--from-nodes=train_rankr"], "did you mean 'ranking.train_ranker'?"),
            (["--params=ingestion.files.train=gone.jsonl"], "gone.jsonl"),
            (
                ["--pipelines=inference", "--params=inference.input=tiny.jsonl"],
                "data/tiny/06_models/classifier; first: kedro run, with this --env",
            ),
        ],
    )
    def test_mistakes_are_told_in_one_line(self, project, words, message):
        result = project.command("kedro", "run", "--env=tiny", *words)
        assert result.returncode == 2
        assert message in result.stderr
        assert "Traceback" not in result.stdout + result.stderr


def test_options_offer_what_files_are_read_in():
    assert reading_options._ENCODINGS == ENCODINGS
    assert {*reading_options._FORMATS, "icd10cm"} == set(FORMATS)  # it comes along
