from argparse import Namespace

import numpy as np
import pytest

from benchmarks import matchers
from benchmarks.results import Results
from larix.corpora import corpus_from_texts
from larix.xmc.transformer.encoder import SentenceEncoder
from tests.conftest import tiny_documents


@pytest.fixture
def data(encoder_folder):
    documents = tiny_documents()
    texts, labels = ([document[name] for document in documents] for name in ("text", "labels"))
    corpus = corpus_from_texts(texts, labels, ["a cough"], [["lung"]])
    return matchers.Documents(corpus, SentenceEncoder(encoder_folder, n_threads=1), 60)


def test_seconds_to_a_recall_lie_between_two_budgets():
    points = [(10.0, 0.5), (30.0, 0.6), (50.0, 0.9)]
    assert matchers.seconds_to(points, 0.4) == 10
    assert matchers.seconds_to(points, 0.6) == 30
    assert matchers.seconds_to(points, 0.7) == pytest.approx(30 + 20 / 3)
    with pytest.raises(ValueError, match=r"a recall of 0.950 is not reached; the highest is 0.900"):
        matchers.seconds_to(points, 0.95)


@pytest.mark.filterwarnings("default")  # of torch and transformers
def test_some_of_the_documents_that_are_not_held_out_are_learnt_from(data):
    assert len(data.learnt) == 60
    assert not data.held[data.learnt].any()
    assert data.held.sum() == len(data.watched) == 10


def test_both_systems_have_the_same_clusters():
    Z = np.random.default_rng(0).normal(size=(600, 4)).astype(np.float32)
    levels, flat = matchers.trees(Z, 256, np.arange(600)).values()
    assert [levels.n_nodes(level) for level in range(levels.depth - 1)] == [16, 256]
    assert flat.depth == 2
    assert np.array_equal(levels.slot_label, flat.slot_label)
    assert np.array_equal(levels.offsets[-1], flat.offsets[-1])


def test_the_table_tells_the_seconds_to_the_best_that_both_reach():
    rows = [
        {"kind": "race", "system": system, "n_clusters": 256, "levels": [256], "passes": 10, "steps": steps,
         "recall": found, "matcher_s": seconds}
        for system, steps, found, seconds in [
            ("X-Transformer", 0, 0.5, 10), ("X-Transformer", 60, 0.8, 40), ("XR-Transformer", 0, 0.65, 5),
        ]
    ]  # fmt: skip
    told = [line.split(" | ")[-1] for line in matchers.tables(Results(rows)).splitlines()[2:]]
    assert told == ["25 (65.0) |", " |", "5 (65.0) |"]


@pytest.mark.filterwarnings("default")  # of torch and transformers
def test_what_is_there_is_not_measured_again(data):
    common = {"clusters": [4], "steps": [0, 2]}
    race = Namespace(**common, passes=[10])
    rows = list(matchers.rows_of_race(data, race, []))
    assert [(row["system"][:2], row["steps"]) for row in rows] == [("X-", 0), ("X-", 2), ("XR", 0), ("XR", 2)]
    assert all(0 <= row["recall"] <= 1 for row in rows)
    assert [row["steps"] for row in matchers.rows_of_race(data, race, rows[:3])] == [2]
    clusters = Namespace(**common, methods=["pifa_lf_concat"], negatives=["tfn+man+weighted"])
    rows = list(matchers.rows_of_clusters(data, clusters, []))
    assert [row["steps"] for row in rows] == [0, 2]
    assert all(0 < row["P@1"] <= 1 for row in rows)
    assert not list(matchers.rows_of_clusters(data, clusters, rows))
    assert "| both | 4 | 2 | `tfn+man+weighted` |" in matchers.tables(Results(rows))
