"""A study of the linear path, on a small corpus."""

import json
import logging
import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from kedro.config import OmegaConfigLoader

import larix
from larix.corpora import read_corpus
from larix.corpora.corpus import CorpusPart
from larix.corpora.params import CorpusParams
from larix.pipelines.tuning.linear_path import LinearPath, Split
from larix.pipelines.tuning.linear_settings import LinearSettings, tunable
from larix.pipelines.tuning.measurement import measure
from larix.pipelines.tuning.params import TuningParams, ValidationParams
from larix.pipelines.tuning.table import settings_of
from larix.pipelines.tuning.trials import plan_of
from larix.tuning.product_store import ProductStore
from larix.tuning.space import changed_at
from larix.xmc.sparse import check_csr

SPACE = {
    "vectorization": {"word": {"longest": {"kind": "int", "low": 1, "high": 2}}},
    "ranking": {
        "solver": {
            "Cp": {
                "kind": "float",
                "low": 1.0,
                "high": 8.0,
                "log": True,
                "also": "matcher_training.solver.Cp",
            }
        }
    },
    "search": {
        "beam_size": {"kind": "int", "low": 1, "high": 20},
        "post_processor": {"kind": "categorical", "choices": ["l3-hinge", "sigmoid"]},
    },
}
WITHOUT_DEFAULTS = {"label_indexing": None, "disentanglement": None, "refinement": None}
TUNING = {
    "space": {**WITHOUT_DEFAULTS, **SPACE, "ranking": {"solver": {"loss": None, "threshold": None,
        **SPACE["ranking"]["solver"]}}},
    "objectives": ["nDCG@5", "inner_products"],
    "n_trials": 10,
    "validation": {"share": 0.3},
}  # fmt: skip


def tune(project, **changes):
    project.run(pipeline_names=["ingestion", "tuning"], params={"tuning": {**TUNING, **changes}})
    return json.loads(project.path("08_reporting/tuning_trials.json").read_text())


def parameters_of(project, env):
    conf = OmegaConfigLoader(
        str(project.folder / "conf"), env=env, base_env="base", default_run_env="local",
        merge_strategy={"parameters": "soft", "globals": "soft"},
    )  # fmt: skip
    return conf["parameters"], conf["globals"]


@pytest.fixture(scope="module")
def tuned(tmp_path_factory):
    """A project after a study."""
    from tests.conftest import new_project

    project = new_project(tmp_path_factory.mktemp("tuned"))
    tune(project)
    return project


def read(project, name):
    return json.loads(project.path(f"08_reporting/{name}.json").read_text())


def test_a_study_leaves_its_trials_front_choice_figure_and_page(tuned):
    trials, front, chosen = (read(tuned, name) for name in ("tuning_trials", "pareto_front", "chosen_trial"))
    assert [trial["trial"] for trial in trials] == list(range(10))
    assert chosen in front
    assert chosen["nDCG@5"] == max(trial["nDCG@5"] for trial in trials)
    assert tuned.path("08_reporting/pareto_front.png").read_bytes().startswith(b"\x89PNG")
    page = tuned.path("08_reporting/tuning_report.html").read_text()
    assert "http" not in page.replace("http-equiv", "")
    assert f"Trial {chosen['trial']} is taken: the best by nDCG@5" in page
    assert "kedro run --env=tiny_tuned" in page
    assert "search.beam_size" in page


def test_trials_of_a_group_needed_no_training(tuned):
    trained = [bool(trial["trained"]) for trial in read(tuned, "tuning_trials")]
    assert trained == [True, *[False] * 4, True, *[False] * 4]


def test_the_environment_has_the_settings_of_the_chosen_trial_and_of_its_own_environment(tuned):
    chosen, space = read(tuned, "chosen_trial"), TuningParams(**TUNING).search_space()
    before, after = parameters_of(tuned, "tiny"), parameters_of(tuned, "tiny_tuned")
    wanted = changed_at(tunable(before[0], 1), settings_of(chosen, space))
    assert tunable(after[0], after[1]["disentanglement_rounds"]) == wanted
    assert after[0]["ingestion"] == before[0]["ingestion"]
    assert after[1]["data"] == "data/tiny_tuned"


def test_a_run_in_the_environment_trains_what_the_trial_had(tuned):
    chosen, space = read(tuned, "chosen_trial"), TuningParams(**TUNING).search_space()
    tuned.run(env="tiny_tuned")
    (folder,) = (tuned.folder / "data/tiny_tuned/06_models/classifier").glob("*/classifier")
    trained = larix.load(folder).card.parameters
    for path, value in settings_of(chosen, space).items():
        at = trained
        for key in path.split("."):
            at = at[key]
        assert at == value, path


def test_the_same_seed_gives_the_same_study_and_a_second_run_adds_nothing(tuned, project):
    def timeless(trials):
        return [
            {name: trial[name] for name in trial if name not in ("seconds", "milliseconds")}
            for trial in trials
        ]

    first = read(tuned, "tuning_trials")
    again = tune(project)
    assert timeless(again) == timeless(first)
    assert tune(project) == again


def test_more_trials_go_on_with_the_study(project, caplog):
    first = tune(project, n_trials=3)
    with caplog.at_level(logging.INFO, logger="larix"):
        assert tune(project, n_trials=6)[:3] == first
    assert "3 of 6 trials are finished" in caplog.text
    assert "6 trials needed 2 trainings" in caplog.text


def test_the_log_ends_with_the_trial_that_is_taken_its_environment_and_the_page(project, caplog):
    with caplog.at_level(logging.INFO, logger="larix"):
        tune(project, n_trials=1)
    wanted = (
        "trial 0 is taken, the best by nDCG@5: nDCG@5 ", "run: kedro run --env=tiny_tuned",
        f"page: {project.path('08_reporting/tuning_report.html')}",
    )  # fmt: skip
    places = [caplog.text.index(words) for words in wanted]
    assert places == sorted(places)


def test_an_entry_of_no_stage_is_refused_before_a_trial(project):
    space = {**TUNING["space"], "serch": {"beam": {"kind": "int", "low": 1, "high": 2}}}
    with pytest.raises(ValueError, match=r"serch\.beam belongs to no stage.*did you mean 'search'"):
        tune(project, space=space)


def test_a_limit_that_no_trial_keeps_is_told(project):
    with pytest.raises(ValueError, match="the best inner_products is"):
        tune(project, n_trials=1, choice={"limits": {"inner_products": 0.5}})


CORPUS = {"format": "jsonl", "name": "tiny", "split": {"test_fraction": 0.25}}


@pytest.fixture
def path(project, tmp_path, monkeypatch):
    """The linear path on validation documents of the small corpus, and its settings."""
    monkeypatch.setenv("LARIX_DATA", str(project.folder))
    corpus = read_corpus(CorpusParams(**CORPUS, files={"train": "tiny.jsonl"}))
    split = Split.of(corpus, ValidationParams(0.3), 0)
    linear = LinearPath(split, ProductStore(tmp_path / "products", max_mb=100), 0, 1)
    parameters = tunable(parameters_of(project, "tiny")[0], 1)
    return linear, parameters


def test_validation_documents_come_from_the_training_documents(path, project, monkeypatch):
    monkeypatch.setenv("LARIX_DATA", str(project.folder))
    corpus, linear = read_corpus(CorpusParams(**CORPUS, files={"train": "tiny.jsonl"})), path[0]
    train, validation = (set(part.ids) for part in (linear.split.corpus.train, linear.split.corpus.test))
    assert train | validation == set(corpus.train.ids)
    assert not train & validation
    assert len(validation) == round(0.3 * len(corpus.train))


def test_more_validation_documents_than_there_may_be_are_trained_on(path):
    corpus = path[0].split.corpus
    split = Split.of(corpus, ValidationParams(0.3, max_documents=5), 0)
    assert (len(split.corpus.test), len(split.corpus.train)) == (5, len(corpus.train) - 5)
    with pytest.raises(ValueError, match="0 of 50 are held out; change tuning"):
        Split.of(corpus, ValidationParams(0.001), 0)


def measured(path, changes):
    linear, parameters = path
    settings = LinearSettings.of(changed_at(parameters, changes))
    trained = linear.train(settings)
    return trained, measure(linear, trained, settings, [5])


@pytest.mark.parametrize(
    ("changes", "made"),
    [
        ({"search.beam_size": 1}, ()),
        ({"refinement.memory.k": 5}, ()),
        ({"refinement.memory": None}, ()),
        ({"disentanglement.max_cost": 1.0}, ()),
        ({"disentanglement.reassignment.budget": 1.1}, ("round 1",)),
        ({"disentanglement.reassignment.max_clusters_per_label": 1}, ()),
        ({"ranking.solver.Cp": 2.0}, ("ranker", "round 1")),
        ({"matcher_training.solver.Cp": 2.0}, ("matcher", "round 1")),
        ({"label_indexing.clustering.max_leaf_size": 6}, ("tree", "matcher", "ranker", "round 1")),
        ({"vectorization.word.longest": 1}, ("tree", "matcher", "ranker", "round 1")),
    ],
)
def test_only_what_a_parameter_affects_is_made_again(path, changes, made):
    assert measured(path, {})[0].made == ("tree", "matcher", "ranker", "round 1")
    assert measured(path, changes)[0].made == made
    assert measured(path, {})[0].made == ()


@pytest.mark.parametrize(
    ("negatives", "made"),
    [("tfn+usn", ("matcher", "round 1")), ("tfn+man+usn", ("matcher", "ranker", "round 1"))],
)
def test_a_ranker_is_made_again_with_the_matcher_only_if_it_learns_from_its_clusters(path, negatives, made):
    linear, parameters = path
    corpus, train = linear.split.corpus, linear.split.corpus.train
    wrong = check_csr(train.labels.toarray() == 0)
    corrected = CorpusPart.from_columns(ids=train.ids, texts=train.texts, labels=train.labels, rejected=wrong)
    linear.split = Split(replace(corpus, train=corrected), "corrected")
    given = {"ranking.negatives": negatives}
    linear.train(LinearSettings.of(changed_at(parameters, given)))
    changed = {**given, "matcher_training.solver.Cp": 2.0}
    assert linear.train(LinearSettings.of(changed_at(parameters, changed))).made == made


def test_further_rounds_are_trained_where_the_matcher_is_trained_again(path):
    both = {"disentanglement.retrain": "both", "disentanglement_rounds": 2}
    trained, _ = measured(path, both)
    assert trained.made == ("tree", "matcher", "ranker", "round 1", "round 2")
    assert len(trained.models) == 3
    alone, _ = measured(path, {**both, "disentanglement.retrain": "ranker"})
    assert alone.made == ("round 1",)
    assert measured(path, both)[0].made == ()


def test_one_feature_matrix_serves_all_trees(path):
    measured(path, {})
    folders = {folder.name for folder in path[0].store.folder.glob("features-*")}
    measured(path, {"label_indexing.clustering.max_leaf_size": 6})
    assert {folder.name for folder in path[0].store.folder.glob("features-*")} == folders


def test_a_trial_is_measured_as_the_pipeline_would(path):
    """A plain tree without memory: what the stages of the pipelines predict."""
    from larix.pipelines.ensemble.nodes import train_model
    from larix.pipelines.label_indexing.nodes import grow_tree, represent
    from larix.pipelines.vectorization.nodes import fit_features, vectorize_test
    from larix.xmc.metrics import evaluate

    plain = {"disentanglement.reassignment.max_clusters_per_label": 1, "refinement.memory": None}
    _, found = measured(path, plain)
    linear, parameters = path
    settings, corpus = LinearSettings.of(changed_at(parameters, plain)), linear.split.corpus
    features, X = fit_features(corpus, settings.vectorization, 1)
    Y, indexing = corpus.train.labels, settings.label_indexing
    Z = represent(X, Y, np.zeros((Y.shape[1], 0), np.float32), indexing, 0, 1)
    tree = grow_tree(Z, Y, indexing, 0, 1)
    model = train_model(X, Y, tree, settings.matcher_training, settings.ranking, 0, 1)
    model.set_params(search=settings.search)
    P = model.predict(vectorize_test(features, corpus), top_k=20)
    expected = evaluate(P, corpus.test.labels, Y, [1, 5], [10]).metrics
    assert {name: found[name] for name in ("P@1", "nDCG@5", "PSP@5", "R@10")} == {
        name: expected[name] for name in ("P@1", "nDCG@5", "PSP@5", "R@10")
    }
    assert found["size_mb"] == pytest.approx(model.size_bytes() / 2**20)
    assert found["milliseconds"] > 0


def test_the_memory_votes_as_in_a_run(path):
    """With its weight given, the blend is that of `Refinement`."""
    from larix.xmc.document_memory import DocumentMemory
    from larix.xmc.metrics import evaluate
    from larix.xmc.refinement import Refinement

    given = {"refinement.memory_weights": [], "disentanglement.reassignment.max_clusters_per_label": 1}
    trained, found = measured(path, given)
    linear, parameters = path
    settings = LinearSettings.of(changed_at(parameters, given))
    model = trained.models[0].set_params(search=settings.search)
    X = trained.features["train_instances"]
    memory = DocumentMemory(settings.refinement.memory).fit(X, linear.Y)
    P = Refinement(memory=memory).rank(model, trained.features["validation_instances"], top_k=20)
    expected = evaluate(P, linear.Y_validation, linear.Y, [5], [10]).metrics["nDCG@5"]
    assert found["nDCG@5"] == pytest.approx(expected, abs=1e-6)


def test_a_path_through_a_part_that_is_left_out_is_refused(path):
    params = TuningParams(
        space={"vectorization": {"char": {"longest": {"kind": "int", "low": 3, "high": 5}}}}
    )
    settings = changed_at(path[1], {"vectorization.char": None})
    with pytest.raises(ValueError, match=r"vectorization\.char is None, so it has no 'longest'"):
        plan_of(params, settings, "", 0)


@pytest.mark.parametrize(
    ("space", "message"),
    [
        (
            {"search": {"beam": {"kind": "int", "low": 1, "high": 9}}},
            "search has no key 'beam'; did you mean",
        ),
        (
            {"ranking": {"solver": {"Cp": {"kind": "float", "low": 0.0, "high": 1.0}}}},
            r"ranking\.solver\.Cp = 0\.0: Cp must be positive",
        ),
        (
            {"search": {"post_processor": {"kind": "categorical", "choices": ["l3-hing"]}}},
            "did you mean 'l3-hinge'",
        ),
        ({"disentanglement_rounds": {"kind": "int", "low": -1, "high": 2}}, "must be a whole number from 0"),
    ],
)
def test_a_range_that_a_stage_does_not_take_is_refused(path, space, message):
    with pytest.raises(ValueError, match=message):
        plan_of(TuningParams(space=space), path[1], "", 0)


def test_the_first_trial_has_the_settings_as_they_are_if_they_lie_in_the_space(path, caplog):
    space = {"search": {"beam_size": {"kind": "int", "low": 1, "high": 30}}}
    assert plan_of(TuningParams(space=space), path[1], "", 0).first == {"search.beam_size": 20}
    space["search"]["beam_size"]["high"] = 10
    assert plan_of(TuningParams(space=space), path[1], "", 0).first == {}
    assert "search.beam_size is 20, which lies outside" in caplog.text


def test_the_default_space_holds_the_default_settings(project):
    """So that a study never chooses worse, on its documents, than what was there."""
    parameters, _ = parameters_of(project, "local")
    plan = plan_of(TuningParams(**parameters["tuning"]), tunable(parameters, 1), "", 0)
    assert len(plan.first) == len(plan.space.dimensions)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sampler": "tpee"}, "sampler must be one of tpe, random"),
        ({"n_trials": 0}, "n_trials must be positive"),
        ({"environment": "my env"}, "environment names a folder"),
        ({"validation": {"share": 1.0}}, "share must lie between 0 and 1"),
        ({"validation": {"shares": 0.1}}, "did you mean 'share'"),
        ({"stop": {"patience": 0}}, "patience must be positive or null"),
        ({"choice": {"rule": "cheapest"}}, "rule must be one of best, knee"),
    ],
)
def test_wrong_parameters_of_the_study_are_refused(changes, message):
    with pytest.raises((ValueError, TypeError), match=message):
        TuningParams(**{"space": SPACE, **changes})


@pytest.mark.slow
def test_two_runs_at_once_share_a_study(project):
    words = ["run", "--pipelines=tuning", "--env=tiny", "--params=tuning.validation.share=0.3"]
    own = {"LARIX_DATA": str(project.folder), "DO_NOT_TRACK": "1"}
    runs = [
        subprocess.Popen([sys.executable, "-m", "kedro", *words], cwd=project.folder, env=os.environ | own)
        for _ in range(2)
    ]
    assert [run.wait(timeout=600) for run in runs] == [0, 0]
    trials = read(project, "tuning_trials")
    assert len(trials) == len({trial["trial"] for trial in trials}) == 40
    n_trained = sum(bool(trial["trained"]) for trial in trials)
    products = project.path("06_models/tuning_products").glob("ranker-*")
    assert 8 <= n_trained <= 9  # both may end with a group that is not full
    assert len(list(products)) <= n_trained


@pytest.mark.slow
def test_workers_of_ray_share_a_study(project):
    pytest.importorskip("ray.train.torch", reason="the extra transformer is not installed")
    workers = "engines.gpu.num_workers=2,engines.gpu.use_gpu=false,engines.gpu.cpus_per_worker=1"
    settings = f"engine=gpu,{workers},tuning.validation.share=0.3,tuning.n_trials=20"
    words = ["run", "--pipelines=tuning", "--env=tiny", f"--params={settings}"]
    own = {"LARIX_DATA": str(project.folder), "DO_NOT_TRACK": "1"}
    run = subprocess.run(
        [sys.executable, "-m", "kedro", *words], cwd=project.folder, env=os.environ | own,
        capture_output=True, text=True, check=False, timeout=600,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr
    assert len({trial["trial"] for trial in read(project, "tuning_trials")}) == 20
    assert "workers of Ray begin: 2" in run.stdout + run.stderr
