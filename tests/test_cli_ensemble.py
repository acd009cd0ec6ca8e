"""`larix ensemble` on a small project after two runs, and other commands on what it writes."""

import json
import shutil
from typing import get_args

import pytest

import larix
from larix.runs.ledger import RunLedger
from larix.xmc.ensemble import Rule
from tests.conftest import Project


@pytest.fixture(scope="module")
def two_runs(finished_project, tmp_path_factory) -> Project:
    """A project after a run, and another of words alone."""
    folder = tmp_path_factory.mktemp("runs") / "copy"
    shutil.copytree(finished_project.folder, folder)
    project = Project(folder)
    project.run(params={"vectorization": {"char": None}})
    return project


@pytest.fixture(autouse=True)
def in_project(two_runs, monkeypatch):
    monkeypatch.chdir(two_runs.folder)
    return two_runs


@pytest.fixture(scope="module")
def versions(two_runs) -> list[str]:
    """Newest first."""
    return [run.version for run in RunLedger(two_runs.folder).runs()]


@pytest.fixture
def written(larix_command, tmp_path, versions):
    """The folder of an ensemble of both runs."""
    result = larix_command("ensemble", *versions, "--output", str(tmp_path / "both"))
    assert result.exit_code == 0, result.stderr
    return tmp_path / "both"


def test_the_command_explains_itself_and_names_all_rules(larix_command):
    told = larix_command("ensemble", "--help").output
    assert "larix ensemble" in told.split("Examples:")[1]
    assert f"[{'|'.join(get_args(Rule))}]" in told


def test_a_table_shows_members_and_rules(larix_command, versions, tmp_path):
    result = larix_command("ensemble", "last", "previous", "--output", str(tmp_path / "both"))
    rows = [line.split() for line in result.output.splitlines()]
    assert ["P@1", "P@3", "P@5", "nDCG@5", "PSP@5", "R@10"] in rows
    names = [row[:-6] for row in rows if len(row) > 6 and row[-1].replace(".", "").isdigit()]
    assert names == [
        *(["linear", version[:19]] for version in versions),
        *([rule] for rule in get_args(Rule)),
    ]
    assert "A rule chosen by these test documents would look better here than on others." in result.output
    assert result.output.splitlines()[-1].endswith("both: 2 classifiers joined by average, 20 labels")


def test_the_numbers_are_those_that_evaluate_tells(larix_command, versions, tmp_path):
    output = str(tmp_path / "both")
    told = larix_command("ensemble", *versions, "--rule=rank_average", "--output", output, "--json").output
    document = json.loads(told)
    assert document["rule"] == "rank_average"
    assert document["members"] == [f"linear {version[:19]}" for version in versions]
    assert set(document["metrics"]) == {*document["members"], *get_args(Rule)}
    card = larix.load(output).card
    assert card.metrics["metrics"] == document["metrics"]["rank_average"]


def test_the_folder_suggests_explains_and_is_evaluated(larix_command, written):
    result = larix_command("suggest", "--model", str(written), "--top-k=1", "a broken wrist")
    assert result.output.splitlines()[1].split()[1] == "bone"
    explained = larix_command("suggest", "--model", str(written), "--explain", "--top-k=1", "a broken wrist")
    assert "scores of the 2 classifiers become one by average" in explained.output
    assert explained.output.count("level 1, rank 1") >= 2
    evaluated = larix_command("evaluate", "--model", str(written), "tiny.jsonl", "--json")
    assert json.loads(evaluated.output)["metrics"]["P@1"] > 0.5


def test_members_may_be_folders(larix_command, written, two_runs, tmp_path):
    newest = two_runs.newest("06_models/classifier").relative_to(two_runs.folder)
    result = larix_command("ensemble", str(written), str(newest), "--output", str(tmp_path / "nested"))
    assert result.output.splitlines() == [
        f"{tmp_path / 'nested'}: 2 classifiers joined by average, 20 labels"
    ]
    loaded = larix.load(tmp_path / "nested")
    assert loaded.names == ["both", "classifier"]
    assert loaded.card.metrics == {}


def test_there_is_no_table_for_runs_on_other_documents(larix_command, two_runs, tmp_path, monkeypatch):
    shutil.copytree(two_runs.folder, tmp_path / "copy")
    monkeypatch.chdir(tmp_path / "copy")
    older, last = sorted((tmp_path / "copy" / "data" / "runs").glob("*.json"))
    last.write_text(json.dumps({**json.loads(last.read_bytes()), "test_set": "another"}))
    result = larix_command("ensemble", "last", older.stem, "--output=both")
    assert result.output == "both: 2 classifiers joined by average, 20 labels\n"


@pytest.mark.parametrize(
    ("members", "message"),
    [
        (["last"], "an ensemble needs two members or more"),
        (["last", "last"], "classifier is given twice; leave it out once"),
        (["last", "nothing"], "no run is called 'nothing'"),
        (["last", "no/folder"], "no/folder"),
        (["last", "data/tiny/06_models/label_tree"], "must hold a whole classifier, but holds a LabelTree"),
    ],
)
def test_mistakes_are_told(larix_command, members, message, tmp_path):
    result = larix_command("ensemble", *members, "--output", str(tmp_path / "both"))
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr
    assert not (tmp_path / "both").exists()


def test_a_tree_is_one_of_a_member(larix_command, written):
    result = larix_command("tree", "show", "--model", str(written))
    assert result.exit_code == 2
    assert (
        f"has a tree for each of its members; name one of them: --model={written}/member_0" in result.stderr
    )
    assert larix_command("tree", "show", "--model", str(written / "member_0")).exit_code == 0


def test_it_is_served(written):
    pytest.importorskip("fastapi", reason="pip install 'larix[serve]'")
    from fastapi.testclient import TestClient

    from larix.serving.http.app import create_app
    from larix.serving.http.current_model import CurrentModel

    with TestClient(create_app(CurrentModel(lambda: written, n_threads=1))) as client:
        answer = client.post("/suggest", json={"texts": "a broken wrist", "explain": True}).json()
        best = answer["results"][0]["suggestions"][0]
        assert best["label"] == "bone"
        assert [bool(member["trees"]) for member in best["why"]["members"]] == [True, True]
        assert client.get("/labels", params={"query": "bone"}).json()["n_matches"] > 1


def test_folders_of_one_name_are_told_apart(larix_command, written, tmp_path):
    shutil.copytree(written, tmp_path / "elsewhere" / "both")
    folders = [str(written), str(tmp_path / "elsewhere" / "both")]
    result = larix_command("ensemble", *folders, "--output", str(tmp_path / "four"))
    assert result.exit_code == 0
    assert larix.load(tmp_path / "four").names == ["both 1", "both 2"]
