import shutil

import numpy as np
import pytest

import larix
from larix import TextFeatures, XRLinear
from larix.serving.suggester import Suggester
from larix.serving.tree_names import tree_names
from larix.xmc.document_memory import DocumentMemory
from larix.xmc.embedding_index import EmbeddingIndex
from larix.xmc.label_frequency import LabelFrequencies
from larix.xmc.persistence import ModelFolderError
from larix.xmc.refinement import Refinement
from larix.xmc.sparse import check_csr
from larix.xmc.transformer.contrastive import ContrastiveParams
from larix.xmc.transformer.encoder import SentenceEncoder
from larix.xmc.transformer.joint_features import JointFeatures
from larix.xmc.transformer.top_layer_training import TopLayerParams, tune_top_layers

pytestmark = pytest.mark.filterwarnings("default")  # of torch and transformers

TEXTS = ["heart failure", "pain in the chest", "lung infection", "itching rash of the skin"]


@pytest.fixture
def features(encoder_folder):
    return JointFeatures(TextFeatures(), SentenceEncoder(encoder_folder))


@pytest.mark.parametrize("weight", [1.0, 0.5])
def test_rows_are_tf_idf_and_embedding_of_unit_length(encoder_folder, weight):
    features = JointFeatures(TextFeatures(), SentenceEncoder(encoder_folder), weight=weight)
    X = features.fit_transform(TEXTS).toarray()
    assert X.shape == (4, features.n_features_)
    np.testing.assert_allclose(np.linalg.norm(X, axis=1), 1, atol=1e-6)
    words, embedding = X[:, :-16], X[:, -16:]
    np.testing.assert_allclose(
        np.linalg.norm(embedding, axis=1), weight * np.linalg.norm(words, axis=1), rtol=1e-5
    )
    np.testing.assert_allclose(words * np.sqrt(1 + weight**2), TextFeatures().fit_transform(TEXTS).toarray())
    np.testing.assert_allclose(embedding * np.sqrt(1 + weight**-2), features.embed(TEXTS), atol=1e-5)
    np.testing.assert_allclose(features.transform(TEXTS).toarray(), X, atol=1e-5)
    assert len(features.feature_names()) == features.n_features_


def test_a_text_of_unknown_words_still_has_its_embedding(features):
    features.fit_transform(TEXTS)
    row = features.transform(["xyzzy"])
    assert row.nnz == 16
    assert np.linalg.norm(row.data) == pytest.approx(1)


def test_a_saved_folder_carries_its_encoder(features, tmp_path):
    X = features.fit_transform(TEXTS)
    features.save(tmp_path / "features")
    loaded = larix.load(tmp_path / "features")
    assert loaded.encoder.files.folder == tmp_path / "features" / "encoder"
    assert loaded.encoder.digest == features.encoder.digest
    np.testing.assert_allclose(loaded.transform(TEXTS).toarray(), X.toarray(), atol=1e-6)
    loaded.save(tmp_path / "features")  # over itself
    np.testing.assert_allclose(larix.load(tmp_path / "features").transform(TEXTS).toarray(), X.toarray())


def test_a_damaged_encoder_is_refused(features, tmp_path):
    features.fit_transform(TEXTS)
    features.save(tmp_path / "features")
    weights = tmp_path / "features" / "encoder" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"!")
    with pytest.raises(ModelFolderError, match=r"model\.safetensors is damaged"):
        larix.load(tmp_path / "features")


def test_an_encoder_elsewhere_must_be_there_and_the_same(encoder_folder, tmp_path):
    elsewhere = shutil.copytree(encoder_folder, tmp_path / "encoder")
    encoder = SentenceEncoder(elsewhere, pooling="first")
    features = JointFeatures(TextFeatures(), encoder, carries_encoder=False)
    X = features.fit_transform(TEXTS)
    features.save(tmp_path / "features")
    assert not (tmp_path / "features" / "encoder").exists()
    loaded = JointFeatures.load(tmp_path / "features")
    assert (loaded.carries_encoder, loaded.encoder.pooling) == (False, "first")
    np.testing.assert_allclose(loaded.transform(TEXTS).toarray(), X.toarray(), atol=1e-6)
    (elsewhere / "vocab.txt").write_text("other")
    with pytest.raises(ModelFolderError, match="was trained with another encoder than"):
        JointFeatures.load(tmp_path / "features")
    shutil.rmtree(elsewhere)
    with pytest.raises(ModelFolderError, match="the encoder of this model is missing"):
        JointFeatures.load(tmp_path / "features")


@pytest.mark.parametrize("n_layers", [0, 1])
def test_a_classifier_with_an_encoder_suggests_explains_and_learns(features, n_layers, tmp_path):
    texts = [text for text in TEXTS for _ in range(3)]
    Y = check_csr(np.repeat(np.eye(4), 3, axis=0))
    if n_layers:
        names = ["heart pain", "chest pain", "cough", "skin rash"]
        params, start = TopLayerParams(n_layers=n_layers, steps=10, learning_rate=0.01), ContrastiveParams()
        features.top_layers = tune_top_layers(features.encoder, texts, Y, names, params, start)
    X = features.fit_transform(texts)
    assert X.shape[1] == features.n_features_ == features.n_joint_ + 16 * n_layers
    memory = DocumentMemory().fit(X, Y, texts, index=EmbeddingIndex.of(X, features.dimension))
    classifier = Suggester(
        features=features,
        model=XRLinear().fit(X[:, : features.n_joint_], Y),
        label_ids=["heart", "chest", "lung", "skin"],
        label_names=["heart", "chest", "lung", "skin"],
        frequencies=LabelFrequencies.of(Y),
        refinement=Refinement(memory=memory),
    )
    classifier.save(tmp_path / "classifier")
    loaded = larix.load(tmp_path / "classifier")
    assert [row[0].label for row in loaded.suggest(TEXTS, top_k=1)] == classifier.label_ids
    np.testing.assert_allclose(loaded.rows(TEXTS).toarray(), X[::3].toarray(), atol=1e-3)
    (told,) = loaded.explain("heart failure")
    assert told["nearest"][0]["document"] == "heart failure"
    assert tree_names(loaded).label_names == classifier.label_names
    learnt = loaded.learn(["fracture of the wrist"] * 2, [["bone"]] * 2)
    assert learnt.suggest(["fracture of the wrist"], top_k=1)[0][0].label == "bone"
    assert [row[0].label for row in learnt.suggest(TEXTS, top_k=1)] == classifier.label_ids


def test_a_weight_must_be_positive(encoder_folder):
    with pytest.raises(ValueError, match="weight must be positive, but is 0"):
        JointFeatures(TextFeatures(), SentenceEncoder(encoder_folder), weight=0)
