"""`larix runs`, `larix compare` and the models of `larix metrics`, on a small project after two runs."""

import json
import shutil

import pytest

from larix.runs.ledger import RunLedger
from tests.conftest import Project


@pytest.fixture(scope="module")
def two_runs(finished_project, tmp_path_factory) -> Project:
    """A project after a run, and another with a narrower search of another seed's tree."""
    folder = tmp_path_factory.mktemp("runs") / "copy"
    shutil.copytree(finished_project.folder, folder)
    project = Project(folder)
    project.run(params={"random_state": 1, "search": {"beam_size": 1}}, only_missing_outputs=True)
    return project


@pytest.fixture
def in_project(two_runs, monkeypatch):
    monkeypatch.chdir(two_runs.folder)
    return two_runs


@pytest.fixture
def versions(two_runs) -> list[str]:
    """Newest first."""
    return [run.version for run in RunLedger(two_runs.folder).runs()]


@pytest.mark.usefixtures("in_project")
class TestRuns:
    def test_a_line_for_every_run(self, larix_command, versions):
        lines = [line.split() for line in larix_command("runs").output.splitlines()]
        assert ["run", "env", "model", "corpus", "seed", "P@1", "R@10", "CPU", "s", "s", "MB"] in lines
        rows = [line for line in lines if line and line[0].startswith("20")]
        assert [row[0] for row in rows] == [version[:19] for version in versions]
        assert [row[1:5] for row in rows] == [
            ["tiny", "linear", "tiny", "1"],
            ["tiny", "linear", "tiny", "0"],
        ]

    def test_json(self, larix_command, versions):
        documents = json.loads(larix_command("runs", "--json").output)
        assert [document["version"] for document in documents] == versions
        assert documents[0]["parameters"]["search"]["beam_size"] == 1
        assert documents[0]["evaluation"]["metrics"]["P@1"] <= 1
        assert documents[0]["size_mb"] > 0
        assert documents[0]["model"] == "linear"
        assert json.loads(larix_command("runs", "--json", "--env=other").output) == []

    def test_options_that_make_no_sense(self, larix_command):
        for words in (["--keep=2"], ["--yes"], ["--prune", "--json"], ["--prune", "--keep=0"]):
            assert larix_command("runs", *words).exit_code == 2


class TestPrune:
    @pytest.fixture
    def copy(self, two_runs, tmp_path, monkeypatch) -> Project:
        shutil.copytree(two_runs.folder, tmp_path / "copy")
        monkeypatch.chdir(tmp_path / "copy")
        return Project(tmp_path / "copy")

    def test_what_would_go_is_shown_and_a_no_leaves_it(self, larix_command, copy, versions):
        before = copy.snapshot()
        result = larix_command("runs", "--prune", "--keep=1", stdin="n\n")
        assert versions[1][:19] in result.output
        assert versions[0][:19] not in result.output
        assert "delete 1 run," in result.output
        assert copy.snapshot() == before

    def test_the_last_run_works_as_before(self, larix_command, copy, versions):
        told = larix_command("metrics", "--json").output
        result = larix_command("runs", "--prune", "--keep=1", "--yes")
        assert result.output.splitlines()[-1].startswith("deleted 1 run, ")
        assert [run.version for run in RunLedger(copy.folder).runs()] == versions[:1]
        assert larix_command("metrics", "--json").output == told
        assert larix_command("suggest", "a broken wrist").exit_code == 0
        assert not list(copy.folder.rglob(f"*{versions[1]}*"))
        before = copy.snapshot()
        copy.run(params={"random_state": 1, "search": {"beam_size": 1}}, only_missing_outputs=True)
        assert {name for name in before if before[name] != copy.snapshot()[name]} == set()

    def test_nothing_to_delete(self, larix_command, copy):
        assert larix_command("runs", "--prune").output == "nothing to delete\n"
        assert larix_command("runs", "--prune", "--older-than=1", "--yes").output == "nothing to delete\n"
        assert len(RunLedger(copy.folder).runs()) == 2


@pytest.mark.usefixtures("in_project")
class TestCompare:
    def test_side_by_side(self, larix_command, versions):
        result = larix_command("compare", "previous", "last")
        assert result.exit_code == 0, result.stderr
        assert "tiny: two runs on the same 24 test documents" in result.output
        assert result.output.index(versions[1]) < result.output.index(versions[0])
        for words in ("95 % interval", "True labels among the first 5", "search.beam_size", "random_state"):
            assert words in result.output

    def test_metrics_are_those_of_the_runs(self, larix_command, two_runs, versions):
        document = json.loads(larix_command("compare", *versions, "--json").output)
        new, old = RunLedger(two_runs.folder).runs()
        for name, found in document["metrics"].items():
            assert found["first"] == pytest.approx(new.metrics[name])
            assert found["second"] == pytest.approx(old.metrics[name])
            assert found["low"] <= found["difference"] + 1e-9
            assert found["difference"] <= found["high"] + 1e-9
        assert sorted(document["metrics"]) == sorted(n for n in new.metrics if "coverage" not in n)

    def test_a_page(self, larix_command, tmp_path):
        page = tmp_path / "deep" / "comparison.html"
        result = larix_command("compare", "previous", "last", "--html", str(page))
        assert result.output.endswith(f"page: {page}\n")
        assert page.read_text().startswith("<!DOCTYPE html>")

    @pytest.mark.parametrize(
        ("words", "message"),
        [
            (["last", "last"], "must be two runs, but both are 20"),
            (["last", "nonsense"], "no run is called 'nonsense'"),
            (["last", "20"], "must name one run"),
        ],
    )
    def test_mistakes_are_told_in_one_line(self, larix_command, words, message):
        result = larix_command("compare", *words)
        assert (result.exit_code, result.stdout) == (2, "")
        assert message in result.stderr
        assert "Traceback" not in result.stderr


class TestOtherDocuments:
    def test_other_test_documents_are_refused(self, larix_command, run_project, monkeypatch):
        monkeypatch.chdir(run_project.folder)
        run_project.run(params={"ingestion": {"split": {"test_fraction": 0.5}}}, only_missing_outputs=True)
        last, first = RunLedger(run_project.folder).runs()
        result = larix_command("compare", first.version, last.version)
        assert (result.exit_code, result.stdout) == (2, "")
        assert "must have the same test documents" in result.stderr
        assert "tiny (24 documents" in result.stderr
        assert "no run before" in larix_command("compare", "previous", "last").stderr

    def test_a_corpus_that_another_took_the_place_of_is_told(
        self, larix_command, two_runs, tmp_path, monkeypatch
    ):
        shutil.copytree(two_runs.folder, tmp_path / "copy")
        monkeypatch.chdir(tmp_path / "copy")
        Project(tmp_path / "copy").run(
            pipeline_names=["ingestion"], params={"ingestion": {"split": {"test_fraction": 0.5}}}
        )
        result = larix_command("compare", "previous", "last")
        assert result.exit_code == 2
        assert "another one is there now; run the ingestion" in result.stderr


class TestModels:
    def test_one_kind_of_model(self, in_project, larix_command, versions):
        document = json.loads(larix_command("metrics", "--json").output)
        assert list(document["models"]) == ["linear"]
        linear = document["models"]["linear"]
        assert linear["run"] == versions[0]
        assert linear["metrics"] == document["metrics"]
        assert linear["cpu_seconds"] == document["cpu_seconds"] > 0
        assert linear["texts_from_cache"] == 0
        assert "Models of this corpus" not in larix_command("metrics").output
        assert in_project

    def test_several_kinds_stand_side_by_side(self, larix_command, two_runs, tmp_path, monkeypatch):
        shutil.copytree(two_runs.folder, tmp_path / "copy")
        monkeypatch.chdir(tmp_path / "copy")
        ledger = RunLedger(tmp_path / "copy")
        new, old = ledger.runs()
        changes = {
            "pipelines": ("frozen_encoder",),
            "counts": {"texts from the cache": 90, "texts encoded": 6},
        }
        ledger.write(type(old)(**{**vars(old), **changes}))
        document = json.loads(larix_command("metrics", "--json").output)
        assert list(document["models"]) == ["linear", "frozen_memory"]
        assert document["models"]["frozen_memory"]["texts_from_cache"] == 90
        output = larix_command("metrics").output
        assert "Models of this corpus" in output
        assert "frozen_memory: 90 vectors of texts came from the cache, 6 were encoded." in output
        ledger.write(type(old)(**{**vars(old), **changes, "test_set": "other"}))
        assert list(json.loads(larix_command("metrics", "--json").output)["models"]) == ["linear"]
        assert new

    def test_a_project_without_records_has_none(self, larix_command, two_runs, tmp_path, monkeypatch):
        shutil.copytree(two_runs.folder, tmp_path / "copy")
        shutil.rmtree(tmp_path / "copy" / "data" / "runs")
        monkeypatch.chdir(tmp_path / "copy")
        assert json.loads(larix_command("metrics", "--json").output)["models"] == {}
