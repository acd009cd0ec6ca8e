"""`kedro run` with its options, on a small corpus."""

import json

import pytest
from kedro.io.core import DatasetError

import larix
from larix.parameter_check import ParameterError
from larix.xmc.persistence import load_folder


def changed(before: dict[str, int], after: dict[str, int]) -> set[str]:
    """Artefacts, other than times, that were written between two snapshots."""
    written = {path for path, time in after.items() if before.get(path) != time}
    return {path.split("/")[3].split(".")[0] for path in written} - {"stage_seconds"}


def test_a_run_leaves_every_artefact_of_the_linear_path(finished_project):
    for name in (
        "03_primary/corpus/model.json",
        "04_feature/text_features/model.json",
        "05_model_input/train_instances/model.json",
        "06_models/label_tree/model.json",
        "06_models/matcher/model.json",
        "06_models/ranker/model.json",
        "06_models/refinement/model.json",
        "08_reporting/corpus_summary.json",
        "08_reporting/stage_seconds.json",
        "08_reporting/curves.png",
    ):
        assert finished_project.path(name).is_file(), name
    for name in ("06_models/classifier", "07_model_output/predictions", "08_reporting/report.html"):
        assert len(list(finished_project.path(name).glob("*Z"))) == 1
        assert finished_project.newest(name).exists()


def test_the_seconds_of_all_stages_are_recorded(finished_project):
    times = json.loads(finished_project.path("08_reporting/stage_seconds.json").read_text())
    assert list(times["stages"]) == [
        "ingestion",
        "vectorization",
        "label_indexing",
        "matcher_training",
        "ranking",
        "disentanglement",
        "ensemble",
        "refinement",
        "evaluation",
        "reporting",
    ]
    assert times["total"] == pytest.approx(sum(times["stages"].values()), abs=0.01)
    assert times["peak_memory_mb"] > 10


def test_nothing_is_written_again_while_nothing_has_changed(run_project):
    before = run_project.snapshot()
    run_project.run(only_missing_outputs=True)
    assert changed(before, run_project.snapshot()) == set()


def test_a_changed_parameter_makes_its_artefact_and_all_below_it_again(run_project):
    before = run_project.snapshot()
    run_project.run(params={"ranking": {"solver": {"Cp": 2.0}}}, only_missing_outputs=True)
    written = changed(before, run_project.snapshot())
    assert {"ranker", "predictions", "metrics", "classifier", "report"} <= written
    assert written.isdisjoint({"corpus", "text_features", "train_instances", "label_tree", "matcher"})


def test_another_search_needs_no_training(run_project):
    before = run_project.snapshot()
    run_project.run(params={"search": {"beam_size": 1}}, only_missing_outputs=True)
    written = changed(before, run_project.snapshot())
    assert "predictions" in written
    assert written.isdisjoint({"matcher", "ranker", "label_tree"})


def test_changed_data_make_everything_again(run_project):
    before = run_project.snapshot()
    data = run_project.folder / "tiny.jsonl"
    data.write_text(data.read_text() + '\n{"text": "one more rash", "labels": ["skin"]}')
    run_project.run(only_missing_outputs=True)
    assert {"corpus", "label_tree", "matcher", "ranker", "metrics"} <= changed(before, run_project.snapshot())


def test_the_number_of_threads_makes_nothing_again(run_project):
    before = run_project.snapshot()
    run_project.run(params={"n_threads": 1}, only_missing_outputs=True)
    assert changed(before, run_project.snapshot()) == set()


def test_a_damaged_artefact_is_made_again(run_project):
    arrays = run_project.path("06_models/ranker/arrays.safetensors")
    arrays.write_bytes(arrays.read_bytes()[:-7])
    before = run_project.snapshot()
    run_project.run(only_missing_outputs=True)
    assert changed(before, run_project.snapshot()) == {"ranker"}
    assert arrays.stat().st_size > 7


def test_a_lost_artefact_in_the_middle_is_made_again_and_nothing_else(run_project):
    run_project.path("06_models/label_tree/arrays.safetensors").unlink()
    before = run_project.snapshot()
    run_project.run(only_missing_outputs=True)
    assert changed(before, run_project.snapshot()) == {"label_tree"}


def test_from_nodes_starts_in_the_middle(run_project):
    before = run_project.snapshot()
    run_project.run(from_nodes=["ranking.train_ranker"])
    written = changed(before, run_project.snapshot())
    assert {"ranker", "predictions", "metrics"} <= written
    assert written.isdisjoint({"corpus", "matcher", "label_tree"})


def test_a_run_from_the_middle_counts_as_up_to_date_later(run_project):
    run_project.run(from_nodes=["ranking.train_ranker"])
    before = run_project.snapshot()
    run_project.run(only_missing_outputs=True)
    assert changed(before, run_project.snapshot()) == set()


def test_a_single_pipeline_runs_alone(run_project):
    before = run_project.snapshot()
    run_project.run(pipeline_names=["label_indexing"])
    assert changed(before, run_project.snapshot()) == {
        "label_features", "label_tree", "label_representation", "tree_quality",
    }  # fmt: skip


def test_inference_labels_the_texts_of_a_file(run_project):
    reports = run_project.folder / "reports.csv"
    reports.write_text("case,report\nA,a broken wrist\nB,strong cough\n", encoding="utf-8")
    asked = {"input": str(reports), "text": "report", "id": "case", "top_k": 1}
    run_project.run(pipeline_names=["inference"], params={"inference": asked})
    lines = run_project.path("07_model_output/suggestions.jsonl").read_text().splitlines()
    found = [json.loads(line) for line in lines]
    assert [(row["id"], [s["label"] for s in row["suggestions"]]) for row in found] == [
        ("A", ["bone"]),
        ("B", ["lung"]),
    ]


def test_inference_tells_where_a_file_is_wrong(run_project):
    reports = run_project.folder / "reports.jsonl"
    reports.write_text('{"text": "a broken wrist"}\n{"text": 3.5}\n', encoding="utf-8")
    with pytest.raises(DatasetError, match=r"reports\.jsonl:2:2: text is a string, but found 3\.5"):
        run_project.run(pipeline_names=["inference"], params={"inference": {"input": str(reports)}})
    assert not run_project.path("07_model_output/suggestions.jsonl").exists()


def test_equal_seeds_give_equal_bytes_with_any_number_of_threads(run_project, finished_project):
    run_project.run(params={"n_threads": 1})
    for name in (
        "06_models/label_tree",
        "06_models/ranker",
        "06_models/matcher",
    ):
        for file in finished_project.path(name).rglob("*.*"):
            other = run_project.folder / file.relative_to(finished_project.folder)
            assert file.read_bytes() == other.read_bytes(), file
    predictions = (p.newest("07_model_output/predictions") for p in (run_project, finished_project))
    assert len({(folder / "arrays.safetensors").read_bytes() for folder in predictions}) == 1


def test_further_trees_answer_beside_the_first(run_project, larix_command, monkeypatch):
    before = run_project.snapshot()
    members = [{"random_state": 1}, {"clustering": {"branching": 3}}]
    run_project.run(params={"ensemble": {"members": members}}, only_missing_outputs=True)
    written = changed(before, run_project.snapshot())
    assert {"ensemble_members", "held_out_scores", "refinement", "predictions", "classifier"} <= written
    assert written.isdisjoint({"label_tree", "matcher", "ranker"})
    classifier = larix.load(run_project.path("06_models/classifier"))
    assert [model.random_state for model in classifier.model.models_] == [0, 1, 2]
    corpus = larix.load(run_project.path("03_primary/corpus"))
    predicted = classifier.predict(list(corpus.test.texts), top_k=10)
    predicted.sort_indices()
    saved = load_folder(run_project.newest("07_model_output/predictions")).arrays
    assert saved["data"].tobytes() == predicted.data.tobytes()
    monkeypatch.chdir(run_project.folder)
    told = larix_command("suggest", "--explain", "--top-k=1", "a broken wrist").output
    assert "tree 3: " in told
    assert "scores of the 3 trees become one by average" in told


def test_a_misspelt_parameter_is_refused_before_anything_runs(project):
    with pytest.raises(ParameterError, match=r"'ranking\.solver\.max_itr'.*did you mean 'max_iter'"):
        project.run(params={"ranking": {"solver": {"max_itr": 3}}})
    assert project.snapshot() == {}


def test_a_misspelt_parameter_in_a_file_is_told_with_file_and_line(project):
    (project.folder / "conf" / "tiny" / "parameters_ranking.yml").write_text("ranking:\n  negativs: man\n")
    with pytest.raises(
        ParameterError, match=r"conf/tiny/parameters_ranking\.yml:2.*did you mean 'negatives'"
    ):
        project.run()


def test_a_value_out_of_range_is_refused_before_anything_runs(project):
    with pytest.raises(Exception, match="Cp must be positive, but is -1"):
        project.run(params={"ranking": {"solver": {"Cp": -1}}})
    assert project.snapshot() == {}


def test_zero_threads_are_refused(project):
    with pytest.raises(ValueError, match="n_threads must be at least 1"):
        project.run(params={"n_threads": 0})
    assert project.snapshot() == {}


def test_matcher_aware_negatives_use_the_matchers_scores(run_project):
    run_project.run(params={"ranking": {"negatives": "tfn+man"}}, only_missing_outputs=True)
    model = json.loads(run_project.path("06_models/ranker/model.json").read_text())
    assert model["metadata"]["params"]["negatives"] == "tfn+man"
