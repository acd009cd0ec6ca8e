"""Figures of the study of disentanglement, its targets and its page."""

import shutil

import numpy as np
import pytest

from benchmarks.disentanglement import page
from benchmarks.disentanglement.corpora import SOURCES, Documents, Source, StudyCorpus
from benchmarks.disentanglement.measures import METRICS, by_document, cost, difference
from benchmarks.disentanglement.results import Study
from benchmarks.disentanglement.run import measure_seed
from benchmarks.disentanglement.systems import ROWS, Workbench
from benchmarks.disentanglement.targets import outcomes
from larix import evaluate
from tests.xmc.data import documents

SOURCE = Source("tiny", lambda: pytest.fail("is not read"), SOURCES["icd"].words, leaf=5)


@pytest.fixture(scope="module")
def corpus():
    X, Y = documents(300, 60, 40, seed=2)
    senses = Y[:, np.repeat(np.arange(40), 2)].multiply(np.random.default_rng(0).random((300, 80)) < 0.7)
    parts = [Documents(X[rows], Y[rows], senses.tocsr()[rows]) for rows in (slice(0, 220), slice(220, 300))]
    return StudyCorpus.of(*parts, np.repeat(np.arange(40), 2))


@pytest.fixture(scope="module")
def results(corpus, tmp_path_factory):
    study = Study("icd", root=tmp_path_factory.mktemp("results"))
    study.save_description(corpus.describe())
    for seed in (0, 1):
        measure_seed(study, SOURCE, corpus, seed, ["plain", "winner", "two-plain", "random", "max-2"])
    return study


def test_gains_by_document_add_up_to_the_metrics(corpus):
    P = Workbench(corpus, SOURCE, 0).plain[0].predict(corpus.test.X)
    expected = evaluate(P, corpus.test.Y, corpus.train.Y).metrics
    for name, (gains, best) in by_document(P, corpus).items():
        assert gains.sum() / best.sum() == pytest.approx(expected[name], rel=1e-5)


def test_the_standard_error_of_a_difference_is_that_of_the_bootstrap():
    rng = np.random.default_rng(0)
    best = rng.random(400) + 0.5
    ours, theirs = (best * rng.random(400) for _ in range(2))
    found, error = difference([{"PSP@5": (ours, best)}], [{"PSP@5": (theirs, best)}], "PSP@5")
    drawn = rng.integers(400, size=(2000, 400))
    by_draw = (ours - theirs)[drawn].sum(axis=1) / best[drawn].sum(axis=1)
    assert found == pytest.approx((ours - theirs).sum() / best.sum())
    assert error == pytest.approx(by_draw.std(), rel=0.1)


def test_differences_are_of_means_over_seeds():
    ones = np.ones(2)
    ours = [{"P@1": (np.array(gains), ones)} for gains in ([1.0, 0.0], [1.0, 1.0])]
    theirs = [{"P@1": (np.array([0.0, 1.0]), ones)}]
    assert difference(ours, theirs, "P@1")[0] == 0.75 - 0.5


@pytest.mark.parametrize("name", list(ROWS))
def test_every_row_is_trained_within_the_limit(corpus, name):
    bench = Workbench(corpus, SOURCE, 0)
    system = ROWS[name].build(bench)
    found = cost(system.models, system.beams, bench.queries)
    assert name == "plain" or found <= bench.limit or max(system.beams) == 1
    assert system.cpu_s > 0
    assert len(system.models) == len(system.beams) == (2 if name.startswith("two-") else 1)


def test_held_out_documents_come_from_training_and_lose_no_label(corpus):
    smaller = corpus.held_out(0.2)
    assert smaller.train.X.shape[0] + smaller.test.X.shape[0] == corpus.train.X.shape[0]
    assert smaller.train.Y.shape[1] == corpus.train.Y.shape[1]


def test_labels_without_training_documents_leave_with_their_senses(corpus):
    Y = corpus.train.Y.tolil()
    Y[:, 3] = 0
    train = Documents(corpus.train.X, Y.tocsr(), corpus.train.senses)
    smaller = StudyCorpus.of(train, corpus.test, corpus.sense_labels)
    assert smaller.train.Y.shape[1] == 39
    assert smaller.sense_labels.tolist() == np.repeat(np.arange(39), 2).tolist()
    assert smaller.test.senses.shape[1] == 78


def test_what_was_measured_is_not_measured_again(results, corpus, capsys):
    measure_seed(results, SOURCE, corpus, 0, ["plain", "winner"])
    assert not capsys.readouterr().out
    assert results.seeds("winner") == [0, 1]
    assert results.seeds("max-2") == [0]


def test_outcomes_are_beside_the_best_control(results):
    found = {o.metric: o for o in outcomes(results)}
    assert list(found) == list(METRICS)
    for metric, o in found.items():
        means = {
            row: np.mean([results.figures(row, seed)[metric] for seed in (0, 1)])
            for row in ("plain", "two-plain", "random", "winner")
        }
        assert o.control != "winner"
        assert means[o.control] == max(means[row] for row in ("plain", "two-plain", "random"))
        assert o.difference == pytest.approx(means["winner"] - means[o.control], abs=1e-6)
        assert o.verdict == ("met" if o.difference >= o.target else "not met")


def test_tables_are_written_between_their_comments_alone(results, tmp_path):
    path = tmp_path / "page.md"
    places = "".join(
        f"before {kind}\n<!-- table: icd-words {kind} -->\nold\n<!-- end of table -->\nafter\n"
        for kind in ("comparison", "grid", "separation", "targets")
    )
    empty = "<!-- table: wordnet-words grid -->\n<!-- end of table -->\n"
    path.write_text(places + empty, encoding="utf-8")
    page.write(path, results.root)
    text = path.read_text(encoding="utf-8")
    assert "old" not in text
    assert text.count("before ") == text.count("\nafter\n") == 4
    assert "Mean and standard deviation of 2 seeds, without ± one seed." in text
    assert "--corpora=icd --seeds=2`" in text
    assert "| two plain trees |" in text
    assert "| strict, train |" in text
    assert "-->\nNot measured.\n<!--" in text
    page.write(path, results.root)
    assert path.read_text(encoding="utf-8") == text


@pytest.mark.parametrize(("name", "row"), [("wordnet", "minor R@10"), ("pairs", "strictly separated")])
def test_targets_of_senses_are_where_senses_are_known(results, name, row):
    study = Study(name, root=results.root)
    shutil.copytree(results.folder, study.folder)
    rows = [line.split(" | ") for line in page.targets(study).splitlines()]
    (told,) = (cells for cells in rows if cells[0] == f"| {row}")
    assert float(told[4]) == pytest.approx(float(told[1]) - float(told[2]), abs=0.11)
    assert told[-1].strip(" |") in ("met", "not met")
    assert row not in page.targets(results)
