"""Curves of fine-tuning: their points, and that an interrupted study goes on."""

import json

import numpy as np
import pytest

from benchmarks.fine_tuning import SETTINGS, Documents, Study, _params, draw, table, warmed_up
from larix.corpora import corpus_from_texts
from larix.xmc.transformer.encoder import SentenceEncoder
from larix.xmc.transformer.layer_split import split_layers
from larix.xmc.transformer.layered_encoder import LayeredEncoder
from larix.xmc.transformer.top_layers import TopLayers
from tests.conftest import tiny_documents

pytestmark = pytest.mark.filterwarnings("default")  # of torch and transformers


@pytest.fixture(scope="module")
def documents():
    rows = tiny_documents()
    texts, labels = [row["text"] for row in rows], [row["labels"] for row in rows]
    return Documents.of(corpus_from_texts(texts, labels, texts[:8], labels[:8]), [], 10)


def study(documents, encoder_folder, folder, name="joint"):
    encoder = SentenceEncoder(encoder_folder, max_tokens=12, n_threads=1)
    return Study(documents, encoder, folder, name, _params(name, 1e-3), [0, 2, 4], [0, 4], ["words"])


def test_held_out_documents_are_not_trained_on(documents):
    assert [len(part.texts) for part in (documents.train, documents.held_out, documents.test)] == [86, 10, 8]
    assert set(documents.held_out.Y.indices) <= set(documents.train.Y.indices)
    assert [rows.shape[0] for rows in documents.rows("words")] == [86, 10, 8]


@pytest.mark.parametrize("prefix", ["bone", "skin"])
def test_labels_can_be_a_part_of_all(prefix):
    rows = tiny_documents()
    texts, labels = [row["text"] for row in rows], [row["labels"] for row in rows]
    part = Documents.of(corpus_from_texts(texts, labels, texts, labels), [prefix], 2)
    assert len(part.test.texts) == 24
    assert part.train.Y.shape[1] == 5


def test_points_are_measured_once_and_drawn(documents, encoder_folder, tmp_path, monkeypatch):
    tmp_path = tmp_path / "all"
    study(documents, encoder_folder, tmp_path).run()
    points = json.loads((tmp_path / "joint.0.json").read_text())
    assert [point["step"] for point in points] == [0, 2, 4]
    assert ["test" in point for point in points] == [True, False, True]
    assert points[-1]["test"]["words"]["P@1"] > 0
    monkeypatch.setattr(Study, "_measure", lambda *_, **__: pytest.fail("is measured already"))
    study(documents, encoder_folder, tmp_path).run()
    draw(tmp_path.parent, tmp_path / "curves.svg")
    assert (tmp_path / "curves.svg").read_text().count("all: joint") == 1
    assert len(table(tmp_path, "held out").splitlines()) == 2 + 2


@pytest.mark.parametrize("name", SETTINGS)
def test_settings_are_valid(name):
    assert _params(name, 1e-4).training.learning_rate == 1e-4


def test_an_encoder_is_warmed_up_by_tuned_layers(encoder_folder, tmp_path):
    encoder = SentenceEncoder(encoder_folder, max_tokens=12, n_threads=1)
    upper = split_layers(encoder.load()[0], 1)[1].state_dict()
    rng = np.random.default_rng(0)
    weights = {name: array.numpy() + rng.normal(0, 0.1, array.shape) for name, array in upper.items()}
    weights = {name: array.astype(np.float32) for name, array in weights.items()}
    layers = TopLayers(1, weights, np.eye(encoder.dimension, dtype=np.float32), encoder.files.digest)
    texts = ["heart pain", "skin"]
    before, tuned = LayeredEncoder(encoder, 1, layers).embed(texts)
    after = warmed_up(encoder, layers, tmp_path / "warmed-up").embed(texts)
    np.testing.assert_allclose(after, tuned, atol=2e-3)  # states go on in 16 bits
    assert np.abs(after - before).max() > 0.05
