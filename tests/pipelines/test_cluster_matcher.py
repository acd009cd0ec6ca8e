"""The path whose matcher is a fine-tuned encoder: how it is wired, and a run of it."""

import inspect
import json

import numpy as np
import pytest

import larix
from larix.corpora import corpus_from_texts
from larix.pipeline_registry import register_pipelines
from larix.pipelines.cluster_matcher.nodes import XTransformerParams, represent_by_embeddings
from larix.pipelines.engine_choice import PRESETS
from larix.pipelines.vectorization.embedding import EmbeddingParams
from larix.pipelines.vectorization.nodes import VectorizationParams
from larix.xmc.linear_stages import LinearMatcher
from larix.xmc.text_features import TextFeatures
from tests.test_kedro_run import changed

TRAINING = {"steps": 30, "batch_size": 8, "learning_rate": 0.005, "head_learning_rate": 0.05}


def test_it_takes_the_place_of_label_indexing_and_matcher_training():
    pipelines = register_pipelines()
    frozen, clusters = ({n.name for n in pipelines[p].nodes} for p in ("frozen_encoder", "x_transformer"))
    assert {name.split(".")[0] for name in clusters - frozen} == {"cluster_matcher", "matcher_training"}
    assert {name.split(".")[0] for name in frozen - clusters} == {"label_indexing", "matcher_training"}


def test_it_has_a_ranking_of_its_own():
    parameters = {name for node in register_pipelines()["x_transformer"].nodes for name in node.inputs}
    assert "params:x_transformer_ranking" in parameters
    assert "params:ranking" not in parameters


def test_parameters_of_its_nodes_are_annotated():
    for node in register_pipelines()["cluster_matcher"].nodes:
        arguments = list(inspect.signature(node.func).parameters.values())
        for name, argument in zip(node.inputs, arguments, strict=True):
            if name.startswith("params:"):
                assert argument.annotation is not argument.empty, (node.name, name)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"documents": "words"}, "documents must be one of embedding, joint, but is 'words'"),
        ({"start": "ridge"}, "start must be one of linear, fresh"),
        ({"representation": {"method": "text"}}, "representation must be one of pifa, pii, pifa_lf_concat"),
    ],
)
def test_bad_parameters_are_refused(params, message):
    with pytest.raises(ValueError, match=message):
        XTransformerParams(**params)


@pytest.mark.filterwarnings("default")  # of torch and transformers
def test_labels_are_represented_by_names_and_by_documents_with_or_without_text_features(
    encoder_folder, tmp_path
):
    corpus = corpus_from_texts(["heart pain", "lung infection"], [["a"], ["b"]], [], [])
    embedding = EmbeddingParams({"folder": str(encoder_folder)})

    def represented(documents, method):
        params = XTransformerParams(representation={"method": method}, documents=documents)
        vectorization = VectorizationParams(char=None)
        return represent_by_embeddings(
            corpus, tmp_path, vectorization, embedding, params, "local", PRESETS, 0, 1
        ).shape

    assert represented("embedding", "pifa") == (2, 16)
    assert represented("joint", "pifa") == (2, 16 + 6)  # four words and two pairs
    assert represented("embedding", "pifa_lf_concat") == (2, 32)
    assert represented("joint", "label_text") == (2, 16)


@pytest.mark.filterwarnings("default")  # of torch and transformers
def test_documents_as_embeddings_leave_n_grams_out(encoder_folder, tmp_path, monkeypatch):
    monkeypatch.setattr(TextFeatures, "fit_transform", lambda *_: pytest.fail("n-grams were counted"))
    corpus = corpus_from_texts(["heart pain", "lung infection"], [["a"], ["b"]], [], [])
    embedding = EmbeddingParams({"folder": str(encoder_folder)})
    found = represent_by_embeddings(
        corpus, tmp_path, VectorizationParams(), embedding, XTransformerParams(), "local", PRESETS, 0, 1
    )
    assert found.shape == (2, 32)


@pytest.mark.filterwarnings("default")  # of torch and transformers
def test_a_run_ends_with_a_classifier_whose_matcher_is_the_head(project, encoder_folder):
    params = {
        "embedding": {"encoder": {"folder": str(encoder_folder), "package": None}},
        "x_transformer": {"n_clusters": 8, "training": TRAINING},
        "x_transformer_ranking": {"negatives": "tfn+man+weighted"},
    }
    project.run(pipeline_names=["x_transformer"], params=params)
    (losses,) = json.loads(project.path("08_reporting/tuning_losses.json").read_text())["losses"]
    assert len(losses) == 30
    matcher = LinearMatcher.load(project.path("06_models/matcher"))
    text_features = matcher.weights_.to_csc().toarray()[:-17]
    assert matcher.tree_.n_clusters == 8
    assert not text_features.any()  # the head reads the last 16 columns, those of the embedding
    classifier = larix.load(project.path("06_models/classifier"))
    assert classifier.card.parameters["x_transformer"]["n_clusters"] == 8
    assert classifier.card.parameters["ranking"]["negatives"] == "tfn+man+weighted"
    assert classifier.suggest(["fracture of the wrist"], top_k=1)[0][0].label == "bone"
    before = project.snapshot()
    project.run(pipeline_names=["x_transformer"], params=params, only_missing_outputs=True)
    assert changed(before, project.snapshot()) == set()
    assert np.isfinite(losses).all()
