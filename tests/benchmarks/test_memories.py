"""Memories beside a tree: what is measured on which documents, and the table."""

from argparse import Namespace

import numpy as np
import pytest

from benchmarks import mapped_features, vector_search
from benchmarks.memories import MEMORIES, METRICS, ONE_THREAD, Study, missing, tables
from larix.corpora import corpus_from_texts
from larix.xmc.matrix import unit_rows
from larix.xmc.transformer.encoder import SentenceEncoder
from larix.xmc.transformer.top_layer_training import TopLayerParams


def row(features, memory, seed, p1):
    metrics = dict.fromkeys(METRICS, 0.5) | {"P@1": p1}
    return {
        "features": features,
        "memory": memory,
        "seed": seed,
        "seconds_tree": 4.0,
        "seconds_memory": 2.0,
        **metrics,
    }


def test_what_was_measured_is_not_measured_again():
    wanted = Namespace(features=["words"], memories=["none", "A"], seeds=2)
    known = [row("words", "none", 0, 0.5), row("words", "A", 1, 0.5)]
    assert list(missing(known, wanted)) == [("words", "A", 0), ("words", "none", 1)]


def test_the_table_has_means_over_seeds():
    rows = [row("words", "A", 0, 0.5), row("words", "A", 1, 0.6), row("words", "none", 0, 0.4)]
    lines = tables(rows).splitlines()
    assert lines[2] == "| words | A | 2 | 55.00 | 50.00 | 50.00 | 50.00 | 50.00 | 7.07 | 4 | 2 |"
    assert lines[3].startswith("| words | none | 1 | 40.00 |")


@pytest.fixture
def study(encoder_folder, tmp_path):
    topics = {
        "heart": "heart failure pain",
        "skin": "skin rash",
        "lung": "lung cough",
        "bone": "wrist fracture",
    }
    texts = [f"{words} {'of the chest' * (i % 2)}" for words in topics.values() for i in range(20)]
    labels = [[topic] for topic in topics for _ in range(20)]
    corpus = corpus_from_texts(
        texts, labels, ["heart pain", "rash", "cough"], [["heart"], ["skin"], ["lung"]]
    )
    encoder = SentenceEncoder(encoder_folder, cache_folder=tmp_path / "cache", **ONE_THREAD)
    return Study(corpus, encoder, 0, tmp_path / "work", TopLayerParams(n_layers=1, steps=2))


@pytest.mark.filterwarnings("default")  # of torch and transformers
@pytest.mark.parametrize("memory", MEMORIES)
def test_votes_are_chosen_on_documents_held_out(study, memory):
    found = study.rows("words, embedding", memory)
    assert 0 < study.held.sum() < len(study.held) / 5
    assert ("weight" in found) == (memory != "none")
    assert found["P@1"] >= 2 / 3
    scores = study.scores("words, embedding")  # from the folder, where they are kept
    assert scores["held"].shape == (study.held.sum(), 4)


def test_half_of_a_map_is_its_square_root_with_the_same_rotation():
    A = np.random.default_rng(0).normal(size=(5, 5)).astype(np.float32)
    made = mapped_features.maps(A)
    rotation, half = made["rotation of the map"], made["half of the map"]
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(5), atol=1e-5)
    np.testing.assert_allclose(half @ rotation.T @ half, A, atol=1e-5)


def test_exact_search_is_the_first_row():
    V = unit_rows(np.random.default_rng(0).normal(size=(60, 8)).astype(np.float32))
    rows = list(vector_search.measure(V, V[:25]))
    assert rows[0][:6] == ["larix", "exact", "", "60", "0", "1.000"]
    assert all(0 <= float(row[5]) <= 1 for row in rows)
