"""The path with a frozen encoder: how it is wired, what is embedded, and its memory."""

import inspect
import json
from dataclasses import asdict

import numpy as np
import pytest
import scipy.sparse as sp

import larix
from larix.corpora import corpus_from_texts
from larix.datasets import SparseMatrixDataset
from larix.pipeline_registry import register_pipelines
from larix.pipelines.matcher_training.nodes import MatcherTrainingParams
from larix.pipelines.ranking.nodes import RankingParams
from larix.pipelines.refinement.held_out import held_out_documents
from larix.pipelines.refinement.memory import EmbeddingMemoryParams
from larix.pipelines.refinement.nodes import learn_refinement, predict_held_out
from larix.pipelines.refinement.params import RefinementParams
from larix.pipelines.vectorization.embedding import (
    EmbeddingParams,
    embed_label_texts,
    embed_training_texts,
    fit_joint_features,
)
from larix.pipelines.vectorization.nodes import VectorizationParams
from larix.xmc.beam_search import SearchParams
from larix.xmc.embedding_index import EmbeddingIndex
from larix.xmc.ensemble import Ensemble
from larix.xmc.matrix import join_columns, unit_rows
from larix.xmc.transformer.encoder_files import EncoderFiles
from larix.xmc.xr_linear import XRLinear
from tests.test_kedro_run import changed
from tests.xmc.data import documents, random_tree

N, D = 1500, 8


def test_it_is_the_linear_path_with_an_encoder():
    pipelines = register_pipelines()
    linear, frozen = ({node.name for node in pipelines[p].nodes} for p in ("__default__", "frozen_encoder"))
    memory = {"memory_tuning.tune_memory_layers", "memory_tuning.embed_for_memory"}
    assert frozen - linear == {"vectorization.embed_label_texts", *memory}
    assert linear < frozen


def test_parameters_of_its_nodes_are_annotated():
    for node in register_pipelines()["frozen_encoder"].nodes:
        arguments = list(inspect.signature(node.func).parameters.values())
        for name, argument in zip(node.inputs, arguments, strict=False):
            if name.startswith("params:") and argument.kind is not argument.VAR_POSITIONAL:
                assert argument.annotation is not argument.empty, (node.name, name)


@pytest.fixture(scope="module")
def data():
    """A corpus, rows whose last columns tell the first label, its embedding for the name, and a tree."""
    X, Y = documents(N, 60, 30, seed=1)
    labels = [
        [f"{label:02}" for label in Y.indices[a:b]] for a, b in zip(Y.indptr[:-1], Y.indptr[1:], strict=True)
    ]
    corpus = corpus_from_texts([f"a text with number {i}" for i in range(N)], labels, [], [])
    rng = np.random.default_rng(0)
    names = np.asarray(unit_rows(rng.normal(size=(30, D)).astype(np.float32)))
    E = unit_rows(names[Y.indices[Y.indptr[:-1]]] + rng.normal(size=(N, D)).astype(np.float32) / 4)
    return corpus, unit_rows(join_columns([X, E])), Y, names, random_tree(30, [5], seed=1)


@pytest.mark.parametrize("contrastive", [None, {"epochs": 2}])
def test_votes_of_embeddings_are_chosen_on_documents_held_out(data, contrastive):
    if contrastive is not None:
        pytest.importorskip("torch", reason="the extra transformer is not installed")
    corpus, X, Y, names, tree = data
    params = EmbeddingMemoryParams(contrastive=contrastive, weights=(0.0, 0.5), temperatures=(0.05, 0.1))
    others = ~held_out_documents(Y, RefinementParams(), 0)
    model = Ensemble.of([XRLinear().fit(X[others], Y[others], tree)])
    scores, labels, choice = predict_held_out(
        X, Y, model, Ensemble.of([]), MatcherTrainingParams(), RankingParams(), asdict(SearchParams()),
        RefinementParams(), 0, None, sp.csr_array(Y.shape), params, names,
    )  # fmt: skip
    tried = {(row["weight"], row["temperature"]): row["nDCG@10"] for row in choice["tried"]}
    assert set(tried) == {(0.0, 0.05), (0.0, 0.1), (0.5, 0.05), (0.5, 0.1)}
    assert tried[choice["weight"], choice["temperature"]] == max(tried.values())
    refinement = learn_refinement(
        corpus, X, Y, scores, labels, choice, RefinementParams(), None, params, names, None, 0
    )
    index = refinement.memory.index_
    assert isinstance(index, EmbeddingIndex)
    assert (index.n_rows, index.dimension) == (N, D)
    assert np.array_equal(index.projection, np.eye(D)) == (contrastive is None)
    assert refinement.memory.params.temperature == choice["temperature"]
    assert refinement.memory.weight == choice["weight"]


def test_labels_without_a_name_have_no_embedding(encoder_folder, tmp_path):
    corpus = corpus_from_texts(["heart failure"], [["heart", "x1"]], ["cough"], [["x1"]])
    table = corpus.label_table.set_column(1, "name", [["heart pain", "x1"]])
    corpus = larix.Corpus(corpus.name, corpus.train, corpus.test, table)
    vectors = embed_label_texts(corpus, tmp_path, EmbeddingParams({"folder": str(encoder_folder)}), None)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), [1, 0], atol=1e-5)


def test_given_features_have_no_text_to_encode(tmp_path):
    rows = sp.csr_array(np.eye(2, dtype=np.float32))
    part = larix.corpora.CorpusPart.from_columns(ids=["a", "b"], labels=rows, features=rows)
    corpus = larix.Corpus("rows", part, part, corpus_from_texts(["t"], [["l", "m"]], [], []).label_table)
    embedding = EmbeddingParams({"folder": str(tmp_path)})
    with pytest.raises(ValueError, match="an encoder needs texts, but rows gives features"):
        fit_joint_features(corpus, tmp_path, VectorizationParams(), embedding, None)
    with pytest.raises(ValueError, match="an encoder needs texts, but rows gives features"):
        embed_training_texts(corpus, tmp_path, embedding, None)


@pytest.mark.filterwarnings("default")  # of torch and transformers
def test_a_run_ends_with_a_classifier_that_carries_its_encoder(project, encoder_folder, tmp_path):
    params = {"embedding": {"encoder": {"folder": str(encoder_folder), "package": None}}}
    project.run(pipeline_names=["frozen_encoder"], params=params)
    card = json.loads(project.path("08_reporting/model_card.json").read_text())
    assert card["parameters"]["embedding"]["encoder"]["folder"] == str(encoder_folder)
    folder = next(project.path("06_models/classifier").glob("*/classifier")).rename(tmp_path / "moved")
    classifier = larix.load(folder)
    assert isinstance(classifier.refinement.memory.index_, EmbeddingIndex)
    assert (folder / "features" / "encoder" / "model.safetensors").is_file()
    suggested = classifier.suggest(["fracture of the wrist", "itching skin rash"], top_k=1)
    assert [row[0].label for row in suggested] == ["bone", "skin"]
    cache = cached_embeddings(project)
    assert cache
    project.run(pipeline_names=["frozen_encoder"], params=params)
    assert cached_embeddings(project) == cache  # nothing was encoded again


@pytest.mark.filterwarnings("default")  # of torch and transformers
def test_the_encoder_is_fine_tuned_first(project, encoder_folder):
    training = {"steps": [0, 5, 20, 20], "batch_size": 8, "learning_rate": 0.005, "head_learning_rate": 0.05}
    params = {
        "embedding": {"encoder": {"folder": str(encoder_folder), "package": None}},
        "encoder_tuning": {
            "clustering": {"branching": 2, "max_leaf_size": 4},
            "training": training,
            "joint": False,
        },
    }
    project.run(pipeline_names=["xr_transformer"], params=params)
    losses = json.loads(project.path("08_reporting/tuning_losses.json").read_text())["losses"]
    assert [len(of_level) for of_level in losses] == [0, 5, 20, 20]  # down the preliminary tree
    classifier = larix.load(project.path("06_models/classifier"))
    tuned = EncoderFiles.load(project.path("06_models/tuned_encoder"))
    assert classifier.features.encoder.files.digest == tuned.digest != EncoderFiles(encoder_folder).digest
    assert classifier.card.parameters["encoder_tuning"]["training"][3]["steps"] == 20
    assert classifier.suggest(["fracture of the wrist"], top_k=1)[0][0].label == "bone"
    before = project.snapshot()
    project.run(pipeline_names=["xr_transformer"], params=params, only_missing_outputs=True)
    assert changed(before, project.snapshot()) == set()


@pytest.mark.filterwarnings("default")  # of torch and transformers
def test_a_memory_may_see_with_tuned_layers(project, encoder_folder):
    names = {"bone": "bone fracture", "heart": "chest pain", "skin": "skin rash", "lung": "lung infection"}
    lines = "\n".join("\t".join(item) for item in names.items())
    (project.folder / "names.tsv").write_text(lines, encoding="utf-8")
    top_layers = {"n_layers": 1, "steps": 10, "batch_size": 8, "learning_rate": 0.005}
    params = {
        "ingestion": {"labels": {"names": "names.tsv"}},
        "embedding": {"encoder": {"folder": str(encoder_folder), "package": None}},
        "embedding_memory": {"top_layers": top_layers},
    }
    ran = register_pipelines()["frozen_encoder"].nodes
    names = [node.name for node in ran]
    assert names.index("memory_tuning.tune_memory_layers") < names.index("vectorization.fit_text_features")
    project.run(pipeline_names=["frozen_encoder"], params=params)
    classifier = larix.load(project.path("06_models/classifier"))
    layers = classifier.features.top_layers
    assert (layers.n_layers, len(layers.losses)) == (1, 10)
    memory, model = classifier.refinement.memory, classifier.model
    assert memory.n_features_in_ == model.n_features_in_ + 16 == classifier.features.n_features_
    np.testing.assert_array_equal(memory.index_.projection, np.eye(16))
    assert classifier.suggest(["fracture of the wrist"], top_k=1)[0][0].label == "bone"
    (folder,) = project.path("07_model_output/predictions").glob("*/predictions")
    predictions = SparseMatrixDataset(filepath=str(folder)).load()
    corpus = larix.load(project.path("03_primary/corpus"))
    again = classifier.predict(corpus.test.texts, top_k=predictions.indptr[1])
    np.testing.assert_allclose(again.toarray(), predictions.toarray(), atol=1e-3)
    before = project.snapshot()
    project.run(pipeline_names=["frozen_encoder"], params=params, only_missing_outputs=True)
    assert changed(before, project.snapshot()) == set()


def cached_embeddings(project):
    return {name: time for name, time in project.snapshot().items() if "embedding_cache" in name}
